/** Bindings for nobody. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { BINDINGS, isShipped, subjectsOf } from '#paths/grants.ts';
import { boundTo } from '../examples.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'empty-binding',
  title: 'Binding without subjects',
  severity: 'info',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03')],
  why: 'It grants nothing, and hides that somebody was to get it.',
  remediation: 'Name the subjects, or remove the binding.',

  subject: 'object',
  kinds: BINDINGS,
  evaluate({ object }) {
    if (isShipped(object)) return notApplicable('it ships with Kubernetes');
    return subjectsOf(object).length === 0 ? fail({}, ['subjects']) : pass;
  },
  message: () => 'it binds nobody',

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: []
      `,
    ],
    good: [boundTo('view')],
  },
});
