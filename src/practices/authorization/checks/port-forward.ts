/** Past the network policies. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { BINDINGS } from '#paths/grants.ts';
import { grants, NODES, request, requests } from '../grants.ts';

const REQUESTS = [...requests(['create', 'get'], 'pods/portforward')];

export default defineCheck({
  practice: 'authorization',
  name: 'port-forward',
  title: 'Binding lets ports of pods be forwarded',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), owasp('K07')],
  why: 'A forwarded port comes from the node itself, and reaches what listens on localhost only: no network policy holds it back. Up to 1.34 get is enough.',
  remediation: 'Give it to people who debug, for a time.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/Role'],
  evaluate({ object }, { world }) {
    return grants(object, world, REQUESTS, { impliedBy: [request('create', 'pods/exec'), ...NODES] });
  },
  message: ({ who, role, where }) => `${who} may forward ports of pods ${where}, by role "${role}"`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [pods/portforward], verbs: [create] }]
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
      rules: [{ apiGroups: [""], resources: [pods/portforward], verbs: [create] }]
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
