/** `sallyport mesh simulate`: what a policy would do, before it is applied. */
import type { Parsed } from '../command.ts';
import { UsageError } from '../errors.ts';
import { clusterOf } from '../mesh.ts';
import { difference } from '../mesh-difference.ts';

export async function run(parsed: Parsed): Promise<number> {
  const files = parsed.values('apply');
  if (files.length === 0) throw new UsageError('simulate needs --apply', 'for example: --apply policy.yaml');
  const roots = parsed.operands.length === 0 ? ['.'] : parsed.operands;
  // What comes last counts, as with kubectl apply.
  return difference(parsed, await clusterOf(parsed, roots), await clusterOf(parsed, [...roots, ...files]));
}
