/** What bindings grant: the rules of their roles, resolved, and the subjects that get them. */
import { aggregate } from '#decide/authorization/aggregation.ts';
import { type PolicyRule, rulesOf } from '#decide/authorization/rules.ts';
import { isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';

export const BINDINGS = [
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'rbac.authorization.k8s.io/RoleBinding',
];

/** Roles that ship with Kubernetes, as far as a binding to them says enough. */
const SHIPPED: Readonly<Record<string, readonly PolicyRule[]>> = {
  'cluster-admin': [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
    { verbs: ['*'], nonResourceURLs: ['*'] },
  ],
  admin: [
    {
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
      apiGroups: [''],
      resources: ['secrets', 'pods', 'serviceaccounts'],
    },
    {
      verbs: ['create', 'get'],
      apiGroups: [''],
      resources: ['pods/exec', 'pods/attach', 'pods/portforward', 'serviceaccounts/token'],
    },
    { verbs: ['impersonate'], apiGroups: [''], resources: ['serviceaccounts'] },
    { verbs: ['*'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'] },
  ],
  edit: [
    {
      verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
      apiGroups: [''],
      resources: ['secrets', 'pods', 'serviceaccounts'],
    },
    {
      verbs: ['create', 'get'],
      apiGroups: [''],
      resources: ['pods/exec', 'pods/attach', 'pods/portforward', 'serviceaccounts/token'],
    },
    { verbs: ['impersonate'], apiGroups: [''], resources: ['serviceaccounts'] },
  ],
  view: [],
};

const aggregated = (world: World) =>
  aggregate(world.ofKind('rbac.authorization.k8s.io/ClusterRole').map(({ object }) => object));

/** The rules that a binding grants; undefined where its role is neither in the input nor one that ships with Kubernetes. */
export function grantedRules(binding: KubeObject, world: World): readonly PolicyRule[] | undefined {
  const kind = valueAt(binding, ['roleRef', 'kind']);
  const name = valueAt(binding, ['roleRef', 'name']);
  if (typeof name !== 'string') return undefined;
  if (kind === 'Role') {
    const role = world.find('rbac.authorization.k8s.io/Role', namespaceOf(binding), name);
    return role === undefined ? undefined : rulesOf(role);
  }
  const role = world.find('rbac.authorization.k8s.io/ClusterRole', undefined, name);
  if (role !== undefined) return world.fact(aggregated).get(role);
  return Object.hasOwn(SHIPPED, name) ? SHIPPED[name] : undefined;
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
