/** What differs between two clusters, printed; and the exit code of a gate. */

import { deriveFlow, settingsOf } from '#decide/mesh/door.ts';
import { compareNetworks } from '#decide/network/compare.ts';
import { formatPorts } from '#decide/network/door.ts';
import { namespaceOf, sideOfId } from '#decide/network/inventory.ts';
import { toJson } from '#kube/json.ts';
import { type KubeObject, nameOf } from '#kube/objects.ts';
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
  const encrypted = new Set(old.filter(({ travel }) => travel === 'mtls').map(keyOf));
  const lost = now.filter(edge => edge.travel !== 'mtls' && encrypted.has(keyOf(edge)));
  const { widened, narrowed, perhapsWidened } = requests(before, after, old, now);
  const said = {
    ...(needs === undefined ? {} : { needs }),
    gained: fresh(now, old),
    lost: fresh(old, now),
    widened,
    narrowed,
    perhapsWidened,
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
    said.widened.length > 0 ||
    said.exposureGained.length > 0 ||
    lost.length > 0 ||
    said.relation.some(({ gained }) => gained !== 'no port');
  if (worse) return EXIT.findings;
  const open =
    said.perhapsWidened.length > 0 || said.relation.some(({ perhapsGained }) => perhapsGained !== 'no port');
  return open || after.world.gaps.length > 0 ? EXIT.unknown : EXIT.clean;
}

/** What the one list has and the other has not, whatever the encryption. */
function fresh(edges: readonly MapEdge[], than: readonly MapEdge[]): string[] {
  const known = new Set(than.map(keyOf));
  return joined(edges.filter(edge => !known.has(keyOf(edge))));
}

/** What becomes of connections that both sides have, where the proxy looks at requests. */
function requests(before: Cluster, after: Cluster, old: readonly MapEdge[], now: readonly MapEdge[]) {
  const known = new Map(old.map(edge => [keyOf(edge), edge]));
  const both = now.flatMap(edge => {
    const was = known.get(keyOf(edge));
    return was === undefined ? [] : [{ edge, was: was.allowed }];
  });
  const which = (meant: (was: MapEdge['allowed'], is: MapEdge['allowed'], edge: MapEdge) => boolean) =>
    joined(both.filter(({ edge, was }) => meant(was, edge.allowed, edge)).map(({ edge }) => edge));
  const rules = [rulesOf(before), rulesOf(after)] as const;
  return {
    widened: which((was, is) => was !== 'yes' && is === 'yes'),
    narrowed: which((was, is) => was === 'yes' && is !== 'yes'),
    // Which of the requests are let in now, and were not, is not worked out.
    perhapsWidened: which(
      (was, is, edge) => was === 'some' && is === 'some' && rules[0](edge) !== rules[1](edge),
    ),
  };
}

/** What policies of Istio and Linkerd refer to, or apply beside them. */
const BESIDE =
  /^(?:RequestAuthentication|Server|HTTPRoute|GRPCRoute|MeshTLSAuthentication|NetworkAuthentication)$/;

/** The rules on requests that a connection meets, as one text. */
function rulesOf({ objects, network, mesh }: Cluster): (edge: MapEdge) => string {
  const { rootNamespace } = settingsOf(objects);
  const textOfAll = (some: Iterable<KubeObject>): string =>
    [...some]
      .map(object => toJson([object.kind, nameOf(object), object['spec']]))
      .sort()
      .join('\n');
  const known = new Map<string, string>();
  const beside = (namespace: string): string => {
    let text = known.get(namespace);
    if (text === undefined) {
      const meant = (one: string | undefined): boolean => one === namespace || one === rootNamespace;
      text = textOfAll(objects.filter(one => BESIDE.test(one.kind) && meant(namespaceOf(one))));
      known.set(namespace, text);
    }
    return text;
  };
  return ({ from, to, port }) => {
    const query = { from: sideOfId(from), to: sideOfId(to), port: Number.parseInt(port, 10) };
    const { because } = deriveFlow(network, mesh, query).authorization;
    const own = because.flatMap(({ object }) => (object === undefined ? [] : [object]));
    return `${textOfAll(new Set(own))}\n\n${beside(to.slice(0, to.indexOf('/')))}`;
  };
}

function keyOf({ from, to, port }: MapEdge): string {
  return `${from}\0${to}\0${port}`;
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
  readonly widened: readonly string[];
  readonly narrowed: readonly string[];
  readonly perhapsWidened: readonly string[];
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
    ['Open to every request now, and not for certain before', said.widened, '+'],
    ['No longer open to every request', said.narrowed, '-'],
    ['Open to some requests, by rules that changed: to which more is not known', said.perhapsWidened, '?'],
    ['Connections lost, to ports that workloads declare', said.lost, '-'],
  ];
  const lines = sections.flatMap(([title, items, mark]) =>
    items.length === 0 ? [] : [title, ...items.map(item => `  ${mark} ${safe(item)}`)],
  );
  if (said.relation.length > 0)
    lines.push(`${said.relation.length} pairs of endpoint classes differ on all ports (see --format json)`);
  return lines.length === 0 ? 'no difference\n' : `${lines.join('\n')}\n`;
}
