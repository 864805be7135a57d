/**
 * Endpoints and addresses that no policy tells apart, as one class: alike in what selects them, in what names them as a
 * peer, and in the numbers of the port names that rules use.
 */
import {
  type AddressRange,
  type AddressSet,
  ALL_IPV4,
  ALL_IPV6,
  addressSet,
  formatRange,
} from './addresses.ts';
import type { Matcher, Selection } from './evaluate.ts';
import type { Endpoint, Inventory, PodEndpoint } from './inventory.ts';
import { labelKey, type Match, NO } from './labels.ts';
import type { Direction, Peer, Policy, PortSpec, Rule } from './policy.ts';
import type { PortAlgebra } from './ports.ts';

/** Endpoints that are alike to every policy. */
export interface EndpointClass {
  readonly index: number;
  /** The pods and workloads; empty for a class of addresses. */
  readonly members: readonly PodEndpoint[];
  /** The addresses outside of the cluster's pods, as blocks or `first-last`; empty for a class of pods. */
  readonly ranges: readonly string[];
}

/** A class with one endpoint to ask on behalf of all. */
export interface Classified {
  readonly public: EndpointClass;
  readonly endpoint: Endpoint;
  readonly selections: Readonly<Record<Direction, readonly Selection[]>>;
  /** Equal, per direction, for classes that the same policies select. */
  readonly rowKeys: Readonly<Record<Direction, string>>;
  /** Equal for classes that give equal numbers to all port names in use. */
  readonly portKey: string;
}

export interface Classes {
  readonly all: readonly Classified[];
  /** Of each distinct peer of a rule: the classes that it means, or may mean. */
  readonly members: readonly (readonly (readonly [index: number, match: Match])[])[];
  /** The number of a rule's peer in `members`. */
  readonly numberOf: ReadonlyMap<Peer, number>;
  /** The class of an address outside of the cluster's pods. */
  indexOfAddress(address: bigint): number;
}

interface Distinct {
  readonly peers: readonly Peer[];
  readonly numberOf: ReadonlyMap<Peer, number>;
  readonly namedPorts: readonly PortSpec[];
}

interface Group {
  readonly endpoint: Endpoint;
  readonly members: PodEndpoint[];
  readonly ranges: AddressRange[];
  readonly matches: readonly (readonly [peer: number, match: Match])[];
  readonly selections: Classified['selections'];
  readonly rowKeys: Classified['rowKeys'];
  readonly portKey: string;
}

export interface Cluster {
  readonly inventory: Inventory;
  readonly ports: PortAlgebra;
  readonly matcher: Matcher;
  readonly policies: readonly Policy[];
  selections(endpoint: Endpoint): Readonly<Record<Direction, readonly Selection[]>>;
}

export function classify(cluster: Cluster): Classes {
  const distinct = distinctQuestions(cluster.policies);
  const line = cutLine(cluster, distinct);
  const groups = new Map<string, Group>();
  const ask = questioner(cluster, distinct);
  const numbers = new Map(cluster.policies.map((policy, index) => [policy, index]));
  for (const members of alikeByFacts(cluster.inventory.endpoints, distinct, line).values()) {
    const [endpoint] = members as [PodEndpoint];
    const { matches, key, portKey } = ask(endpoint, line.keyOf(endpoint));
    const selections = cluster.selections(endpoint);
    const rowKeys = {
      ingress: rowKey(selections.ingress, numbers),
      egress: rowKey(selections.egress, numbers),
    };
    const group = [
      endpoint.hostNetwork ? `host ${line.keyOf(endpoint)}` : '',
      endpoint.network ?? '',
      rowKeys.ingress,
      rowKeys.egress,
      key,
      portKey,
    ].join('|');
    const found = groups.get(group);
    if (found !== undefined) found.members.push(...members);
    else groups.set(group, { endpoint, members, ranges: [], matches, selections, rowKeys, portKey });
  }
  const groupOf = (key: string): string => `address|${key}`;
  for (const { range, key } of line.parts) {
    const group = groupOf(key);
    const found = groups.get(group);
    if (found !== undefined) {
      found.ranges.push(range);
      continue;
    }
    const endpoint: Endpoint = {
      is: 'address',
      id: formatRange(range),
      addresses: [range],
      nodes: new Set(),
    };
    const { matches, portKey } = ask(endpoint, key);
    groups.set(group, {
      endpoint,
      members: [],
      ranges: [range],
      matches,
      selections: { ingress: [], egress: [] },
      rowKeys: { ingress: '', egress: '' },
      portKey,
    });
  }
  const places = new Map([...groups.keys()].map((key, index) => [key, index]));
  return {
    ...number([...groups.values()], distinct),
    indexOfAddress: address => places.get(groupOf(line.keyAt(address)))!,
  };
}

function number(groups: readonly Group[], { peers, numberOf }: Distinct): Omit<Classes, 'indexOfAddress'> {
  const members: [number, Match][][] = peers.map(() => []);
  const all = groups.map((group, index): Classified => {
    for (const [peer, match] of group.matches) members[peer]!.push([index, match]);
    return {
      public: { index, members: group.members, ranges: addressSet(group.ranges).map(formatRange) },
      endpoint: group.endpoint,
      selections: group.selections,
      rowKeys: group.rowKeys,
      portKey: group.portKey,
    };
  });
  return { all, members, numberOf };
}

/** Every peer and every port name that a rule asks for, once. */
function distinctQuestions(policies: readonly Policy[]): Distinct {
  const byKey = new Map<string, number>();
  const peers: Peer[] = [];
  const numberOf = new Map<Peer, number>();
  const namedPorts = new Map<string, PortSpec>();
  const take = ({ peers: rulePeers, ports }: Rule): void => {
    for (const { peer } of rulePeers ?? []) {
      const key = peerKey(peer);
      let known = byKey.get(key);
      if (known === undefined) {
        known = peers.push(peer) - 1;
        byKey.set(key, known);
      }
      numberOf.set(peer, known);
    }
    for (const { name, protocol } of ports?.names ?? [])
      namedPorts.set(`${protocol ?? ''}/${name}`, {
        ranges: {},
        names: [protocol === undefined ? { name } : { name, protocol }],
      });
  };
  for (const { ingress, egress } of policies)
    for (const rule of [...(ingress ?? []), ...(egress ?? [])]) take(rule);
  return { peers, numberOf, namedPorts: [...namedPorts.values()] };
}

/** A text that is equal for peers that mean the same. */
function peerKey(peer: Peer): string {
  return JSON.stringify(peer, (_, value: unknown) => {
    if (value instanceof Set) return [...value].sort();
    return typeof value === 'bigint' ? `${value}` : value;
  });
}

/** Both families cut at every border that a policy draws; equal keys mean equal to all of them. */
interface Line {
  readonly parts: readonly { readonly range: AddressRange; readonly key: string }[];
  keyAt(address: bigint): string;
  keyOf(endpoint: PodEndpoint): string;
}

function cutLine(cluster: Cluster, distinct: Distinct): Line {
  const sets: AddressSet[] = distinct.peers.flatMap(peer => (peer.is === 'addresses' ? [peer.set] : []));
  if (distinct.peers.some(({ is }) => is === 'nodes'))
    sets.push(...cluster.inventory.nodes.map(({ addresses }) => addresses));
  const ends = [...ALL_IPV4, ...ALL_IPV6].map(([, last]) => last);
  for (const set of sets) for (const [first, last] of set) ends.push(first - 1n, last);
  const borders = [...new Set(ends)].filter(end => end >= 0n).sort((a, b) => (a < b ? -1 : 1));
  const keys: string[] = borders.map(() => '');
  for (const [index, set] of sets.entries())
    for (const [first, last] of set)
      for (let i = indexOf(borders, first); i < borders.length && borders[i]! <= last; i++)
        keys[i] += `${index},`;
  const parts = borders.map((last, i) => ({
    range: [i === 0 ? 0n : borders[i - 1]! + 1n, last] as const,
    key: `${last > ALL_IPV4[0]![1]}${keys[i]}`,
  }));
  return {
    parts,
    keyAt: address => parts[indexOf(borders, address)]!.key,
    keyOf: ({ addresses, addressesKnown }) => {
      if (sets.length === 0) return '';
      if (!addressesKnown) return '?';
      return addresses.map(([first]) => keys[indexOf(borders, first)]).join(' ');
    },
  };
}

/** The index of the first border that is not below an address. */
function indexOf(borders: readonly bigint[], address: bigint): number {
  let low = 0;
  let high = borders.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (borders[middle]! < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Endpoints with the same facts: the coarse step, before policies are asked. */
function alikeByFacts(
  endpoints: readonly PodEndpoint[],
  { namedPorts }: Distinct,
  line: Line,
): Map<string, PodEndpoint[]> {
  const found = new Map<string, PodEndpoint[]>();
  const namespaceKeys = new Map<PodEndpoint['namespaceLabels'], string>();
  for (const endpoint of endpoints) {
    const { namespace, namespaceLabels, labels, ports, hostNetwork, network } = endpoint;
    let namespaceKey = namespaceKeys.get(namespaceLabels);
    if (namespaceKey === undefined) {
      namespaceKey = labelKey(namespaceLabels);
      namespaceKeys.set(namespaceLabels, namespaceKey);
    }
    const portKey =
      namedPorts.length === 0
        ? ''
        : ports?.map(({ name, protocol, port, beside }) => `${name}/${protocol}/${port}/${beside}`).join();
    const key = [
      namespace,
      namespaceKey,
      labelKey(labels),
      portKey,
      hostNetwork,
      endpoint.addressesKnown,
      network,
      line.keyOf(endpoint),
    ].join('\n');
    const members = found.get(key);
    if (members === undefined) found.set(key, [endpoint]);
    else members.push(endpoint);
  }
  return found;
}

interface Answers {
  readonly matches: readonly (readonly [peer: number, match: Match])[];
  readonly key: string;
  readonly portKey: string;
}

/** Asks an endpoint all questions of the policies, except those whose answer cannot be but no. */
function questioner(
  cluster: Cluster,
  distinct: Distinct,
): (endpoint: Endpoint, addressKey: string) => Answers {
  const everywhere: number[] = [];
  const inNamespace = new Map<string, number[]>();
  const byAddress: number[] = [];
  for (const [index, peer] of distinct.peers.entries()) {
    if (peer.is !== 'pods') byAddress.push(index);
    else if (peer.namespace === undefined) everywhere.push(index);
    else {
      const list = inNamespace.get(peer.namespace);
      if (list === undefined) inNamespace.set(peer.namespace, [index]);
      else list.push(index);
    }
  }
  /** Addresses of one key are equal to all policies, so that most pods share these answers. */
  const known = new Map<string, readonly (readonly [number, Match])[]>();
  const askAll = (indexes: readonly number[], endpoint: Endpoint): [number, Match][] =>
    indexes.flatMap((index): [number, Match][] => {
      // A peer means the same in both directions, but for the host's network: there ingress is the wider question.
      const match = cluster.matcher.matches(distinct.peers[index]!, endpoint, 'ingress');
      return match === NO ? [] : [[index, match]];
    });
  return (endpoint, addressKey) => {
    const host = endpoint.is === 'pod' && endpoint.hostNetwork;
    const addressQuestion = `${endpoint.is}|${host}|${endpoint.is === 'pod' && endpoint.addressesKnown}|${addressKey}`;
    let addresses = known.get(addressQuestion);
    if (addresses === undefined) {
      addresses = askAll(byAddress, endpoint);
      known.set(addressQuestion, addresses);
    }
    const pods =
      endpoint.is === 'address'
        ? []
        : askAll([...everywhere, ...(inNamespace.get(endpoint.namespace ?? '') ?? [])], endpoint);
    const matches = [...addresses, ...pods];
    const grades = distinct.namedPorts.map(spec => cluster.matcher.ports(spec, endpoint));
    return {
      matches,
      key: matches.map(([peer, match]) => `${peer}:${match}`).join(),
      portKey: grades.map(({ sure, most }) => `${sure.id}:${most.id}`).join(),
    };
  };
}

/** A text that is equal for endpoints that the same policies select. */
function rowKey(selections: readonly Selection[], numbers: ReadonlyMap<Policy, number>): string {
  return selections.map(({ policy, match }) => `${numbers.get(policy)}:${match}`).join();
}
