/** The settings of the cluster itself. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS } from '#paths/grants.ts';
import { CHANGE, grants, requests } from '../grants.ts';

const REQUESTS = [...requests(CHANGE, 'configmaps')];

export default defineCheck({
  practice: 'authorization',
  name: 'config-map-write-in-kube-system',
  title: 'Binding lets the settings of kube-system be changed',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1557')],
  why: 'The ConfigMaps of kube-system decide how names resolve (coredns), how services are reached (kube-proxy) and, with EKS, who is an administrator (aws-auth).',
  remediation: 'Name the ConfigMaps in resourceNames; use Leases for leader election.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/Role'],
  evaluate({ object }, { world }) {
    return grants(object, world, REQUESTS, { onlyEverywhere: true, orIn: 'kube-system' });
  },
  message: ({ who, role }) => `${who} may change the ConfigMaps of kube-system by role "${role}"`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [configmaps], verbs: [update] }]
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
      rules: [{ apiGroups: [""], resources: [configmaps], verbs: [update] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: RoleBinding
      metadata: { name: robot, namespace: kube-system }
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
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [configmaps], verbs: [update] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: RoleBinding
      metadata: { name: robot, namespace: shop }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: robot }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
    ],
  },
});
