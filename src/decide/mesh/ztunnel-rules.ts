/**
 * Rules of an AuthorizationPolicy as ztunnel evaluates what istiod converts them to.
 * Sources: istio pilot/pkg/serviceregistry/ambient/authorization.go (convertAuthorizationPolicy, handleRule),
 * istio/ztunnel src/rbac.rs (Authorization::matches: a clause without any field never matches, and all clauses must).
 */
import { MAYBE, NO } from '#decide/network/labels.ts';
import { negated } from './envoy-rules.ts';
import { all, any, type Condition, type Facts, match, not } from './facts.ts';
import type { Action, Rule } from './policy.ts';
import { isIn, portOf, rangeOf } from './ranges.ts';
import type { TextTest } from './text-match.ts';

const HTTP_OPERATIONS = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths'];
const HTTP_SOURCES = ['remoteIpBlocks', 'notRemoteIpBlocks', 'requestPrincipals', 'notRequestPrincipals'];

/** Keys of `when` that ztunnel knows, with the field of a match each of them is. */
const WHEN_FIELDS: Readonly<Record<string, string>> = {
  'source.ip': 'ipBlocks',
  'source.namespace': 'namespaces',
  'source.principal': 'principals',
  'destination.ip': 'destinationIps',
  'destination.port': 'ports',
};

/** The fields that ztunnel reads; `trustDomains` is none of them. */
const OPERATIONS = ['ports'];
const SOURCES = ['ipBlocks', 'namespaces', 'serviceAccounts', 'principals'];

/** The parts of a rule that only a waypoint could enforce. */
export function httpParts(rule: Rule): string[] {
  const found = new Set<string>();
  for (const operation of rule.to)
    for (const field of HTTP_OPERATIONS) if ((operation[field] ?? []).length > 0) found.add(field);
  for (const source of rule.from)
    for (const field of HTTP_SOURCES) if ((source[field] ?? []).length > 0) found.add(field);
  for (const { key } of rule.when) if (!Object.hasOwn(WHEN_FIELDS, key)) found.add(key);
  return [...found];
}

/**
 * What becomes of a rule in ztunnel: `kept` as it is; `dropped`, an ALLOW rule that speaks of requests; `void`, never
 * matching because a clause loses all that it says; `wider`, matching more than it says; `narrower`, where some
 * alternatives never match.
 */
export type FateAtTunnel = 'kept' | 'dropped' | 'void' | 'wider' | 'narrower';

export function fateAtTunnel(rule: Rule, action: Action): FateAtTunnel {
  if (action === 'ALLOW' && httpParts(rule).length > 0) return 'dropped';
  let fate: FateAtTunnel = 'kept';
  for (const [alternatives, known] of [
    [rule.to, OPERATIONS],
    [rule.from, SOURCES],
  ] as const) {
    if (alternatives.length === 0) continue;
    const seen = alternatives.map(fields => {
      const stated = Object.keys(fields).filter(field => fields[field]!.length > 0);
      const kept = stated.filter(field => known.some(one => field === one || field === negated(one)));
      return { isEmpty: kept.length === 0, loses: kept.length < stated.length };
    });
    if (seen.every(({ isEmpty }) => isEmpty)) return 'void';
    if (seen.some(({ isEmpty, loses }) => loses && !isEmpty)) fate = 'wider';
    else if (fate === 'kept' && seen.some(({ isEmpty }) => isEmpty)) fate = 'narrower';
  }
  return rule.when.some(({ key }) => !Object.hasOwn(WHEN_FIELDS, key)) ? 'void' : fate;
}

/** What a rule demands of a connection; undefined where an ALLOW policy loses it for its fields of HTTP. */
export function compileTunnelRule(rule: Rule, action: Action, namespace: string): Condition | undefined {
  if (action === 'ALLOW' && httpParts(rule).length > 0) return undefined;
  const clauses: Condition[] = [];
  if (rule.to.length > 0) clauses.push(any(rule.to.map(fields => clause(fields, OPERATIONS, namespace))));
  if (rule.from.length > 0) clauses.push(any(rule.from.map(fields => clause(fields, SOURCES, namespace))));
  for (const { key, values, notValues } of rule.when) {
    const field = Object.hasOwn(WHEN_FIELDS, key) ? WHEN_FIELDS[key] : undefined;
    const fields = field === undefined ? {} : { [field]: values, [negated(field)]: notValues };
    clauses.push(clause(fields, field === undefined ? [] : [field], namespace));
  }
  return all(clauses);
}

/** One match of a clause: every field that has values; none at all never matches. */
function clause(
  fields: Readonly<Record<string, readonly string[]>>,
  known: readonly string[],
  namespace: string,
): Condition {
  const conditions: Condition[] = [];
  for (const field of known) {
    const positive = (fields[field] ?? []).map(value => test(field, value, namespace));
    const negative = (fields[negated(field)] ?? []).map(value => test(field, value, namespace));
    const [valid, validNot] = [positive, negative].map(list => list.filter(one => one !== undefined));
    if (valid!.length > 0) conditions.push(any(valid!));
    if (validNot!.length > 0) conditions.push(not(any(validNot!)));
  }
  return conditions.length === 0 ? () => NO : all(conditions);
}

/** @returns undefined where the value is left out as invalid */
function test(field: string, value: string, namespace: string): Condition | undefined {
  switch (field) {
    case 'ports': {
      const port = portOf(value);
      return port === undefined ? undefined : facts => match(facts.port === port);
    }
    case 'ipBlocks':
      return inRange(value, facts => facts.sourceIP);
    case 'destinationIps':
      return inRange(value, facts => facts.destinationIP);
    case 'namespaces': {
      const is = text(value);
      return identity(
        ({ namespace: ns }) => is(ns),
        () => is(''),
      );
    }
    case 'principals': {
      const is = text(value);
      return identity(
        ({ whole }) => is(whole),
        () => false,
      );
    }
    default: {
      const slash = value.indexOf('/');
      const ns = slash < 0 ? namespace : value.slice(0, slash);
      const account = value.slice(slash + 1);
      return identity(
        peer => peer.namespace === ns && peer.account === account,
        () => false,
      );
    }
  }
}

interface Peer {
  readonly whole: string;
  readonly namespace: string;
  readonly account: string;
}

function identity(is: (peer: Peer) => boolean, none: () => boolean): Condition {
  return ({ principal }) => {
    if (principal === undefined) return MAYBE;
    const peer = principal === null ? undefined : peerOf(principal);
    return match(peer === undefined ? none() : is(peer));
  };
}

function peerOf(uri: string): Peer | undefined {
  const parts = /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(uri);
  if (parts === null) return undefined;
  return { whole: uri.slice('spiffe://'.length), namespace: parts[2]!, account: parts[3]! };
}

/** A star in the middle is a plain character here; `*` alone wants anything that is not empty. */
function text(value: string): TextTest {
  if (value === '*') return is => is !== '';
  if (value.startsWith('*')) return is => is.endsWith(value.slice(1));
  if (value.endsWith('*')) return is => is.startsWith(value.slice(0, -1));
  return is => is === value;
}

function inRange(value: string, of: (facts: Facts) => bigint | undefined): Condition | undefined {
  const range = rangeOf(value);
  if (range === undefined) return undefined;
  return facts => {
    const address = of(facts);
    return address === undefined ? MAYBE : match(isIn(address, range));
  };
}
