/**
 * The smallest roles that still allow what an audit log shows: exactly the allowed requests, subject by subject and
 * namespace by namespace, proven by asking the decider about the result.
 *
 * Only products that were all seen become one rule: never across API groups, never with names that were not asked for.
 */
import type { Attributes } from '#decide/authorization/attributes.ts';
import { createAuthorizer } from '#decide/authorization/door.ts';
import { attributesOf } from '#decide/authorization/request.ts';
import { breakdown, type PolicyRule } from '#decide/authorization/rules.ts';
import type { AuditEvent } from '#kube/audit.ts';
import { compareBytes } from '#kube/go-text.ts';
import type { KubeObject } from '#kube/objects.ts';

/** One request as RBAC sees it, seen so many times. */
export interface Used {
  readonly user: string;
  readonly groups: readonly string[];
  readonly request: Omit<Attributes, 'user'>;
  readonly count: number;
}

/** What a log says of use, gathered: its size is that of the distinct requests, not of the log. */
export class Usage {
  /** Allowed and answered. */
  allowed = 0;
  /** Refused: an attempt gives nobody a right. */
  denied = 0;
  /** Entries of other stages of the same requests. */
  otherStages = 0;
  /** Entries that do not say what was decided. */
  undecided = 0;
  readonly #used = new Map<string, { -readonly [key in keyof Used]: Used[key] }>();

  add(event: AuditEvent): void {
    if (event.stage !== 'ResponseComplete') {
      this.otherStages++;
      return;
    }
    if (event.decision !== 'allow') {
      if (event.decision === undefined) this.undecided++;
      else this.denied++;
      return;
    }
    this.allowed++;
    const who = event.impersonated ?? event;
    const request = requestOf(event);
    this.#note(who.user, who.groups, request);
    // An update or patch that answers "created" was also asked for create, by its name.
    // Source: apiserver pkg/endpoints/handlers/{update,patch}.go.
    if (event.code === 201 && (request.verb === 'update' || request.verb === 'patch'))
      this.#note(who.user, who.groups, { ...request, verb: 'create' });
    for (const needed of impersonationOf(event)) this.#note(event.user, event.groups, needed);
  }

  /** The distinct requests, each with how often. */
  get used(): readonly Used[] {
    return [...this.#used.values()];
  }

  #note(user: string, groups: readonly string[], request: Used['request']): void {
    const { verb, namespace, apiGroup, resource, subresource, name, path } = request;
    const key = JSON.stringify([user, groups, verb, namespace, apiGroup, resource, subresource, name, path]);
    const known = this.#used.get(key);
    if (known === undefined) this.#used.set(key, { user, groups, request, count: 1 });
    else known.count++;
  }
}

const METHODS: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
};

/**
 * What the authorizer was asked: from the request's address where it agrees with the verb, for the API server fills the
 * name of a new object into the reference after it has decided. Source: apiserver pkg/audit/request.go
 * (LogRequestObject).
 */
function requestOf({ verb, requestUri, object }: AuditEvent): Used['request'] {
  if (object === undefined) return { verb, path: pathOf(requestUri ?? ''), resourceRequest: false };
  const method = METHODS[verb];
  if (requestUri !== undefined && method !== undefined) {
    try {
      const asked = attributesOf(method, requestUri);
      if (asked.resourceRequest === true && asked.verb === verb && asked.resource === object.resource)
        return {
          verb,
          namespace: asked.namespace ?? '',
          apiGroup: asked.apiGroup ?? '',
          resource: object.resource,
          subresource: asked.subresource ?? '',
          name: asked.name ?? '',
          resourceRequest: true,
        };
    } catch {
      // An address that is none: the reference says enough.
    }
  }
  const { name, ...rest } = object;
  const unnamed = verb === 'create' && object.subresource === '';
  return { verb, ...rest, name: unnamed ? '' : name, resourceRequest: true };
}

/** Without the query string, which no authorizer sees; decoded, as it does see it. */
function pathOf(requestUri: string): string {
  try {
    return attributesOf('GET', requestUri).path ?? requestUri.replace(/[?#].*$/s, '');
  } catch {
    return requestUri.replace(/[?#].*$/s, '');
  }
}

/** What the one who acts as somebody else was asked for. Source: apiserver pkg/endpoints/filters/impersonation.go. */
function impersonationOf({ impersonated }: AuditEvent): Used['request'][] {
  if (impersonated === undefined) return [];
  const wanted = (resource: string, name: string, more: Partial<Attributes> = {}): Used['request'] => ({
    verb: 'impersonate',
    namespace: '',
    apiGroup: '',
    resource,
    subresource: '',
    name,
    resourceRequest: true,
    ...more,
  });
  const requests: Used['request'][] = [];
  const [system, kind, namespace, name] = impersonated.user.split(':');
  const account =
    system === 'system' && kind === 'serviceaccount' && namespace !== undefined && name !== undefined;
  requests.push(
    account ? wanted('serviceaccounts', name, { namespace }) : wanted('users', impersonated.user),
  );
  // These the API server adds itself.
  const derived = new Set(['system:authenticated', 'system:unauthenticated']);
  if (account) derived.add('system:serviceaccounts').add(`system:serviceaccounts:${namespace}`);
  for (const group of impersonated.groups) if (!derived.has(group)) requests.push(wanted('groups', group));
  const apiGroup = 'authentication.k8s.io';
  if (impersonated.uid !== undefined) requests.push(wanted('uids', impersonated.uid, { apiGroup }));
  for (const [key, values] of Object.entries(impersonated.extra))
    for (const value of values) requests.push(wanted('userextras', value, { apiGroup, subresource: key }));
  return requests;
}

export interface LearnOptions {
  /** From so many names of one resource on, a rule is for all names; names are kept where it is not stated. */
  readonly generaliseNames?: number;
}

export interface Learned {
  /** Roles and bindings, to be applied. */
  readonly objects: readonly KubeObject[];
  readonly subjects: readonly LearnedSubject[];
  /** Distinct requests that the objects alone allow, by the decider: all of them. */
  readonly proven: number;
  /** Requests that no rule can name without granting more, for example of a resource called `*`. */
  readonly unspeakable: readonly Used[];
}

export interface LearnedSubject {
  readonly user: string;
  /** Distinct requests, and how often they were made. */
  readonly requests: number;
  readonly count: number;
  /** Single grants of the rules, and how many of them are wider than what was seen. */
  readonly grants: number;
  readonly wider: readonly string[];
  /** What also decided whether the requests went through and is not in any log. */
  readonly notes: readonly string[];
}

/** Verbs and resources with which somebody becomes more than he is: each name is kept, whatever was asked for. */
const RISKY_VERBS = new Set(['escalate', 'bind', 'impersonate', 'approve', 'sign', 'attest', 'use']);
const RISKY_RESOURCES = new Set([
  'secrets',
  'serviceaccounts/token',
  'pods/exec',
  'pods/attach',
  'pods/portforward',
  'pods/proxy',
  'pods/ephemeralcontainers',
  'services/proxy',
  'nodes',
  'nodes/proxy',
  'roles',
  'rolebindings',
  'clusterroles',
  'clusterrolebindings',
  'certificatesigningrequests/approval',
  'certificatesigningrequests/status',
  'signers',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'customresourcedefinitions',
  'apiservices',
  'namespaces',
]);

/** A verb on a resource, of one name or of any. */
interface Grant {
  readonly verb: string;
  readonly group: string;
  /** With its subresource. */
  readonly resource: string;
  /** Empty for all names. */
  readonly name: string;
}

/**
 * The roles for what was used.
 *
 * @throws Error where the result does not allow a request that was seen: a mistake of this function, never hidden
 */
export function learnRoles(used: readonly Used[], options: LearnOptions = {}): Learned {
  const bySubject = new Map<string, Used[]>();
  const unspeakable: Used[] = [];
  for (const one of used) {
    if (!isSpeakable(one)) unspeakable.push(one);
    else append(bySubject, one.user, one);
  }
  const objects: KubeObject[] = [];
  const subjects: LearnedSubject[] = [];
  const names = new Set<string>();
  for (const user of [...bySubject.keys()].sort(compareBytes)) {
    const requests = bySubject.get(user)!;
    const made = rolesOf(user, requests, options, names);
    objects.push(...made.objects);
    subjects.push({
      user,
      requests: new Set(requests.map(({ request }) => JSON.stringify(request))).size,
      count: requests.reduce((sum, { count }) => sum + count, 0),
      grants: made.grants,
      wider: made.wider,
      notes: notesOf(requests),
    });
  }
  return { objects, subjects, proven: prove(objects, [...bySubject.values()].flat()), unspeakable };
}

function isSpeakable({ user, request }: Used): boolean {
  const { verb = '', apiGroup = '', resource = '', subresource = '', path = '' } = request;
  if (user === '' || verb === '' || verb === '*') return false;
  // An asterisk is a wildcard to RBAC: a rule that has it would allow far more than this request.
  return request.resourceRequest === true
    ? resource !== '' && ![apiGroup, resource, subresource].some(word => word.includes('*'))
    : path.startsWith('/') && !path.endsWith('*');
}

/** Asks the decider about every request, with nothing but the new objects, and no groups. */
function prove(objects: readonly KubeObject[], used: readonly Used[]): number {
  const authorizer = createAuthorizer({ objects, chain: ['RBAC'] });
  for (const { user, request } of used) {
    const { decision } = authorizer.authorize({ ...request, user: { name: user } });
    if (decision !== 'allow')
      throw new Error(`the learned roles do not allow ${user} ${JSON.stringify(request)}`);
  }
  return used.length;
}

function rolesOf(
  user: string,
  used: readonly Used[],
  { generaliseNames }: LearnOptions,
  taken: Set<string>,
): { readonly objects: KubeObject[]; readonly grants: number; readonly wider: string[] } {
  // Scope by scope: the empty one is the whole cluster.
  const scopes = new Map<string, Map<string, Grant>>();
  const urls = new Map<string, Set<string>>();
  for (const { request } of used) {
    const {
      verb = '',
      apiGroup = '',
      resource = '',
      subresource = '',
      name = '',
      namespace = '',
      path = '',
    } = request;
    if (request.resourceRequest !== true) {
      const paths = urls.get(verb) ?? new Set();
      urls.set(verb, paths.add(path));
      continue;
    }
    const full = subresource === '' ? resource : `${resource}/${subresource}`;
    const grants = scopes.get(namespace) ?? new Map<string, Grant>();
    scopes.set(namespace, grants);
    grants.set(JSON.stringify([verb, apiGroup, full, name]), { verb, group: apiGroup, resource: full, name });
  }
  const wider: string[] = [];
  if (generaliseNames !== undefined)
    for (const [namespace, grants] of scopes) generalise(grants, generaliseNames, namespace, wider);
  const everywhere = scopes.get('');
  for (const [namespace, grants] of scopes) dropCovered(grants, namespace === '' ? undefined : everywhere);
  // What is the same in several namespaces is one role that is bound in each of them.
  const bySpread = new Map<string, { readonly namespaces: string[]; readonly grants: Grant[] }>();
  const spread = new Map<string, { readonly grant: Grant; readonly namespaces: string[] }>();
  for (const namespace of [...scopes.keys()].sort(compareBytes))
    for (const [key, grant] of namespace === '' ? [] : scopes.get(namespace)!) {
      const one = spread.get(key) ?? { grant, namespaces: [] };
      spread.set(key, one);
      one.namespaces.push(namespace);
    }
  for (const { grant, namespaces } of spread.values()) {
    const key = JSON.stringify(namespaces);
    const role = bySpread.get(key) ?? { namespaces, grants: [] };
    bySpread.set(key, role);
    role.grants.push(grant);
  }
  const objects: KubeObject[] = [];
  const subject = subjectOf(user);
  let grants = 0;
  const add = (rules: readonly PolicyRule[], namespaces: readonly string[] | undefined): void => {
    if (rules.length === 0) return;
    grants += rules.flatMap(breakdown).length * (namespaces?.length ?? 1);
    const name = nameFor(user, taken);
    const [only] = namespaces?.length === 1 ? namespaces : [];
    const kind = only === undefined ? 'ClusterRole' : 'Role';
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    objects.push({
      apiVersion,
      kind,
      metadata: { name, ...(only === undefined ? {} : { namespace: only }) },
      rules,
    });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name };
    if (namespaces === undefined)
      objects.push({
        apiVersion,
        kind: 'ClusterRoleBinding',
        metadata: { name },
        roleRef,
        subjects: [subject],
      });
    for (const namespace of namespaces ?? [])
      objects.push({
        apiVersion,
        kind: 'RoleBinding',
        metadata: { name, namespace },
        roleRef,
        subjects: [subject],
      });
  };
  add([...rulesFrom([...(everywhere?.values() ?? [])]), ...urlRules(urls)], undefined);
  for (const { namespaces, grants: of } of bySpread.values()) add(rulesFrom(of), namespaces);
  return { objects, grants, wider };
}

/** Enough names of one kind stand for all names, where a name more does no harm. */
function generalise(grants: Map<string, Grant>, enough: number, namespace: string, wider: string[]): void {
  const byKind = new Map<string, Grant[]>();
  for (const grant of grants.values())
    if (grant.name !== '') append(byKind, JSON.stringify([grant.verb, grant.group, grant.resource]), grant);
  for (const group of byKind.values()) {
    const [{ verb, group: apiGroup, resource }] = group as [Grant, ...Grant[]];
    if (group.length < enough || RISKY_VERBS.has(verb) || RISKY_RESOURCES.has(resource)) continue;
    const key = JSON.stringify([verb, apiGroup, resource, '']);
    if (grants.has(key)) continue;
    grants.set(key, { verb, group: apiGroup, resource, name: '' });
    const what = apiGroup === '' ? resource : `${resource}.${apiGroup}`;
    wider.push(
      `${verb} ${what}${namespace === '' ? '' : ` in ${namespace}`}: all names (${group.length} seen)`,
    );
  }
}

/** A grant of one name says nothing beside one of all names, nor one of a namespace beside one of the cluster. */
function dropCovered(grants: Map<string, Grant>, everywhere: ReadonlyMap<string, Grant> | undefined): void {
  for (const [key, { verb, group, resource, name }] of grants) {
    const any = JSON.stringify([verb, group, resource, '']);
    if ((name !== '' && grants.has(any)) || everywhere?.has(any) === true || everywhere?.has(key) === true)
      grants.delete(key);
  }
}

/**
 * Few rules for grants, and none beside them: names that have the same verbs, then resources of one group that have
 * the same verbs and names.
 */
function rulesFrom(grants: readonly Grant[]): PolicyRule[] {
  const verbsOf = new Map<string, { readonly grant: Grant; readonly verbs: string[] }>();
  for (const grant of grants) {
    const key = JSON.stringify([grant.group, grant.resource, grant.name]);
    const one = verbsOf.get(key) ?? { grant, verbs: [] };
    verbsOf.set(key, one);
    one.verbs.push(grant.verb);
  }
  const byNames = new Map<string, { group: string; resource: string; verbs: string[]; names: string[] }>();
  for (const { grant, verbs } of verbsOf.values()) {
    verbs.sort(compareBytes);
    const { group, resource, name } = grant;
    const key = JSON.stringify([group, resource, verbs, name === '']);
    const one = byNames.get(key) ?? { group, resource, verbs, names: [] };
    byNames.set(key, one);
    if (name !== '') one.names.push(name);
  }
  const rules = new Map<string, { group: string; resources: string[]; verbs: string[]; names: string[] }>();
  for (const { group, resource, verbs, names } of byNames.values()) {
    names.sort(compareBytes);
    const key = JSON.stringify([group, verbs, names]);
    const one = rules.get(key) ?? { group, resources: [], verbs, names };
    rules.set(key, one);
    one.resources.push(resource);
  }
  return [...rules.entries()]
    .sort(([a], [b]) => compareBytes(a, b))
    .map(([, { group, resources, verbs, names }]) => ({
      apiGroups: [group],
      resources: resources.sort(compareBytes),
      verbs,
      ...(names.length === 0 ? {} : { resourceNames: names }),
    }));
}

function urlRules(urls: ReadonlyMap<string, ReadonlySet<string>>): PolicyRule[] {
  const rules = new Map<string, { readonly paths: string[]; readonly verbs: string[] }>();
  for (const [verb, paths] of urls) {
    const sorted = [...paths].sort(compareBytes);
    const rule = rules.get(JSON.stringify(sorted)) ?? { paths: sorted, verbs: [] };
    rules.set(JSON.stringify(sorted), rule);
    rule.verbs.push(verb);
  }
  return [...rules.values()].map(({ paths, verbs }) => ({
    nonResourceURLs: paths,
    verbs: verbs.sort(compareBytes),
  }));
}

/** What the API server asks beside the request itself, as far as it can be told from the request. */
function notesOf(used: readonly Used[]): string[] {
  const notes: string[] = [];
  const has = (verbs: readonly string[], resources: readonly string[]): boolean =>
    used.some(
      ({ request: { verb = '', resource = '', subresource = '' } }) =>
        verbs.includes(verb) &&
        resources.includes(subresource === '' ? resource : `${resource}/${subresource}`),
    );
  const writes = ['create', 'update', 'patch'];
  if (has(writes, ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings']))
    notes.push(
      'it writes roles or bindings: what these give it must hold itself, or have escalate or bind; no log shows which',
    );
  if (has(['update', 'patch'], ['certificatesigningrequests/approval', 'certificatesigningrequests/status']))
    notes.push('it approves or signs certificate requests: approve or sign on the signer is needed too');
  return notes;
}

function subjectOf(user: string): Readonly<Record<string, string>> {
  const [system, kind, namespace, name] = user.split(':');
  return system === 'system' && kind === 'serviceaccount' && namespace !== undefined && name !== undefined
    ? { kind: 'ServiceAccount', name, namespace }
    : { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user };
}

/** Names of roles are path segments; two subjects never share one. */
function nameFor(user: string, taken: Set<string>): string {
  const bare = user.startsWith('system:serviceaccount:') ? user.slice(22) : `user:${user}`;
  const base = `learned:${bare.replace(/[^A-Za-z0-9:._@-]/g, '-').slice(0, 200)}`;
  let name = base;
  for (let i = 2; taken.has(name); i++) name = `${base}:${i}`;
  taken.add(name);
  return name;
}

function append<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
