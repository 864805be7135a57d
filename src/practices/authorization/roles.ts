/** What the checks of roles share: which roles they judge, and how rules compare. */
import type { Change } from '#check/change.ts';
import type { PolicyRule } from '#decide/authorization/rules.ts';
import { shippedObjects } from '#decide/authorization/shipped.ts';
import { builtInResources } from '#kube/api-resources.ts';
import { type KubeObject, nameOf, type Path } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';

/** The role of this name that every cluster has. */
export function shippedOf(role: KubeObject): KubeObject | undefined {
  return shippedObjects().find(
    one =>
      one.kind === role.kind &&
      nameOf(one) === nameOf(role) &&
      (role.kind === 'ClusterRole' || one.metadata?.namespace === namespaceOf(role)),
  );
}

/** Whether a role is one of those that Kubernetes makes and keeps itself: nobody who reads the finding wrote it. */
export function isKept(role: KubeObject): boolean {
  return (
    role.metadata?.labels?.['kubernetes.io/bootstrapping'] === 'rbac-defaults' ||
    shippedOf(role) !== undefined
  );
}

const NONE: readonly string[] = [];

const within = (lists: readonly string[], wider: readonly string[]): boolean =>
  wider.includes('*') || lists.every(item => wider.includes(item));

/** Whether one rule, by itself, allows all that another does. */
export function includes(wide: PolicyRule, narrow: PolicyRule): boolean {
  const names = wide.resourceNames ?? NONE;
  const narrowNames = narrow.resourceNames ?? NONE;
  return (
    within(narrow.verbs ?? NONE, wide.verbs ?? NONE) &&
    within(narrow.apiGroups ?? NONE, wide.apiGroups ?? NONE) &&
    within(narrow.resources ?? NONE, wide.resources ?? NONE) &&
    within(narrow.nonResourceURLs ?? NONE, wide.nonResourceURLs ?? NONE) &&
    (names.length === 0 || (narrowNames.length > 0 && narrowNames.every(name => names.includes(name))))
  );
}

/** The groups whose resources are known; `extensions` and those of add-ons are not among them. */
export const KNOWN_GROUPS: ReadonlySet<string> = new Set(builtInResources.map(({ group }) => group));

/** Whether a rule speaks of built-in groups only: of others nobody knows what they serve. */
export function isBuiltIn({ apiGroups = NONE }: PolicyRule): boolean {
  return apiGroups.length > 0 && apiGroups.every(group => KNOWN_GROUPS.has(group));
}

/** Of everything for everybody another check speaks, on the binding. */
export function isEverything({ verbs = NONE, apiGroups = NONE, resources = NONE }: PolicyRule): boolean {
  return verbs.includes('*') && apiGroups.includes('*') && resources.includes('*');
}

/** The same text for the same rules, in whatever order they are written. */
export function canonical(rules: readonly PolicyRule[]): string {
  const sorted = (list: readonly string[] = NONE): readonly string[] => [...new Set(list)].sort();
  return JSON.stringify(
    rules
      .map(({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }) =>
        JSON.stringify([verbs, apiGroups, resources, resourceNames, nonResourceURLs].map(sorted)),
      )
      .sort(),
  );
}

/** A list with what a star stands for in the star's place; the list itself stays, with the comments beside it. */
export function starReplaced(list: Path, at: number, by: readonly string[]): Change[] {
  const [first, ...more] = by;
  if (first === undefined) return [{ op: 'remove', path: [...list, at] }];
  return [
    { op: 'set', path: [...list, at], value: first },
    ...more.map((value): Change => ({ op: 'append', path: list, value })),
  ];
}
