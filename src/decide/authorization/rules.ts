/**
 * Rules of roles: how they match requests, and whether some cover others.
 * Sources: kubernetes pkg/apis/rbac/v1/evaluation_helpers.go, plugin/pkg/auth/authorizer/rbac/rbac.go (RuleAllows),
 * component-helpers auth/rbac/validation/policy_comparator.go (Covers).
 */
import { matchesTrailingStars } from '#kube/go-text.ts';
import { isRecord } from '#kube/objects.ts';
import type { Attributes } from './attributes.ts';

export interface PolicyRule {
  readonly verbs?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const FIELDS = ['verbs', 'apiGroups', 'resources', 'resourceNames', 'nonResourceURLs'] as const;

/**
 * The rules of a role. One that the API server could not decode grants nothing at all: a list of names that is no list
 * must not become a rule for all names.
 */
export function rulesOf(role: Readonly<Record<string, unknown>>): readonly PolicyRule[] {
  const { rules } = role;
  if (!Array.isArray(rules) || invalidRules(role) !== undefined) return [];
  return rules.map((rule: unknown): PolicyRule => {
    if (!isRecord(rule)) return {};
    const typed: Record<string, readonly string[]> = {};
    for (const field of FIELDS) {
      const list = rule[field];
      // Null is the empty string to the API server.
      if (Array.isArray(list)) typed[field] = list.map(item => item ?? '');
    }
    return typed;
  });
}

/** Why the API server would refuse the rules of a role, or undefined where it can decode them. */
export function invalidRules(role: Readonly<Record<string, unknown>>): string | undefined {
  const rules = role['rules'] ?? [];
  if (!Array.isArray(rules)) return 'rules is no list';
  for (const [index, rule] of rules.entries()) {
    if (rule === null) continue;
    if (!isRecord(rule)) return `rules[${index}] is no mapping`;
    for (const field of FIELDS) {
      const list = rule[field] ?? [];
      if (!Array.isArray(list)) return `rules[${index}].${field} is no list`;
      const at = list.findIndex(item => typeof item !== 'string' && item !== null);
      if (at >= 0) return `rules[${index}].${field}[${at}] is no string`;
    }
  }
  return undefined;
}

const NONE: readonly string[] = [];

export function ruleAllows(rule: PolicyRule, request: Attributes): boolean {
  const { verbs = NONE } = rule;
  if (!has(verbs, '*') && !has(verbs, request.verb ?? '')) return false;
  if (request.resourceRequest !== true) return urlMatches(rule.nonResourceURLs ?? NONE, request.path ?? '');
  const { apiGroups = NONE, resourceNames = NONE } = rule;
  return (
    (has(apiGroups, '*') || has(apiGroups, request.apiGroup ?? '')) &&
    resourceMatches(rule.resources ?? NONE, request.resource ?? '', request.subresource ?? '') &&
    (resourceNames.length === 0 || has(resourceNames, request.name ?? ''))
  );
}

/** Longer lists are looked up, not gone through: a role learned from a log may list a hundred thousand names. */
const LONG = 32;

interface Lookup {
  readonly words: ReadonlySet<string>;
  /** Those that end in a star. */
  readonly patterns: readonly string[];
}

const lookups = new WeakMap<readonly string[], Lookup>();

function lookupOf(list: readonly string[]): Lookup {
  let lookup = lookups.get(list);
  if (lookup === undefined) {
    lookup = { words: new Set(list), patterns: list.filter(word => word.endsWith('*')) };
    lookups.set(list, lookup);
  }
  return lookup;
}

function has(list: readonly string[], word: string): boolean {
  return list.length <= LONG ? list.includes(word) : lookupOf(list).words.has(word);
}

function urlMatches(urls: readonly string[], path: string): boolean {
  if (has(urls, path) || has(urls, '*')) return true;
  const patterns = urls.length <= LONG ? urls : lookupOf(urls).patterns;
  return patterns.some(pattern => matchesTrailingStars(pattern, path));
}

function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  if (has(resources, '*')) return true;
  if (subresource === '') return has(resources, resource);
  return has(resources, `${resource}/${subresource}`) || has(resources, `*/${subresource}`);
}

/**
 * Whether an owner's rules cover a servant's: the API server's check before it lets a role or binding be written.
 *
 * @returns the servant's rules that are not covered, broken down to single grants in the API server's order
 */
export function covers(
  ownerRules: readonly PolicyRule[],
  servantRules: readonly PolicyRule[],
): { readonly covered: boolean; readonly uncovered: readonly PolicyRule[] } {
  const uncovered = servantRules
    .flatMap(breakdown)
    .filter(grant => !ownerRules.some(owner => ruleCovers(owner, grant)));
  return { covered: uncovered.length === 0, uncovered };
}

/** Single grants: one group, resource, verb and name, or one URL and verb each. */
export function breakdown(rule: PolicyRule): PolicyRule[] {
  const grants: PolicyRule[] = [];
  const {
    verbs = NONE,
    apiGroups = NONE,
    resources = NONE,
    resourceNames = NONE,
    nonResourceURLs = NONE,
  } = rule;
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) {
        const grant = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (resourceNames.length === 0) grants.push(grant);
        else for (const name of resourceNames) grants.push({ ...grant, resourceNames: [name] });
      }
  for (const url of nonResourceURLs)
    for (const verb of verbs) grants.push({ verbs: [verb], nonResourceURLs: [url] });
  return grants;
}

function ruleCovers(owner: PolicyRule, grant: PolicyRule): boolean {
  const { verbs = NONE, apiGroups = NONE, resourceNames = NONE } = owner;
  const names = grant.resourceNames ?? NONE;
  return (
    (verbs.includes('*') || hasAll(verbs, grant.verbs)) &&
    (apiGroups.includes('*') || hasAll(apiGroups, grant.apiGroups)) &&
    resourcesCover(owner.resources ?? NONE, grant.resources ?? NONE) &&
    (resourceNames.length === 0 || (names.length > 0 && hasAll(resourceNames, names))) &&
    (grant.nonResourceURLs ?? NONE).every(url =>
      (owner.nonResourceURLs ?? NONE).some(pattern => pattern === url || matchesTrailingStars(pattern, url)),
    )
  );
}

function hasAll(set: readonly string[], wanted: readonly string[] = NONE): boolean {
  return wanted.every(item => set.includes(item));
}

function resourcesCover(owner: readonly string[], wanted: readonly string[]): boolean {
  if (owner.includes('*')) return true;
  return wanted.every(resource => {
    if (owner.includes(resource)) return true;
    const slash = resource.indexOf('/');
    return slash >= 0 && owner.includes(`*/${resource.slice(slash + 1)}`);
  });
}
