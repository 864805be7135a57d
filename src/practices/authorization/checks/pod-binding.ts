/** The scheduler's own right. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS } from '#paths/grants.ts';
import { grants, request, requests } from '../grants.ts';

const REQUESTS = [...requests(['create'], 'pods/binding'), ...requests(['create'], 'bindings')];

export default defineCheck({
  practice: 'authorization',
  name: 'pod-binding',
  title: 'Binding lets pods be put on chosen nodes',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1610')],
  why: 'Whoever binds pods to nodes passes by the scheduler: by taints, by affinity, by the reserve of the control plane.',
  remediation: 'Leave it to schedulers.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/Role'],
  evaluate({ object }, { world }) {
    return grants(object, world, REQUESTS, { impliedBy: [request('create', 'pods')] });
  },
  severityOf: ({ everywhere }) => (everywhere ? 'medium' : 'low'),
  message: ({ who, role, where }) => `${who} may put pods on nodes of its choice ${where}, by role "${role}"`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [pods/binding], verbs: [create] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: robot }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [pods/binding], verbs: [create] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: RoleBinding
      metadata: { name: robot, namespace: shop }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: robot }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: robot }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
    ],
  },
});
