/** What bindings grant and a log shows no use of. */
import type { ChainAuthorizer } from '#decide/authorization/door.ts';
import { type PolicyRule, ruleAllows, rulesOf } from '#decide/authorization/rules.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import type { Used } from './roles.ts';

export interface Unused {
  readonly binding: KubeObject;
  /** Undefined where its role is not in the input: what it grants is not known. */
  readonly role?: KubeObject;
  /** No request of the log was allowed by it. */
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
}

/**
 * Every binding of the input with what of it was not used, in input order; one that is used as a whole is left out.
 * A request that several bindings allow counts as a use of each.
 */
export function unusedGrants(
  world: World,
  authorizer: ChainAuthorizer,
  used: readonly Used[],
): readonly Unused[] {
  const uses = new Map<KubeObject, Map<number, Used[]>>();
  for (const one of used) {
    const { because } = authorizer.authorize({
      ...one.request,
      user: { name: one.user, groups: [...one.groups] },
    });
    // The decider names a binding, then the rule of its role.
    because.forEach(({ object, path }, at) => {
      const index = because[at + 1]?.path?.[1];
      if (object === undefined || path?.[0] !== 'roleRef' || typeof index !== 'number') return;
      const rules = uses.get(object) ?? new Map<number, Used[]>();
      uses.set(object, rules);
      rules.set(index, [...(rules.get(index) ?? []), one]);
    });
  }
  const bindings = ['ClusterRoleBinding', 'RoleBinding'].flatMap(kind =>
    world.ofKind(`rbac.authorization.k8s.io/${kind}`),
  );
  return bindings.flatMap(({ object: binding }): Unused[] => {
    const role = roleFor(binding, world);
    if (role === undefined) return [{ binding, whole: false, rules: [] }];
    const hits = uses.get(binding);
    if (hits === undefined) return [{ binding, role, whole: true, rules: [] }];
    // The rules of an aggregated role belong to other roles: they are not judged one by one.
    if (isRecord(role['aggregationRule'])) return [];
    const rules = rulesOf(role).flatMap((rule, index) => unusedOf(rule, index, hits.get(index) ?? []));
    return rules.length === 0 ? [] : [{ binding, role, whole: false, rules }];
  });
}

function unusedOf(rule: PolicyRule, index: number, used: readonly Used[]): UnusedRule[] {
  const { verbs = [], resources = [], nonResourceURLs = [] } = rule;
  if (used.length === 0) return [{ index, whole: true, verbs, resources, nonResourceURLs }];
  const needless = (words: readonly string[], only: (word: string) => PolicyRule): string[] =>
    words.filter(
      word => !used.some(({ user, request }) => ruleAllows(only(word), { ...request, user: { name: user } })),
    );
  const left = {
    index,
    whole: false,
    verbs: needless(verbs, word => ({ ...rule, verbs: [word] })),
    resources: needless(resources, word => ({ ...rule, resources: [word] })),
    nonResourceURLs: needless(nonResourceURLs, word => ({ ...rule, nonResourceURLs: [word] })),
  };
  return left.verbs.length + left.resources.length + left.nonResourceURLs.length === 0 ? [] : [left];
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
