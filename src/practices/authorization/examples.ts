/** Texts of the examples that most checks of bindings need. */

const GROUP = 'rbac.authorization.k8s.io';

/** A binding of a ClusterRole to a service account: in the whole cluster, or in one namespace. */
export function boundTo(role: string, namespace?: string): string {
  return `
      apiVersion: ${GROUP}/v1
      kind: ${namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding'}
      metadata: { name: robot${namespace === undefined ? '' : `, namespace: ${namespace}`} }
      roleRef: { apiGroup: ${GROUP}, kind: ClusterRole, name: ${role} }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `;
}

function withRole(rules: string, binding: string): string {
  return `
      apiVersion: ${GROUP}/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: ${rules}
      ---${binding}`;
}

/** A ClusterRole with its binding in the whole cluster. */
export function bound(rules: string): string {
  return withRole(rules, boundTo('robot'));
}

/** A ClusterRole with its binding in one namespace. */
export function boundIn(namespace: string, rules: string): string {
  return withRole(rules, boundTo('robot', namespace));
}

/** Nothing that a check of bindings minds. */
export const HARMLESS: string = bound(
  '[{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]',
);
