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
import {
  endpointId,
  NAMESPACE_NAME,
  namespaceOf,
  type PodEndpoint,
  sideOfId,
} from '#decide/network/inventory.ts';
import { type Answer, type Network, type Peer, QueryError } from '#decide/network/network.ts';
import {
  formatPorts,
  PortAlgebra,
  type PortRange,
  type PortSet,
  type Protocol,
} from '#decide/network/ports.ts';
import { type Because, groupOf, type KubeObject } from '#kube/objects.ts';
import { matchesSelector } from '#kube/selectors.ts';
import {
  actorsOf,
  type DescribedPods,
  describedId,
  idOf,
  isMadeUp,
  type Need,
  NeedError,
  type NeedSide,
  strangersOf,
} from './network-needs.ts';
import { type Labels, lessThose, sorted, Workloads } from './network-workloads.ts';

export interface AdviseOptions extends NetworkOptions {
  /** The namespaces to close; left out, those of all workloads and pods of the input. */
  readonly namespaces?: readonly string[];
  /** Whether NetworkPolicies of these namespaces go (`replace`, the default) or stay beside the proposed ones. */
  readonly existing?: 'replace' | 'keep';
}

/** A connection that the policies allow, or may allow, and nobody needs. */
export interface Surplus {
  readonly from: string;
  readonly to: string;
  readonly ports: PortSet;
  /** Whether it surely works. */
  readonly certain: boolean;
  /** Why it is left. */
  readonly why: string;
}

/** A need that does not surely work. */
export interface Unmet {
  readonly need: Need;
  readonly answer: Answer;
  /** What decides it. */
  readonly because: readonly Because[];
}

export interface NetworkAdvice {
  /** NetworkPolicies to apply: per namespace one that denies, per workload one that allows. */
  readonly policies: readonly KubeObject[];
  /** Those of the input that the proposed ones stand for: they have to be deleted. */
  readonly replaced: readonly KubeObject[];
  /** What the decider says of the cluster with them. Proven: both lists are empty. */
  readonly unmet: readonly Unmet[];
  readonly surplus: readonly Surplus[];
  /** What changes against today. */
  readonly changes: NetworkChanges;
}

type Rule = Readonly<Record<string, unknown>>;

/** What some pods have to send and receive. */
interface Wants {
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
  readonly labels: Labels;
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
  const namespaces = options.namespaces ?? workloads.namespaces();
  const closed = new Set(namespaces);
  const policies = [...namespaces.map(denyAll), ...allow(needs, workloads, closed)];
  const replaced =
    options.existing === 'keep'
      ? []
      : objects.filter(object => isNetworkPolicy(object) && closed.has(namespaceOf(object)));
  const kept = lessThose(objects, replaced);
  const before = createNetwork(objects, options);
  const after = createNetwork(
    [...kept, ...policies, ...actorsOf(needs, undefined), ...strangersOf(namespaces, undefined)],
    options,
  );
  return {
    policies,
    replaced,
    unmet: unmetConnections(needs, after),
    surplus: surplusOf(needs, after, workloads, closed),
    changes: compareNetworks(before, createNetwork([...kept, ...policies], options)),
  };
}

export const DENY_ALL = 'default-deny';

function denyAll(namespace: string): KubeObject {
  return networkPolicy(DENY_ALL, namespace, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
}

function networkPolicy(name: string, namespace: string, spec: Rule): KubeObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec };
}

export function isNetworkPolicy(object: KubeObject): boolean {
  return object.kind === 'NetworkPolicy' && groupOf(object.apiVersion) === 'networking.k8s.io';
}

/**
 * The NetworkPolicies that allow needs beside those of the input, which stay: each is written only for the sides that the
 * input isolates already and does not let through, so that nobody is isolated who is open today.
 *
 * @param needs of described pods without labels, every pod of a namespace is meant
 * @param closed the namespaces in which policies may be written
 */
export function allowBeside(
  objects: readonly KubeObject[],
  needs: readonly Need[],
  closed: ReadonlySet<string>,
  options: NetworkOptions,
): KubeObject[] {
  const workloads = new Workloads(objects);
  const network = createNetwork([...objects, ...actorsOf(needs, undefined)], options);
  const refusals = (need: Need): { egress: boolean; ingress: boolean } => {
    const parts = { egress: false, ingress: false };
    for (const { because } of unmet(need, network))
      for (const { object, text } of because) {
        if (object === undefined || !isNetworkPolicy(object)) continue;
        parts.egress ||= text.includes('for egress');
        parts.ingress ||= text.includes('for ingress');
      }
    return parts;
  };
  const wanted = new Map<string, { need: Need; egress: boolean; ingress: boolean }>();
  const want = (need: Need): void => {
    const parts = refusals(need);
    if (parts.egress || parts.ingress) wanted.set(JSON.stringify(need), { need, ...parts });
  };
  const members = ({ namespaceLabels }: DescribedPods): KubeObject[] =>
    [...workloads.all()].filter(object => namespaceOf(object) === namespaceLabels[NAMESPACE_NAME]);
  for (const need of needs) {
    const { from } = need;
    if (!('labels' in from) || Object.keys(from.labels).length > 0) {
      want(need);
      continue;
    }
    const own = members(from).map((object): Need => ({ ...need, from: sideOfId(endpointId(object)) }));
    // One policy for all of them would isolate those that are open.
    if ([need, ...own].every(one => refusals(one).egress)) want(need);
    else for (const one of own) want(one);
  }
  const taken = new Set(
    objects.filter(isNetworkPolicy).map(object => `${namespaceOf(object)}/${String(object.metadata?.name)}`),
  );
  const parts = [...wanted.values()];
  return allow(
    parts.map(({ need }) => need),
    workloads,
    closed,
    { prefix: 'allow-mesh', taken, only: need => wanted.get(JSON.stringify(need))! },
  );
}

/** How the policies that allow are named, and for which sides of a need they are written. */
interface AllowForm {
  readonly prefix: string;
  readonly taken: ReadonlySet<string>;
  only(need: Need): { readonly egress: boolean; readonly ingress: boolean };
}

const BOTH = { egress: true, ingress: true } as const;

function allow(
  needs: readonly Need[],
  workloads: Workloads,
  closed: ReadonlySet<string>,
  form: AllowForm = { prefix: 'allow', taken: new Set(), only: () => BOTH },
): KubeObject[] {
  const wanted = new Map<string, Wants>();
  const wantsOf = (side: NeedSide): Wants | undefined => {
    if ('cidr' in side) return undefined;
    const id = 'labels' in side ? describedId(side) : idOf(side)!;
    const known = wanted.get(id);
    if (known !== undefined) return known;
    const subject = 'labels' in side ? describedSubject(side) : subjectOf(workloads.find(id), workloads);
    if (subject === undefined || !closed.has(subject.namespace)) return undefined;
    const wants = { ...subject, ingress: [], egress: [] };
    wanted.set(id, wants);
    return wants;
  };
  for (const need of needs) {
    const { from, to, port, endPort, protocol = 'TCP' } = need;
    const { egress, ingress } = form.only(need);
    const item = { protocol, port, ...(endPort === undefined || endPort === port ? {} : { endPort }) };
    const [source, destination] = [egress ? wantsOf(from) : undefined, ingress ? wantsOf(to) : undefined];
    const peer = (side: NeedSide, own: Wants): { peer: Rule; port: Rule }[] => {
      const rule = peerOf(side, workloads, own.namespace);
      return rule === undefined ? [] : [{ peer: rule, port: item }];
    };
    if (source !== undefined) source.egress.push(...peer(to, source));
    if (destination !== undefined) destination.ingress.push(...peer(from, destination));
  }
  const names = new Set(form.taken);
  return [...wanted]
    .filter(([, { ingress, egress }]) => ingress.length > 0 || egress.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { namespace, name: own, kind, labels, ingress, egress }]) => {
      const plain = `${form.prefix}-${own}`;
      const name = names.has(`${namespace}/${plain}`) ? `${plain}-${kind.toLowerCase()}` : plain;
      names.add(`${namespace}/${name}`);
      return networkPolicy(name, namespace, {
        podSelector: Object.keys(labels).length === 0 ? {} : { matchLabels: labels },
        policyTypes: [...(ingress.length > 0 ? ['Ingress'] : []), ...(egress.length > 0 ? ['Egress'] : [])],
        ...(ingress.length > 0 ? { ingress: rulesOf(ingress, 'from') } : {}),
        ...(egress.length > 0 ? { egress: rulesOf(egress, 'to') } : {}),
      });
    });
}

type Subject = Omit<Wants, 'ingress' | 'egress'>;

/** What selects a workload; nothing does where its pods have no labels. */
function subjectOf(object: KubeObject, workloads: Workloads): Subject | undefined {
  const labels = workloads.selector(object);
  if (labels === undefined) return undefined;
  return { namespace: namespaceOf(object), name: String(object.metadata?.name), kind: object.kind, labels };
}

function describedSubject({ labels, namespaceLabels }: DescribedPods): Subject | undefined {
  const namespace = namespaceLabels[NAMESPACE_NAME];
  if (namespace === undefined) return undefined;
  const words = Object.values(labels)
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-');
  return { namespace, name: words === '' ? 'every-pod' : words, kind: 'pods', labels: sorted(labels) };
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

/** Undefined where the pods have no labels: a peer that means them would mean every pod of the namespace. */
function peerOf(side: NeedSide, workloads: Workloads, from: string): Rule | undefined {
  if ('cidr' in side) {
    blockOf(side);
    const { cidr, except = [] } = side;
    return { ipBlock: { cidr, ...(except.length > 0 ? { except: [...except].sort() } : {}) } };
  }
  if ('labels' in side) {
    const labels = sorted(side.labels);
    return {
      namespaceSelector: { matchLabels: sorted(side.namespaceLabels) },
      ...(Object.keys(labels).length === 0 ? {} : { podSelector: { matchLabels: labels } }),
    };
  }
  const object = workloads.find(idOf(side)!);
  const labels = workloads.selector(object);
  if (labels === undefined) return undefined;
  const namespace = namespaceOf(object);
  return {
    ...(namespace === from ? {} : { namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: namespace } } }),
    podSelector: { matchLabels: sorted(labels) },
  };
}

function blockOf({ cidr, except = [] }: { cidr: string; except?: readonly string[] }): AddressSet {
  const [block, ...exceptions] = [cidr, ...except].map(text => {
    const parsed = parseBlock(text);
    if (parsed === undefined) throw new NeedError(`"${text}" is not a CIDR block`);
    return parsed;
  });
  return without([block!], exceptions);
}

/** The needs that do not surely work in a network. */
export function unmetConnections(needs: readonly Need[], network: Network): Unmet[] {
  return needs.flatMap(need => unmet(need, network));
}

/** A need that does not surely work. Of a block, every part that the policies tell apart is asked; of a range, its ends. */
function unmet(need: Need, network: Network): Unmet[] {
  const { port, endPort = port, protocol = 'TCP' } = need;
  const [sources, destinations] = [need.from, need.to].map(side => peersOf(side, network));
  for (const from of sources!)
    for (const to of destinations!)
      for (const one of new Set([port, endPort]))
        try {
          const { allowed, because } = network.connection({ from, to, port: one, protocol });
          if (allowed !== true) return [{ need, answer: allowed, because }];
        } catch (error) {
          if (error instanceof QueryError)
            return [{ need, answer: 'unknown', because: [{ text: error.message }] }];
          throw error;
        }
  return [];
}

function peersOf(side: NeedSide, network: Network): Peer[] {
  if ('labels' in side) return [{ pod: describedId(side) }];
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

/** Everything that works between the workloads concerned, and with strangers, less what is needed. */
function surplusOf(
  needs: readonly Need[],
  network: Network,
  workloads: Workloads,
  closed: ReadonlySet<string>,
): Surplus[] {
  const ports = new PortAlgebra();
  const needed = new Needed(needs, ports);
  const found: Surplus[] = [];
  const isClosed = ({ namespace }: PodEndpoint) => closed.has(namespace ?? '');
  // Pods in the network of their node are beyond policies, which NetworkPolicy itself says.
  const known = (members: readonly PodEndpoint[]) =>
    members.filter(({ id, hostNetwork }) => !hostNetwork && (workloads.has(id) || isMadeUp(id)));
  for (const { from, to, allowed, unknown } of network.connections().pairs()) {
    const [sources, destinations] = [known(from.members), known(to.members)];
    for (const [certain, set] of [
      [true, ports.of(allowed)],
      [false, ports.of(unknown)],
    ] as const) {
      if (set === ports.none) continue;
      const add = (a: string, b: string, extra: PortSet, why: string): void => {
        if (extra !== ports.none) found.push({ from: a, to: b, ports: extra, certain, why });
      };
      for (const source of sources)
        for (const destination of destinations)
          if (isConcern(source, destination, isClosed))
            add(
              source.id,
              destination.id,
              ports.difference(set, needed.between(source, destination)),
              whyLeft(source, destination, workloads),
            );
      for (const source of sources.filter(isClosed))
        for (const [range, extra] of needed.outside(source, 'to', setOf(to.ranges), set))
          add(source.id, range, extra, 'another rule names these addresses');
      for (const destination of destinations.filter(isClosed))
        for (const [range, extra] of needed.outside(destination, 'from', setOf(from.ranges), set))
          add(range, destination.id, extra, 'another rule names these addresses');
    }
  }
  return found.sort((a, b) => (surplusKey(a) < surplusKey(b) ? -1 : 1));
}

/**
 * Whether policies of the closed namespaces should keep two apart. Between a closed and an open namespace it is those of
 * the closed side; two made-up pods are nobody's concern, and one pod alone has no other of its kind.
 */
function isConcern(
  source: PodEndpoint,
  destination: PodEndpoint,
  isClosed: (endpoint: PodEndpoint) => boolean,
): boolean {
  if (isMadeUp(source.id) && isMadeUp(destination.id)) return false;
  if (source.id === destination.id && source.object?.kind === 'Pod') return false;
  return isClosed(source) || isClosed(destination);
}

function whyLeft(source: PodEndpoint, destination: PodEndpoint, workloads: Workloads): string {
  for (const { object, id } of [source, destination]) {
    if (object === undefined || isMadeUp(id)) continue;
    const [twin] = workloads.alsoSelected(object);
    if (twin !== undefined) return `${id} and ${endpointId(twin)} have the same labels`;
  }
  return 'a policy that stays allows it';
}

function surplusKey({ from, to, ports }: Surplus): string {
  return `${from}\n${to}\n${formatPorts(ports)}`;
}

/** The needed ports between two endpoints, or between one and addresses. */
class Needed {
  readonly #from = new Map<string, Need[]>();
  readonly #to = new Map<string, Need[]>();
  readonly #described: readonly Need[];
  readonly #ports: PortAlgebra;

  constructor(needs: readonly Need[], ports: PortAlgebra) {
    this.#ports = ports;
    this.#described = needs.filter(({ from, to }) => 'labels' in from || 'labels' in to);
    for (const need of needs)
      for (const [map, side] of [
        [this.#from, need.from],
        [this.#to, need.to],
      ] as const) {
        const id = idOf(side);
        if (id === undefined) continue;
        const list = map.get(id);
        if (list === undefined) map.set(id, [need]);
        else list.push(need);
      }
  }

  between(from: PodEndpoint, to: PodEndpoint): PortSet {
    const candidates = [...(this.#from.get(from.id) ?? []), ...this.#described];
    return this.#sum(candidates.filter(need => isSide(need.from, from) && isSide(need.to, to)));
  }

  /** The parts of some addresses with the ports that nobody needs there. */
  outside(
    endpoint: PodEndpoint,
    field: 'from' | 'to',
    addresses: AddressSet,
    set: PortSet,
  ): [range: string, ports: PortSet][] {
    const own = [...((field === 'to' ? this.#from : this.#to).get(endpoint.id) ?? []), ...this.#described];
    let parts: { range: AddressSet; needs: Need[] }[] = [{ range: addresses, needs: [] }];
    for (const need of own) {
      const side = need[field];
      if (!('cidr' in side) || !isSide(field === 'to' ? need.from : need.to, endpoint)) continue;
      const block = blockOf(side);
      parts = parts
        .flatMap(({ range, needs }) => [
          { range: overlap(range, block), needs: [...needs, need] },
          { range: without(range, block), needs },
        ])
        .filter(({ range }) => range.length > 0);
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
    for (const { port, endPort = port, protocol = 'TCP' } of needs) ranges[protocol].push([port, endPort]);
    return this.#ports.of(ranges);
  }
}

/** Whether a side of a need means an endpoint of the input, or a pod that stands for it. */
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
