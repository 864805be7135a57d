/**
 * Whether the proxies of a mesh, with what network policies say before them, let through what is needed and nothing
 * else: every workload that is to be closed is asked about every caller, on every port that anything names and one more.
 */
import {
  createMesh,
  deriveFlow,
  type Flow,
  type Mesh,
  type MeshOptions,
  type Peer,
} from '#decide/mesh/door.ts';
import { ServiceIndex } from '#decide/mesh/services.ts';
import { createNetwork, type Network, type NetworkOptions } from '#decide/network/door.ts';
import { namespaceOf, type PodEndpoint, takeInventory } from '#decide/network/inventory.ts';
import { type Answer, QueryError } from '#decide/network/network.ts';
import { type Because, isRecord, type KubeObject, valueAt } from '#kube/objects.ts';
import { matchesSelector } from '#kube/selectors.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { type MeshName, outsideAddress, type PlaintextPort, peerOf } from './mesh-parts.ts';
import { type Unmet, unmetConnections } from './network.ts';
import {
  actorsOf,
  describedId,
  idOf,
  isMadeUp,
  type Need,
  type NeedSide,
  sideText,
  strangersOf,
} from './network-needs.ts';
import { Workloads } from './network-workloads.ts';

/** Callers that reach ports which they do not need. */
export interface Remaining {
  readonly from: readonly string[];
  readonly to: string;
  readonly ports: string;
  /** Whether it surely works. */
  readonly certain: boolean;
  readonly why: string;
}

export interface ProofTask {
  /** The cluster as it will be. */
  readonly objects: readonly KubeObject[];
  readonly needs: readonly Need[];
  readonly closed: readonly string[];
  readonly mesh: MeshName;
  /** Ports that were opened to callers without an identity. */
  readonly plaintext?: readonly PlaintextPort[];
  readonly meshOptions?: MeshOptions;
  readonly networkOptions?: NetworkOptions;
}

export interface Proof {
  readonly unmet: readonly Unmet[];
  readonly remaining: readonly Remaining[];
  /** How many questions were asked. */
  readonly asked: number;
}

export function proveMesh(task: ProofTask): Proof {
  return new Prover(task).prove();
}

/** What a cluster makes of needs, in their order: network policies, and the proxies of whatever mesh the workloads are in. */
export function answersOf(
  objects: readonly KubeObject[],
  needs: readonly Need[],
  mesh: MeshOptions,
  network: NetworkOptions,
): { readonly allowed: Answer; readonly because: readonly Because[] }[] {
  const all = [...objects, ...actorsOf(needs, 'istio')];
  const [wire, proxies] = [createNetwork(all, network), createMesh(all, mesh)];
  return needs.map(need => {
    const [unmet] = unmetConnections([need], wire);
    if (unmet !== undefined && (unmet.answer === false || !isProxied(need)))
      return { allowed: unmet.answer, because: unmet.because };
    if (!isProxied(need)) return { allowed: true, because: [] };
    try {
      const flow = deriveFlow(wire, proxies, {
        from: peerOf(need.from),
        to: peerOf(need.to),
        port: need.port,
      });
      return { allowed: flow.allowed, because: becauseOf(flow) };
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      return { allowed: 'unknown', because: [{ text: error.message }] };
    }
  });
}

/** Whether a proxy of the input can stand before the end of a connection: meshes carry TCP. */
function isProxied({ to, protocol = 'TCP' }: Need): boolean {
  return protocol === 'TCP' && idOf(to) !== undefined;
}

/** What the deciders for a stage of a roll-out say of the needs alone. */
export function unmetNeeds(task: ProofTask): readonly Unmet[] {
  return new Prover(task).unmet();
}

class Prover {
  readonly #task: ProofTask;
  readonly #network: Network;
  readonly #mesh: Mesh;
  readonly #endpoints: readonly PodEndpoint[];
  readonly #workloads: Workloads;
  readonly #closed: ReadonlySet<string>;
  readonly #needs = new Map<string, Need[]>();
  readonly #services: ServiceIndex;
  readonly #byId: ReadonlyMap<string, PodEndpoint>;
  /** Whether rules for clients select them by labels. */
  readonly #labelsMatter: boolean;
  #asked = 0;

  constructor(task: ProofTask) {
    this.#task = task;
    const { needs, closed, mesh } = task;
    const objects = [...task.objects, ...actorsOf(needs, mesh), ...strangersOf(closed, mesh)];
    this.#network = createNetwork(objects, task.networkOptions);
    this.#mesh = createMesh(objects, task.meshOptions);
    this.#services = new ServiceIndex(objects);
    this.#workloads = new Workloads(task.objects);
    this.#endpoints = takeInventory(objects, 'unknown').endpoints.filter(
      ({ id }) => isMadeUp(id) || this.#workloads.has(id),
    );
    this.#byId = new Map(this.#endpoints.map(endpoint => [endpoint.id, endpoint]));
    this.#closed = new Set(closed);
    this.#labelsMatter = task.objects.some(
      ({ kind, spec }) =>
        /^(?:DestinationRule|Sidecar)$/.test(kind) && valueAt(spec, ['workloadSelector']) !== undefined,
    );
    for (const need of needs) {
      const id = idOf(need.to);
      if (id === undefined) continue;
      const list = this.#needs.get(id);
      if (list === undefined) this.#needs.set(id, [need]);
      else list.push(need);
    }
  }

  prove(): Proof {
    const unmet = this.unmet();
    return { unmet, remaining: this.#remaining(), asked: this.#asked };
  }

  unmet(): Unmet[] {
    return this.#task.needs.flatMap((need): Unmet[] => {
      if (!isProxied(need)) return [];
      try {
        const flow = this.#flow(peerOf(need.from), peerOf(need.to), need.port, 'cidr' in need.from);
        return flow.allowed === true ? [] : [{ need, answer: flow.allowed, because: becauseOf(flow) }];
      } catch (error) {
        if (!(error instanceof QueryError)) throw error;
        return [{ need, answer: 'unknown', because: [{ text: error.message }] }];
      }
    });
  }

  /** Linkerd asks for addresses: a pod that has none yet gets one of the cluster. */
  #flow(from: Peer, to: Peer, port: number, outside: boolean): Flow {
    this.#asked++;
    const request = this.#task.mesh === 'linkerd' && !outside ? { request: { sourceIP: '10.0.0.1' } } : {};
    return deriveFlow(this.#network, this.#mesh, { from, to, port, ...request });
  }

  #remaining(): Remaining[] {
    const found = new Map<
      string,
      Omit<Remaining, 'from' | 'ports'> & { from: Set<string>; ports: Set<string> }
    >();
    const groups = this.#groups();
    for (const to of this.#endpoints) {
      // No proxy and no policy is before a pod in the network of its node: nothing can be proven of it.
      if (isMadeUp(to.id) || to.hostNetwork || !this.#closed.has(to.namespace ?? '')) continue;
      for (const port of this.#portsOf(to))
        for (const { sources, peer, outside } of groups) {
          const wanted = (source: string): boolean => this.#isNeeded(source, to, port, outside);
          const extra = sources.filter(source => source !== to.id && !wanted(source));
          if (extra.length === 0) continue;
          // The proxies cannot tell those of a group apart; network policies can.
          const flow = this.#flow(peer, peerOfId(to.id), port, outside);
          if (flow.transport.mode === 'refused' || flow.authorization.allowed === false) continue;
          for (const source of extra) {
            const own =
              sources.length === 1
                ? flow
                : this.#flow(outside ? peer : peerOfId(source), peerOfId(to.id), port, outside);
            if (own.allowed === false) continue;
            const why = this.#why(own, sources, source, to, port);
            const text = port === this.#other ? 'every other port' : String(port);
            const key = `${to.id}\n${source}\n${own.allowed}\n${why}`;
            const known = found.get(key) ?? {
              to: to.id,
              certain: own.allowed === true,
              why,
              from: new Set([source]),
              ports: new Set(),
            };
            found.set(key, known);
            known.ports.add(text);
          }
        }
    }
    return joined(
      [...found.values()].map(one => ({ ...one, from: [...one.from], ports: [...one.ports].join(', ') })),
    );
  }

  #isNeeded(source: string, to: PodEndpoint, port: number, outside: boolean): boolean {
    return (this.#needs.get(to.id) ?? []).some(({ from, port: first, endPort = first, protocol = 'TCP' }) => {
      if (protocol !== 'TCP' || port < first || port > endPort) return false;
      if ('cidr' in from) return from.cidr === '0.0.0.0/0' || (outside && source === from.cidr);
      return this.#isMeant(from, source);
    });
  }

  /** Callers that no proxy tells apart, each group with one to ask; and the outside. */
  /** Pods that are made up for the ends of needs connect to nobody. */
  #connects({ id }: PodEndpoint): boolean {
    return (
      !isMadeUp(id) ||
      id.includes('(any') ||
      this.#task.needs.some(({ from }) => 'labels' in from && describedId(from) === id)
    );
  }

  #groups(): { sources: string[]; peer: Peer; outside: boolean }[] {
    const byKey = Map.groupBy(
      this.#endpoints.filter(one => this.#connects(one)),
      endpoint => {
        const { mesh, dataplane, identity } = this.#mesh.member(peerOfId(endpoint.id));
        const template = endpoint.object === undefined ? undefined : podTemplateOf(endpoint.object);
        const annotations = valueAt(template?.pod.metadata, ['annotations']);
        const skipped = isRecord(annotations)
          ? Object.entries(annotations).filter(([key]) => /outbound/i.test(key))
          : [];
        const labels = this.#labelsMatter ? endpoint.labels.labels : undefined;
        return JSON.stringify([mesh, dataplane, identity, endpoint.namespace, skipped, labels]);
      },
    );
    const blocks = new Set(['0.0.0.0/0']);
    for (const { from } of this.#task.needs) if ('cidr' in from) blocks.add(from.cidr);
    return [
      ...[...byKey.values()].map(list => ({
        sources: list.map(({ id }) => id),
        peer: peerOfId(list[0]!.id),
        outside: false,
      })),
      ...[...blocks].map(cidr => ({ sources: [cidr], peer: { ip: outsideAddress(cidr) }, outside: true })),
    ];
  }

  readonly #other = 65_000;

  /** Every port that anything names for a workload, and one that nothing names. */
  #portsOf(endpoint: PodEndpoint): number[] {
    const ports = new Set<number>([this.#other]);
    // A port that no Service leads to and nothing names is like any other: {@link #other} is asked for it.
    for (const { protocol, port } of endpoint.ports ?? [])
      if (protocol === 'TCP' && this.#services.inFrontOf(endpoint, port).length > 0) ports.add(port);
    for (const { port, endPort = port } of this.#needs.get(endpoint.id) ?? []) ports.add(port).add(endPort);
    const template = endpoint.object === undefined ? undefined : podTemplateOf(endpoint.object);
    const annotations = valueAt(template?.pod.metadata, ['annotations']);
    if (isRecord(annotations))
      for (const [key, value] of Object.entries(annotations))
        if (/inbound/i.test(key) && typeof value === 'string')
          for (const [number] of value.matchAll(/\d{1,5}/g))
            if (Number(number) >= 1 && Number(number) <= 65_535) ports.add(Number(number));
    for (const port of this.#namedPorts.get(endpoint.namespace ?? '') ?? []) ports.add(port);
    // Proxies answer these themselves, whatever policies say.
    for (const own of [15_020, 15_021, 15_090]) ports.delete(own);
    return [...ports].sort((a, b) => a - b);
  }

  /** Ports that policies of a namespace name in their rules, which those who stay may have. */
  get #namedPorts(): ReadonlyMap<string, ReadonlySet<number>> {
    this.#namedPortsCache ??= namedPorts(this.#task.objects);
    return this.#namedPortsCache;
  }

  #namedPortsCache: ReadonlyMap<string, ReadonlySet<number>> | undefined;

  #why(flow: Flow, sources: readonly string[], source: string, to: PodEndpoint, port: number): string {
    const { mesh, dataplane, because } = this.#mesh.member(peerOfId(to.id));
    if (mesh === 'none' || dataplane === 'none')
      return `no proxy stands before it: ${because[0]?.text ?? ''}`;
    if (flow.authorization.because.some(({ text }) => /leaves inbound port/.test(text)))
      return flow.authorization.because[0]!.text;
    const needed = (this.#needs.get(to.id) ?? []).filter(
      need => need.port <= port && port <= (need.endPort ?? need.port),
    );
    const twin = sources.find(one => one !== source && this.#isNeeded(one, to, port, false));
    if (twin !== undefined && flow.transport.identity !== undefined)
      return `it has the identity of ${twin}, ${flow.transport.identity}`;
    const nameless = needed.find(
      ({ from }) =>
        'cidr' in from || ('labels' in from && from.account === undefined) || this.#isNameless(from),
    );
    if (nameless !== undefined)
      return `the port is open to callers without an identity, for ${'cidr' in nameless.from ? sideText(nameless.from) : 'labels' in nameless.from ? describedId(nameless.from) : idOf(nameless.from)!}`;
    const open = this.#task.plaintext?.find(one => one.to === to.id && one.port === port);
    if (open !== undefined)
      return `the port is open to callers without an identity, for ${open.callers.join(', ')}`;
    return flow.authorization.because[0]?.text ?? 'nothing denies it';
  }

  /** Whether a side means an endpoint: by its id, or by the labels that it has. */
  #isMeant(side: Exclude<NeedSide, { readonly cidr: string }>, id: string): boolean {
    if (!('labels' in side)) return idOf(side) === id;
    const endpoint = this.#byId.get(id);
    return (
      describedId(side) === id ||
      (endpoint !== undefined &&
        side.account === undefined &&
        matchesSelector({ matchLabels: side.labels }, endpoint.labels.labels) &&
        matchesSelector({ matchLabels: side.namespaceLabels }, endpoint.namespaceLabels.labels))
    );
  }

  #isNameless(side: NeedSide): boolean {
    return this.#mesh.member(peerOf(side)).identity === undefined;
  }
}

/** Callers in words: all of them where everybody is among them. */
export function callersText(from: readonly string[]): string {
  if (from.includes('0.0.0.0/0')) return 'everybody';
  const strangers = from.filter(id => id.startsWith('another-namespace/'));
  if (strangers.some(id => id.endsWith('(any pod)'))) return 'every pod of the cluster';
  if (strangers.length > 0) return 'every pod of the mesh';
  return from.length > 4 ? `${from.slice(0, 3).join(', ')} and ${from.length - 3} more` : from.join(', ');
}

function peerOfId(id: string): Peer {
  return isMadeUp(id) || id.split('/').length === 2 ? { pod: id } : { workload: id };
}

function becauseOf(flow: Flow): readonly Because[] {
  switch (flow.decidedBy) {
    case 'transport':
      return flow.transport.because;
    case 'authorization':
      return flow.authorization.because;
    default:
      return flow.network.because;
  }
}

function namedPorts(objects: readonly KubeObject[]): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const object of objects) {
    if (!/^(?:AuthorizationPolicy|PeerAuthentication|Server)$/.test(object.kind)) continue;
    const own = found.get(namespaceOf(object)) ?? new Set();
    found.set(namespaceOf(object), own);
    const add = (value: unknown): void => {
      const port = Number(value);
      if (Number.isInteger(port) && port >= 1 && port <= 65_535) own.add(port);
    };
    const spec = object['spec'];
    const levels = valueAt(spec, ['portLevelMtls']);
    if (isRecord(levels)) for (const port of Object.keys(levels)) add(port);
    add(valueAt(spec, ['port']));
    const rules = valueAt(spec, ['rules']);
    for (const rule of Array.isArray(rules) ? rules : []) {
      const to: unknown = valueAt(rule, ['to']);
      for (const one of Array.isArray(to) ? to : []) {
        const ports: unknown = valueAt(one, ['operation', 'ports']);
        for (const port of Array.isArray(ports) ? ports : []) add(port);
      }
    }
  }
  return found;
}

/** Callers of the same ports for the same reason, together. */
function joined(list: readonly Remaining[]): Remaining[] {
  return [
    ...Map.groupBy(list, ({ to, ports, certain, why }) => `${to}\n${ports}\n${certain}\n${why}`).values(),
  ]
    .map(group => ({ ...group[0]!, from: group.flatMap(({ from }) => from).sort() }))
    .sort((a, b) => (a.to + a.ports < b.to + b.ports ? -1 : 1));
}
