/** The form that policies of every kind are brought into before they are asked, and what refuses a malformed one. */
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';
import { type AddressRange, type AddressSet, parseBlock, without } from './addresses.ts';
import { compileSelector, type Match, type Selector, SelectorError } from './labels.ts';
import { LAST_PORT, type PortRange, PROTOCOLS, type Protocol } from './ports.ts';

export type Direction = 'ingress' | 'egress';

/**
 * Where a policy is asked: `foreign` ones (of a CNI of its own, not evaluated) make everything they select uncertain;
 * then `admin`, `namespaced`, `baseline`.
 */
export type Tier = 'foreign' | 'admin' | 'namespaced' | 'baseline';

export interface Policy {
  readonly object: KubeObject;
  readonly tier: Tier;
  /** Lower is asked first; equal ones in no known order. Means nothing to namespaced and foreign policies. */
  readonly priority: number;
  readonly subject: PodsPeer;
  /** The rules of a direction; undefined where the policy does not speak of it. */
  readonly ingress: readonly Rule[] | undefined;
  readonly egress: readonly Rule[] | undefined;
  /** Why nothing is certain about this policy: the API server would refuse it, or its semantics are not known here. */
  readonly uncertain?: { readonly path: Path; readonly text: string };
}

export interface Rule {
  /** `any`: what the rule does is not known. */
  readonly action: 'accept' | 'deny' | 'pass' | 'any';
  readonly path: Path;
  /** Undefined: every peer, pod or not. */
  readonly peers: readonly RulePeer[] | undefined;
  /** Undefined: all traffic. */
  readonly ports: PortSpec | undefined;
}

export interface RulePeer {
  readonly path: Path;
  readonly peer: Peer;
}

export type Peer = PodsPeer | AddressesPeer | NodesPeer | DomainNamesPeer;

export interface PodsPeer {
  readonly is: 'pods';
  /** The one namespace, by name. */
  readonly namespace?: string;
  /** Or those that it selects. */
  readonly namespaces?: Selector;
  readonly pods?: Selector;
  /** Whether pods in the host's network are among them. */
  readonly hostNetwork: Match;
}

export interface AddressesPeer {
  readonly is: 'addresses';
  readonly set: AddressSet;
  /** An `ipBlock` of a NetworkPolicy: whether it speaks of pods is left to the implementation. */
  readonly podsOpen: boolean;
}

export interface NodesPeer {
  readonly is: 'nodes';
  readonly nodes: Selector;
}

export interface DomainNamesPeer {
  readonly is: 'domain-names';
}

/** Destination ports: numbers per protocol, and names that each destination pod gives its own numbers. */
export interface PortSpec {
  readonly ranges: Readonly<Partial<Record<Protocol, readonly PortRange[]>>>;
  readonly names: readonly { readonly name: string; readonly protocol?: Protocol }[];
}

/** What the API server refuses, and where. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly path: Path;

  constructor(path: Path, text: string) {
    super(text);
    this.path = path;
  }
}

/** Runs a compilation; what the API server would refuse becomes a policy of which nothing is certain. */
export function orUncertain(
  object: KubeObject,
  tier: Tier,
  scope: () => PodsPeer,
  compile: () => Policy,
): Policy {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return uncertainPolicy(object, tier, scope(), { path: error.path, text: error.message });
  }
}

/** A policy that may do anything to the pods that it may select. */
export function uncertainPolicy(
  object: KubeObject,
  tier: Tier,
  subject: PodsPeer,
  uncertain: NonNullable<Policy['uncertain']>,
  directions: readonly Direction[] = ['ingress', 'egress'],
): Policy {
  const anything: readonly Rule[] = [
    { action: 'any', path: uncertain.path, peers: undefined, ports: undefined },
  ];
  return {
    object,
    tier,
    priority: Number.NEGATIVE_INFINITY,
    subject,
    ingress: directions.includes('ingress') ? anything : undefined,
    egress: directions.includes('egress') ? anything : undefined,
    uncertain,
  };
}

/** A field that holds a list, or nothing (absent, null). */
export function listAt(
  parent: Readonly<Record<string, unknown>>,
  field: string,
  path: Path,
): readonly unknown[] {
  const value = parent[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refusal([...path, field], `${field} is not a list`);
  return value;
}

export function recordOf(value: unknown, path: Path): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new Refusal(path, `${String(path.at(-1))} is not a mapping`);
  return value;
}

export function selectorAt(value: unknown, path: Path): Selector {
  try {
    return compileSelector(value);
  } catch (error) {
    if (error instanceof SelectorError) throw new Refusal(path, error.message);
    throw error;
  }
}

export function protocolOf(value: unknown, path: Path): Protocol {
  if (value === undefined || value === null) return 'TCP';
  if (!PROTOCOLS.includes(value as Protocol))
    throw new Refusal(path, `protocol ${JSON.stringify(value)} is none of ${PROTOCOLS.join(', ')}`);
  return value as Protocol;
}

export function portNumber(value: unknown, path: Path): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > LAST_PORT)
    throw new Refusal(path, `${JSON.stringify(value) ?? 'nothing'} is not a port from 1 to ${LAST_PORT}`);
  return value as number;
}

export function blockAt(value: unknown, path: Path): AddressRange {
  const block = typeof value === 'string' ? parseBlock(value) : undefined;
  if (block === undefined)
    throw new Refusal(path, `${JSON.stringify(value) ?? 'nothing'} is not a CIDR block`);
  return block;
}

/** The block less its exceptions, each of which is strictly inside (ValidateIPBlock). */
export function blockWithout(block: AddressRange, exceptions: readonly [AddressRange, Path][]): AddressSet {
  for (const [[first, last], path] of exceptions)
    if (first < block[0] || last > block[1] || (first === block[0] && last === block[1]))
      throw new Refusal(path, 'except is not strictly inside cidr');
  return without(
    [block],
    exceptions.map(([range]) => range),
  );
}

/** Port specifications gathered one by one. */
export function portSpec(
  entries: readonly (
    | { readonly protocol: Protocol; readonly range: PortRange }
    | { readonly name: string; readonly protocol?: Protocol }
  )[],
): PortSpec {
  const ranges: Partial<Record<Protocol, PortRange[]>> = {};
  const names: { name: string; protocol?: Protocol }[] = [];
  for (const entry of entries)
    if ('range' in entry) {
      ranges[entry.protocol] ??= [];
      ranges[entry.protocol]!.push(entry.range);
    } else names.push(entry);
  return { ranges, names };
}
