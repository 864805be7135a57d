/**
 * ABAC policy files: what is wrong with them, what they say in words, and the same as RBAC objects, compared with the
 * policy over every class of requests that the two could tell apart.
 */
import { type AbacPolicy, PolicyError, parsePolicies } from '#decide/authorization/abac.ts';
import type { Attributes, UserInfo } from '#decide/authorization/attributes.ts';
import { createAuthorizer } from '#decide/authorization/door.ts';
import type { PolicyRule } from '#decide/authorization/rules.ts';
import type { ApiResource } from '#kube/api-resources.ts';
import { matchesTrailingStars } from '#kube/go-text.ts';
import { isRecord, type KubeObject } from '#kube/objects.ts';

export interface AbacProblem {
  /** From 1. */
  readonly line: number;
  /** An `error` keeps the API server from starting; `danger` gives more than is meant; `useless` gives nothing. */
  readonly level: 'error' | 'danger' | 'useless' | 'note';
  readonly message: string;
}

const READ_VERBS = ['get', 'list', 'watch'];
const AUTHENTICATED = 'system:authenticated';
const V1BETA1 = ['user', 'group', 'readonly', 'apiGroup', 'resource', 'namespace', 'nonResourcePath'];
const V0 = ['apiVersion', 'kind', 'user', 'group', 'readonly', 'resource', 'namespace'];
/** Into which somebody gets with a verb that only reads. */
const ENTERED_BY_GET = new Set(['*', 'pods', 'nodes', 'services']);

/** Every line is looked at, also after one with which the API server would not start. */
export function lintPolicies(text: string): readonly AbacProblem[] {
  const problems: AbacProblem[] = [];
  const kept: AbacPolicy[] = [];
  text.split('\n').forEach((whole, index) => {
    const line = index + 1;
    try {
      for (const policy of parsePolicies(whole)) {
        problems.push(...lintLine(whole, { ...policy, line }));
        const known = kept.find(one => coversPolicy(one, policy));
        const more = kept.filter(one => coversPolicy(policy, one));
        if (known !== undefined)
          problems.push({
            line,
            level: 'useless',
            message: `line ${known.line} ${coversPolicy(policy, known) ? 'says the same' : 'allows all of it already'}`,
          });
        else
          problems.push(
            ...more.map(one => ({
              line: one.line,
              level: 'useless' as const,
              message: `line ${line} allows all of it already`,
            })),
          );
        kept.push({ ...policy, line });
      }
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      problems.push({
        line,
        level: 'error',
        message: `the API server does not start: ${error.message.replace(/^line 1: /, '')}`,
      });
    }
  });
  return problems.sort((a, b) => a.line - b.line);
}

function lintLine(whole: string, policy: AbacPolicy): AbacProblem[] {
  const { line, user, group, readonly, resource, namespace, nonResourcePath } = policy;
  const problems: AbacProblem[] = [];
  const say = (level: AbacProblem['level'], message: string): void => {
    problems.push({ line, level, message });
  };
  const raw = rawOf(whole);
  const apiVersion = raw?.['apiVersion'];
  const oldest = apiVersion === undefined || apiVersion === '' || String(apiVersion).endsWith('/v0');
  const spec = raw !== undefined && isRecord(raw['spec']) ? raw['spec'] : undefined;
  if (oldest && spec !== undefined)
    say(
      'danger',
      'a spec without the apiVersion abac.authorization.kubernetes.io/v1beta1 is not read: the line lets everyone who is authenticated do everything',
    );
  else if (oldest) {
    say('note', 'the oldest form, v0: it means every API group, and what is not stated means all');
    if (raw !== undefined && raw['user'] === undefined && raw['group'] === undefined)
      say('danger', 'neither user nor group is stated: in this form that is everyone who is authenticated');
  }
  const fields = oldest ? raw : spec;
  const unread = Object.keys(fields ?? {}).filter(
    key => !(oldest ? V0 : V1BETA1).includes(key) && key !== 'spec',
  );
  if (unread.length > 0) say('danger', `${unread.join(', ')}: no such field, so it limits nothing`);
  const [named, of] = [fields?.['user'], fields?.['group']];
  if (group === AUTHENTICATED && user === undefined && (named === '*' || of === '*')) {
    const lost = [named, of].find(one => typeof one === 'string' && one !== '' && one !== '*');
    if (lost !== undefined)
      say(
        'danger',
        `beside * "${String(lost)}" is not looked at: the line is for everyone who is authenticated`,
      );
  }
  if (user === undefined && group === undefined)
    say('useless', 'neither user nor group is stated: it is for nobody');
  if (user !== undefined && group !== undefined)
    say('note', `both must hold: the user ${user}, and the group ${group}; RBAC cannot say that`);
  if (resource === undefined && nonResourcePath === undefined)
    say('useless', 'neither resource nor nonResourcePath is stated: it allows nothing');
  if (nonResourcePath !== undefined && !nonResourcePath.startsWith('/') && !/^\*+$/.test(nonResourcePath))
    say('useless', 'no path begins like this nonResourcePath: it must begin with /');
  const everyone = group === AUTHENTICATED && user === undefined;
  if (everyone && resource === '*' && readonly !== true && !(oldest && spec !== undefined))
    say('danger', 'everyone who is authenticated, every service account too, may change every resource');
  if (readonly === true && resource !== undefined && ENTERED_BY_GET.has(resource))
    say(
      'danger',
      'readonly does not keep out of subresources: get on pods/exec, pods/attach, nodes/proxy or services/proxy runs commands',
    );
  if (resource !== undefined && resource !== '*' && resource.includes('*'))
    say('useless', `"${resource}" is no pattern: only * alone is`);
  if (resource?.includes('/') === true)
    say('useless', 'a subresource is never named: a resource stands for all that is below it');
  if (namespace !== undefined && namespace !== '*' && namespace.includes('*'))
    say('useless', `"${namespace}" is no pattern: only * alone is`);
  return problems;
}

function rawOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether everything that the second line allows the first one allows too. */
function coversPolicy(a: AbacPolicy, b: AbacPolicy): boolean {
  if ((a.user === undefined && a.group === undefined) || (b.user === undefined && b.group === undefined))
    return false;
  if (a.user !== undefined && a.user !== '*' && a.user !== b.user) return false;
  if (a.group !== undefined && a.group !== '*' && a.group !== b.group) return false;
  if (a.readonly === true && b.readonly !== true) return false;
  const within = (wide: string | undefined, narrow: string | undefined): boolean =>
    wide === '*' || (wide ?? '') === (narrow ?? '');
  const resources =
    b.resource === undefined ||
    (within(a.resource, b.resource) && within(a.namespace, b.namespace) && within(a.apiGroup, b.apiGroup));
  const paths =
    b.nonResourcePath === undefined ||
    within(a.nonResourcePath, b.nonResourcePath) ||
    matchesTrailingStars(a.nonResourcePath ?? '', b.nonResourcePath);
  return resources && paths && (b.resource !== undefined || b.nonResourcePath !== undefined);
}

/** One line in words. */
export function explainPolicy(policy: AbacPolicy, resources: readonly ApiResource[]): string {
  const { user, group, readonly, apiGroup, resource, namespace, nonResourcePath } = policy;
  if (user === undefined && group === undefined) return 'nobody may do anything by it';
  const who =
    user !== undefined && group !== undefined
      ? `user ${user}, while in the group ${group},`
      : user !== undefined
        ? user === '*'
          ? 'everyone'
          : `user ${user}`
        : group === AUTHENTICATED
          ? 'everyone who is authenticated'
          : group === '*'
            ? 'everyone'
            : `group ${group}`;
  const verbs = readonly === true ? 'get, list and watch' : 'do anything with';
  const may: string[] = [];
  if (resource !== undefined) {
    const below = subresourcesOf(resource, apiGroup, resources).map(one => `${resource}/${one}`);
    const what =
      resource === '*'
        ? 'every resource'
        : `${resource}${below.length === 0 ? '' : ` and what is below them (${below.join(', ')})`}`;
    const from =
      apiGroup === '*' ? 'of every API group' : apiGroup === undefined ? 'of the core API' : `of ${apiGroup}`;
    const where =
      namespace === '*'
        ? 'everywhere'
        : namespace === undefined
          ? 'in requests that are in no namespace'
          : `in namespace ${namespace}`;
    may.push(`${verbs} ${what} ${from} ${where}`);
  }
  if (nonResourcePath !== undefined)
    may.push(`${readonly === true ? 'get' : 'call with any method'} ${pathText(nonResourcePath)}`);
  return may.length === 0 ? `${who} may do nothing by it` : `${who} may ${may.join('; and ')}`;
}

function pathText(path: string): string {
  if (/^\*+$/.test(path)) return 'every path that is no resource';
  return path.endsWith('*') ? `every path that begins with ${path.replace(/\*+$/, '')}` : `the path ${path}`;
}

export interface Converted {
  readonly objects: readonly KubeObject[];
  /** Lines, or parts of them, that RBAC cannot say; they were left out, so that nobody gets more than before. */
  readonly left: readonly { readonly line: number; readonly reason: string }[];
  /** How many classes of requests were decided by both. */
  readonly classes: number;
  /** Where the decisions differ: all of them, class by class. */
  readonly differences: readonly AbacDifference[];
  /** The comparison was broken off at the limit: what was not compared is not known. */
  readonly partial: boolean;
}

export interface AbacDifference {
  readonly user: UserInfo;
  readonly request: Omit<Attributes, 'user'>;
  readonly abac: boolean;
  readonly rbac: boolean;
  /** The lines that allow it. */
  readonly lines: readonly number[];
}

/** More are not compared, and that is said. */
const MAX_CLASSES = 3_000_000;
/** Stands for every value that no line names. */
export const OTHER = '(other)';

/**
 * The same as RBAC, never more: what has no equivalent is left out and said.
 *
 * @param resources those that the API server serves; they say which subresources there are and what is in namespaces
 * @throws PolicyError for a policy file with which the API server would not start
 */
export function convertPolicies(text: string, resources: readonly ApiResource[]): Converted {
  const policies = parsePolicies(text);
  const left: { line: number; reason: string }[] = [];
  /** By what is granted and where: the subjects, and the first line. */
  const grants = new Map<
    string,
    {
      readonly rule: PolicyRule;
      readonly namespace: string | undefined;
      readonly subjects: Map<string, object>;
      readonly line: number;
    }
  >();
  const grant = (policy: AbacPolicy, rule: PolicyRule, namespace: string | undefined): void => {
    const subject = subjectOf(policy);
    const key = JSON.stringify([rule, namespace]);
    const one = grants.get(key) ?? { rule, namespace, subjects: new Map(), line: policy.line };
    grants.set(key, one);
    one.subjects.set(JSON.stringify(subject), subject);
  };
  for (const policy of policies) {
    const { line, user, group, readonly, apiGroup = '', resource, namespace, nonResourcePath } = policy;
    if (user === undefined && group === undefined) continue;
    if (user !== undefined && group !== undefined) {
      left.push({
        line,
        reason: `user ${user} and group ${group} must both hold; subjects of a binding are alternatives`,
      });
      continue;
    }
    if (user === '*' || group === '*') {
      left.push({ line, reason: 'a * for everyone, also without a group, has no subject in RBAC' });
      continue;
    }
    const verbs = readonly === true ? READ_VERBS : ['*'];
    if (nonResourcePath !== undefined) {
      // Only one star has a meaning at the end of a URL of a role.
      const path = nonResourcePath.replace(/\*+$/, '*');
      if (path === '*' || path.startsWith('/')) grant(policy, { nonResourceURLs: [path], verbs }, undefined);
    }
    if (resource === undefined) continue;
    const rule: PolicyRule = {
      apiGroups: [apiGroup],
      resources:
        resource === '*'
          ? ['*']
          : [resource, ...subresourcesOf(resource, apiGroup, resources).map(one => `${resource}/${one}`)],
      verbs,
    };
    if (namespace === '*') grant(policy, rule, undefined);
    else if (namespace !== undefined) grant(policy, rule, namespace);
    else if (isClusterScoped(resource, apiGroup, resources)) grant(policy, rule, undefined);
    else
      left.push({
        line,
        reason: `no namespace is stated: ${resource} of requests in no namespace only, while a ClusterRoleBinding grants them in every namespace too`,
      });
  }
  const objects: KubeObject[] = [];
  const roles = new Map<string, string>();
  for (const { rule, namespace, subjects, line } of grants.values()) {
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const key = JSON.stringify(rule);
    let role = roles.get(key);
    if (role === undefined) {
      role = `abac:line-${line}${rule.nonResourceURLs === undefined ? '' : ':paths'}`;
      roles.set(key, role);
      objects.push({ apiVersion, kind: 'ClusterRole', metadata: { name: role }, rules: [rule] });
    }
    objects.push({
      apiVersion,
      kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
      metadata: { name: role, ...(namespace === undefined ? {} : { namespace }) },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [...subjects.values()],
    });
  }
  return { objects, left, ...compareWith(text, policies, objects, resources) };
}

function subjectOf({ user, group }: AbacPolicy): object {
  const apiGroup = 'rbac.authorization.k8s.io';
  if (user === undefined) return { apiGroup, kind: 'Group', name: group };
  const [system, kind, namespace, name, ...more] = user.split(':');
  return system === 'system' && kind === 'serviceaccount' && namespace && name && more.length === 0
    ? { kind: 'ServiceAccount', name, namespace }
    : { apiGroup, kind: 'User', name: user };
}

/** Of all groups where the group is a star; those of custom resources always, for they may come later. */
function subresourcesOf(
  resource: string,
  group: string | undefined,
  resources: readonly ApiResource[],
): string[] {
  if (resource === '*') return [];
  const known = resources.filter(
    one => one.name === resource && (group === '*' || one.group === (group ?? '')),
  );
  return known.length === 0
    ? ['status', 'scale']
    : [...new Set(known.flatMap(({ subresources }) => subresources))];
}

/** Requests for a namespace itself are in that namespace, so namespaces do not count. */
function isClusterScoped(resource: string, group: string, resources: readonly ApiResource[]): boolean {
  // In another group the same name may be in namespaces, where a ClusterRoleBinding would grant it too.
  const known = resources.find(one => one.name === resource && one.group === group);
  return known !== undefined && resource !== 'namespaces' && !known.namespaced;
}

/**
 * Decides one request of every class by both. Both are unions of lines and of rules, and neither looks at a name, so
 * that two requests which agree in all that any line states are decided alike. A line that wants a user and a group is
 * the only one for which the pair matters; all others are told apart by the user alone or by the group alone.
 */
function compareWith(
  text: string,
  policies: readonly AbacPolicy[],
  objects: readonly KubeObject[],
  resources: readonly ApiResource[],
): Pick<Converted, 'classes' | 'differences' | 'partial'> {
  const abac = createAuthorizer({ abacPolicy: text, chain: ['ABAC'] });
  const rbac = createAuthorizer({ objects, chain: ['RBAC'] });
  const users = new Map<string, { readonly user: UserInfo; readonly lines: AbacPolicy[] }>();
  for (const policy of policies) {
    const user: UserInfo = {
      name: policy.user === undefined || policy.user === '*' ? OTHER : policy.user,
      groups: policy.group === undefined ? [] : [policy.group === '*' ? OTHER : policy.group],
    };
    const key = JSON.stringify(user);
    const one = users.get(key) ?? { user, lines: [] };
    users.set(key, one);
    one.lines.push(policy);
  }
  const differences: AbacDifference[] = [];
  let classes = 0;
  for (const { user, lines } of users.values()) {
    for (const request of requestsOf(lines, resources)) {
      if (classes >= MAX_CLASSES) return { classes, differences, partial: true };
      classes++;
      const before = abac.authorize({ ...request, user });
      const after = rbac.authorize({ ...request, user }).decision === 'allow';
      if ((before.decision === 'allow') === after) continue;
      const found = before.because.map(({ text }) => Number(/\d+/.exec(text)?.[0]));
      differences.push({ user, request, abac: !after, rbac: after, lines: found });
    }
  }
  return { classes, differences, partial: false };
}

function* requestsOf(
  lines: readonly AbacPolicy[],
  resources: readonly ApiResource[],
): Generator<Omit<Attributes, 'user'>> {
  const verbs = [...READ_VERBS, OTHER];
  const values = (field: 'namespace' | 'apiGroup' | 'resource'): string[] => [
    ...new Set(lines.flatMap(line => (line[field] === '*' ? [] : [line[field] ?? '']))),
  ];
  const namespaces = [...new Set(['', ...values('namespace'), OTHER])];
  const groups = new Set(['', ...values('apiGroup'), OTHER]);
  const names = values('resource').filter(name => name !== '');
  for (const { name, group } of resources) if (names.includes(name)) groups.add(group);
  // One in a namespace, one that is not, and namespaces, of which a request is in the namespace that it names.
  for (const resource of [...new Set([...names, 'namespaces', OTHER])])
    for (const apiGroup of groups) {
      const known = resources.find(one => one.name === resource && one.group === apiGroup);
      const scopes = known === undefined || known.namespaced || resource === 'namespaces' ? namespaces : [''];
      for (const subresource of ['', ...subresourcesOf(resource, apiGroup, resources)])
        for (const namespace of scopes)
          for (const verb of verbs)
            yield { verb, apiGroup, resource, subresource, namespace, name: '', resourceRequest: true };
    }
  const paths = lines.flatMap(({ nonResourcePath = '' }) => {
    const bare = nonResourcePath.replace(/\*+$/, '');
    return [nonResourcePath, bare, `${bare}${OTHER}`];
  });
  for (const path of new Set([...paths.filter(one => one.startsWith('/')), '/', `/${OTHER}`]))
    for (const verb of verbs) yield { verb, path, resourceRequest: false };
}

/** `jane in group devs: get pods/exec in namespace shop`. */
export function requestText({ user, request }: Pick<AbacDifference, 'user' | 'request'>): string {
  const { verb = '', apiGroup, resource, subresource, namespace, path } = request;
  const groups = user.groups ?? [];
  const who = `${user.name === OTHER ? 'anyone' : user.name}${groups.length === 0 ? '' : ` in group ${groups.join(', ')}`}`;
  if (request.resourceRequest !== true) return `${who}: ${verb} ${path}`;
  const full = `${resource}${apiGroup ? `.${apiGroup}` : ''}${subresource ? `/${subresource}` : ''}`;
  return `${who}: ${verb} ${full} ${namespace === '' ? 'in no namespace' : `in namespace ${namespace}`}`;
}
