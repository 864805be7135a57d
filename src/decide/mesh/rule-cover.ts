/**
 * Which rules of AuthorizationPolicies take all requests of others. What is said is certain: where patterns are too odd
 * to compare, a rule counts as not covered.
 *
 * Sources: istio pilot/pkg/security/authz/model/model.go and generator.go (a list of from is an OR, its fields an AND,
 * the values of a field an OR; `when` is an AND), matcher/string.go (stars); pilot/pkg/model/policyattachment.go.
 */
import { negated } from './envoy-rules.ts';
import { isPathTemplate } from './paths.ts';
import type { AuthorizationPolicy, Rule, TargetRef, When } from './policy.ts';

type Fields = Readonly<Record<string, readonly string[]>>;

/** A rule with the namespace of its policy, which service accounts without one are of. */
export interface PlacedRule {
  readonly rule: Rule;
  readonly namespace: string;
}

/** Whether every request that matches the narrow rule matches the wide one too. */
export function coversRule(wide: PlacedRule, narrow: PlacedRule): boolean {
  return (
    coversAll(placed(wide, wide.rule.from), placed(narrow, narrow.rule.from)) &&
    coversAll(wide.rule.to, narrow.rule.to) &&
    wide.rule.when.every(condition => narrow.rule.when.some(other => coversCondition(condition, other)))
  );
}

/** Whether a policy attaches to every proxy that another attaches to. */
export function attachesWherever(
  wide: AuthorizationPolicy,
  narrow: AuthorizationPolicy,
  rootNamespace: string,
): boolean {
  if (wide.namespace !== narrow.namespace && wide.namespace !== rootNamespace) return false;
  if (narrow.targetRefs.length > 0)
    return narrow.targetRefs.every(ref => wide.targetRefs.some(other => isSame(ref, other)));
  if (wide.targetRefs.length > 0) return false;
  // ztunnel attaches a policy whose selector is empty to nothing.
  if (wide.selector !== undefined && Object.keys(wide.selector).length === 0) return false;
  // In the root namespace a selector reaches every namespace, and so one that is as narrow is narrower here.
  const labels = narrow.selector ?? {};
  return Object.entries(wide.selector ?? {}).every(([key, value]) => labels[key] === value);
}

function isSame(a: TargetRef, b: TargetRef): boolean {
  return a.group === b.group && a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;
}

/** Service accounts with their namespaces, so that those of two policies can be compared. */
function placed({ namespace }: PlacedRule, sources: readonly Fields[]): readonly Fields[] {
  return sources.map(source => {
    const whole = (list: readonly string[] | undefined): readonly string[] =>
      (list ?? []).map(value => (value.includes('/') ? value : `${namespace}/${value}`));
    return {
      ...source,
      serviceAccounts: whole(source['serviceAccounts']),
      notServiceAccounts: whole(source['notServiceAccounts']),
    };
  });
}

/** Whether each alternative of the narrow list is within one of the wide; no alternatives mean everything. */
function coversAll(wide: readonly Fields[], narrow: readonly Fields[]): boolean {
  if (wide.length === 0) return true;
  return narrow.length > 0 && narrow.every(one => wide.some(other => coversFields(other, one)));
}

function coversFields(wide: Fields, narrow: Fields): boolean {
  const fields = new Set(Object.keys(wide).map(positive));
  return [...fields].every(field => {
    const [values, notValues] = [wide[field] ?? [], wide[negated(field)] ?? []];
    const [own, notOwn] = [narrow[field] ?? [], narrow[negated(field)] ?? []];
    const isWithin =
      values.length === 0 ||
      (own.length > 0 && own.every(value => values.some(other => coversValue(field, other, value)))) ||
      (field === 'namespaces' && isOfNamespaces(narrow['principals'] ?? [], values));
    return isWithin && notValues.every(value => notOwn.some(other => coversValue(field, other, value)));
  });
}

/** `notPaths` is the other half of `paths`. */
function positive(field: string): string {
  return /^not[A-Z]/.test(field) ? `${field[3]!.toLowerCase()}${field.slice(4)}` : field;
}

/** Whether principals that are stated in full are all of some namespaces. */
function isOfNamespaces(principals: readonly string[], namespaces: readonly string[]): boolean {
  return (
    principals.length > 0 &&
    principals.every(principal => {
      const own = /^[^/*]+\/ns\/([^/*]+)\/sa\/[^/*]+$/.exec(principal)?.[1];
      return own !== undefined && namespaces.some(value => coversValue('namespaces', value, own));
    })
  );
}

function coversCondition(wide: When, narrow: When): boolean {
  if (wide.key !== narrow.key) return false;
  const { key } = wide;
  const isWithin =
    wide.values.length === 0 ||
    (narrow.values.length > 0 &&
      narrow.values.every(value => wide.values.some(other => coversValue(key, other, value))));
  return (
    isWithin && wide.notValues.every(value => narrow.notValues.some(other => coversValue(key, other, value)))
  );
}

/** Fields whose values are no patterns. */
const EXACT: ReadonlySet<string> = new Set([
  'ports',
  'destination.port',
  'ipBlocks',
  'remoteIpBlocks',
  'source.ip',
  'remote.ip',
  'destination.ip',
  'serviceAccounts',
  'source.serviceAccount',
]);

/** Whether all that one value matches is matched by another. */
function coversValue(field: string, wide: string, narrow: string): boolean {
  if (field === 'hosts') return coversText(wide.toLowerCase(), narrow.toLowerCase());
  if (wide === narrow) return true;
  if (EXACT.has(field) || field.startsWith('experimental.')) return false;
  if (field === 'paths' && isPathTemplate(wide)) return false;
  if (field === 'paths' && isPathTemplate(narrow)) {
    // What stands before the first template is literal.
    const literal = narrow.slice(0, narrow.indexOf('{'));
    return wide === '*' || (wide.endsWith('*') && literal.startsWith(wide.slice(0, -1)));
  }
  // The parts of issuer and subject are compared one by one: only the whole is certain.
  if (field === 'requestPrincipals' || field === 'request.auth.principal')
    return wide === '*' && !narrow.includes('*') && narrow.includes('/');
  return coversText(wide, narrow);
}

function coversText(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === '*') return true;
  if (narrow === '*') return false;
  const isSuffix = narrow.startsWith('*');
  const isPrefix = !isSuffix && narrow.endsWith('*');
  if (wide.startsWith('*')) return !isPrefix && narrow.slice(isSuffix ? 1 : 0).endsWith(wide.slice(1));
  if (!wide.endsWith('*')) return false;
  return !isSuffix && narrow.slice(0, isPrefix ? -1 : undefined).startsWith(wide.slice(0, -1));
}
