/** Subjects that the API server refuses. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { refusedSubjects } from '#decide/authorization/validation.ts';
import { BINDINGS } from '#paths/grants.ts';
import { boundTo } from '../examples.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'invalid-subject',
  title: 'Subject that the API server refuses',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K03')],
  why: 'The API server refuses the whole binding: those who need it go without, and somebody will grant more to make it work.',
  remediation:
    'Leave apiGroup out with service accounts; with users and groups it is rbac.authorization.k8s.io. A service account is named as it is, with its namespace beside it.',

  subject: 'object',
  kinds: BINDINGS,
  evaluate({ object }) {
    const found = refusedSubjects(object);
    return found.length === 0 ? pass : fail(found, ...found.map(({ index }) => ['subjects', index]));
  },
  message: found => found.map(({ index, text }) => `subject ${index + 1} ${text}`).join('; '),
  fix: {
    title: 'Correct the group of the subject',
    kind: 'safe',
    changes: found =>
      found.some(({ group }) => group === undefined)
        ? []
        : found.map(({ index, group }) => ({
            op: 'set',
            path: ['subjects', index, 'apiGroup'],
            value: group,
          })),
  },

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: ServiceAccount, name: robot }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: RoleBinding
      metadata: { name: robot, namespace: ops }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: ServiceAccount, name: "system:serviceaccount:ops:robot", namespace: ops }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: ServiceAccount, name: robot, namespace: ops }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ apiGroup: v1, kind: Group, name: devs }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: Robot, name: robot }]
      `,
    ],
    good: [
      boundTo('view'),
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: Group, name: devs }]
      `,
    ],
  },
});
