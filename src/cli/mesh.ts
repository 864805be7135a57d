/** What the mesh commands share: the cluster that the input describes, and its connections as a map. */

import { createMesh, deriveFlow, type Mesh, type MeshOptions } from '#decide/mesh/door.ts';
import {
  createNetwork,
  type Exposure,
  formatPorts,
  type Network,
  type NetworkOptions,
  type Peer,
} from '#decide/network/door.ts';
import type { PodEndpoint } from '#decide/network/inventory.ts';
import { sideOfId } from '#decide/network/inventory.ts';
import { hasPort, PROTOCOLS, type Protocol } from '#decide/network/ports.ts';
import { type Because, type KubeObject, nameOf } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import type { MapEdge, MapWorkload, MeshMap, Travel } from '#report/mesh/map.ts';
import { safe } from '#report/safe.ts';
import type { Manifests } from '#sources/manifests/manifests.ts';
import { newestMinor, World } from '#world/world.ts';
import type { Parsed } from './command.ts';
import { readConfig } from './config.ts';
import { UsageError } from './errors.ts';
import { readInput, tellOfEnvironments } from './input.ts';

export interface Cluster {
  readonly world: World;
  readonly objects: readonly KubeObject[];
  readonly network: Network;
  readonly mesh: Mesh;
  /** What the mesh was made with. */
  readonly meshOptions: MeshOptions;
  /** What the network was made with. */
  readonly networkOptions?: NetworkOptions;
  /** What was taken for granted, in words. */
  readonly assumptions: readonly string[];
}

/** What each value of `--assume` means. */
const ASSUMED: Readonly<Record<string, string>> = {
  'unlabelled-namespaces': 'namespaces that are not in the input have no labels but their name',
  'ip-blocks-match-pods': 'blocks of addresses in network policies mean pods too',
  'ip-blocks-miss-pods': 'blocks of addresses in network policies mean no pod',
  'no-enforcement': 'the network plugin enforces no network policy',
  sidecars: 'pods of namespaces that are not in the input get a sidecar of Istio',
  ambient: "pods of namespaces that are not in the input are in Istio's ambient mode",
  'refused-policies-absent': "policies that Istio's webhook refuses are not in the cluster",
  'refused-policies-applied':
    "policies that Istio's webhook refuses are in the cluster, and count as far as they go",
};

/**
 * Reads the paths and makes the deciders, with what `--assume` settles.
 *
 * @param again the same input was read before, with less: what is told of it was told
 */
export async function clusterOf(parsed: Parsed, roots: readonly string[], again = false): Promise<Cluster> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => []);
  const manifests = await readInput(parsed, roots, config);
  if (!again) tellOfEnvironments(parsed, manifests);
  return clusterFrom(parsed, manifests);
}

/** The deciders of what was read, with what `--assume` settles. */
export function clusterFrom(
  parsed: Parsed,
  { declared, gaps }: Pick<Manifests, 'declared' | 'gaps'>,
): Cluster {
  const world = new World({ declared, gaps, kubernetesMinor: newestMinor });
  const assumed = new Set(parsed.values('assume'));
  const enforced = !assumed.has('no-enforcement');
  const objects = declared
    .map(({ object }) => object)
    .filter(({ kind }) => enforced || !kind.endsWith('NetworkPolicy'));
  for (const [one, other] of [
    ['ip-blocks-match-pods', 'ip-blocks-miss-pods'],
    ['sidecars', 'ambient'],
    ['refused-policies-absent', 'refused-policies-applied'],
  ] as const)
    if (assumed.has(one) && assumed.has(other))
      throw new UsageError(`--assume: ${one} and ${other} exclude each other`);
  const blocks = assumed.has('ip-blocks-match-pods') || !assumed.has('ip-blocks-miss-pods');
  const known = assumed.has('ip-blocks-match-pods') || assumed.has('ip-blocks-miss-pods');
  const networkOptions: NetworkOptions = {
    ...(known ? { ipBlocksMatchPods: blocks } : {}),
    ...(assumed.has('unlabelled-namespaces') ? { missingNamespaces: 'unlabelled' as const } : {}),
  };
  const network = createNetwork(objects, networkOptions);
  const members = assumed.has('sidecars')
    ? ('sidecar' as const)
    : assumed.has('ambient')
      ? ('ambient' as const)
      : assumed.has('unlabelled-namespaces')
        ? ('unlabelled' as const)
        : undefined;
  const refused = assumed.has('refused-policies-absent')
    ? ('absent' as const)
    : assumed.has('refused-policies-applied')
      ? ('applied' as const)
      : undefined;
  const meshOptions = {
    ...(members === undefined ? {} : { missingNamespaces: members }),
    ...(refused === undefined ? {} : { refusedPolicies: refused }),
  };
  const mesh = createMesh(objects, meshOptions);
  return {
    world,
    objects,
    network,
    mesh,
    meshOptions,
    networkOptions,
    assumptions: [
      ...steps(mesh.assumed, { world }),
      ...[...assumed].map(text => `${ASSUMED[text]} (--assume ${text})`),
      ...(enforced ? ['the network plugin enforces NetworkPolicy'] : []),
    ],
  };
}

/** A side of a connection as people name it: `shop/Deployment/cart`, `shop/cart`, `10.0.0.1`. */
export function peerOf(text: string, { network }: Cluster): Peer {
  if (/^[\d.]+$|:/.test(text)) return { ip: text };
  const ids = network.connections().classes.flatMap(({ members }) => members.map(({ id }) => id));
  const meant = ids.filter(id => id === text || short(id) === text);
  const [id] = meant;
  if (id === undefined)
    throw new UsageError(
      `there is no workload ${text}`,
      'name it as namespace/name or namespace/Kind/name; an address stands for the outside',
    );
  if (new Set(meant).size > 1)
    throw new UsageError(`${text} may be ${[...new Set(meant)].join(' or ')}`, 'name it with its kind');
  return id.split('/').length === 3 ? { workload: id } : { pod: id };
}

function short(id: string): string {
  const parts = id.split('/');
  return `${parts[0]}/${parts.at(-1)}`;
}

export interface Filter {
  readonly workload?: string;
  readonly namespace?: string;
  /** Only what is reached from outside, or reaches it. */
  readonly external?: boolean;
}

/** The workloads of a cluster and the pods that no workload owns, by their ids. */
function endpointsOf({ network }: Cluster): ReadonlyMap<string, PodEndpoint> {
  const endpoints = new Map<string, PodEndpoint>();
  for (const { members } of network.connections().classes)
    for (const member of members)
      if (member.object !== undefined && !endpoints.has(member.id) && !isOwned(member.object))
        endpoints.set(member.id, member);
  return new Map([...endpoints].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The connections to the ports that workloads declare, one edge a caller, without what only a map shows.
 *
 * @param namespaces of the workloads that are reached; of all where it is undefined
 */
export function edgesTo(cluster: Cluster, namespaces?: ReadonlySet<string>): MapEdge[] {
  const endpoints = endpointsOf(cluster);
  const all = [...endpoints.values()];
  const members = new Map(all.map(({ id }) => [id, cluster.mesh.member(sideOfId(id))]));
  const reached =
    namespaces === undefined
      ? all
      : [...namespaces].flatMap(name => all.filter(({ namespace }) => namespace === name));
  return reached.flatMap(to =>
    portsOf(to).flatMap(({ protocol, port }) =>
      all.flatMap(from =>
        from.id === to.id ? [] : (edgeOf(cluster, from, to, protocol, port, members) ?? []),
      ),
    ),
  );
}

/** The connections of a cluster to the ports that its workloads declare. */
export function mapOf(cluster: Cluster, filter: Filter = {}): MeshMap {
  const { network, mesh } = cluster;
  const relation = network.connections();
  const endpoints = endpointsOf(cluster);
  const all = [...endpoints.values()];
  const ways = exposedWays(network.exposure().exposures);
  const meshOf = new Map(all.map(({ id }) => [id, mesh.member(sideOfId(id))]));
  const wanted = (id: string): boolean => {
    const endpoint = endpoints.get(id)!;
    return (
      (filter.workload === undefined || id === filter.workload) &&
      (filter.namespace === undefined || endpoint.namespace === filter.namespace) &&
      (filter.external !== true || ways.has(id) || outsideOf(endpoint).length > 0)
    );
  };
  const outsideClasses = relation.classes.filter(({ ranges }) => ranges.length > 0);
  const outsideOf = (endpoint: PodEndpoint): MapWorkload['outside'] => {
    const own = relation.classOf(endpoint.id)!;
    const byPorts = new Map<string, string[]>();
    for (const outside of outsideClasses) {
      const { allowed, unknown } = relation.between(own, outside);
      for (const [set, doubt] of [
        [allowed, ''],
        [unknown, ' (not certain)'],
      ] as const) {
        const ports = formatPorts(set);
        if (ports === 'no port') continue;
        byPorts.set(ports + doubt, [...(byPorts.get(ports + doubt) ?? []), ...outside.ranges]);
      }
    }
    const every = outsideClasses.reduce((sum, { ranges }) => sum + ranges.length, 0);
    return [...byPorts].map(([ports, ranges]) => ({
      ports,
      to:
        ranges.length === every
          ? 'any address'
          : ranges.length > 3
            ? `${ranges.slice(0, 3).join(', ')} and ${ranges.length - 3} more ranges`
            : ranges.join(', '),
    }));
  };
  const edges: MapEdge[] = [];
  for (const to of all) {
    // A filter by workload shows both what reaches it and what it reaches.
    if (filter.workload === undefined && !wanted(to.id)) continue;
    for (const { protocol, port } of portsOf(to)) {
      const found: MapEdge[] = [];
      for (const from of all) {
        if (from.id === to.id) continue;
        if (filter.workload !== undefined && from.id !== filter.workload && to.id !== filter.workload)
          continue;
        const edge = edgeOf(cluster, from, to, protocol, port, meshOf);
        if (edge !== undefined) found.push(edge);
      }
      const joined = filter.workload === undefined;
      edges.push(...(joined ? grouped(found, all, to) : found));
    }
  }
  const shown = new Set(edges.flatMap(({ from, to }) => [from, to]));
  return {
    workloads: all
      .filter(({ id }) => wanted(id) || shown.has(id))
      .map(endpoint => {
        const { id, namespace = '', object } = endpoint;
        const { mesh: of, identity } = meshOf.get(id)!;
        return {
          id,
          namespace,
          kind: object!.kind,
          name: nameOf(object!),
          mesh: of,
          ...(identity === undefined ? {} : { identity }),
          exposed: ways.get(id) ?? [],
          outside: outsideOf(endpoint),
        };
      }),
    edges,
    assumptions: cluster.assumptions,
  };
}

function edgeOf(
  { network, mesh }: Cluster,
  from: PodEndpoint,
  to: PodEndpoint,
  protocol: Protocol,
  port: number,
  members: ReadonlyMap<string, ReturnType<Mesh['member']>>,
): MapEdge | undefined {
  const relation = network.connections();
  const { allowed, unknown } = relation.between(relation.classOf(from.id)!, relation.classOf(to.id)!);
  const sure = hasPort(allowed, protocol, port);
  const plain = { from: from.id, to: to.id, port: `${port}/${protocol}` };
  const meshed = [from, to].some(({ id }) => members.get(id)!.mesh !== 'none');
  // Meshes carry TCP only; a packet that ambient mode puts into its tunnel has another port.
  if (protocol !== 'TCP' || !meshed) {
    if (!sure && !hasPort(unknown, protocol, port)) return undefined;
    return { ...plain, travel: 'plaintext', allowed: sure ? 'yes' : 'unknown' };
  }
  const flow = deriveFlow(network, mesh, { from: sideOfId(from.id), to: sideOfId(to.id), port });
  if (flow.allowed === false) return undefined;
  const travel: Travel = flow.transport.mode === 'refused' ? 'unknown' : flow.transport.mode;
  const ofRequest = flow.decidedBy === 'authorization' && flow.authorization.lacks === undefined;
  const open = flow.allowed === true ? 'yes' : ofRequest ? 'some' : 'unknown';
  return { ...plain, travel, allowed: open };
}

/** Callers joined where all of a namespace, or all workloads, do the same: nothing is lost, and a person can read it. */
function grouped(edges: readonly MapEdge[], all: readonly PodEndpoint[], to: PodEndpoint): MapEdge[] {
  const alike = Map.groupBy(edges, ({ travel, allowed }) => `${travel} ${allowed}`);
  const namespaces = Map.groupBy(
    all.filter(({ id }) => id !== to.id),
    ({ namespace }) => namespace ?? '',
  );
  const namespaceOf = new Map(all.map(({ id, namespace }) => [id, namespace ?? '']));
  return [...alike.values()].flatMap(list => {
    const [first] = list as [MapEdge];
    if (list.length === all.length - 1 && list.length > 1) return [{ ...first, from: '*' }];
    return [...Map.groupBy(list, ({ from }) => namespaceOf.get(from)!)].flatMap(([namespace, own]) =>
      own.length > 1 && own.length === namespaces.get(namespace)!.length
        ? [{ ...first, from: `${namespace}/*` }]
        : own,
    );
  });
}

function portsOf(endpoint: PodEndpoint): { protocol: Protocol; port: number }[] {
  const seen = new Map<string, { protocol: Protocol; port: number }>();
  for (const { protocol, port } of endpoint.ports ?? []) seen.set(`${protocol} ${port}`, { protocol, port });
  return [...seen.values()].sort(
    (a, b) => PROTOCOLS.indexOf(a.protocol) - PROTOCOLS.indexOf(b.protocol) || a.port - b.port,
  );
}

function isOwned(object: KubeObject): boolean {
  return object.kind === 'Pod' && (object.metadata?.ownerReferences ?? []).length > 0;
}

function exposedWays(exposures: readonly Exposure[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const one of exposures) {
    if (one.reachable === false || podTemplateOf(one.workload) === undefined) continue;
    const list = found.get(one.id) ?? [];
    const words = wayOf(one);
    if (!list.includes(words)) list.push(words);
    found.set(one.id, list);
  }
  return found;
}

/** `ingress shop.example.com -> 8080/TCP, TLS ends there`. */
export function wayOf({ entry, port, protocol, tls, reachable, internal }: Exposure): string {
  const outside = entry.port === undefined ? '' : `:${entry.port}`;
  const hosts = entry.hosts.length === 0 ? '' : ` ${entry.hosts.join(', ')}`;
  const words = {
    terminated: ', TLS ends there',
    passthrough: ', TLS passed through',
    none: ', no TLS',
    unknown: '',
  };
  return `${entry.is}${hosts}${outside} -> ${port}/${protocol}${words[tls]}${internal ? ', internal' : ''}${reachable === 'unknown' ? ' (not certain)' : ''}`;
}

/** Why, each step with its file and line. */
export function steps(because: readonly Because[], { world }: Pick<Cluster, 'world'>): string[] {
  const lines = because.map(({ object, path, text }) => {
    const origin = object === undefined ? undefined : world.declarationOf(object)?.origin;
    if (origin === undefined) return safe(text);
    const { file, line } = origin.positionOf(path ?? []);
    return `${safe(file)}:${line} ${safe(text)}`;
  });
  return [...new Set(lines)];
}
