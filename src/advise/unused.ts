/** What bindings grant and a log shows no use of, what of it no log could show, and what would be enough. */
import type { AuditPolicy } from '#decide/authorization/audit-policy.ts';
import type { ChainAuthorizer } from '#decide/authorization/door.ts';
import { invalidRules, type PolicyRule, rulesOf } from '#decide/authorization/rules.ts';
import { matchesTrailingStars } from '#kube/go-text.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { fewest } from './hitting-set.ts';
import { type Observable, type ObservedSubject, observable } from './observable.ts';
import type { Used } from './roles.ts';

export interface Unused {
  readonly binding: KubeObject;
  /** Undefined where its role is not in the input: what it grants is not known. */
  readonly role?: KubeObject;
  /** No request of the log was allowed by it; of `unseen`: none could be seen. */
  readonly whole: boolean;
  readonly rules: readonly UnusedRule[];
}

/** A rule of the role, or the words of one, that no request of the log needed. */
export interface UnusedRule {
  readonly index: number;
  readonly whole: boolean;
  /** Of a rule that is used: these of its words were not. */
  readonly verbs: readonly string[];
  readonly resources: readonly string[];
  readonly nonResourceURLs: readonly string[];
  /** Whether the audit policy lets a use of it be seen; absent where no policy is known. */
  readonly observable?: Observable;
}

/** A binding that is used, and of which everything is allowed by others too. */
export interface Redundant {
  readonly binding: KubeObject;
  /** The bindings that allow all that was seen through it. */
  readonly by: readonly KubeObject[];
  /** Distinct requests that it allowed. */
  readonly requests: number;
}

export interface UnusedGrants {
  /** In input order; bindings that are used as a whole are left out. */
  readonly unused: readonly Unused[];
  /** Nothing of these was seen, and the audit policy lets nothing of them be seen. */
  readonly unseen: readonly Unused[];
  /** Bindings whose role is not in the input, or cannot be decoded. */
  readonly unknown: readonly KubeObject[];
  /** The fewest bindings that still allow every request of the log that the input allows. */
  readonly needed: readonly KubeObject[];
  /** Whether no smaller set is certain. */
  readonly exact: boolean;
  readonly redundant: readonly Redundant[];
  /** Distinct requests, and those of them that nothing in the input allows. */
  readonly requests: number;
  readonly unexplained: number;
}

/**
 * A request that several bindings allow counts as a use of each.
 *
 * @param policy the audit policy by which the log was written, where it is known
 */
export function unusedGrants(
  world: World,
  authorizer: ChainAuthorizer,
  used: readonly Used[],
  policy?: AuditPolicy,
): UnusedGrants {
  const uses = new Map<KubeObject, Map<number, Used[]>>();
  const demands: Set<KubeObject>[] = [];
  for (const one of used) {
    const { because } = authorizer.authorize({
      ...one.request,
      user: { name: one.user, groups: [...one.groups] },
    });
    const allowing = new Set<KubeObject>();
    demands.push(allowing);
    // The decider names a binding, then the rule of its role.
    because.forEach(({ object, path }, at) => {
      const index = because[at + 1]?.path?.[1];
      if (object === undefined || path?.[0] !== 'roleRef' || typeof index !== 'number') return;
      allowing.add(object);
      const rules = uses.get(object) ?? new Map<number, Used[]>();
      uses.set(object, rules);
      const list = rules.get(index);
      if (list === undefined) rules.set(index, [one]);
      else list.push(one);
    });
  }
  const bindings = ['ClusterRoleBinding', 'RoleBinding']
    .flatMap(kind => world.ofKind(`rbac.authorization.k8s.io/${kind}`))
    .map(({ object }) => object);
  const unused: Unused[] = [];
  const unseen: Unused[] = [];
  const unknown: KubeObject[] = [];
  for (const binding of bindings) {
    const role = roleFor(binding, world);
    if (role === undefined || invalidRules(role) !== undefined) {
      unknown.push(binding);
      continue;
    }
    const hits = uses.get(binding);
    // The rules of an aggregated role belong to other roles: they are not judged one by one.
    if (hits !== undefined && isRecord(role['aggregationRule'])) continue;
    const rules = rulesOf(role)
      .flatMap((rule, index) => unusedOf(rule, index, hits?.get(index) ?? []))
      .map(one => withObservable(one, rulesOf(role)[one.index]!, binding, policy));
    const blind = (one: UnusedRule): boolean => one.observable?.logged === 'none';
    const [hidden, shown] = [rules.filter(blind), rules.filter(one => !blind(one))];
    const whole = hits === undefined;
    if (hidden.length > 0) unseen.push({ binding, role, whole: shown.length === 0 && whole, rules: hidden });
    if (shown.length > 0 || (whole && hidden.length === 0))
      unused.push({ binding, role, whole, rules: shown });
  }
  const { chosen, exact } = fewest(demands);
  return {
    unused,
    unseen,
    unknown,
    needed: bindings.filter(binding => chosen.has(binding)),
    exact,
    redundant: redundantOf(bindings, chosen, demands),
    requests: demands.length,
    unexplained: demands.filter(({ size }) => size === 0).length,
  };
}

function redundantOf(
  bindings: readonly KubeObject[],
  chosen: ReadonlySet<KubeObject>,
  demands: readonly ReadonlySet<KubeObject>[],
): Redundant[] {
  const through = new Map<KubeObject, { requests: number; readonly demands: Set<KubeObject>[] }>();
  for (const demand of demands)
    for (const binding of demand) {
      if (chosen.has(binding)) continue;
      const one = through.get(binding) ?? { requests: 0, demands: [] };
      through.set(binding, one);
      one.requests++;
      one.demands.push(new Set([...demand].filter(other => chosen.has(other))));
    }
  return bindings.flatMap(binding => {
    const one = through.get(binding);
    if (one === undefined) return [];
    const { chosen: by } = fewest(one.demands);
    return [{ binding, by: bindings.filter(other => by.has(other)), requests: one.requests }];
  });
}

function unusedOf(rule: PolicyRule, index: number, used: readonly Used[]): UnusedRule[] {
  const { verbs = [], resources = [], nonResourceURLs = [] } = rule;
  if (used.length === 0) return [{ index, whole: true, verbs, resources, nonResourceURLs }];
  // All of them are allowed by the rule: of each word only its own field is left to look at.
  const asked = { verbs: new Set<string>(), resources: new Set<string>(), paths: new Set<string>() };
  for (const { request } of used) {
    const { verb = '', resource = '', subresource = '', path = '' } = request;
    asked.verbs.add(verb);
    if (request.resourceRequest !== true) asked.paths.add(path);
    else if (subresource === '') asked.resources.add(resource);
    else asked.resources.add(`${resource}/${subresource}`).add(`*/${subresource}`);
  }
  const isNeeded = (word: string, words: ReadonlySet<string>): boolean =>
    word === '*' ? words.size > 0 : words.has(word);
  const left = {
    index,
    whole: false,
    verbs: verbs.filter(word => !isNeeded(word, asked.verbs)),
    resources: resources.filter(word => !isNeeded(word, asked.resources)),
    nonResourceURLs: nonResourceURLs.filter(
      url =>
        !isNeeded(url, asked.paths) &&
        !(url.endsWith('*') && [...asked.paths].some(path => matchesTrailingStars(url, path))),
    ),
  };
  return left.verbs.length + left.resources.length + left.nonResourceURLs.length === 0 ? [] : [left];
}

/** Whether what was not used could have been seen. */
function withObservable(
  one: UnusedRule,
  rule: PolicyRule,
  binding: KubeObject,
  policy: AuditPolicy | undefined,
): UnusedRule {
  if (policy === undefined) return one;
  const namespace = binding.kind === 'RoleBinding' ? (binding.metadata?.namespace ?? '') : undefined;
  const subjects = subjectsOf(binding, namespace);
  // Of a rule that is used each word is a permission of its own.
  const parts: PolicyRule[] = one.whole
    ? [rule]
    : [
        ...(one.verbs.length === 0 ? [] : [{ ...rule, verbs: one.verbs }]),
        ...(one.resources.length === 0 ? [] : [{ ...rule, resources: one.resources, nonResourceURLs: [] }]),
        ...(one.nonResourceURLs.length === 0
          ? []
          : [{ ...rule, nonResourceURLs: one.nonResourceURLs, resources: [] }]),
      ];
  const seen = parts.map(part => observable(policy, subjects, namespace, part));
  const alike = seen.every(({ logged }) => logged === seen[0]!.logged);
  return {
    ...one,
    observable: {
      logged: alike ? seen[0]!.logged : 'some',
      hiddenBy: [...new Set(seen.flatMap(({ hiddenBy }) => hiddenBy))],
    },
  };
}

function subjectsOf(binding: KubeObject, namespace: string | undefined): ObservedSubject[] {
  const { subjects } = binding;
  if (!Array.isArray(subjects)) return [];
  return subjects.filter(isRecord).map(subject => {
    const home = subject['namespace'] ?? namespace;
    return {
      kind: String(subject['kind'] ?? ''),
      name: String(subject['name'] ?? ''),
      ...(typeof home === 'string' ? { namespace: home } : {}),
    };
  });
}

function roleFor(binding: KubeObject, world: World): KubeObject | undefined {
  const kind = valueAt(binding, ['roleRef', 'kind']);
  const name = valueAt(binding, ['roleRef', 'name']);
  if (typeof name !== 'string' || (kind !== 'Role' && kind !== 'ClusterRole')) return undefined;
  const namespace = kind === 'Role' ? binding.metadata?.namespace : undefined;
  return world.find(`rbac.authorization.k8s.io/${kind}`, namespace, name);
}

/** `ClusterRoleBinding release`. */
export function bindingText(binding: KubeObject): string {
  const namespace = binding.metadata?.namespace;
  return `${binding.kind} ${namespace === undefined ? '' : `${namespace}/`}${nameOf(binding)}`;
}
