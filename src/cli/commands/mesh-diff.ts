/** `sallyport mesh diff`: what a change opens and closes; a gate. */
import type { Parsed } from '../command.ts';
import { UsageError } from '../errors.ts';
import { clusterOf } from '../mesh.ts';
import { difference } from '../mesh-difference.ts';

export async function run(parsed: Parsed): Promise<number> {
  const [base, head, ...more] = parsed.operands;
  if (base === undefined || head === undefined || more.length > 0)
    throw new UsageError('diff takes two files or folders', 'for example: mesh diff before/ after/');
  return difference(parsed, await clusterOf(parsed, [base]), await clusterOf(parsed, [head]));
}
