/** `sallyport mesh exposure`: what can be reached from outside, and through which objects. */

import { type WayIn, wayIn } from '#decide/mesh/ways-in.ts';
import type { Exposure } from '#decide/network/door.ts';
import { sideOfId } from '#decide/network/inventory.ts';
import { toJson } from '#kube/json.ts';
import { nameOf } from '#kube/objects.ts';
import { count, safe } from '#report/safe.ts';
import type { Parsed } from '../command.ts';
import { EXIT } from '../errors.ts';
import { type Cluster, clusterOf, steps, wayOf } from '../mesh.ts';
import { print } from '../output.ts';

interface Way {
  readonly exposure: Exposure;
  readonly further: WayIn;
}

export async function run(parsed: Parsed): Promise<number> {
  const cluster = await clusterOf(parsed, parsed.operands);
  const { exposures, gaps } = cluster.network.exposure();
  const ways = exposures.map(
    (exposure): Way => ({ exposure, further: wayIn(cluster.objects, cluster.mesh, exposure) }),
  );
  if (parsed.value('format') === 'json')
    print(
      toJson({
        exposures: ways.map(way => asData(way, cluster)),
        gaps: steps(gaps, cluster),
        assumptions: cluster.assumptions,
      }),
    );
  else {
    const byWorkload = Map.groupBy(ways, ({ exposure }) => exposure.id);
    const open = new Set(ways.filter(canBeReached).map(({ exposure }) => exposure.id));
    const lines = [
      `${count(byWorkload.size, 'workload')} ${byWorkload.size === 1 ? 'has' : 'have'} a way in from outside; ${open.size} can be reached`,
    ];
    for (const [id, own] of byWorkload)
      lines.push('', safe(id), ...own.flatMap(way => linesOf(way, cluster)));
    if (gaps.length > 0) lines.push('', 'Leads nowhere', ...steps(gaps, cluster).map(step => `  ${step}`));
    const { assumedText } = await import('#report/mesh/text.ts');
    print(`${lines.join('\n')}\n${assumedText(cluster.assumptions)}`);
  }
  return exposures.some(({ reachable }) => reachable === 'unknown') || cluster.world.gaps.length > 0
    ? EXIT.unknown
    : EXIT.clean;
}

function canBeReached({ exposure, further }: Way): boolean {
  return exposure.reachable !== false && further.refused.length === 0;
}

function asData({ exposure, further }: Way, cluster: Cluster): object {
  const { workload: _, through, ...rest } = exposure;
  const { behind, authentication, refused } = further;
  return {
    ...rest,
    through: through.map(object => `${object.kind} ${nameOf(object)}`),
    mesh: cluster.mesh.member(sideOfId(rest.id)).mesh,
    behind: { ...behind, because: steps(behind.because, cluster) },
    authentication: { ...authentication, because: steps(authentication.because, cluster) },
    refused: steps(refused, cluster),
  };
}

function linesOf({ exposure, further }: Way, cluster: Cluster): string[] {
  const { behind, authentication, refused } = further;
  const denied = exposure.reachable === false;
  const lines = [`  ${safe(wayOf(exposure))}${denied ? ' (network policy denies it)' : ''}`];
  if (exposure.sources.length > 0) lines.push(`    only from ${safe(exposure.sources.join(', '))}`);
  for (const object of exposure.through) {
    const at = cluster.world.declarationOf(object)?.origin;
    const place = at === undefined ? '' : `  ${at.file}:${at.line}`;
    lines.push(`    ${safe(`${object.kind} ${nameOf(object)}${place}`)}`);
  }
  if (denied) return lines;
  if (refused.length > 0)
    return [...lines, ...steps(refused, cluster).map(step => `    the mesh refuses it: ${step}`)];
  const [why] = steps(behind.because.slice(-1), cluster);
  lines.push(
    `    behind: ${BEHIND[behind.mode]}${identity(behind)}${behind.mode === 'unknown' ? `, ${why}` : ''}`,
  );
  const [asks] = steps(authentication.because, cluster);
  lines.push(`    ${ASKED[authentication.is]}${asks === undefined ? '' : `: ${asks}`}`);
  return lines;
}

function identity({ identity: who }: WayIn['behind']): string {
  return who === undefined ? '' : ` as ${safe(who)}`;
}

const BEHIND: Readonly<Record<WayIn['behind']['mode'], string>> = {
  mtls: 'mTLS',
  strict: 'mTLS only',
  tls: 'TLS',
  plaintext: 'no mTLS',
  refused: 'refused',
  unknown: 'encryption unknown',
};
const ASKED: Readonly<Record<WayIn['authentication']['is'], string>> = {
  token: 'asks for a token',
  'client-certificate': 'asks for a client certificate',
  external: 'asks a service who it is',
  password: 'asks for a password',
  some: 'some requests may be asked who they are',
  none: 'nothing in front of the application asks who it is',
};
