/** `sallyport mesh exposure`: what can be reached from outside, and through which objects. */
import { toJson } from '#kube/json.ts';
import { nameOf } from '#kube/objects.ts';
import { safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { EXIT } from '../errors.ts';
import { clusterOf, sideOf, steps, wayOf } from '../mesh.ts';
import { print } from '../output.ts';

export async function run(parsed: Parsed): Promise<number> {
  const cluster = await clusterOf(parsed, parsed.operands);
  const { exposures, gaps } = cluster.network.exposure();
  const open = exposures.filter(({ reachable }) => reachable !== false);
  if (parsed.value('format') === 'json')
    print(
      toJson({
        exposures: exposures.map(({ workload: _, through, ...rest }) => ({
          ...rest,
          through: through.map(object => `${object.kind} ${nameOf(object)}`),
          mesh: cluster.mesh.member(sideOf(rest.id)).mesh,
        })),
        gaps: steps(gaps, cluster),
        assumptions: cluster.assumptions,
      }),
    );
  else {
    const byWorkload = Map.groupBy(exposures, ({ id }) => id);
    const lines = [
      `${byWorkload.size} workloads have a way in from outside; ${new Set(open.map(({ id }) => id)).size} can be reached`,
    ];
    for (const [id, ways] of byWorkload) {
      lines.push('', safe(id));
      for (const way of ways) {
        lines.push(`  ${safe(wayOf(way))}${way.reachable === false ? ' (network policy denies it)' : ''}`);
        if (way.sources.length > 0) lines.push(`    only from ${safe(way.sources.join(', '))}`);
        for (const object of way.through) {
          const at = cluster.world.declarationOf(object)?.origin;
          const place = at === undefined ? '' : `  ${at.file}:${at.line}`;
          lines.push(`    ${safe(`${object.kind} ${nameOf(object)}${place}`)}`);
        }
      }
    }
    if (gaps.length > 0) lines.push('', 'Leads nowhere', ...steps(gaps, cluster).map(step => `  ${step}`));
    const { assumedText } = await import('#report/mesh/text.ts');
    print(`${lines.join('\n')}\n${assumedText(cluster.assumptions)}`);
  }
  return open.some(({ reachable }) => reachable === 'unknown') || cluster.world.gaps.length > 0
    ? EXIT.unknown
    : EXIT.clean;
}
