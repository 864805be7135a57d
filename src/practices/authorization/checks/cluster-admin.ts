/** Everything, for somebody. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp } from '#check/frameworks.ts';
import { BINDINGS } from '#paths/grants.ts';
import { ADMIN, grants } from '../grants.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'cluster-admin',
  title: 'Binding grants everything',
  severity: 'critical',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.1'), cis('5.1.3'), owasp('K03'), mitre('T1078'), nsa('role-based access control')],
  why: 'Whoever is bound, and whoever gets into a workload that runs as them, is the cluster: every secret, every node, every policy.',
  remediation: 'Grant what is used: list the verbs and resources, in the namespaces where they are needed.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/Role'],
  evaluate({ object }, { world }) {
    return grants(object, world, ADMIN);
  },
  severityOf: ({ everywhere }) => (everywhere ? 'critical' : 'medium'),
  message: ({ who, role, where }) => `${who} may do everything ${where}, by role "${role}"`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
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
