/**
 * What a change does to connections in a mesh, as a comparison says it: those that lost their encryption, and those
 * that policies of the mesh let in or keep out now.
 */
import type { SecurityChange } from '#check/comparison.ts';
import { createMesh } from '#decide/mesh/door.ts';
import { hasPort, type Protocol } from '#decide/network/ports.ts';
import { networkOf } from '#judge/changes-of-network.ts';
import type { View } from '#judge/compare.ts';
import { touchesNetwork } from '#judge/facets.ts';
import { changeOf, type Pair } from '#judge/sides.ts';
import { groupOf, type KubeObject, nameOf, referenceOf, valueAt } from '#kube/objects.ts';
import type { MapEdge } from '#report/mesh/map.ts';
import { count } from '#report/safe.ts';
import { metadataOf, namespaceOf, type World } from '#world/world.ts';
import { type Cluster, edgesTo } from './mesh.ts';

/** Pairs of workloads that are looked at one by one. */
const MOST_PAIRS = 60_000;
const MOST_LINES = 20;
const NAMES = 3;
const MESH = /(?:^|\.)(?:istio|linkerd)\.io$/;
const MARKS = ['istio-injection', 'istio.io/dataplane-mode', 'istio.io/rev', 'linkerd.io/inject'];

export const meshChanges: View['view'] = (base, head, pairs, unknown) => {
  if (!hasMesh(base.world) && !hasMesh(head.world)) return [];
  const touched = [...pairs.changed, ...pairs.added, ...pairs.removed].filter(pair =>
    touchesNetwork(base.world, head.world, pair),
  );
  const namespaces = affected(touched);
  const [before, after] = [clusterOf(base.world), clusterOf(head.world)];
  const [old, now] = [edges(before, namespaces), edges(after, namespaces)];
  const place = touched.find(({ head: one, base: other }) => isOfMesh((one ?? other)!.object)) ?? touched[0]!;
  if (old === undefined || now === undefined) {
    const { object, origin } = (place.head ?? place.base)!;
    const { file, line, column } = origin.positionOf([]);
    unknown({
      file,
      line,
      column,
      object: referenceOf(object),
      reason: `whether connections lose their encryption: more than ${MOST_PAIRS} may, and sallyport mesh diff looks at each`,
    });
    return [];
  }
  return [...encryption(old, now, place, touched), ...admitted(before, after, old, now, place, touched)];
};

function isOfMesh({ apiVersion }: KubeObject): boolean {
  return MESH.test(groupOf(apiVersion));
}

/** Whether anything of the input speaks of a mesh. */
function hasMesh(world: World): boolean {
  for (const kind of world.kinds()) if (MESH.test(kind.slice(0, kind.indexOf('/')))) return true;
  return world.ofKind('/Namespace').some(({ object }) => {
    const { labels, annotations } = metadataOf(object.metadata);
    return MARKS.some(mark => labels?.[mark] !== undefined || annotations?.[mark] !== undefined);
  });
}

function clusterOf(world: World): Cluster {
  const objects = world.declared.map(({ object }) => object);
  const mesh = createMesh(objects);
  const { assumptions } = mesh;
  return { world, objects, network: world.fact(networkOf), mesh, meshOptions: {}, assumptions };
}

/** The namespaces whose workloads may be reached otherwise; undefined for all. */
function affected(touched: readonly Pair[]): ReadonlySet<string> | undefined {
  const namespaces = new Set<string>();
  for (const pair of touched)
    for (const declared of [pair.base, pair.head]) {
      if (declared === undefined) continue;
      const { object } = declared;
      const own = object.kind === 'Namespace' ? nameOf(object) : namespaceOf(object);
      // Settings of the whole mesh, and policies of its root.
      if (own === undefined || own === 'istio-system' || own === 'linkerd') return undefined;
      namespaces.add(own);
      const host = valueAt(object, ['spec', 'host']);
      const target = typeof host === 'string' ? host.split('.')[1] : undefined;
      if (target !== undefined) namespaces.add(target);
      if (typeof host === 'string' && host.startsWith('*')) return undefined;
    }
  return namespaces;
}

/** The connections to workloads of the namespaces; undefined where there are too many. */
function edges(cluster: Cluster, namespaces: ReadonlySet<string> | undefined): MapEdge[] | undefined {
  const members = cluster.network.connections().classes.flatMap(one => one.members);
  const targets = members.filter(
    ({ namespace }) => namespaces === undefined || namespaces.has(namespace ?? ''),
  );
  if (members.length * targets.length > MOST_PAIRS) return undefined;
  return edgesTo(cluster, namespaces);
}

const keyOf = ({ from, to, port }: MapEdge) => `${from}\0${to}\0${port}`;

function encryption(
  old: readonly MapEdge[],
  now: readonly MapEdge[],
  place: Pair,
  touched: readonly Pair[],
): SecurityChange[] {
  const before = new Map(old.map(edge => [keyOf(edge), edge]));
  const changed = (from: boolean) =>
    now.filter(edge => {
      const was = before.get(keyOf(edge));
      return was !== undefined && (was.travel === 'mtls') === from && (edge.travel === 'mtls') !== from;
    });
  return [
    ...lines(changed(true)).map(({ text, namespace }) =>
      changeOf('mesh/lost-encryption', near(namespace, touched, place), `${text}: no longer by mutual TLS`, {
        direction: 'worse',
      }),
    ),
    ...lines(changed(false)).map(({ text, namespace }) =>
      changeOf('mesh/lost-encryption', near(namespace, touched, place), `${text}: by mutual TLS now`, {
        direction: 'better',
      }),
    ),
  ];
}

/** What policies of the mesh changed: what the network lets through is compared elsewhere. */
function admitted(
  before: Cluster,
  after: Cluster,
  old: readonly MapEdge[],
  now: readonly MapEdge[],
  place: Pair,
  touched: readonly Pair[],
): SecurityChange[] {
  const beyond = (more: readonly MapEdge[], less: readonly MapEdge[], than: Cluster) => {
    const known = new Set(less.map(keyOf));
    const relation = than.network.connections();
    return more.filter(edge => {
      if (known.has(keyOf(edge))) return false;
      const [from, to] = [relation.classOf(edge.from), relation.classOf(edge.to)];
      // New or gone as a whole, or shut by the network: not the doing of the mesh.
      if (from === undefined || to === undefined) return false;
      const { allowed, unknown } = relation.between(from, to);
      const [port, protocol] = edge.port.split('/') as [string, Protocol];
      return hasPort(allowed, protocol, Number(port)) || hasPort(unknown, protocol, Number(port));
    });
  };
  return [
    ...lines(beyond(now, old, before)).map(({ text, namespace }) =>
      changeOf('mesh/opened-connection', near(namespace, touched, place), `${text}: let in by the mesh now`, {
        direction: 'worse',
      }),
    ),
    ...lines(beyond(old, now, after)).map(({ text, namespace }) =>
      changeOf(
        'mesh/opened-connection',
        near(namespace, touched, place),
        `${text}: let in by the mesh no more`,
        { direction: 'better' },
      ),
    ),
  ];
}

/** The object of the change in a namespace, or the first of the mesh. */
function near(namespace: string, touched: readonly Pair[], place: Pair): Pair {
  return (
    touched.find(({ head, base }) => {
      const { object } = (head ?? base)!;
      return isOfMesh(object) && namespaceOf(object) === namespace;
    }) ?? place
  );
}

/** A line for each port that is reached, with its callers. */
function lines(found: readonly MapEdge[]): { readonly text: string; readonly namespace: string }[] {
  const groups = [...Map.groupBy(found, ({ to, port }) => `${to} ${port}`)];
  const shown = groups.slice(0, MOST_LINES).map(([to, list]) => {
    const callers = list.map(({ from }) => from);
    const more = callers.length > NAMES ? ` and ${callers.length - NAMES} more` : '';
    return {
      text: `${callers.slice(0, NAMES).join(', ')}${more} to ${to}`,
      namespace: to.slice(0, to.indexOf('/')),
    };
  });
  const rest = groups.length - shown.length;
  if (rest > 0) shown.push({ text: `and ${count(rest, 'port')} more`, namespace: shown.at(-1)!.namespace });
  return shown;
}
