/**
 * The least NetworkPolicies for what has to work: everything denied in the namespaces concerned, then exactly the needed
 * connections, by pod and port. What is proposed is proven by asking the decider about the result.
 */
import {
  type AddressSet,
  addressSet,
  formatRange,
  overlap,
  parseBlock,
  parseRange,
  without,
} from '#decide/network/addresses.ts';
import {
  compareNetworks,
  createNetwork,
  type NetworkChanges,
  type NetworkOptions,
} from '#decide/network/door.ts';
import { endpointId, namespaceOf, type PodEndpoint } from '#decide/network/inventory.ts';
import {
  type Answer,
  type Connection,
  type Network,
  type Peer,
  QueryError,
} from '#decide/network/network.ts';
import {
  formatPorts,
  PortAlgebra,
  type PortRange,
  type PortSet,
  type Protocol,
} from '#decide/network/ports.ts';
import { groupOf, isRecord, type KubeObject, valueAt } from '#kube/objects.ts';
import { matchesSelector } from '#kube/selectors.ts';
import { podTemplateOf } from '#kube/workloads.ts';

/** One side of a need: a pod or workload of the input, a pod by labels, or a block of addresses outside. */
export type NeedSide =
  | { readonly workload: string }
  | { readonly pod: string }
  | {
      readonly labels: Readonly<Record<string, string>>;
      readonly namespaceLabels: Readonly<Record<string, string>>;
    }
  | { readonly cidr: string; readonly except?: readonly string[] };

/** A connection that has to work, on the destination pod's port. */
export interface Need {
  readonly from: NeedSide;
  readonly to: NeedSide;
  readonly port: number;
  readonly protocol?: Protocol;
}

export interface AdviseOptions extends NetworkOptions {
  /** The namespaces to close; left out, those of all workloads and pods of the input. */
  readonly namespaces?: readonly string[];
  /** Whether NetworkPolicies of the input go (`replace`, the default) or stay beside the proposed ones. */
  readonly existing?: 'replace' | 'keep';
}

/** A connection that the policies allow, or may allow, and nobody needs. */
export interface Surplus {
  readonly from: string;
  readonly to: string;
  readonly ports: PortSet;
  /** Whether it surely works. */
  readonly certain: boolean;
}

export interface NetworkAdvice {
  /** NetworkPolicies to apply: per namespace one that denies, per workload one that allows. */
  readonly policies: readonly KubeObject[];
  /** What the decider says of the cluster with them. Proven: both lists are empty. */
  readonly unmet: readonly {
    readonly need: Need;
    readonly answer: Answer;
    readonly connection?: Connection;
  }[];
  readonly surplus: readonly Surplus[];
  /** What changes against today. */
  readonly changes: NetworkChanges;
}

/** A need cannot be written as a policy: its workload is unknown, or its block is none. */
export class NeedError extends Error {
  override readonly name = 'NeedError';
}

type Rule = Readonly<Record<string, unknown>>;
type Labels = Readonly<Record<string, string>>;

/** What one workload has to send and receive. */
interface Wants {
  readonly object: KubeObject;
  readonly ingress: { readonly peer: Rule; readonly port: Rule }[];
  readonly egress: { readonly peer: Rule; readonly port: Rule }[];
}

/**
 * @param objects the cluster, or the manifests of one
 * @param needs the connections that have to work
 * @throws NeedError where a need names what the input does not have
 */
export function adviseNetworkPolicies(
  objects: readonly KubeObject[],
  needs: readonly Need[],
  options: AdviseOptions = {},
): NetworkAdvice {
  const workloads = new Workloads(objects);
  const closed = options.namespaces ?? workloads.namespaces();
  const policies = [...closed.map(denyAll), ...allow(needs, workloads, new Set(closed))];
  const kept = options.existing === 'keep' ? objects : objects.filter(object => !isNetworkPolicy(object));
  const before = createNetwork(objects, options);
  const after = createNetwork([...kept, ...policies], options);
  return {
    policies,
    unmet: needs.flatMap(need => unmet(need, after)),
    surplus: surplusOf(needs, after, workloads, new Set(closed)),
    changes: compareNetworks(before, after),
  };
}

/** The pods and workloads of the input by id, and the labels that tell one from the others of its namespace. */
class Workloads {
  readonly #byId = new Map<string, KubeObject>();
  readonly #byNamespace = new Map<string, KubeObject[]>();

  constructor(objects: readonly KubeObject[]) {
    for (const object of objects) {
      if (podTemplateOf(object) === undefined) continue;
      this.#byId.set(endpointId(object), object);
      const list = this.#byNamespace.get(namespaceOf(object));
      if (list === undefined) this.#byNamespace.set(namespaceOf(object), [object]);
      else list.push(object);
    }
  }

  namespaces(): string[] {
    return [...this.#byNamespace.keys()].sort();
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  find(id: string): KubeObject {
    const object = this.#byId.get(id);
    if (object === undefined) throw new NeedError(`the input has no workload ${id}`);
    return object;
  }

  /**
   * The fewest labels that select a workload's pods and no others of the namespace: those of its own selector if they
   * do, else all labels of the template.
   */
  selector(object: KubeObject): Labels {
    const labels = labelsOf(object);
    const own = valueAt(object, ['spec', 'selector', 'matchLabels']) ?? valueAt(object, ['spec', 'selector']);
    const candidates: Labels[] = [];
    if (
      isRecord(own) &&
      Object.entries(own).every(([key, value]) => labels[key] === value && typeof value === 'string')
    )
      candidates.push(own as Labels);
    for (const key of Object.keys(labels).sort()) candidates.push({ [key]: labels[key]! });
    const others = (this.#byNamespace.get(namespaceOf(object)) ?? [])
      .filter(other => other !== object)
      .map(labelsOf);
    const alone = (matchLabels: Labels): boolean =>
      Object.keys(matchLabels).length > 0 && !others.some(other => matchesSelector({ matchLabels }, other));
    return candidates.find(alone) ?? labels;
  }
}

/** The labels of the pods, less those whose values change with every revision. */
function labelsOf(object: KubeObject): Labels {
  const labels = valueAt(podTemplateOf(object)?.pod.metadata, ['labels']);
  if (!isRecord(labels)) return {};
  const changing = /^(?:pod-template-hash|controller-revision-hash|pod-template-generation)$/;
  return Object.fromEntries(
    Object.entries(labels).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && !changing.test(entry[0]),
    ),
  );
}

function denyAll(namespace: string): KubeObject {
  return networkPolicy('default-deny', namespace, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
}

function networkPolicy(name: string, namespace: string, spec: Rule): KubeObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

function isNetworkPolicy(object: KubeObject): boolean {
  return object.kind === 'NetworkPolicy' && groupOf(object.apiVersion) === 'networking.k8s.io';
}

function allow(needs: readonly Need[], workloads: Workloads, closed: ReadonlySet<string>): KubeObject[] {
  const wanted = new Map<string, Wants>();
  const wantsOf = (side: NeedSide): Wants | undefined => {
    const id = idOf(side);
    if (id === undefined) return undefined;
    const object = workloads.find(id);
    if (!closed.has(namespaceOf(object))) return undefined;
    let wants = wanted.get(id);
    if (wants === undefined) {
      wants = { object, ingress: [], egress: [] };
      wanted.set(id, wants);
    }
    return wants;
  };
  for (const { from, to, port, protocol = 'TCP' } of needs) {
    const item = { protocol, port };
    const [source, destination] = [wantsOf(from), wantsOf(to)];
    source?.egress.push({ peer: peerOf(to, workloads, namespaceOf(source.object)), port: item });
    destination?.ingress.push({ peer: peerOf(from, workloads, namespaceOf(destination.object)), port: item });
  }
  const names = new Set<string>();
  return [...wanted]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { object, ingress, egress }]) => {
      const namespace = namespaceOf(object);
      const plain = `allow-${String(object.metadata?.name)}`;
      const name = names.has(`${namespace}/${plain}`) ? `${plain}-${object.kind.toLowerCase()}` : plain;
      names.add(`${namespace}/${name}`);
      return networkPolicy(name, namespace, {
        podSelector: { matchLabels: workloads.selector(object) },
        policyTypes: [...(ingress.length > 0 ? ['Ingress'] : []), ...(egress.length > 0 ? ['Egress'] : [])],
        ...(ingress.length > 0 ? { ingress: rulesOf(ingress, 'from') } : {}),
        ...(egress.length > 0 ? { egress: rulesOf(egress, 'to') } : {}),
      });
    });
}

/** Rules with the ports of each peer together, and peers with the same ports together; in an order of their own. */
function rulesOf(wants: readonly { peer: Rule; port: Rule }[], field: 'from' | 'to'): Rule[] {
  const ports = new Map<string, Map<string, Rule>>();
  const peers = new Map<string, Rule>();
  for (const { peer, port } of wants) {
    const key = JSON.stringify(peer);
    peers.set(key, peer);
    const own = ports.get(key) ?? new Map<string, Rule>();
    own.set(`${String(port['protocol'])} ${String(port['port']).padStart(5, '0')}`, port);
    ports.set(key, own);
  }
  const byPorts = new Map<string, { ports: Rule[]; peers: Rule[] }>();
  for (const key of [...peers.keys()].sort()) {
    const own = [...ports.get(key)!].sort(([a], [b]) => (a < b ? -1 : 1));
    const portKey = own.map(([text]) => text).join();
    const rule = byPorts.get(portKey);
    if (rule === undefined)
      byPorts.set(portKey, { ports: own.map(([, port]) => port), peers: [peers.get(key)!] });
    else rule.peers.push(peers.get(key)!);
  }
  return [...byPorts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, rule]) => ({ [field]: rule.peers, ports: rule.ports }));
}

function peerOf(side: NeedSide, workloads: Workloads, from: string): Rule {
  if ('cidr' in side) {
    blockOf(side);
    const { cidr, except = [] } = side;
    return { ipBlock: { cidr, ...(except.length > 0 ? { except: [...except].sort() } : {}) } };
  }
  if ('labels' in side)
    return {
      namespaceSelector: { matchLabels: sorted(side.namespaceLabels) },
      podSelector: { matchLabels: sorted(side.labels) },
    };
  const object = workloads.find(idOf(side)!);
  const namespace = namespaceOf(object);
  return {
    ...(namespace === from
      ? {}
      : { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } }),
    podSelector: { matchLabels: sorted(workloads.selector(object)) },
  };
}

function sorted(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function idOf(side: NeedSide): string | undefined {
  return 'workload' in side ? side.workload : 'pod' in side ? side.pod : undefined;
}

function blockOf({ cidr, except = [] }: { cidr: string; except?: readonly string[] }): AddressSet {
  const [block, ...exceptions] = [cidr, ...except].map(text => {
    const parsed = parseBlock(text);
    if (parsed === undefined) throw new NeedError(`"${text}" is not a CIDR block`);
    return parsed;
  });
  return without([block!], exceptions);
}

/** A need that does not surely work. Of a block, every part that the policies tell apart is asked. */
function unmet(need: Need, network: Network): NetworkAdvice['unmet'][number][] {
  const { port, protocol = 'TCP' } = need;
  const [sources, destinations] = [need.from, need.to].map(side => peersOf(side, network));
  for (const from of sources!)
    for (const to of destinations!)
      try {
        const connection = network.connection({ from, to, port, protocol });
        if (connection.allowed !== true) return [{ need, answer: connection.allowed, connection }];
      } catch (error) {
        if (error instanceof QueryError) return [{ need, answer: 'unknown' }];
        throw error;
      }
  return [];
}

function peersOf(side: NeedSide, network: Network): Peer[] {
  if (!('cidr' in side)) return [side];
  const wanted = blockOf(side);
  return network
    .connections()
    .classes.flatMap(({ ranges }) => {
      const [common] = overlap(setOf(ranges), wanted);
      return common === undefined ? [] : [common];
    })
    .map(([first]) => ({ ip: formatRange([first, first]) }));
}

/** Everything that works between the workloads concerned, less what is needed. */
function surplusOf(
  needs: readonly Need[],
  network: Network,
  workloads: Workloads,
  closed: ReadonlySet<string>,
): Surplus[] {
  const ports = new PortAlgebra();
  const needed = new Needed(needs, ports);
  const found: Surplus[] = [];
  const concerns = (members: readonly PodEndpoint[]) =>
    members.filter(({ id, namespace }) => workloads.has(id) && closed.has(namespace ?? ''));
  for (const { from, to, allowed, unknown } of network.connections().pairs()) {
    const [sources, destinations] = [concerns(from.members), concerns(to.members)];
    for (const [certain, set] of [
      [true, ports.of(allowed)],
      [false, ports.of(unknown)],
    ] as const) {
      if (set === ports.none) continue;
      const add = (a: string, b: string, extra: PortSet): void => {
        if (extra !== ports.none) found.push({ from: a, to: b, ports: extra, certain });
      };
      for (const source of sources)
        for (const destination of destinations)
          if (source.id !== destination.id)
            add(source.id, destination.id, ports.difference(set, needed.between(source, destination)));
      for (const source of sources)
        for (const [range, extra] of needed.outside(source, 'to', setOf(to.ranges), set))
          add(source.id, range, extra);
      for (const destination of destinations)
        for (const [range, extra] of needed.outside(destination, 'from', setOf(from.ranges), set))
          add(range, destination.id, extra);
    }
  }
  return found.sort((a, b) => (surplusKey(a) < surplusKey(b) ? -1 : 1));
}

function surplusKey({ from, to, ports }: Surplus): string {
  return `${from}\n${to}\n${formatPorts(ports)}`;
}

/** The needed ports between two endpoints, or between one and addresses. */
class Needed {
  readonly #needs: readonly Need[];
  readonly #ports: PortAlgebra;

  constructor(needs: readonly Need[], ports: PortAlgebra) {
    this.#needs = needs;
    this.#ports = ports;
  }

  between(from: PodEndpoint, to: PodEndpoint): PortSet {
    return this.#sum(this.#needs.filter(need => isSide(need.from, from) && isSide(need.to, to)));
  }

  /** The parts of some addresses with the ports that nobody needs there. */
  outside(
    endpoint: PodEndpoint,
    field: 'from' | 'to',
    addresses: AddressSet,
    set: PortSet,
  ): [range: string, ports: PortSet][] {
    const own = this.#needs.filter(need => isSide(field === 'to' ? need.from : need.to, endpoint));
    let parts: { range: AddressSet; needs: Need[] }[] = [{ range: addresses, needs: [] }];
    for (const need of own) {
      const side = need[field];
      if (!('cidr' in side)) continue;
      const block = blockOf(side);
      parts = parts.flatMap(({ range, needs }) => [
        { range: overlap(range, block), needs: [...needs, need] },
        { range: without(range, block), needs },
      ]);
    }
    return parts.flatMap(({ range, needs }) => {
      const extra = this.#ports.difference(set, this.#sum(needs));
      return extra === this.#ports.none
        ? []
        : range.map((one): [string, PortSet] => [formatRange(one), extra]);
    });
  }

  #sum(needs: readonly Need[]): PortSet {
    const ranges: Record<Protocol, PortRange[]> = { TCP: [], UDP: [], SCTP: [] };
    for (const { port, protocol = 'TCP' } of needs) ranges[protocol].push([port, port]);
    return this.#ports.of(ranges);
  }
}

/** Whether a side of a need means an endpoint of the input. */
function isSide(side: NeedSide, endpoint: PodEndpoint): boolean {
  if ('cidr' in side) return false;
  if (!('labels' in side)) return idOf(side) === endpoint.id;
  return (
    matchesSelector({ matchLabels: side.labels }, endpoint.labels.labels) &&
    matchesSelector({ matchLabels: side.namespaceLabels }, endpoint.namespaceLabels.labels)
  );
}

function setOf(ranges: readonly string[]): AddressSet {
  return addressSet(ranges.map(text => parseRange(text)!));
}
