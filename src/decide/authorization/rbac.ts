/**
 * The RBAC authorizer. Bindings are visited in input order, ClusterRoleBindings first, so that the first one that
 * allows is the one that the reason names. Sources: kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go,
 * pkg/registry/rbac/validation/rule.go.
 */
import { joinErrors, quoted } from '#kube/go-text.ts';
import { type Because, isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import { aggregate } from './aggregation.ts';
import {
  type Answer,
  type Attributes,
  type Authorizer,
  givenBy,
  type Holder,
  type NonResourceRule,
  type ResourceRule,
  type Rules,
  type Subject,
  type UserInfo,
} from './attributes.ts';
import { invalidRules, type PolicyRule, ruleAllows, rulesOf } from './rules.ts';

interface Binding {
  readonly object: KubeObject;
  /** Undefined for ClusterRoleBindings. */
  readonly namespace: string | undefined;
  readonly subjects: readonly Subject[];
  /** Position in the order of visits. */
  readonly order: number;
  /** The rules that it grants; an error where the role does not resolve. */
  readonly grants:
    | { readonly role: KubeObject; readonly rules: readonly PolicyRule[] }
    | { readonly error: string };
  readonly roleKind: string;
  readonly roleName: string;
}

const SERVICE_ACCOUNT = 'system:serviceaccount:';

export class RbacAuthorizer implements Authorizer {
  readonly #cluster: Binding[] = [];
  readonly #namespaced = new Map<string, Binding[]>();
  /** By subject key, then by namespace (undefined: the whole cluster): where a user or group is named. */
  readonly #bySubject = new Map<string, Map<string | undefined, Binding[]>>();
  readonly #resolve: (kind: string, name: string, namespace: string | undefined) => Binding['grants'];

  /** @param objects Roles, ClusterRoles and their bindings, in input order; others are ignored */
  constructor(objects: readonly KubeObject[]) {
    const of = (kind: string) => objects.filter(object => object.kind === kind && isRbac(object));
    const clusterRoles = of('ClusterRole');
    const aggregated = aggregate(clusterRoles);
    // The last one of a name is the one that is left after all were applied.
    const clusterRole = new Map(clusterRoles.map(role => [nameOf(role), role]));
    const role = new Map(of('Role').map(one => [`${one.metadata?.namespace ?? ''}/${nameOf(one)}`, one]));
    const resolve = (kind: string, name: string, namespace: string | undefined): Binding['grants'] => {
      if (kind === 'ClusterRole') {
        const found = clusterRole.get(name);
        if (found === undefined)
          return { error: `clusterrole.rbac.authorization.k8s.io ${quoted(name)} not found` };
        const invalid = invalidRules(found);
        return invalid === undefined
          ? { role: found, rules: aggregated.get(found)! }
          : { error: `clusterrole.rbac.authorization.k8s.io ${quoted(name)} cannot be decoded: ${invalid}` };
      }
      if (kind === 'Role') {
        const found = role.get(`${namespace ?? ''}/${name}`);
        if (found === undefined) return { error: `role.rbac.authorization.k8s.io ${quoted(name)} not found` };
        const invalid = invalidRules(found);
        return invalid === undefined
          ? { role: found, rules: rulesOf(found) }
          : { error: `role.rbac.authorization.k8s.io ${quoted(name)} cannot be decoded: ${invalid}` };
      }
      return { error: `unsupported role reference kind: ${quoted(kind)}` };
    };
    this.#resolve = resolve;
    let order = 0;
    const add = (object: KubeObject, namespace: string | undefined): void => {
      const roleKind = textAt(object, ['roleRef', 'kind']);
      const roleName = textAt(object, ['roleRef', 'name']);
      const binding: Binding = {
        object,
        namespace,
        subjects: subjectsOf(object),
        order: order++,
        grants: resolve(roleKind, roleName, namespace),
        roleKind,
        roleName,
      };
      if (namespace === undefined) this.#cluster.push(binding);
      else append(this.#namespaced, namespace, binding);
      for (const key of new Set(binding.subjects.flatMap(subject => keyOf(subject, namespace) ?? [])))
        append(inside(this.#bySubject, key), namespace, binding);
    };
    for (const object of of('ClusterRoleBinding')) add(object, undefined);
    for (const object of of('RoleBinding')) add(object, object.metadata?.namespace ?? '');
  }

  authorize(attributes: Attributes): Answer {
    const errors: string[] = [];
    let reason: string | undefined;
    const because: Because[] = [];
    for (const binding of this.#bindingsOf(attributes.user, attributes.namespace ?? '')) {
      const { grants } = binding;
      if ('error' in grants) {
        errors.push(grants.error);
        continue;
      }
      for (const index of candidatesOf(grants.rules, attributes)) {
        if (!ruleAllows(grants.rules[index]!, attributes)) continue;
        const text = `RBAC: allowed by ${describe(binding, attributes.user)}`;
        reason ??= text;
        because.push(
          { object: binding.object, path: ['roleRef'], text },
          { object: grants.role, path: ['rules', index], text: ruleText(grants.role, index) },
        );
      }
    }
    if (reason !== undefined) return { decision: 'allow', reason, because };
    return {
      decision: 'no-opinion',
      reason: errors.length === 0 ? '' : `RBAC: ${joinErrors(errors)}`,
      because,
    };
  }

  rulesFor(user: UserInfo, namespace: string): Rules {
    const resourceRules: ResourceRule[] = [];
    const nonResourceRules: NonResourceRule[] = [];
    const errors: string[] = [];
    for (const binding of this.#bindingsOf(user, namespace)) {
      const { grants, object } = binding;
      if ('error' in grants) {
        errors.push(grants.error);
        continue;
      }
      grants.rules.forEach((rule, index) => {
        const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
        const because = (): Because[] => [
          { object, path: ['roleRef'], text: describe(binding, user) },
          { object: grants.role, path: ['rules', index], text: ruleText(grants.role, index) },
        ];
        if (resources.length > 0) {
          const named = resourceNames.length > 0 ? { resourceNames } : {};
          resourceRules.push(givenBy({ verbs, apiGroups, resources, ...named }, because));
        }
        if (nonResourceURLs.length > 0) nonResourceRules.push(givenBy({ verbs, nonResourceURLs }, because));
      });
    }
    return {
      resourceRules,
      nonResourceRules,
      incomplete: false,
      ...(errors.length > 0 ? { error: joinErrors(errors) } : {}),
    };
  }

  /** Everyone whom some binding lets do this, each with every way to it. */
  whoCan(request: Omit<Attributes, 'user'>): Holder[] {
    const holders = new Map<string, { subject: Subject; because: Because[] }>();
    const allowing = new Map<readonly PolicyRule[], number[]>();
    const namespace = request.namespace ?? '';
    const visited =
      namespace === '' ? this.#cluster : [...this.#cluster, ...(this.#namespaced.get(namespace) ?? [])];
    for (const { object, subjects, grants, namespace: home } of visited) {
      if ('error' in grants) continue;
      let indexes = allowing.get(grants.rules);
      if (indexes === undefined) {
        indexes = grants.rules.flatMap((rule, index) =>
          ruleAllows(rule, { ...request, user: {} }) ? [index] : [],
        );
        allowing.set(grants.rules, indexes);
      }
      if (indexes.length === 0) continue;
      subjects.forEach((subject, at) => {
        const key = keyOf(subject, home);
        if (key === undefined) return;
        const holder = holders.get(key) ?? { subject: withNamespace(subject, home), because: [] };
        holders.set(key, holder);
        holder.because.push({
          object,
          path: ['subjects', at],
          text: `${object.kind} ${quoted(nameOf(object))}`,
        });
        for (const index of indexes)
          holder.because.push({
            object: grants.role,
            path: ['rules', index],
            text: ruleText(grants.role, index),
          });
      });
    }
    return [...holders.values()].map(({ subject, because }) => ({ ...subject, because }));
  }

  /** What a binding would grant, whether it is in the input or not. */
  referenced(binding: KubeObject): readonly PolicyRule[] | { readonly error: string } {
    const namespace = binding.kind === 'RoleBinding' ? (binding.metadata?.namespace ?? '') : undefined;
    const grants = this.#resolve(
      textAt(binding, ['roleRef', 'kind']),
      textAt(binding, ['roleRef', 'name']),
      namespace,
    );
    return 'error' in grants ? grants : grants.rules;
  }

  /** Bindings whose role is not in the input: what they grant is not known. */
  dangling(): { readonly object: KubeObject; readonly error: string }[] {
    return [...this.#cluster, ...[...this.#namespaced.values()].flat()].flatMap(({ object, grants }) =>
      'error' in grants ? [{ object, error: grants.error }] : [],
    );
  }

  /** The bindings that name a user, in the order of visits. */
  #bindingsOf(user: UserInfo, namespace: string): Binding[] {
    const found = new Set<Binding>();
    for (const key of keysOfUser(user)) {
      const places = this.#bySubject.get(key);
      if (places === undefined) continue;
      for (const binding of places.get(undefined) ?? []) found.add(binding);
      if (namespace !== '') for (const binding of places.get(namespace) ?? []) found.add(binding);
    }
    return [...found].sort((a, b) => a.order - b.order);
  }
}

/** Of roles with more rules than this the rules are found by the group that is asked for. */
const MANY_RULES = 32;

interface RulesByGroup {
  readonly ofGroup: ReadonlyMap<string, readonly number[]>;
  readonly ofUrls: readonly number[];
}

const byGroup = new WeakMap<readonly PolicyRule[], RulesByGroup>();

/** The indexes of the rules that can allow a request at all, in order. */
function candidatesOf(
  rules: readonly PolicyRule[],
  { resourceRequest, apiGroup = '' }: Attributes,
): Iterable<number> {
  if (rules.length <= MANY_RULES) return rules.keys();
  let index = byGroup.get(rules);
  if (index === undefined) {
    const ofGroup = new Map<string, number[]>();
    const ofUrls: number[] = [];
    rules.forEach(({ apiGroups = [], nonResourceURLs = [] }, at) => {
      for (const group of new Set(apiGroups)) append(ofGroup, group, at);
      if (nonResourceURLs.length > 0) ofUrls.push(at);
    });
    index = { ofGroup, ofUrls };
    byGroup.set(rules, index);
  }
  if (resourceRequest !== true) return index.ofUrls;
  const own = index.ofGroup.get(apiGroup) ?? [];
  const any = apiGroup === '*' ? [] : (index.ofGroup.get('*') ?? []);
  return any.length === 0 ? own : [...new Set([...own, ...any])].sort((a, b) => a - b);
}

function inside<Key, Inner, Value>(map: Map<Key, Map<Inner, Value>>, key: Key): Map<Inner, Value> {
  let inner = map.get(key);
  if (inner === undefined) {
    inner = new Map();
    map.set(key, inner);
  }
  return inner;
}

function isRbac({ apiVersion }: KubeObject): boolean {
  return apiVersion.startsWith('rbac.authorization.k8s.io/');
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function isText(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string';
}

function textAt(object: unknown, path: Path): string {
  const value = valueAt(object, path);
  return typeof value === 'string' ? value : '';
}

function subjectsOf(binding: KubeObject): Subject[] {
  const { subjects } = binding;
  if (!Array.isArray(subjects)) return [];
  return subjects.map((subject: unknown): Subject => {
    const namespace = textAt(subject, ['namespace']);
    // What is no text is nobody, rather than the user without a name.
    const typed = isRecord(subject) && ['kind', 'name', 'namespace'].every(key => isText(subject[key]));
    return {
      kind: typed ? textAt(subject, ['kind']) : '',
      name: textAt(subject, ['name']),
      ...(namespace === '' ? {} : { namespace }),
    };
  });
}

/** Whom a subject means; undefined for nobody. The apiGroup of a subject is not looked at when requests are decided. */
function keyOf(subject: Subject, bindingNamespace: string | undefined): string | undefined {
  switch (subject.kind) {
    case 'User':
    case 'Group':
      return `${subject.kind}\0${subject.name}`;
    case 'ServiceAccount': {
      const namespace = subject.namespace ?? bindingNamespace ?? '';
      return namespace === '' ? undefined : `ServiceAccount\0${SERVICE_ACCOUNT}${namespace}:${subject.name}`;
    }
    default:
      return undefined;
  }
}

function withNamespace(subject: Subject, bindingNamespace: string | undefined): Subject {
  if (subject.kind !== 'ServiceAccount') return { kind: subject.kind, name: subject.name };
  return { ...subject, namespace: subject.namespace ?? bindingNamespace ?? '' };
}

/** The words of the API server: the binding, its role, and the first of its subjects that is the user. */
function describe({ object, namespace, subjects, roleKind, roleName }: Binding, user: UserInfo): string {
  const subject = subjects[firstSubject(subjects, namespace, user)]!;
  const name = namespace === undefined ? nameOf(object) : `${nameOf(object)}/${namespace}`;
  const who =
    subject.kind === 'ServiceAccount'
      ? `${subject.kind} ${quoted(`${subject.name}/${subject.namespace ?? namespace ?? ''}`)}`
      : `${subject.kind} ${quoted(subject.name)}`;
  return `${object.kind} ${quoted(name)} of ${roleKind} ${quoted(roleName)} to ${who}`;
}

/** Bindings of more subjects than this know where each stands. */
const MANY_SUBJECTS = 32;

const positions = new WeakMap<readonly Subject[], ReadonlyMap<string, number>>();

/** The position of the first subject that is the user, or a group of his. */
function firstSubject(subjects: readonly Subject[], namespace: string | undefined, user: UserInfo): number {
  if (subjects.length <= MANY_SUBJECTS) return subjects.findIndex(one => isUser(one, namespace, user));
  let known = positions.get(subjects);
  if (known === undefined) {
    const first = new Map<string, number>();
    subjects.forEach((subject, at) => {
      const key = keyOf(subject, namespace);
      if (key !== undefined && !first.has(key)) first.set(key, at);
    });
    known = first;
    positions.set(subjects, known);
  }
  return Math.min(...keysOfUser(user).flatMap(key => known.get(key) ?? []));
}

/** The keys of the subjects that mean a user: himself, and his groups. */
function keysOfUser({ name = '', groups = [] }: UserInfo): string[] {
  const keys = [`User\0${name}`, ...groups.map(group => `Group\0${group}`)];
  if (name.startsWith(SERVICE_ACCOUNT)) keys.push(`ServiceAccount\0${name}`);
  return keys;
}

function isUser(subject: Subject, bindingNamespace: string | undefined, user: UserInfo): boolean {
  if (subject.kind === 'User') return subject.name === (user.name ?? '');
  if (subject.kind === 'Group') return (user.groups ?? []).includes(subject.name);
  return keyOf(subject, bindingNamespace) === `ServiceAccount\0${user.name ?? ''}`;
}

function ruleText(role: KubeObject, index: number): string {
  return `rule ${index + 1} of ${role.kind} ${quoted(nameOf(role))}`;
}
