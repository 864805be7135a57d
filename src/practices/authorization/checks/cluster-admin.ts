/** Everything, for somebody. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp } from '#check/frameworks.ts';
import { BINDINGS } from '#paths/grants.ts';
import { ADMIN, grants, isSweeping } from '../grants.ts';

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
  evaluate({ object }, { world }) {
    const everywhere = object.kind === 'ClusterRoleBinding';
    return grants(object, world, ADMIN, everywhere ? { orRule: isSweeping } : {});
  },
  severityOf: ({ everywhere }) => (everywhere ? 'critical' : 'medium'),
  message: ({ who, role, where, hits }) =>
    `${who} may ${hits.length > 0 ? 'do everything' : 'change every resource'} ${where}, by role "${role}"`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: ["*"], resources: ["*"], verbs: [get, patch, delete] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: robot }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
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
      rules: [{ apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch] }]
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
