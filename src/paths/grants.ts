/** What bindings grant: the rules of their roles, resolved, and the subjects that get them. */
import { aggregate } from '#decide/authorization/aggregation.ts';
import { invalidRules, type PolicyRule, rulesOf } from '#decide/authorization/rules.ts';
import { shippedObjects, shippedRolesBeside } from '#decide/authorization/shipped.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';

export const BINDINGS = [
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'rbac.authorization.k8s.io/RoleBinding',
];
export const ROLES = ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/Role'];

/** The rules of every ClusterRole by its name: those of the input, and beside them those that every cluster has. */
function clusterRules(world: World): ReadonlyMap<string, readonly PolicyRule[]> {
  const ofInput = world.ofKind('rbac.authorization.k8s.io/ClusterRole').map(({ object }) => object);
  const roles = [...shippedRolesBeside(ofInput).filter(({ kind }) => kind === 'ClusterRole'), ...ofInput];
  const rules = new Map<string, readonly PolicyRule[]>();
  // Of two of a name the last one wins, as `kubectl apply` leaves it.
  for (const [role, granted] of aggregate(roles))
    if (invalidRules(role) === undefined) rules.set(nameOf(role), granted);
    else rules.delete(nameOf(role));
  return rules;
}

/** The rules of a ClusterRole, gathered ones included, of the input or of those that every cluster has. */
export function rulesOfClusterRole(name: string, world: World): readonly PolicyRule[] | undefined {
  return world.fact(clusterRules).get(name);
}

let ofShipped: ReadonlyMap<string, readonly PolicyRule[]> | undefined;

/** The rules of a ClusterRole as it ships, whatever the input says; none where none ships. */
export function shippedRules(name: string): readonly PolicyRule[] {
  if (ofShipped === undefined) {
    const roles = shippedObjects().filter(({ kind }) => kind === 'ClusterRole');
    ofShipped = new Map([...aggregate(roles)].map(([role, rules]) => [nameOf(role), rules]));
  }
  return ofShipped.get(name) ?? [];
}

/** The roles of kube-system and kube-public that every cluster has. */
const shippedRole = (namespace: string | undefined, name: string): KubeObject | undefined =>
  shippedObjects().find(
    ({ kind, metadata }) => kind === 'Role' && metadata?.name === name && metadata.namespace === namespace,
  );

/**
 * The rules that a binding grants; undefined where its role is neither in the input nor one that ships with Kubernetes,
 * or cannot be decoded: then nobody knows.
 */
export function grantedRules(binding: KubeObject, world: World): readonly PolicyRule[] | undefined {
  const kind = valueAt(binding, ['roleRef', 'kind']);
  const name = valueAt(binding, ['roleRef', 'name']);
  if (typeof name !== 'string') return undefined;
  if (kind === 'ClusterRole') return rulesOfClusterRole(name, world);
  if (kind !== 'Role') return undefined;
  const namespace = namespaceOf(binding);
  const role = world.find('rbac.authorization.k8s.io/Role', namespace, name) ?? shippedRole(namespace, name);
  return role === undefined || invalidRules(role) !== undefined ? undefined : rulesOf(role);
}

/** The role that a binding names, where it is in the input. */
export function roleOf(binding: KubeObject, world: World): KubeObject | undefined {
  const kind = valueAt(binding, ['roleRef', 'kind']);
  const name = valueAt(binding, ['roleRef', 'name']);
  if (typeof name !== 'string' || (kind !== 'Role' && kind !== 'ClusterRole')) return undefined;
  return world.find(
    `rbac.authorization.k8s.io/${kind}`,
    kind === 'Role' ? namespaceOf(binding) : undefined,
    name,
  );
}

/** Whether a binding is one of those that Kubernetes makes and keeps itself. */
export function isShipped(binding: KubeObject): boolean {
  return (
    binding.metadata?.labels?.['kubernetes.io/bootstrapping'] === 'rbac-defaults' ||
    nameOf(binding).startsWith('system:')
  );
}

export function subjectsOf(
  binding: KubeObject,
): readonly { readonly kind: string; readonly name: string; readonly namespace: string }[] {
  const { subjects } = binding;
  if (!Array.isArray(subjects)) return [];
  return subjects.filter(isRecord).map(subject => ({
    kind: String(subject['kind'] ?? ''),
    name: String(subject['name'] ?? ''),
    namespace: String(subject['namespace'] ?? namespaceOf(binding) ?? ''),
  }));
}
