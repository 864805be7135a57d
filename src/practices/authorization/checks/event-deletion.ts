/** Traces. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS } from '#paths/grants.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['delete', 'deletecollection'], 'events'),
  ...requests(['delete', 'deletecollection'], 'events', 'events.k8s.io'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'event-deletion',
  title: 'Binding lets events be deleted',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K05'), mitre('T1070')],
  why: 'Events show what happened in a namespace: whoever deletes them hides what they did.',
  remediation: 'Let events expire by themselves.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ['rbac.authorization.k8s.io/ClusterRole', 'rbac.authorization.k8s.io/Role'],
  evaluate({ object }, { world }) {
    return grants(object, world, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) => `${who} may delete events ${where}, by role "${role}"`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [events], verbs: [delete] }]
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
      rules: [{ apiGroups: [""], resources: [events], verbs: [delete] }]
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
