/** What differs between two clusters, printed; and the exit code of a gate. */
import { compareNetworks } from '#decide/network/compare.ts';
import { formatPorts } from '#decide/network/door.ts';
import { toJson } from '#kube/json.ts';
import type { MapEdge } from '#report/mesh/map.ts';
import { assumedText } from '#report/mesh/text.ts';
import { safe } from '#report/safe.ts';
import type { Parsed } from './command.ts';
import { EXIT } from './errors.ts';
import { type Cluster, edgesTo, wayOf } from './mesh.ts';
import { print } from './output.ts';

const SHOWN = 6;

/** What becomes of needed connections, in words. */
export interface NeedChanges {
  readonly checked: number;
  readonly broken: readonly string[];
  readonly doubtful: readonly string[];
  readonly mended: readonly string[];
  readonly stillBroken: readonly string[];
}

export function difference(parsed: Parsed, before: Cluster, after: Cluster, needs?: NeedChanges): number {
  const { pairs, exposure } = compareNetworks(before.network, after.network);
  const [old, now] = [edgesTo(before), edgesTo(after)];
  const lost = old
    .filter(edge => edge.travel === 'mtls')
    .flatMap(edge => {
      const same = now.find(one => one.from === edge.from && one.to === edge.to && one.port === edge.port);
      return same !== undefined && same.travel !== 'mtls' ? [same] : [];
    });
  const said = {
    ...(needs === undefined ? {} : { needs }),
    gained: fresh(now, old),
    lost: fresh(old, now),
    relation: pairs.map(({ from, to, gained, lost: gone, perhapsGained }) => ({
      from: [...from.ids, ...from.ranges],
      to: [...to.ids, ...to.ranges],
      gained: formatPorts(gained),
      lost: formatPorts(gone),
      perhapsGained: formatPorts(perhapsGained),
    })),
    exposureGained: exposure.gained.map(one => `${one.id}: ${wayOf(one)}`),
    exposureLost: exposure.lost.map(one => `${one.id}: ${wayOf(one)}`),
    encryptionLost: joined(lost),
    assumptions: [...new Set([...before.assumptions, ...after.assumptions])],
  };
  if (parsed.value('format') === 'json') print(toJson(said));
  else print(`${needs === undefined ? '' : needsText(needs)}${textOf(said)}${assumedText(said.assumptions)}`);
  const worse =
    said.gained.length > 0 ||
    said.exposureGained.length > 0 ||
    lost.length > 0 ||
    said.relation.some(({ gained }) => gained !== 'no port');
  if (worse) return EXIT.findings;
  const open = said.relation.some(({ perhapsGained }) => perhapsGained !== 'no port');
  return open || after.world.gaps.length > 0 ? EXIT.unknown : EXIT.clean;
}

/** What the one list has and the other has not, whatever the encryption. */
function fresh(edges: readonly MapEdge[], than: readonly MapEdge[]): string[] {
  const known = new Set(than.map(({ from, to, port }) => `${from}\0${to}\0${port}`));
  return joined(edges.filter(({ from, to, port }) => !known.has(`${from}\0${to}\0${port}`)));
}

/** A line for each port that is reached, with its callers. */
function joined(edges: readonly MapEdge[]): string[] {
  return [...Map.groupBy(edges, ({ to, port }) => `${to} ${port}`)].map(([to, list]) => {
    const callers = list.map(({ from }) => from);
    const more = callers.length > SHOWN ? ` and ${callers.length - SHOWN} more` : '';
    return `${callers.slice(0, SHOWN).join(', ')}${more} -> ${to}`;
  });
}

function needsText({ checked, broken, doubtful, mended, stillBroken }: NeedChanges): string {
  const sections: readonly (readonly [title: string, lines: readonly string[], mark: string])[] = [
    ['Needed connections that it breaks', broken, '!'],
    ['Needed connections that are no longer certain', doubtful, '?'],
    ['Needed connections that work again', mended, '+'],
    ['Needed connections that do not work now, and not after it', stillBroken, '-'],
  ];
  const lines = sections.flatMap(([title, items, mark]) =>
    items.length === 0 ? [] : [title, ...items.map(item => `  ${mark} ${safe(item)}`)],
  );
  const fine = checked - broken.length - doubtful.length - mended.length - stillBroken.length;
  return `${[...lines, `${fine} of ${checked} needed connections stay as they are`].join('\n')}\n`;
}

function textOf(said: {
  readonly gained: readonly string[];
  readonly lost: readonly string[];
  readonly relation: readonly object[];
  readonly exposureGained: readonly string[];
  readonly exposureLost: readonly string[];
  readonly encryptionLost: readonly string[];
}): string {
  const sections: readonly (readonly [title: string, lines: readonly string[], mark: string])[] = [
    ['Exposed now', said.exposureGained, '+'],
    ['No longer exposed', said.exposureLost, '-'],
    ['Encryption lost', said.encryptionLost, '!'],
    ['Connections gained, to ports that workloads declare', said.gained, '+'],
    ['Connections lost, to ports that workloads declare', said.lost, '-'],
  ];
  const lines = sections.flatMap(([title, items, mark]) =>
    items.length === 0 ? [] : [title, ...items.map(item => `  ${mark} ${safe(item)}`)],
  );
  if (said.relation.length > 0)
    lines.push(`${said.relation.length} pairs of endpoint classes differ on all ports (see --format json)`);
  return lines.length === 0 ? 'no difference\n' : `${lines.join('\n')}\n`;
}
