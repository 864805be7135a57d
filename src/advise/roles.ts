/**
 * The smallest roles that still allow what an audit log shows: exactly the allowed requests, subject by subject and
 * namespace by namespace, proven by asking the decider about the result.
 *
 * Only products that were all seen become one rule: never across API groups, never with names that were not asked for.
 */
import type { Attributes } from '#decide/authorization/attributes.ts';
import { createAuthorizer } from '#decide/authorization/door.ts';
import { attributesOf } from '#decide/authorization/request.ts';
import { breakdown, type PolicyRule, rulesOf } from '#decide/authorization/rules.ts';
import type { AuditEvent } from '#kube/audit.ts';
import { compareBytes } from '#kube/go-text.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';

/** One request as RBAC sees it, seen so many times. */
export interface Used {
  readonly user: string;
  readonly groups: readonly string[];
  readonly request: Omit<Attributes, 'user'>;
  readonly count: number;
}

/** So many distinct requests are kept. */
const MOST_REQUESTS = 200_000;

/**
 * What a log says of use, gathered: its size is that of the distinct requests, not of the log, and it stops growing at
 * a limit. What came after is counted, and nothing that is said of such a log is whole.
 */
export class Usage {
  /** Allowed and answered. */
  allowed = 0;
  /** Refused: an attempt gives nobody a right. */
  denied = 0;
  /** Entries of other stages of the same requests. */
  otherStages = 0;
  /** Entries that do not say what was decided. */
  undecided = 0;
  /** Entries of requests that were new when no more were kept. */
  beyond = 0;
  readonly #used = new Map<string, { -readonly [key in keyof Used]: Used[key] }>();
  /** Who asked, once each: a log has few of them. */
  readonly #askers = new Map<
    string,
    { readonly id: number; readonly user: string; readonly groups: readonly string[] }
  >();
  /** What an event asked for: readers give the same object for entries that say the same. */
  readonly #noted = new WeakMap<AuditEvent, readonly { count: number }[]>();
  readonly #wanted: (user: string) => boolean;
  readonly #most: number;

  /** @param wanted whose requests are kept; everybody's where it is not stated */
  constructor(wanted: (user: string) => boolean = () => true, most: number = MOST_REQUESTS) {
    this.#wanted = wanted;
    this.#most = most;
  }

  add(event: AuditEvent): void {
    if (event.stage !== 'ResponseComplete') {
      this.otherStages++;
      // A watch that is still open, or a connection into a pod, has begun and not yet ended.
      if (event.stage === 'ResponseStarted' && event.decision === 'allow') this.#use(event, 0);
      return;
    }
    if (event.decision !== 'allow') {
      if (event.decision === undefined) this.undecided++;
      else this.denied++;
      return;
    }
    this.allowed++;
    this.#use(event, 1);
  }

  #use(event: AuditEvent, times: number): void {
    const known = this.#noted.get(event);
    if (known !== undefined) {
      for (const one of known) one.count += times;
      return;
    }
    const before = this.beyond;
    const who = event.impersonated ?? event;
    const request = requestOf(event);
    const noted = [
      ...[request, ...askedBeside(event, request)].map(asked =>
        this.#note(who.user, who.groups, asked, times),
      ),
      ...impersonationOf(event, request).map(needed => this.#note(event.user, event.groups, needed, times)),
    ].filter(one => one !== undefined);
    // What is not kept is counted each time.
    if (this.beyond === before) this.#noted.set(event, noted);
  }

  /** The distinct requests, each with how often. */
  get used(): readonly Used[] {
    return [...this.#used.values()];
  }

  /** @returns where it is counted; undefined where it is not kept */
  #note(
    user: string,
    groups: readonly string[],
    request: Used['request'],
    times: number,
  ): { count: number } | undefined {
    if (!this.#wanted(user)) return undefined;
    const { verb, namespace, apiGroup, resource, subresource, name, path } = request;
    const who = JSON.stringify([user, groups]);
    let asker = this.#askers.get(who);
    if (asker === undefined) {
      asker = { id: this.#askers.size, user, groups };
      this.#askers.set(who, asker);
    }
    const key = JSON.stringify([asker.id, verb, namespace, apiGroup, resource, subresource, name, path]);
    const known = this.#used.get(key);
    if (known !== undefined) {
      known.count += times;
      return known;
    }
    if (this.#used.size >= this.#most) {
      this.beyond++;
      return undefined;
    }
    const noted = { user: asker.user, groups: asker.groups, request, count: times };
    this.#used.set(key, noted);
    return noted;
  }
}

/** Subresources of pods through which a connection is made. */
const CONNECTIONS = new Set(['exec', 'attach', 'portforward']);

/**
 * What the API server asks beside the request itself, as far as the entry shows it. Sources: apiserver
 * pkg/endpoints/handlers/{update,patch}.go (create on update), kubernetes pkg/registry/core/pod/rest/subresources.go
 * (WebSockets, from 1.35 on), pkg/registry/rbac/{rolebinding,clusterrolebinding}/policybased/storage.go (bind),
 * plugin/pkg/admission/certificates/{approval,signing,ctbattest} (approve, sign, attest).
 */
function askedBeside({ code, bound, signer }: AuditEvent, request: Used['request']): Used['request'][] {
  const { verb = '', resource = '', subresource = '', apiGroup = '' } = request;
  const asked: Used['request'][] = [];
  if (code === 201 && (verb === 'update' || verb === 'patch')) asked.push({ ...request, verb: 'create' });
  // The handshake of a WebSocket is a GET, and enters the pod all the same.
  if (verb === 'get' && resource === 'pods' && apiGroup === '' && CONNECTIONS.has(subresource))
    asked.push({ ...request, verb: 'create' });
  if (bound !== undefined && (bound.kind === 'Role' || bound.kind === 'ClusterRole'))
    asked.push({
      ...request,
      verb: 'bind',
      resource: bound.kind === 'Role' ? 'roles' : 'clusterroles',
      subresource: '',
      name: bound.name,
    });
  const signing = signer === undefined ? undefined : signingVerb(resource, subresource);
  if (signing !== undefined)
    asked.push({
      ...request,
      verb: signing,
      resource: 'signers',
      subresource: '',
      name: signer!,
      namespace: '',
    });
  return asked;
}

function signingVerb(resource: string, subresource: string): string | undefined {
  if (resource === 'clustertrustbundles') return 'attest';
  return subresource === 'approval' ? 'approve' : subresource === 'status' ? 'sign' : undefined;
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
  const method = METHODS[verb];
  if (requestUri !== undefined && method !== undefined) {
    try {
      const asked = attributesOf(method, requestUri);
      // Some tables leave the reference out where it has no name.
      if (
        asked.resourceRequest === true &&
        asked.verb === verb &&
        asked.resource === (object?.resource ?? asked.resource)
      )
        return {
          verb,
          namespace: asked.namespace ?? '',
          apiGroup: asked.apiGroup ?? '',
          resource: asked.resource ?? '',
          subresource: asked.subresource ?? '',
          name: asked.name ?? '',
          resourceRequest: true,
        };
    } catch {
      // An address that is none: the reference says enough.
    }
  }
  if (object === undefined) return { verb, path: pathOf(requestUri ?? ''), resourceRequest: false };
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

/**
 * What the one who acts as somebody else was asked for, of old or in a constrained mode. Sources: apiserver
 * pkg/endpoints/filters/impersonation/{impersonation,constrained_impersonation,mode}.go.
 */
function impersonationOf(
  { impersonated, constraint }: AuditEvent,
  request: Used['request'],
): Used['request'][] {
  if (impersonated === undefined) return [];
  const mode = constraint?.startsWith('impersonate:') === true ? constraint.slice('impersonate:'.length) : '';
  const wanted = (resource: string, name: string, more: Partial<Attributes> = {}): Used['request'] => ({
    verb: mode === '' ? 'impersonate' : constraint!,
    namespace: '',
    apiGroup: mode === '' ? '' : 'authentication.k8s.io',
    resource,
    subresource: '',
    name,
    resourceRequest: true,
    ...more,
  });
  const requests: Used['request'][] =
    mode === '' ? [] : [{ ...request, verb: `impersonate-on:${mode}:${request.verb}` }];
  if (mode === 'associated-node' || mode === 'arbitrary-node') {
    const node = impersonated.user.slice('system:node:'.length);
    return [...requests, wanted('nodes', mode === 'associated-node' ? '*' : node)];
  }
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
  /** From so many namespaces on, a grant is for all of them; namespaces are kept where it is not stated. */
  readonly generaliseNamespaces?: number;
  /** Roles and bindings that are there: one that grants nothing beyond the need is used again. */
  readonly existing?: readonly KubeObject[];
}

export interface Learned {
  /** Roles and bindings, to be applied. */
  readonly objects: readonly KubeObject[];
  /** Roles that are there and are bound instead of new ones. */
  readonly reused: readonly Reused[];
  readonly subjects: readonly LearnedSubject[];
  /** Distinct requests that the objects alone, with the roles used again, allow by the decider: all of them. */
  readonly proven: number;
  /** Requests that no rule can name without granting more, for example of a resource called `*`. */
  readonly unspeakable: readonly Used[];
}

export interface Reused {
  readonly role: KubeObject;
  readonly users: readonly string[];
  /** Bindings that are there and do all that is needed: no new one is made. */
  readonly bound: readonly KubeObject[];
}

export interface LearnedSubject {
  readonly user: string;
  /** Distinct requests, and how often they were made. */
  readonly requests: number;
  readonly count: number;
  /** Single grants that it gets: one verb, group, resource and name in one scope each. */
  readonly grants: number;
  /** How many of them allow more than what was seen. */
  readonly beyond: number;
  /** What they are. */
  readonly wider: readonly string[];
  /** What of it leads further up, or to secrets. */
  readonly risky: readonly string[];
  /** What also decided whether the requests went through and is not in this log. */
  readonly notes: readonly string[];
}

/** Verbs and resources with which somebody becomes more than he is: each name is kept, whatever was asked for. */
const RISKY_VERBS = new Set(['escalate', 'bind', 'approve', 'sign', 'attest', 'use']);
/** Both kinds of impersonation: of old, and `impersonate:user-info` with `impersonate-on:user-info:get`. */
const isRiskyVerb = (verb: string): boolean => RISKY_VERBS.has(verb) || verb.startsWith('impersonate');
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
 * The roles for what was used. Subjects that need the same share a role.
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
  const stock = new Stock(options.existing ?? []);
  const needs: (Need & { readonly user: string })[] = [];
  const wider = new Map<string, readonly string[]>();
  for (const user of [...bySubject.keys()].sort(compareBytes)) {
    const of = needsOf(bySubject.get(user)!, options);
    wider.set(user, of.wider);
    needs.push(...of.needs.map(need => ({ ...need, user })));
  }
  const made = rolesFor(needs, stock);
  const known = [...made.reused.flatMap(({ role, bound }) => [role, ...bound])];
  const grantsOf = measure([...made.objects, ...known]);
  const subjects = [...bySubject].map(([user, requests]): LearnedSubject => {
    const granted = grantsOf(user);
    const seen = new Set(requests.map(({ request }) => seenKey(request)));
    return {
      user,
      requests: new Set(requests.map(({ request }) => JSON.stringify(request))).size,
      count: requests.reduce((sum, { count }) => sum + count, 0),
      grants: granted.size,
      beyond: [...granted].filter(key => !seen.has(key)).length,
      wider: wider.get(user)!,
      risky: riskyOf([...granted]),
      notes: notesOf(requests),
    };
  });
  return {
    objects: made.objects,
    reused: made.reused,
    subjects: subjects.sort((a, b) => compareBytes(a.user, b.user)),
    proven: prove([...made.objects, ...known], [...bySubject.values()].flat()),
    unspeakable,
  };
}

/** A single grant in a scope, as a key: the empty namespace is the whole cluster. */
function grantKey(
  namespace: string,
  { verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule,
): string {
  return JSON.stringify([
    namespace,
    verbs?.[0],
    apiGroups?.[0] ?? '',
    resources?.[0] ?? '',
    resourceNames?.[0] ?? '',
    nonResourceURLs?.[0] ?? '',
  ]);
}

function seenKey({
  verb,
  namespace,
  apiGroup,
  resource,
  subresource,
  name,
  path,
  resourceRequest,
}: Used['request']): string {
  if (resourceRequest !== true) return JSON.stringify(['', verb, '', '', '', path]);
  const full = subresource === '' || subresource === undefined ? resource : `${resource}/${subresource}`;
  return JSON.stringify([namespace ?? '', verb, apiGroup ?? '', full, name ?? '', '']);
}

/** What roles and bindings grant to a user by name, grant by grant. */
function measure(objects: readonly KubeObject[]): (user: string) => ReadonlySet<string> {
  const roles = new Map(
    objects
      .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
      .map(role => [
        roleKey(role.kind, role.metadata?.namespace, nameOf(role)),
        rulesOf(role).flatMap(breakdown),
      ]),
  );
  const granted = new Map<string, Set<string>>();
  for (const binding of objects) {
    if (binding.kind !== 'RoleBinding' && binding.kind !== 'ClusterRoleBinding') continue;
    const namespace = binding.metadata?.namespace ?? '';
    const kind = String(valueAt(binding, ['roleRef', 'kind']));
    const name = String(valueAt(binding, ['roleRef', 'name']));
    for (const subject of bindingSubjects(binding)) {
      const set = granted.get(subject) ?? new Set<string>();
      granted.set(subject, set);
      for (const grant of roles.get(roleKey(kind, kind === 'Role' ? namespace : undefined, name)) ?? [])
        set.add(grantKey(namespace, grant));
    }
  }
  return user => granted.get(subjectKey(subjectOf(user))) ?? new Set();
}

function roleKey(kind: string, namespace: string | undefined, name: string): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}

function subjectKey(subject: unknown): string {
  const at = (key: string): string => String(valueAt(subject, [key]) ?? '');
  return at('kind') === 'ServiceAccount'
    ? `ServiceAccount ${at('namespace')}/${at('name')}`
    : `${at('kind')} ${at('name')}`;
}

function bindingSubjects(binding: KubeObject): string[] {
  const { subjects } = binding;
  if (!Array.isArray(subjects)) return [];
  const home = binding.metadata?.namespace;
  return subjects
    .filter(isRecord)
    .map(subject => subjectKey(home === undefined ? subject : { namespace: home, ...subject }));
}

/** What of grants is worth a look, in words. */
function riskyOf(keys: readonly string[]): string[] {
  return keys.flatMap(key => {
    const [namespace, verb, group, resource, name] = JSON.parse(key) as [
      string,
      string,
      string,
      string,
      string,
    ];
    if (!isRiskyVerb(verb) && !RISKY_RESOURCES.has(resource)) return [];
    // Of what can be read only secrets and ways into pods and nodes say more than others.
    if (READ.has(verb) && !READ_RISKY.has(resource)) return [];
    const what = group === '' ? resource : `${resource}.${group}`;
    return [
      `${verb} ${what}${name === '' ? (verb === 'create' ? '' : ' of any name') : ` ${name}`}${namespace === '' ? ' in the whole cluster' : ` in ${namespace}`}`,
    ];
  });
}

const READ = new Set(['get', 'list', 'watch']);
const READ_RISKY = new Set([
  'secrets',
  'pods/exec',
  'pods/attach',
  'pods/portforward',
  'pods/proxy',
  'services/proxy',
  'nodes/proxy',
]);

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

/** What one user needs in some scopes. */
interface Need {
  /** Undefined for the whole cluster. */
  readonly namespaces: readonly string[] | undefined;
  readonly grants: readonly Grant[];
  /** Verbs by URL; only of the whole cluster. */
  readonly urls: ReadonlyMap<string, ReadonlySet<string>>;
}

function needsOf(
  used: readonly Used[],
  { generaliseNames, generaliseNamespaces }: LearnOptions,
): { readonly needs: Need[]; readonly wider: string[] } {
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
  if (generaliseNamespaces !== undefined) spreadOut(scopes, generaliseNamespaces, wider);
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
  return {
    needs: [
      { namespaces: undefined, grants: [...(everywhere?.values() ?? [])], urls },
      ...[...bySpread.values()].map(({ namespaces, grants }) => ({ namespaces, grants, urls: new Map() })),
    ],
    wider,
  };
}

/** A role, new or used again, with who gets it where. */
interface Planned {
  readonly role: KubeObject | undefined;
  readonly rules: readonly PolicyRule[];
  readonly uses: { readonly user: string; readonly namespaces: readonly string[] | undefined }[];
}

function rolesFor(
  needs: readonly (Need & { readonly user: string })[],
  stock: Stock,
): { readonly objects: KubeObject[]; readonly reused: Reused[] } {
  const planned = new Map<string, Planned>();
  const plan = (key: string, role: KubeObject | undefined, rules: readonly PolicyRule[]): Planned['uses'] => {
    const one = planned.get(key) ?? { role, rules, uses: [] };
    planned.set(key, one);
    return one.uses;
  };
  for (const need of needs) {
    const { user, namespaces } = need;
    const { roles, left } = stock.cover(need);
    for (const role of roles)
      plan(roleKey(role.kind, role.metadata?.namespace, nameOf(role)), role, []).push({ user, namespaces });
    const rules = [...rulesFrom(left.grants), ...urlRules(left.urls)];
    if (rules.length > 0) plan(JSON.stringify(rules), undefined, rules).push({ user, namespaces });
  }
  const objects: KubeObject[] = [];
  const reused: Reused[] = [];
  for (const { role, rules, uses } of planned.values()) {
    const users = [...new Set(uses.map(({ user }) => user))];
    const homes = new Set(uses.flatMap(({ namespaces }) => namespaces ?? ['']));
    const [only] = homes.size === 1 ? homes : [];
    const home = only === '' ? undefined : only;
    const kind = role?.kind ?? (home === undefined ? 'ClusterRole' : 'Role');
    const name =
      role === undefined
        ? stock.name(users.length === 1 ? bare(users[0]!) : `shared:${bare(users[0]!)}`)
        : stock.name(nameOf(role));
    if (role === undefined)
      objects.push({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind,
        metadata: { name, ...(home === undefined ? {} : { namespace: home }) },
        rules,
      });
    const bound = new Set<KubeObject>();
    const roleRef = {
      apiGroup: 'rbac.authorization.k8s.io',
      kind,
      name: role === undefined ? name : nameOf(role),
    };
    const usersIn = new Map<string, string[]>();
    for (const { user, namespaces } of uses)
      for (const namespace of namespaces ?? ['']) append(usersIn, namespace, user);
    for (const namespace of [...homes].sort(compareBytes)) {
      const subjects = usersIn
        .get(namespace)!
        .map(subjectOf)
        .filter(subject => {
          const known = stock.binding(roleRef, namespace, subject);
          if (known !== undefined) bound.add(known);
          return known === undefined;
        });
      if (subjects.length === 0) continue;
      objects.push({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
        metadata: { name, ...(namespace === '' ? {} : { namespace }) },
        roleRef,
        subjects,
      });
    }
    if (role !== undefined) reused.push({ role, users, bound: [...bound] });
  }
  return { objects, reused };
}

/** The roles and bindings that are there, and the names that are taken. */
class Stock {
  readonly #roles: { readonly role: KubeObject; readonly grants: readonly PolicyRule[] }[] = [];
  readonly #bindings = new Map<string, KubeObject>();
  readonly #taken = new Set<string>();
  /** By a name that was asked for: the number from which on it may be free. */
  readonly #next = new Map<string, number>();

  constructor(existing: readonly KubeObject[]) {
    for (const object of existing) {
      if (!object.apiVersion.startsWith('rbac.authorization.k8s.io/')) continue;
      this.#taken.add(nameOf(object));
      if (object.kind === 'Role' || object.kind === 'ClusterRole') {
        // What an aggregated role grants is other roles' business.
        const grants = isRecord(object['aggregationRule']) ? [] : rulesOf(object).flatMap(breakdown);
        if (grants.length > 0) this.#roles.push({ role: object, grants });
      } else if (object.kind === 'RoleBinding' || object.kind === 'ClusterRoleBinding') {
        const namespace = object.kind === 'RoleBinding' ? (object.metadata?.namespace ?? '') : '';
        for (const subject of bindingSubjects(object))
          this.#bindings.set(
            JSON.stringify([
              valueAt(object, ['roleRef', 'kind']),
              valueAt(object, ['roleRef', 'name']),
              namespace,
              subject,
            ]),
            object,
          );
      }
    }
  }

  /**
   * The roles that grant something of a need and nothing beyond it, the one that grants most first, and what is left.
   * One that would save less than two grants is worth no binding, unless it is all that is left.
   */
  cover({ namespaces, grants, urls }: Need): {
    readonly roles: readonly KubeObject[];
    readonly left: Omit<Need, 'namespaces'>;
  } {
    const keyOf = (grant: PolicyRule): string => grantKey('', grant);
    const needed = new Map<string, Grant | { readonly verb: string; readonly url: string }>();
    for (const { verb, group, resource, name } of grants)
      needed.set(JSON.stringify(['', verb, group, resource, name, '']), { verb, group, resource, name });
    for (const [verb, paths] of urls)
      for (const url of paths) needed.set(JSON.stringify(['', verb, '', '', '', url]), { verb, url });
    const home = namespaces?.length === 1 ? namespaces[0] : undefined;
    const fitting = this.#roles
      .filter(
        ({ role }) =>
          role.kind === 'ClusterRole' || (home !== undefined && role.metadata?.namespace === home),
      )
      .filter(({ grants }) => grants.every(grant => needed.has(keyOf(grant))))
      .map(({ role, grants }) => ({ role, keys: grants.map(keyOf) }));
    const left = new Map(needed);
    const roles: KubeObject[] = [];
    for (;;) {
      const saves = ({ keys }: (typeof fitting)[number]): number =>
        new Set(keys.filter(key => left.has(key))).size;
      const best = fitting.reduce<(typeof fitting)[number] | undefined>(
        (most, one) => (most === undefined || saves(one) > saves(most) ? one : most),
        undefined,
      );
      if (best === undefined || saves(best) === 0 || (saves(best) < 2 && saves(best) < left.size)) break;
      roles.push(best.role);
      for (const key of best.keys) left.delete(key);
    }
    const rest = [...left.values()];
    const restUrls = new Map<string, Set<string>>();
    for (const one of rest)
      if ('url' in one) restUrls.set(one.verb, (restUrls.get(one.verb) ?? new Set<string>()).add(one.url));
    return { roles, left: { grants: rest.filter(one => 'name' in one), urls: restUrls } };
  }

  /** The binding that gives a role to a subject there already. */
  binding(
    { kind, name }: { readonly kind: string; readonly name: string },
    namespace: string,
    subject: Readonly<Record<string, string>>,
  ): KubeObject | undefined {
    return this.#bindings.get(JSON.stringify([kind, name, namespace, subjectKey(subject)]));
  }

  name(of: string): string {
    return nameFor(of, this.#taken, this.#next);
  }
}

/** Enough names of one kind stand for all names, where a name more does no harm. */
function generalise(grants: Map<string, Grant>, enough: number, namespace: string, wider: string[]): void {
  const byKind = new Map<string, Grant[]>();
  for (const grant of grants.values())
    if (grant.name !== '') append(byKind, JSON.stringify([grant.verb, grant.group, grant.resource]), grant);
  for (const group of byKind.values()) {
    const [{ verb, group: apiGroup, resource }] = group as [Grant, ...Grant[]];
    if (group.length < enough || isRiskyVerb(verb) || RISKY_RESOURCES.has(resource)) continue;
    const key = JSON.stringify([verb, apiGroup, resource, '']);
    if (grants.has(key)) continue;
    grants.set(key, { verb, group: apiGroup, resource, name: '' });
    const what = apiGroup === '' ? resource : `${resource}.${apiGroup}`;
    wider.push(
      `${verb} ${what}${namespace === '' ? '' : ` in ${namespace}`}: all names (${group.length} seen)`,
    );
  }
}

/** Enough namespaces stand for all of them, where one more does no harm. */
function spreadOut(scopes: Map<string, Map<string, Grant>>, enough: number, wider: string[]): void {
  const homes = new Map<string, { readonly grant: Grant; count: number }>();
  for (const [namespace, grants] of scopes)
    for (const [key, grant] of namespace === '' ? [] : grants) {
      const one = homes.get(key) ?? { grant, count: 0 };
      homes.set(key, one);
      one.count++;
    }
  for (const [key, { grant, count }] of homes) {
    const { verb, group, resource, name } = grant;
    if (count < enough || isRiskyVerb(verb) || RISKY_RESOURCES.has(resource)) continue;
    const everywhere = scopes.get('') ?? new Map<string, Grant>();
    scopes.set('', everywhere);
    if (everywhere.has(key)) continue;
    everywhere.set(key, grant);
    const what = group === '' ? resource : `${resource}.${group}`;
    wider.push(`${verb} ${what}${name === '' ? '' : ` ${name}`}: all namespaces (${count} seen)`);
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
  if (has(writes, ['roles', 'clusterroles']))
    notes.push('it writes roles: what these give it must hold itself, or have escalate');
  if (has(writes, ['rolebindings', 'clusterrolebindings']) && !has(['bind'], ['roles', 'clusterroles']))
    notes.push(
      'it writes bindings: what their roles give it must hold itself, or have bind on them; which they are is in a log of level Request only',
    );
  if (
    has(['update', 'patch'], ['certificatesigningrequests/approval', 'certificatesigningrequests/status']) &&
    !has(['approve', 'sign'], ['signers'])
  )
    notes.push(
      'it approves or signs certificate requests: approve or sign on the signer is needed too; which it is is in a log of level RequestResponse only',
    );
  if (has(writes, ['validatingadmissionpolicybindings', 'mutatingadmissionpolicybindings']))
    notes.push(
      'it writes bindings of admission policies: get on the object that paramRef names is needed too',
    );
  return notes;
}

function subjectOf(user: string): Readonly<Record<string, string>> {
  const [system, kind, namespace, name] = user.split(':');
  return system === 'system' && kind === 'serviceaccount' && namespace !== undefined && name !== undefined
    ? { kind: 'ServiceAccount', name, namespace }
    : { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user };
}

function bare(user: string): string {
  return user.startsWith('system:serviceaccount:')
    ? user.slice('system:serviceaccount:'.length)
    : `user:${user}`;
}

/** Names of roles are path segments; two subjects never share one by chance. */
function nameFor(of: string, taken: Set<string>, next: Map<string, number>): string {
  const base = `learned:${of.replace(/[^A-Za-z0-9:._@-]/g, '-').slice(0, 200)}`;
  let name = base;
  let number = next.get(base) ?? 2;
  for (; taken.has(name); number++) name = `${base}:${number}`;
  next.set(base, number);
  taken.add(name);
  return name;
}

function append<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
