/**
 * policy.networking.k8s.io: AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1), ClusterNetworkPolicy
 * (v1alpha2), with the refusals of their CustomResourceDefinitions.
 * Source: apis/v1alpha1 and apis/v1alpha2 of kubernetes-sigs/network-policy-api.
 */
import type { KubeObject, Path } from '#kube/objects.ts';
import { NO } from './labels.ts';
import {
  blockAt,
  type Direction,
  listAt,
  orUncertain,
  type PodsPeer,
  type Policy,
  type PortSpec,
  portNumber,
  portSpec,
  protocolOf,
  Refusal,
  type Rule,
  type RulePeer,
  recordOf,
  selectorAt,
} from './policy.ts';
import type { PortRange, Protocol } from './ports.ts';

/** What one kind of policy allows itself. */
interface Kind {
  readonly tier: (spec: Readonly<Record<string, unknown>>) => 'admin' | 'baseline';
  readonly hasPriority: boolean;
  readonly actions: Readonly<Record<string, 'accept' | 'deny' | 'pass'>>;
  readonly mostRules: number;
  readonly mostItems: number;
  readonly egressPeers: readonly string[];
  readonly portsField: 'ports' | 'protocols';
  readonly port: (
    value: Readonly<Record<string, unknown>>,
    path: Path,
  ) => Parameters<typeof portSpec>[0][number];
}

const INGRESS_PEERS = ['namespaces', 'pods'];
const PEERS = { ingress: 'from', egress: 'to' } as const;
const SPEC: Path = ['spec'];
const DOMAIN_NAME =
  /^(?:\*\.)?(?:[a-zA-z0-9](?:[-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9](?:[-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$/;
const MOST_IN_A_NAME = 100;
const EVERYONE: PodsPeer = { is: 'pods', namespaces: [], hostNetwork: NO };

const KINDS: Readonly<Record<string, Kind>> = {
  'v1alpha1/AdminNetworkPolicy': {
    tier: () => 'admin',
    hasPriority: true,
    actions: { Allow: 'accept', Deny: 'deny', Pass: 'pass' },
    mostRules: 100,
    mostItems: 100,
    egressPeers: [...INGRESS_PEERS, 'nodes', 'networks', 'domainNames'],
    portsField: 'ports',
    port: adminPort,
  },
  'v1alpha1/BaselineAdminNetworkPolicy': {
    tier: () => 'baseline',
    hasPriority: false,
    actions: { Allow: 'accept', Deny: 'deny' },
    mostRules: 100,
    mostItems: 100,
    egressPeers: [...INGRESS_PEERS, 'nodes', 'networks'],
    portsField: 'ports',
    port: adminPort,
  },
  'v1alpha2/ClusterNetworkPolicy': {
    tier: spec => {
      if (spec['tier'] === 'Admin') return 'admin';
      if (spec['tier'] === 'Baseline') return 'baseline';
      throw new Refusal(
        [...SPEC, 'tier'],
        `tier ${JSON.stringify(spec['tier'])} is neither Admin nor Baseline`,
      );
    },
    hasPriority: true,
    actions: { Accept: 'accept', Deny: 'deny', Pass: 'pass' },
    mostRules: 25,
    mostItems: 25,
    egressPeers: [...INGRESS_PEERS, 'nodes', 'networks', 'domainNames'],
    portsField: 'protocols',
    port: clusterPort,
  },
};

/** Of an object of policy.networking.k8s.io; one of an unknown version or kind is uncertain, for every pod. */
export function compileAdminPolicy(object: KubeObject): Policy {
  const version = object.apiVersion.slice(object.apiVersion.indexOf('/') + 1);
  const key = `${version}/${object.kind}`;
  const tier = object.kind.startsWith('Baseline') ? 'baseline' : 'admin';
  const kind = Object.hasOwn(KINDS, key) ? KINDS[key] : undefined;
  return orUncertain(
    object,
    tier,
    () => scopeOf(object, kind),
    () => {
      if (kind === undefined)
        throw new Refusal(['apiVersion'], `${object.kind} of ${object.apiVersion} is not known`);
      return compile(object, kind);
    },
  );
}

/** The pods that a refused policy may mean: its subject where that can be read, else every pod. */
function scopeOf(object: KubeObject, kind: Kind | undefined): PodsPeer {
  if (kind === undefined) return EVERYONE;
  try {
    return compileSubject(recordOf(object['spec'], SPEC));
  } catch (error) {
    if (error instanceof Refusal) return EVERYONE;
    throw error;
  }
}

function compile(object: KubeObject, kind: Kind): Policy {
  const spec = recordOf(object['spec'], SPEC);
  const tier = kind.tier(spec);
  if (!kind.hasPriority && object.metadata?.name !== 'default')
    throw new Refusal(['metadata', 'name'], `the only ${object.kind} of a cluster is named "default"`);
  const rules = (direction: Direction): Rule[] | undefined => {
    const list = listAt(spec, direction, SPEC);
    if (list.length > kind.mostRules)
      throw new Refusal([...SPEC, direction], `there are more than ${kind.mostRules} rules`);
    if (list.length === 0) return undefined;
    return list.map((rule, index) => {
      const path = [...SPEC, direction, index];
      return compileRule(recordOf(rule, path), path, direction, kind);
    });
  };
  return {
    object,
    tier,
    priority: kind.hasPriority ? priorityOf(spec['priority']) : 0,
    subject: compileSubject(spec),
    ingress: rules('ingress'),
    egress: rules('egress'),
  };
}

function priorityOf(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 1000)
    throw new Refusal([...SPEC, 'priority'], 'priority is not a number from 0 to 1000');
  return value as number;
}

function compileSubject(spec: Readonly<Record<string, unknown>>): PodsPeer {
  const path = [...SPEC, 'subject'];
  const subject = recordOf(spec['subject'], path);
  return compilePods(subject, theOneOf(subject, INGRESS_PEERS, path), path);
}

function compileRule(
  rule: Readonly<Record<string, unknown>>,
  path: Path,
  direction: Direction,
  kind: Kind,
): Rule {
  const { action, name } = rule;
  if (typeof name === 'string' && [...name].length > MOST_IN_A_NAME)
    throw new Refusal([...path, 'name'], `the name of a rule has more than ${MOST_IN_A_NAME} characters`);
  if (typeof action !== 'string' || !Object.hasOwn(kind.actions, action))
    throw new Refusal(
      [...path, 'action'],
      `action ${JSON.stringify(action) ?? 'nothing'} is none of ${Object.keys(kind.actions).join(', ')}`,
    );
  const field = PEERS[direction];
  const fields = direction === 'ingress' ? INGRESS_PEERS : kind.egressPeers;
  const peers = itemsOf(rule, field, path, kind.mostItems).flatMap(([value, at]) =>
    compilePeer(value, fields, at),
  );
  if (peers.length === 0) throw new Refusal([...path, field], `${field} is empty`);
  const ports = compilePorts(rule, path, kind);
  if ((ports?.names.length ?? 0) > 0 && peers.some(({ peer }) => peer.is !== 'pods'))
    throw new Refusal([...path, kind.portsField], 'a named port needs peers that are pods');
  if (kind.actions[action] !== 'accept' && kind.portsField === 'protocols') refuseDomainNames(peers);
  return { action: kind.actions[action]!, path, peers, ports };
}

function refuseDomainNames(peers: readonly RulePeer[]): void {
  for (const { peer, path } of peers)
    if (peer.is === 'domain-names') throw new Refusal(path, 'domainNames are only for rules that accept');
}

/** One item of `from` or `to`; each network of a list is a peer of its own. */
function compilePeer(
  peer: Readonly<Record<string, unknown>>,
  fields: readonly string[],
  path: Path,
): RulePeer[] {
  const field = theOneOf(peer, fields, path);
  const at = [...path, field];
  switch (field) {
    case 'networks':
      return setBelow(peer, field, path).map(([value, place]) => ({
        path: place,
        peer: { is: 'addresses', set: [blockAt(value, place)], podsOpen: false },
      }));
    case 'nodes':
      return [{ path: at, peer: { is: 'nodes', nodes: selectorAt(peer[field], at) } }];
    case 'domainNames': {
      for (const [name, place] of setBelow(peer, field, path))
        if (typeof name !== 'string' || name.length > 253 || !DOMAIN_NAME.test(name))
          throw new Refusal(place, `${JSON.stringify(name)} is not a domain name`);
      return [{ path: at, peer: { is: 'domain-names' } }];
    }
    default:
      return [{ path, peer: compilePods(peer, field, path) }];
  }
}

function compilePods(parent: Readonly<Record<string, unknown>>, field: string, path: Path): PodsPeer {
  const at = [...path, field];
  if (field === 'namespaces')
    return { is: 'pods', namespaces: selectorAt(recordOf(parent[field], at), at), hostNetwork: NO };
  const pods = recordOf(parent[field], at);
  // The implementations read an absent selector as an empty one, though the CRD of v1alpha1 asks for both.
  const part = (name: string) => selectorAt(recordOf(pods[name] ?? {}, [...at, name]), [...at, name]);
  return { is: 'pods', namespaces: part('namespaceSelector'), pods: part('podSelector'), hostNetwork: NO };
}

function compilePorts(rule: Readonly<Record<string, unknown>>, path: Path, kind: Kind): PortSpec | undefined {
  const value = rule[kind.portsField];
  if (value === undefined || value === null) return undefined;
  const items = itemsOf(rule, kind.portsField, path, kind.mostItems);
  if (items.length === 0) throw new Refusal([...path, kind.portsField], `${kind.portsField} is empty`);
  return portSpec(items.map(([item, at]) => kind.port(item, at)));
}

/** An item of `ports` (v1alpha1). A range whose end precedes its start is accepted, and matches nothing. */
function adminPort(item: Readonly<Record<string, unknown>>, path: Path): ReturnType<Kind['port']> {
  const field = theOneOf(item, ['portNumber', 'portRange', 'namedPort'], path);
  if (field === 'namedPort') return { name: nameAt(item[field], [...path, field]) };
  const at = [...path, field];
  const value = recordOf(item[field], at);
  const protocol = protocolOf(value['protocol'], [...at, 'protocol']);
  if (field === 'portNumber') {
    const port = portNumber(value['port'], [...at, 'port']);
    return { protocol, range: [port, port] };
  }
  return { protocol, range: rangeOf(value, at) };
}

/** An item of `protocols` (v1alpha2). */
function clusterPort(item: Readonly<Record<string, unknown>>, path: Path): ReturnType<Kind['port']> {
  const field = theOneOf(item, ['tcp', 'udp', 'sctp', 'destinationNamedPort'], path);
  if (field === 'destinationNamedPort') return { name: nameAt(item[field], [...path, field]) };
  const protocol = field.toUpperCase() as Protocol;
  const at = [...path, field, 'destinationPort'];
  const attributes = recordOf(item[field], [...path, field]);
  theOneOf(attributes, ['destinationPort'], [...path, field]);
  const port = recordOf(attributes['destinationPort'], at);
  if (theOneOf(port, ['number', 'range'], at) === 'number') {
    const number = portNumber(port['number'], [...at, 'number']);
    return { protocol, range: [number, number] };
  }
  const range = rangeOf(recordOf(port['range'], [...at, 'range']), [...at, 'range']);
  if (range[0] >= range[1]) throw new Refusal([...at, 'range'], 'start is not below end');
  return { protocol, range };
}

function rangeOf(value: Readonly<Record<string, unknown>>, path: Path): PortRange {
  return [portNumber(value['start'], [...path, 'start']), portNumber(value['end'], [...path, 'end'])];
}

function nameAt(value: unknown, path: Path): string {
  if (typeof value !== 'string' || value === '') throw new Refusal(path, 'the name of the port is missing');
  return value;
}

/** The name of the one field that is set; a field that is not known counts, for it can only be meant to restrict. */
function theOneOf(value: Readonly<Record<string, unknown>>, fields: readonly string[], path: Path): string {
  const set = Object.keys(value).filter(key => value[key] !== undefined && value[key] !== null);
  const [field] = set;
  if (field === undefined || set.length !== 1 || !fields.includes(field))
    throw new Refusal(
      path,
      `exactly one of ${fields.join(', ')} is needed, here: ${set.join(', ') || 'none'}`,
    );
  return field;
}

function itemsBelow(
  parent: Readonly<Record<string, unknown>>,
  field: string,
  path: Path,
  most: number,
): [unknown, Path][] {
  const list = listAt(parent, field, path);
  if (list.length === 0 || list.length > most)
    throw new Refusal([...path, field], `${field} has from 1 to ${most} items`);
  return list.map((item, index) => [item, [...path, field, index]]);
}

/** A list in which the API server takes nothing twice. */
function setBelow(parent: Readonly<Record<string, unknown>>, field: string, path: Path): [unknown, Path][] {
  const items = itemsBelow(parent, field, path, 25);
  const seen = new Set<unknown>();
  for (const [item, at] of items) {
    if (seen.has(item)) throw new Refusal(at, `${JSON.stringify(item)} stands twice in ${field}`);
    seen.add(item);
  }
  return items;
}

function itemsOf(
  parent: Readonly<Record<string, unknown>>,
  field: string,
  path: Path,
  most: number,
): [Readonly<Record<string, unknown>>, Path][] {
  return itemsBelow(parent, field, path, most).map(([item, at]) => [recordOf(item, at), at]);
}

export function isAdminPolicy(object: KubeObject): boolean {
  return (
    object.apiVersion.startsWith('policy.networking.k8s.io/') &&
    /^(?:Baseline|)AdminNetworkPolicy$|^ClusterNetworkPolicy$/.test(object.kind)
  );
}
