/** The network of a cluster: who may connect to whom. The door's `createNetwork`. */
import type { Because, KubeObject } from '#kube/objects.ts';
import { parseAddress } from './addresses.ts';
import { compileAdminPolicy, isAdminPolicy } from './admin-policy.ts';
import type { EndpointClass } from './classes.ts';
import {
  DirectMatcher,
  Evaluator,
  order,
  type Reason,
  type Selection,
  selects,
  verdict,
} from './evaluate.ts';
import { findExposures, type Reach } from './exposure.ts';
import type { Exposures } from './exposure-types.ts';
import { compileForeignPolicies } from './foreign-policy.ts';
import {
  type Endpoint,
  type Inventory,
  latest,
  NAMESPACE_NAME,
  namespaceOf,
  type PodEndpoint,
  takeInventory,
} from './inventory.ts';
import { labelsOf, NO } from './labels.ts';
import { compileNetworkPolicy } from './network-policy.ts';
import type { Direction, Policy } from './policy.ts';
import { hasPort, LAST_PORT, PortAlgebra, PROTOCOLS, type Protocol } from './ports.ts';
import { type Connectivity, relate } from './relation.ts';

export interface NetworkOptions {
  /**
   * Whether an `ipBlock` of a NetworkPolicy matches the addresses of pods. Implementations differ; where it is left out,
   * what depends on it is `'unknown'`.
   */
  readonly ipBlocksMatchPods?: boolean;
  /** The labels of namespaces that the input names and does not hold; `'unknown'` where left out. */
  readonly missingNamespaces?: 'unknown' | 'unlabelled';
}

/**
 * One side of a connection: a pod (`ns/name`), a workload (`ns/kind/name`: its template, or the pods that it owns), an
 * address (that of a known pod or node means the pod or node), or a pod that does not exist yet. Such a pod stands in
 * the namespace that the label `kubernetes.io/metadata.name` names; without the label, in one that holds no policy.
 */
export type Peer =
  | { readonly pod: string }
  | { readonly workload: string }
  | { readonly ip: string }
  | {
      readonly labels: Readonly<Record<string, string>>;
      readonly namespaceLabels: Readonly<Record<string, string>>;
    };

export interface Query {
  readonly from: Peer;
  readonly to: Peer;
  /** The destination pod's port (what a Service leads to, not the Service's own), by number or by name. */
  readonly port: number | string;
  /** TCP where left out. */
  readonly protocol?: Protocol;
}

export type Answer = boolean | 'unknown';

export interface Connection {
  readonly allowed: Answer;
  /** What the policies of the source say; true where it is no pod. */
  readonly egress: Answer;
  /** What the policies of the destination say; true where it is no pod. */
  readonly ingress: Answer;
  readonly because: readonly Because[];
}

export interface Network {
  /**
   * Whether a connection may be made.
   *
   * @throws QueryError where the query names what does not exist
   */
  connection(query: Query): Connection;
  /** The pods of a workload (`ns/kind/name`), or a pod (`ns/name`); none where the input has no such thing. */
  endpointsOf(id: string): readonly PodEndpoint[];
  /** The whole relation, on classes of endpoints that no policy tells apart. */
  connections(): Connectivity;
  /** What can be reached from outside: every entry, the objects on the way, and what policies say of the last step. */
  exposure(): Exposures;
}

/** A query that cannot be answered: it names a pod that does not exist, or a port that is none. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/**
 * The network that objects describe. Objects of other kinds are ignored; of several with the same kind, namespace and
 * name, the last one counts.
 */
export function createNetwork(objects: readonly KubeObject[], options: NetworkOptions = {}): Network {
  return new ClusterNetwork(latest(objects), options);
}

/** {@link Network.exposure} of the network that objects describe. */
export function exposure(objects: readonly KubeObject[], options: NetworkOptions = {}): Exposures {
  return createNetwork(objects, options).exposure();
}

class ClusterNetwork implements Network {
  readonly #objects: readonly KubeObject[];
  readonly #inventory: Inventory;
  readonly #byNamespace = new Map<string, Policy[]>();
  readonly #clusterWide: Policy[] = [];
  readonly #ports = new PortAlgebra();
  readonly #evaluator = new Evaluator(this.#ports);
  readonly #matcher: DirectMatcher;
  #relation: Connectivity | undefined;
  readonly #selections = new Map<Endpoint, Readonly<Record<Direction, readonly Selection[]>>>();

  constructor(objects: readonly KubeObject[], options: NetworkOptions) {
    this.#objects = objects;
    this.#inventory = takeInventory(objects, options.missingNamespaces ?? 'unknown');
    this.#matcher = new DirectMatcher(
      { ipBlocksMatchPods: options.ipBlocksMatchPods, nodes: this.#inventory.nodes },
      this.#ports,
    );
    for (const policy of oneBaselineOrder(objects.flatMap(compilePolicies))) {
      const { namespace } = policy.subject;
      if (namespace === undefined) this.#clusterWide.push(policy);
      else {
        const list = this.#byNamespace.get(namespace);
        if (list === undefined) this.#byNamespace.set(namespace, [policy]);
        else list.push(policy);
      }
    }
  }

  connection(query: Query): Connection {
    const protocol = query.protocol ?? 'TCP';
    if (!PROTOCOLS.includes(protocol)) throw new QueryError(`protocol "${String(protocol)}" is not known`);
    const sources = this.#resolve(query.from);
    const destinations = this.#resolve(query.to);
    const answers: Connection[] = [];
    for (const from of sources)
      for (const to of destinations)
        for (const port of portsOf(query.port, protocol, to))
          answers.push(this.#answer(from, to, protocol, port, sameSide(query)));
    return agree(answers, query);
  }

  endpointsOf(id: string): readonly PodEndpoint[] {
    const pod = this.#inventory.pods.get(id);
    return pod === undefined ? (this.#inventory.workloads.get(id) ?? []) : [pod];
  }

  connections(): Connectivity {
    this.#relation ??= relate({
      inventory: this.#inventory,
      ports: this.#ports,
      evaluator: this.#evaluator,
      matcher: this.#matcher,
      selections: endpoint => this.#select(endpoint),
      policies: [...this.#clusterWide, ...[...this.#byNamespace.values()].flat()],
    });
    return this.#relation;
  }

  exposure(): Exposures {
    return findExposures(this.#objects, this.#inventory, {
      fromOutside: outsideOf(this.connections()),
      fromProxy: (proxies, to, protocol, port) => {
        const answers: Answer[] =
          proxies.length === 0
            ? [this.#direction('ingress', to, this.#anywhere, protocol, port).answer]
            : proxies.map(from => this.#answer(from, to, protocol, port, true).allowed);
        return answers.includes(true) || (answers.includes('unknown') && 'unknown');
      },
    });
  }

  /** A pod of which nothing is known: the proxy of a controller that the input does not show. */
  get #anywhere(): PodEndpoint {
    return {
      ...this.#hypothetical({}, {}),
      namespaceLabels: labelsOf({}, 'any'),
      labels: labelsOf({}, 'any'),
    };
  }

  #answer(from: Endpoint, to: Endpoint, protocol: Protocol, port: number, self: boolean): Connection {
    if (from === to && self) return always('a pod always reaches itself');
    if (onOneNode(from, to))
      return always('traffic between a pod and the node that it runs on is always allowed');
    if (
      from.is === 'pod' &&
      to.is === 'pod' &&
      !from.hostNetwork &&
      !to.hostNetwork &&
      from.network !== to.network
    )
      return {
        allowed: false,
        egress: false,
        ingress: false,
        because: [{ text: `${from.id} and ${to.id} are in different primary networks` }],
      };
    const egress = this.#direction('egress', from, to, protocol, port);
    const ingress = this.#direction('ingress', to, from, protocol, port);
    const doubtful = isHost(from) !== isHost(to) && nodesMayBeOne(from, to);
    const answers: [Answer, Answer] = [egress.answer, ingress.answer].map(answer =>
      doubtful && answer === false ? 'unknown' : answer,
    ) as [Answer, Answer];
    return {
      allowed: and(...answers),
      egress: answers[0],
      ingress: answers[1],
      because: [
        ...egress.because,
        ...ingress.because,
        ...(doubtful && and(...answers) === 'unknown'
          ? [{ text: `whether ${from.id} and ${to.id} are on the same node is not known` }]
          : []),
      ],
    };
  }

  #direction(
    direction: Direction,
    subject: Endpoint,
    peer: Endpoint,
    protocol: Protocol,
    port: number,
  ): { answer: Answer; because: Because[] } {
    if (subject.is === 'address') return { answer: true, because: [] };
    const reasons: Reason[] = [];
    const universe = this.#ports.one(protocol, port);
    const grade = this.#evaluator.decide(this.#select(subject)[direction], this.#matcher, {
      direction,
      subject,
      peer,
      universe,
      because: reasons,
    });
    const answer = verdict(grade, protocol, port);
    const said = reasons.filter(({ certain }) => answer === 'unknown' || certain);
    const because: Because[] = said.map(({ certain: _, ...rest }) => rest);
    if (because.length === 0)
      because.push({
        text: `no policy restricts ${direction} ${direction === 'ingress' ? 'to' : 'from'} ${subject.id}`,
      });
    return { answer, because };
  }

  /** The policies that may select an endpoint, per direction and in order. */
  #select(endpoint: Endpoint): Readonly<Record<Direction, readonly Selection[]>> {
    let found = this.#selections.get(endpoint);
    if (found === undefined) {
      const namespace = endpoint.is === 'pod' ? endpoint.namespace : undefined;
      const candidates = [
        ...this.#clusterWide,
        ...(namespace === undefined ? [] : (this.#byNamespace.get(namespace) ?? [])),
      ];
      const selections = candidates
        .map(policy => ({ policy, match: selects(policy, endpoint) }))
        .filter(({ match }) => match !== NO)
        .sort(order);
      found = {
        ingress: selections.filter(({ policy }) => policy.ingress !== undefined),
        egress: selections.filter(({ policy }) => policy.egress !== undefined),
      };
      this.#selections.set(endpoint, found);
    }
    return found;
  }

  #resolve(peer: Peer): readonly Endpoint[] {
    if ('pod' in peer) {
      const pod = this.#inventory.pods.get(peer.pod);
      if (pod !== undefined) return [pod];
      throw new QueryError(
        this.#inventory.finished.has(peer.pod)
          ? `pod ${peer.pod} has finished`
          : `there is no pod ${peer.pod}`,
      );
    }
    if ('workload' in peer) {
      const workload = this.#inventory.workloads.get(peer.workload);
      if (workload !== undefined) return workload;
      throw new QueryError(`there is no workload ${peer.workload} with pods`);
    }
    if ('ip' in peer) return [this.#resolveAddress(peer.ip)];
    return [this.#hypothetical(peer.labels, peer.namespaceLabels)];
  }

  #resolveAddress(text: string): Endpoint {
    const address = parseAddress(text);
    if (address === undefined) throw new QueryError(`"${text}" is not an IP address`);
    const pod = this.#inventory.byAddress.get(address);
    if (pod !== undefined) return pod;
    return {
      is: 'address',
      id: text,
      addresses: [[address, address]],
      nodes: this.#inventory.nodesOf(address),
    };
  }

  #hypothetical(
    labels: Readonly<Record<string, string>>,
    namespaceLabels: Readonly<Record<string, string>>,
  ): PodEndpoint {
    const namespace = Object.hasOwn(namespaceLabels, NAMESPACE_NAME)
      ? namespaceLabels[NAMESPACE_NAME]
      : undefined;
    return {
      is: 'pod',
      object: undefined,
      id: `a pod with ${JSON.stringify(labels)}`,
      namespace,
      namespaceLabels: labelsOf(
        namespaceLabels,
        namespace === undefined ? new Set([NAMESPACE_NAME]) : 'none',
      ),
      labels: labelsOf(labels),
      ports: undefined,
      hostNetwork: false,
      addresses: this.#inventory.possibleAddresses,
      addressesKnown: false,
      node: undefined,
      network: namespace === undefined ? undefined : this.#inventory.networkOf(namespace),
    };
  }
}

/**
 * What outside addresses may reach. Where only some may and the address of the client may be replaced by a node's, it is
 * not known; a node's is of the client's family, so that all of IPv4, which is what most clusters have, is enough.
 */
function outsideOf(relation: Connectivity): Reach['fromOutside'] {
  const outside = relation.classes.filter(({ ranges }) => ranges.length > 0);
  const old = outside.filter(({ ranges }) => ranges.some(range => !range.includes(':')));
  return (to, protocol, port, keepsAddress) => {
    const destination = relation.classOf(to.id)!;
    const answerOf = (from: EndpointClass): Answer => {
      const { allowed, unknown } = relation.between(from, destination);
      return hasPort(allowed, protocol, port) || (hasPort(unknown, protocol, port) && 'unknown');
    };
    const answers = outside.map(answerOf);
    if (answers.every(answer => answer === answers[0])) return answers[0]!;
    if (old.length > 0 && old.every(from => answerOf(from) === true)) return true;
    return keepsAddress && answers.includes(true) ? true : 'unknown';
  };
}

/** The policies that an object holds. */
function compilePolicies(object: KubeObject): readonly Policy[] {
  if (object.kind === 'NetworkPolicy' && /^(?:networking\.k8s\.io|extensions)\//.test(object.apiVersion))
    return [compileNetworkPolicy(object, namespaceOf(object))];
  if (isAdminPolicy(object)) return [compileAdminPolicy(object)];
  return compileForeignPolicies(object);
}

/**
 * A BaselineAdminNetworkPolicy has no priority. No cluster is known to serve it beside ClusterNetworkPolicies; where
 * the input has both kinds, their order is not known.
 */
function oneBaselineOrder(policies: readonly Policy[]): readonly Policy[] {
  const kinds = new Set(policies.filter(({ tier }) => tier === 'baseline').map(({ object }) => object.kind));
  if (kinds.size < 2) return policies;
  return policies.map(policy => (policy.tier === 'baseline' ? { ...policy, priority: 0 } : policy));
}

/** Whether both sides are named alike as one pod: a workload that talks to itself is two of its pods. */
function sameSide({ from, to }: Query): boolean {
  return !('workload' in from && 'workload' in to) && !('labels' in from);
}

function portsOf(port: number | string, protocol: Protocol, to: Endpoint): readonly number[] {
  const number = typeof port === 'string' && /^[0-9]{1,5}$/.test(port) ? Number(port) : port;
  if (typeof number === 'number') {
    if (!Number.isInteger(number) || number < 1 || number > LAST_PORT)
      throw new QueryError(`${number} is not a port from 1 to ${LAST_PORT}`);
    return [number];
  }
  const named = (to.is === 'pod' ? (to.ports ?? []) : []).filter(
    declared => declared.name === number && declared.protocol === protocol,
  );
  if (named.length === 0) throw new QueryError(`${to.id} has no ${protocol} port named "${number}"`);
  return [...new Set(named.map(declared => declared.port))];
}

function isHost(endpoint: Endpoint): boolean {
  return endpoint.is === 'pod' ? endpoint.hostNetwork : endpoint.nodes.size > 0;
}

/** The nodes that an endpoint is on, or undefined where that is not known. */
function nodesOf(endpoint: Endpoint): ReadonlySet<string> | undefined {
  if (endpoint.is === 'address') return endpoint.nodes;
  return endpoint.node === undefined ? undefined : new Set([endpoint.node]);
}

/** A pod and the node under it, or something in that node's network. */
function onOneNode(from: Endpoint, to: Endpoint): boolean {
  if (isHost(from) === isHost(to)) return false;
  const [a, b] = [nodesOf(from), nodesOf(to)];
  return a !== undefined && b !== undefined && [...a].some(node => b.has(node));
}

function nodesMayBeOne(from: Endpoint, to: Endpoint): boolean {
  return (
    (isHost(from) ? to : from).is === 'pod' && (nodesOf(from) === undefined || nodesOf(to) === undefined)
  );
}

function always(text: string): Connection {
  return { allowed: true, egress: true, ingress: true, because: [{ text }] };
}

function and(a: Answer, b: Answer): Answer {
  if (a === false || b === false) return false;
  return a === true && b === true ? true : 'unknown';
}

/** One answer for a workload whose pods differ: unknown where they do. */
function agree(answers: readonly Connection[], query: Query): Connection {
  const [first] = answers;
  if (first === undefined) throw new QueryError('the workload has no pods');
  const one = (part: 'allowed' | 'egress' | 'ingress'): Answer =>
    answers.every(answer => answer[part] === first[part]) ? first[part] : 'unknown';
  const [allowed, egress, ingress] = [one('allowed'), one('egress'), one('ingress')];
  if (allowed === first.allowed && egress === first.egress && ingress === first.ingress) return first;
  const side = 'workload' in query.from ? query.from : query.to;
  return {
    allowed,
    egress,
    ingress,
    because: [
      { text: `the pods of ${'workload' in side ? side.workload : 'the workload'} differ` },
      ...answers.flatMap(({ because }) => because),
    ],
  };
}
