/** `sallyport mesh simulate`: what a policy would do, before it is applied: to what is needed, and to everything else. */
import { answersOf } from '#advise/mesh-proof.ts';
import { needText } from '#advise/network-needs.ts';
import { safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { type Cluster, clusterOf, steps } from '../mesh.ts';
import { difference, type NeedChanges } from '../mesh-difference.ts';
import { needsOf } from '../mesh-needs.ts';
import { tell } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const files = parsed.values('apply');
  if (files.length === 0) throw new UsageError('simulate needs --apply', 'for example: --apply policy.yaml');
  const roots = parsed.operands.length === 0 ? ['.'] : parsed.operands;
  // What comes last counts, as with kubectl apply.
  const [before, after] = [
    await clusterOf(parsed, roots),
    await clusterOf(parsed, [...roots, ...files], true),
  ];
  const changes = needChanges(parsed, files, before, after);
  const code = difference(parsed, before, after, changes);
  return changes.broken.length > 0 ? EXIT.findings : code;
}

/** What becomes of the connections that manifests and logs say are needed. */
function needChanges(parsed: Parsed, files: readonly string[], before: Cluster, after: Cluster): NeedChanges {
  const { intents, open } = needsOf(parsed, before, undefined);
  for (const line of steps(open, before)) tell(`not known: ${safe(line)}\n`);
  const needs = intents.map(({ need }) => need);
  const answers = [before, after].map(({ objects, meshOptions }) =>
    answersOf(objects, needs, meshOptions, { ipBlocksMatchPods: false }),
  );
  const lines = {
    broken: [] as string[],
    doubtful: [] as string[],
    mended: [] as string[],
    stillBroken: [] as string[],
  };
  for (const [index, { need, why }] of intents.entries()) {
    const [old, now] = [answers[0]![index]!, answers[1]![index]!];
    const text = `${needText(need)} (${why})`;
    const deciding = now.because.filter(
      one => one.object !== undefined && !/ allows (?:egress|ingress)$/.test(one.text),
    );
    const applied = (line: string): boolean => files.some(file => line.startsWith(`${safe(file)}:`));
    const because = steps(deciding.length > 0 ? deciding : now.because, after)
      .sort((a, b) => Number(applied(b)) - Number(applied(a)))
      .slice(0, 2);
    const withReason = because.length === 0 ? text : `${text}: ${because.join('; ')}`;
    if (now.allowed === false) (old.allowed === false ? lines.stillBroken : lines.broken).push(withReason);
    else if (now.allowed === 'unknown' && old.allowed === true) lines.doubtful.push(withReason);
    else if (now.allowed === true && old.allowed === false) lines.mended.push(text);
  }
  return { ...lines, checked: intents.length };
}
