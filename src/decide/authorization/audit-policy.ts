/**
 * What an audit policy lets the API server write into its log. The first rule that matches decides; where none does,
 * nothing is written. The user is who was authenticated, before any impersonation. Sources: apiserver
 * pkg/audit/policy/{checker,reader}.go, pkg/apis/audit/validation/validation.go, pkg/server/config.go
 * (DefaultBuildHandlerChain).
 */
import { matchesTrailingStars } from '#kube/go-text.ts';
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';
import type { Attributes } from './attributes.ts';

export const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type AuditLevel = (typeof auditLevels)[number];
const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'];

/** A policy with which the API server would not start, and why. */
export class AuditPolicyError extends Error {
  override readonly name = 'AuditPolicyError';
  /** The rule that is wrong, where it is one. */
  readonly path: Path;

  constructor(message: string, path: Path = []) {
    super(message);
    this.path = path;
  }
}

export interface AuditPolicyRule {
  readonly level: AuditLevel;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly {
    readonly group: string;
    readonly resources: readonly string[];
    readonly resourceNames: readonly string[];
  }[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
  /** Those of the policy included. */
  readonly omitStages: readonly string[];
}

export interface AuditPolicy {
  readonly rules: readonly AuditPolicyRule[];
}

/** What is written of a request. */
export interface Audited {
  readonly level: AuditLevel;
  readonly omitStages: readonly string[];
  /** The index of the rule that decided; undefined where none matched. */
  readonly rule?: number;
}

/** @throws AuditPolicyError for a policy with which the API server would not start */
export function auditPolicyOf(object: KubeObject): AuditPolicy {
  const { rules } = object;
  if (!Array.isArray(rules) || rules.length === 0)
    throw new AuditPolicyError('rules: at least one rule is needed');
  const omitted = stagesOf(object['omitStages'], 'omitStages');
  return {
    rules: rules.map((rule, index) => {
      try {
        return ruleOf(rule, `rules[${index}]`, omitted);
      } catch (error) {
        throw new AuditPolicyError((error as Error).message, ['rules', index]);
      }
    }),
  };
}

function ruleOf(rule: unknown, path: string, omitted: readonly string[]): AuditPolicyRule {
  if (!isRecord(rule)) throw new AuditPolicyError(`${path} is no mapping`);
  const level = auditLevels.find(one => one === rule['level']);
  if (level === undefined)
    throw new AuditPolicyError(`${path}.level: must be one of ${auditLevels.join(', ')}`);
  const list = (key: string): readonly string[] => textsOf(rule[key], `${path}.${key}`);
  const nonResourceURLs = list('nonResourceURLs');
  for (const url of nonResourceURLs) {
    if (url === '*') continue;
    if (!url.startsWith('/'))
      throw new AuditPolicyError(`${path}.nonResourceURLs: "${url}" must begin with /`);
    if (url.slice(0, -1).includes('*'))
      throw new AuditPolicyError(`${path}.nonResourceURLs: * may only end "${url}"`);
  }
  const resources = resourcesOf(rule['resources'], `${path}.resources`);
  const namespaces = list('namespaces');
  if (nonResourceURLs.length > 0 && resources.length + namespaces.length > 0)
    throw new AuditPolicyError(`${path}: a rule is for resources or for nonResourceURLs, not for both`);
  return {
    level,
    users: list('users'),
    userGroups: list('userGroups'),
    verbs: list('verbs'),
    resources,
    namespaces,
    nonResourceURLs,
    omitStages: [...new Set([...omitted, ...stagesOf(rule['omitStages'], `${path}.omitStages`)])],
  };
}

function resourcesOf(value: unknown, path: string): AuditPolicyRule['resources'] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new AuditPolicyError(`${path} is no list`);
  return value.map((item: unknown, index) => {
    const at = `${path}[${index}]`;
    if (!isRecord(item)) throw new AuditPolicyError(`${at} is no mapping`);
    const group = item['group'] ?? '';
    if (typeof group !== 'string') throw new AuditPolicyError(`${at}.group is no string`);
    const resources = textsOf(item['resources'], `${at}.resources`);
    const resourceNames = textsOf(item['resourceNames'], `${at}.resourceNames`);
    if (resourceNames.length > 0 && resources.length === 0)
      throw new AuditPolicyError(`${at}.resourceNames: they need at least one resource beside them`);
    return { group, resources, resourceNames };
  });
}

function stagesOf(value: unknown, path: string): readonly string[] {
  const stages = textsOf(value, path);
  const odd = stages.find(stage => !STAGES.includes(stage));
  if (odd !== undefined) throw new AuditPolicyError(`${path}: "${odd}" is none of ${STAGES.join(', ')}`);
  return stages;
}

function textsOf(value: unknown, path: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some(item => typeof item !== 'string'))
    throw new AuditPolicyError(`${path} is no list of strings`);
  return value as readonly string[];
}

/** What the policy lets be written of a request. */
export function auditOf({ rules }: AuditPolicy, request: Attributes): Audited {
  const index = rules.findIndex(rule => ruleMatches(rule, request));
  if (index < 0) return { level: 'None', omitStages: [] };
  const { level, omitStages } = rules[index]!;
  return { level, omitStages, rule: index };
}

/** Whether the end of a request is in the log, with what was decided. */
export function isLogged({ level, omitStages }: Audited): boolean {
  return level !== 'None' && !omitStages.includes('ResponseComplete');
}

function ruleMatches(rule: AuditPolicyRule, { user, verb = '', path = '', ...request }: Attributes): boolean {
  const { users, userGroups, verbs, resources, namespaces, nonResourceURLs } = rule;
  if (users.length > 0 && !users.includes(user.name ?? '')) return false;
  if (userGroups.length > 0 && !(user.groups ?? []).some(group => userGroups.includes(group))) return false;
  if (verbs.length > 0 && !verbs.includes(verb)) return false;
  const isResource = request.resourceRequest === true;
  if (namespaces.length > 0 || resources.length > 0)
    return (
      isResource &&
      (namespaces.length === 0 || namespaces.includes(request.namespace ?? '')) &&
      (resources.length === 0 || resources.some(one => resourceMatches(one, request)))
    );
  if (nonResourceURLs.length > 0)
    return (
      !isResource &&
      nonResourceURLs.some(url => url === '*' || url === path || matchesTrailingStars(url, path))
    );
  return true;
}

function resourceMatches(
  { group, resources, resourceNames }: AuditPolicyRule['resources'][number],
  { apiGroup = '', resource = '', subresource = '', name = '' }: Omit<Attributes, 'user'>,
): boolean {
  if (group !== apiGroup && group !== '*') return false;
  if (resources.length === 0) return true;
  if (resourceNames.length > 0 && !resourceNames.includes(name)) return false;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some(
    one =>
      one === full ||
      one === '*' ||
      (subresource !== '' && one === `*/${subresource}`) ||
      // Here, other than in a role, the resource itself is meant too.
      one === `${resource}/*`,
  );
}
