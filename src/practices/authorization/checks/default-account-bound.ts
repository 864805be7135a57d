/** Rights for every pod that names no account. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { BINDINGS, isShipped, subjectsOf } from '#paths/grants.ts';
import { boundTo } from '../examples.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'default-account-bound',
  title: 'Binding for a default service account',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.5'), owasp('K03'), mitre('T1078.001')],
  why: 'Every pod of the namespace that names no service account runs as this one, and gets what is granted to it.',
  remediation: 'Give the workload that needs the rights a service account of its own.',

  subject: 'object',
  kinds: BINDINGS,
  evaluate({ object }) {
    if (isShipped(object)) return notApplicable('it ships with Kubernetes');
    const found = subjectsOf(object).flatMap(({ kind, name, namespace }, index) =>
      kind === 'ServiceAccount' && name === 'default' ? [{ namespace, index }] : [],
    );
    if (found.length === 0) return pass;
    return fail(
      found.map(({ namespace }) => namespace),
      ...found.map(({ index }) => ['subjects', index, 'name']),
    );
  },
  message: namespaces =>
    `it binds the default service account${namespaces.some(name => name !== '') ? ` of ${namespaces.join(', ')}` : ''}`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: ServiceAccount, name: default, namespace: ops }]
      `,
    ],
    good: [boundTo('view')],
  },
});
