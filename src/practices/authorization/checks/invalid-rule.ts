/** Roles that the API server refuses. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { refusedRules } from '#decide/authorization/validation.ts';
import { ROLES } from '#paths/grants.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'invalid-rule',
  title: 'Role that the API server refuses',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K03')],
  why: 'The API server refuses the whole role: its bindings grant nothing, or what an older role of the name grants.',
  remediation:
    'A rule names verbs, and either apiGroups with resources, or nonResourceURLs in a ClusterRole.',

  subject: 'object',
  kinds: ROLES,
  evaluate({ object }) {
    const found = refusedRules(object);
    return found.length === 0 ? pass : fail(found, ...found.map(({ path }) => path));
  },
  message: found => found.map(({ text }) => text).join('; '),

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: Role
      metadata: { name: robot, namespace: shop }
      rules: [{ apiGroups: [apps], resources: [deployments] }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: Role
      metadata: { name: robot, namespace: shop }
      rules: [{ nonResourceURLs: [/metrics], verbs: [get] }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: Role
      metadata: { name: robot, namespace: shop }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get] }]
      `,
    ],
  },
});
