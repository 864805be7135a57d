/** Addresses of load balancers. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS } from '#paths/grants.ts';
import { CHANGE, grants, requests } from '../grants.ts';

const REQUESTS = [...requests(CHANGE, 'services/status')];

export default defineCheck({
  practice: 'authorization',
  name: 'service-status-write',
  title: 'Binding lets addresses of load balancers be claimed',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07'), mitre('T1557')],
  why: "The address that a status claims is answered inside the cluster: traffic to it, the cloud's metadata service among others, goes to the service (CVE-2020-8554).",
  remediation: 'Leave it to the controller of the load balancers.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/Role'],
  evaluate({ object }, { world }) {
    return grants(object, world, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) =>
    `${who} may claim addresses of load balancers ${where}, by role "${role}"`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [services/status], verbs: [update] }]
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
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [services/status], verbs: [update] }]
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
