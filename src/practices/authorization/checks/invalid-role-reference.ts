/** Bindings whose reference to a role the API server refuses. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { refusedReference } from '#decide/authorization/validation.ts';
import { BINDINGS } from '#paths/grants.ts';
import { boundTo } from '../examples.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'invalid-role-reference',
  title: 'Binding to what can be no role',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K03')],
  why: 'The API server refuses the binding: those who need it go without, and somebody will grant more to make it work.',
  remediation:
    'roleRef names apiGroup rbac.authorization.k8s.io, kind ClusterRole (or Role, in a RoleBinding), and the name of the role.',

  subject: 'object',
  kinds: BINDINGS,
  evaluate({ object }) {
    const found = refusedReference(object);
    return found.length === 0 ? pass : fail(found, ...found.map(({ path }) => path));
  },
  message: found => found.map(({ text }) => text).join('; '),

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: robot }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: shop }]
      `,
    ],
    good: [boundTo('view')],
  },
});
