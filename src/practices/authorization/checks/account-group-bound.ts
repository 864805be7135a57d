/** Rights for every pod. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { BINDINGS, grantedRules, isShipped, ROLES, subjectsOf } from '#paths/grants.ts';
import { boundTo } from '../examples.ts';
import { readsOnly } from '../grants.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'account-group-bound',
  title: 'Binding for all service accounts',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.5'), owasp('K03'), mitre('T1078.001')],
  why: 'The group system:serviceaccounts is every pod of the cluster, system:serviceaccounts:NAME every pod of a namespace: whoever gets into any has the rights.',
  remediation: 'Bind the service accounts that need it.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, { world }) {
    if (isShipped(object)) return notApplicable('it ships with Kubernetes');
    const found = subjectsOf(object).flatMap(({ kind, name }, index) =>
      kind === 'Group' && (name === 'system:serviceaccounts' || name.startsWith('system:serviceaccounts:'))
        ? [{ name, index }]
        : [],
    );
    if (found.length === 0) return pass;
    const rules = grantedRules(object, world);
    return fail(
      { names: found.map(({ name }) => name), reading: rules !== undefined && readsOnly(rules) },
      ...found.map(({ index }) => ['subjects', index, 'name']),
    );
  },
  severityOf: ({ names, reading }) =>
    reading ? 'low' : names.includes('system:serviceaccounts') ? 'high' : 'medium',
  message: ({ names, reading }) =>
    `it binds every service account of a group: ${names.join(', ')}${reading ? ', who may read by it' : ''}`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: Group, name: system:serviceaccounts }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:serviceaccounts:ops" }]
      `,
    ],
    good: [boundTo('view')],
  },
});
