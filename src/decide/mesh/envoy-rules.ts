/**
 * Rules of an AuthorizationPolicy as Envoy evaluates what Istio makes of them for a sidecar, a gateway or a waypoint.
 *
 * Sources: istio pilot/pkg/security/authz/model/{model,generator,util}.go (what each field becomes; that an invalid
 * value drops the whole rule of an ALLOW policy, and only itself from any other) and
 * pilot/pkg/security/trustdomain/bundle.go (aliases); envoy source/extensions/filters/common/rbac/matchers.cc.
 */
import type { AddressRange } from '#decide/network/addresses.ts';
import { MAYBE, NO } from '#decide/network/labels.ts';
import { all, any, type Condition, match, not, unknownCondition } from './facts.ts';
import { compilePathTemplate, isPathTemplate, withoutQuery } from './paths.ts';
import type { Action, Rule } from './policy.ts';
import { isIn, portOf, rangeOf } from './ranges.ts';
import {
  headerTest,
  hostTest,
  namespaceTest,
  principalTest,
  serviceAccountTest,
  type TextTest,
  textTest,
  trustDomainTest,
} from './text-match.ts';

export interface RuleContext {
  readonly action: Action;
  /** The namespace of the policy: that of service accounts named without one. */
  readonly namespace: string;
  /** The mesh's own trust domain, then its aliases. */
  readonly trustDomains: readonly string[];
  readonly tcp: boolean;
}

/** A value that generates nothing: it is invalid, or of HTTP on a port of TCP. */
class InvalidValue extends Error {
  override readonly name = 'InvalidValue';
}

type Field = (value: string) => Condition;

/** What a rule demands; undefined where it is dropped as a whole. */
export function compileEnvoyRule(rule: Rule, context: RuleContext): Condition | undefined {
  try {
    const permissions: Condition[] = [];
    const principals: Condition[] = [];
    for (const { key, values, notValues } of rule.when) {
      const found = attribute(key, context);
      if (found === undefined) return undefined;
      found.of.push(...conditions(found.fields, values, notValues, context));
    }
    function attribute(key: string, of: RuleContext) {
      const permission = permissionField(key);
      if (permission !== undefined) return { of: permissions, fields: permission };
      const principal = principalField(key, of);
      return principal === undefined ? undefined : { of: principals, fields: principal };
    }
    const from = rule.from.map(source =>
      all(
        SOURCE_FIELDS.flatMap(([field, key]) =>
          conditions(
            principalField(key, context)!,
            source[field] ?? [],
            source[negated(field)] ?? [],
            context,
          ),
        ),
      ),
    );
    const to = rule.to.map(operation =>
      all(
        OPERATION_FIELDS.flatMap(([field, of]) =>
          conditions(of(context), operation[field] ?? [], operation[negated(field)] ?? [], context),
        ),
      ),
    );
    return all([
      ...(from.length === 0 ? [] : [any(from)]),
      ...(to.length === 0 ? [] : [any(to)]),
      ...principals,
      ...permissions,
    ]);
  } catch (error) {
    if (error instanceof InvalidValue) return undefined;
    throw error;
  }
}

/** `notValues` for `values`. */
export function negated(field: string): string {
  return `not${field[0]!.toUpperCase()}${field.slice(1)}`;
}

/** How a list of values becomes conditions. */
interface FieldKind {
  readonly value: Field;
  /** The values are made one condition together, all of them or none (`extendedGenerator`). */
  readonly together?: boolean;
  /** What happens to the values before. */
  readonly expand?: (values: readonly string[]) => readonly string[];
}

function conditions(
  { value, together = false, expand = values => values }: FieldKind,
  values: readonly string[],
  notValues: readonly string[],
  { action }: RuleContext,
): Condition[] {
  const alternatives = (list: readonly string[]): Condition[] => {
    const made: Condition[] = [];
    try {
      for (const one of expand(list)) {
        try {
          made.push(value(one));
        } catch (error) {
          if (!(error instanceof InvalidValue) || action === 'ALLOW' || together) throw error;
        }
      }
    } catch (error) {
      if (!(error instanceof InvalidValue) || action === 'ALLOW') throw error;
      return [];
    }
    return made;
  };
  const [positive, negative] = [alternatives(values), alternatives(notValues)];
  return [
    ...(positive.length === 0 ? [] : [any(positive)]),
    ...(negative.length === 0 ? [] : [not(any(negative))]),
  ];
}

const SOURCE_FIELDS: readonly (readonly [field: string, key: string])[] = [
  ['ipBlocks', 'source.ip'],
  ['remoteIpBlocks', 'remote.ip'],
  ['namespaces', 'source.namespace'],
  ['trustDomains', 'source.trustDomain'],
  ['serviceAccounts', 'source.serviceAccount'],
  ['requestPrincipals', 'request.auth.principal'],
  ['principals', 'source.principal'],
];

const OPERATION_FIELDS: readonly (readonly [field: string, kind: (context: RuleContext) => FieldKind])[] = [
  ['ports', () => ({ value: portField })],
  ['paths', ({ tcp }) => ({ value: httpOnly(tcp, pathField) })],
  ['methods', ({ tcp }) => ({ value: httpOnly(tcp, value => headerField(':method', headerTest(value))) })],
  ['hosts', ({ tcp }) => ({ value: httpOnly(tcp, value => headerField(':authority', hostTest(value))) })],
];

function permissionField(key: string): FieldKind | undefined {
  switch (key) {
    case 'destination.ip':
      return { value: value => ipField(value, facts => facts.destinationIP) };
    case 'destination.port':
      return { value: portField };
    case 'connection.sni':
      return {
        value: value => {
          const test = textTest(value);
          return facts => match(test(facts.sni));
        },
      };
    default:
      if (!key.startsWith('experimental.envoy.filters.')) return undefined;
      // Metadata that other filters of the proxy set: nothing of the input shows it.
      return {
        together: true,
        value: () => {
          if (!key.includes('[')) throw new InvalidValue();
          return unknownCondition;
        },
      };
  }
}

function principalField(key: string, { tcp, namespace, trustDomains }: RuleContext): FieldKind | undefined {
  switch (key) {
    case 'source.ip':
      return { value: value => ipField(value, facts => facts.sourceIP) };
    case 'remote.ip':
      return { value: value => ipField(value, facts => facts.remoteIP) };
    case 'source.namespace':
      return { value: value => peerField(namespaceTest(value)) };
    case 'source.trustDomain':
      return {
        value: value => peerField(trustDomainTest(value)),
        expand: values => expandTrustDomains(values, trustDomains),
      };
    case 'source.serviceAccount':
      return { value: value => peerField(serviceAccountTest(value, namespace)) };
    case 'source.principal':
      return {
        value: value => peerField(principalTest(value)),
        expand: values => values.flatMap(value => replaceTrustDomain(value, trustDomains)),
      };
    case 'request.auth.principal':
      return { together: true, value: httpOnly(tcp, requestPrincipalField) };
    case 'request.auth.audiences':
      return { together: true, value: httpOnly(tcp, value => claimField(['aud'], value)) };
    case 'request.auth.presenter':
      return { together: true, value: httpOnly(tcp, value => claimField(['azp'], value)) };
    default:
      if (key.startsWith('request.headers'))
        return {
          value: httpOnly(tcp, value => {
            const name = inBrackets(key.slice('request.headers'.length));
            return headerField(name.toLowerCase(), headerTest(value));
          }),
        };
      if (key.startsWith('request.auth.claims')) {
        return {
          together: true,
          value: httpOnly(tcp, value =>
            claimField(claimPath(key.slice('request.auth.claims'.length)), value),
          ),
        };
      }
      return undefined;
  }
}

function httpOnly(tcp: boolean, field: Field): Field {
  return value => {
    if (tcp) throw new InvalidValue();
    return field(value);
  };
}

function ipField(value: string, of: (facts: Parameters<Condition>[0]) => bigint | undefined): Condition {
  const range: AddressRange | undefined = rangeOf(value);
  if (range === undefined) throw new InvalidValue();
  return facts => {
    const address = of(facts);
    return address === undefined ? MAYBE : match(isIn(address, range));
  };
}

function portField(value: string): Condition {
  const port = portOf(value);
  if (port === undefined) throw new InvalidValue();
  return facts => match(facts.port === port);
}

function peerField(test: TextTest): Condition {
  return ({ principal }) => {
    if (principal === undefined) return MAYBE;
    return principal === null ? NO : match(test(principal));
  };
}

function headerField(name: string, test: TextTest): Condition {
  return facts => {
    const { present, value } = facts.header(name);
    if (present === NO) return NO;
    if (value !== undefined) return present === MAYBE ? MAYBE : match(test(value));
    return MAYBE;
  };
}

function pathField(value: string): Condition {
  let test: TextTest | undefined;
  if (isPathTemplate(value)) {
    test = compilePathTemplate(value);
    // Istio's validation or the proxy refuses it, and with it the whole configuration.
    if (test === undefined) return unknownCondition;
  } else test = textTest(value);
  return ({ path }) => (path === undefined ? MAYBE : match(test(withoutQuery(path))));
}

/** `issuer/subject`, split at the last slash, for an issuer may be a URL. */
function requestPrincipalField(value: string): Condition {
  const slash = value.lastIndexOf('/');
  const [issuer, subject] = slash < 0 ? [value, ''] : [value.slice(0, slash), value.slice(slash + 1)];
  const exactly =
    (text: string): TextTest =>
    is =>
      is === text;
  const present: TextTest = textTest('*');
  let tests: readonly [TextTest, TextTest];
  if (value === '*') tests = [present, present];
  else if (value.startsWith('*'))
    tests = slash >= 0 ? [textTest(issuer), exactly(subject)] : [present, textTest(value)];
  else if (value.endsWith('*'))
    tests = slash >= 0 ? [exactly(issuer), textTest(subject)] : [textTest(value), present];
  else tests = [exactly(issuer), exactly(subject)];
  return ({ claims }) => {
    const [iss, sub] = [claims?.['iss'], claims?.['sub']];
    return match(typeof iss === 'string' && typeof sub === 'string' && tests[0](iss) && tests[1](sub));
  };
}

/** A claim that is a text, or a list with the text; numbers and truth values never match. */
function claimField(path: readonly string[], value: string): Condition {
  const test = textTest(value);
  const matches = (claim: unknown): boolean => typeof claim === 'string' && test(claim);
  return ({ claims }) => {
    let claim: unknown = claims;
    for (const key of path) {
      if (typeof claim !== 'object' || claim === null || Array.isArray(claim)) return NO;
      claim = Object.hasOwn(claim, key) ? (claim as Record<string, unknown>)[key] : undefined;
    }
    return match(Array.isArray(claim) ? claim.some(matches) : matches(claim));
  };
}

function inBrackets(text: string): string {
  if (!text.startsWith('[') || !text.endsWith(']')) throw new InvalidValue();
  return text.slice(1, -1);
}

/** `[a][b]`; where the brackets do not pair, all between the first and the last is one name. */
function claimPath(text: string): readonly string[] {
  const nested = /^(?:\[[^[\]]*\])+$/.test(text);
  if (!nested) return text === '' ? [] : [inBrackets(text)];
  return text.slice(1, -1).split('][');
}

/** A principal in the mesh's trust domain is one in each of its aliases. */
function replaceTrustDomain(principal: string, trustDomains: readonly string[]): readonly string[] {
  const parts = principal.split('/');
  const [domain] = parts as [string];
  if (parts.length !== 5 || domain === '*') return [principal];
  if (!trustDomains.some(one => alike(domain, one)) && domain !== 'cluster.local') return [principal];
  const rest = parts.slice(1).join('/');
  // A trust domain that the pattern means already keeps the principal as it is.
  return [...new Set(trustDomains.map(one => (endsAs(one, domain) ? principal : `${one}/${rest}`)))];
}

/** Source: trustdomain/util.go (stringMatch): the star may stand on either side. */
function alike(domain: string, known: string): boolean {
  return (
    domain === known ||
    known === '*' ||
    beginsAs(domain, known) ||
    beginsAs(known, domain) ||
    endsAs(domain, known) ||
    endsAs(known, domain)
  );
}

function beginsAs(text: string, pattern: string): boolean {
  return pattern.endsWith('*') && text.startsWith(pattern.slice(0, -1));
}

function endsAs(text: string, pattern: string): boolean {
  return pattern.startsWith('*') && text.endsWith(pattern.slice(1));
}

function expandTrustDomains(values: readonly string[], trustDomains: readonly string[]): readonly string[] {
  return [...new Set(values.flatMap(value => (trustDomains.includes(value) ? trustDomains : [value])))];
}
