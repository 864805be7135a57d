/** Rights for everybody. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { BINDINGS, grantedRules, isShipped, ROLES, subjectsOf } from '#paths/grants.ts';
import { HARMLESS } from '../examples.ts';
import { readsOnly } from '../grants.ts';

const EVERYBODY = new Set(['system:authenticated', 'system:unauthenticated', 'system:masters']);

export default defineCheck({
  practice: 'authorization',
  name: 'everybody-bound',
  title: 'Binding for everybody',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.7'), owasp('K03'), owasp('K06'), mitre('T1078.001')],
  why: 'system:anonymous and system:unauthenticated are whoever reaches the API server; system:authenticated is every user and every service account of every namespace; system:masters passes by every authorizer.',
  remediation: 'Bind the users, groups and service accounts that need it.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, { world }) {
    if (isShipped(object)) return notApplicable('it ships with Kubernetes');
    const found = subjectsOf(object).flatMap(({ kind, name }, index) =>
      (kind === 'Group' && EVERYBODY.has(name)) || (kind === 'User' && name === 'system:anonymous')
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
  severityOf: ({ names, reading }) => {
    if (names.includes('system:masters')) return 'high';
    const unknown = names.some(name => name === 'system:anonymous' || name === 'system:unauthenticated');
    if (unknown) return reading ? 'high' : 'critical';
    return reading ? 'low' : 'high';
  },
  message: ({ names, reading }) => `it binds ${names.join(', ')}${reading ? ', who may read by it' : ''}`,

  examples: {
    bad: [
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
      subjects: [{ kind: Group, name: "system:unauthenticated", apiGroup: rbac.authorization.k8s.io }]
      `,
    ],
    good: [HARMLESS],
  },
});
