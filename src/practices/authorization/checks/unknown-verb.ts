/** Verbs that nobody asks for. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { rulesOf } from '#decide/authorization/rules.ts';
import { ROLES } from '#paths/grants.ts';
import { isBuiltIn, isKept } from '../roles.ts';

/** Sources: apiserver pkg/endpoints/request/requestinfo.go; kubernetes docs, "Authorization" (special verbs). */
const VERBS = new Set(
  '* get list watch create update patch delete deletecollection proxy use bind escalate impersonate approve sign attest'.split(
    ' ',
  ),
);

/** `impersonate:user-info`, `arbitrary-node:update`, `request-serviceaccounts-token-audience`: verbs of one feature each. */
const isSpecial = (verb: string): boolean => verb.includes(':') || verb.startsWith('request-');

const MEANT: Readonly<Record<string, string>> = {
  post: 'create',
  put: 'update',
  edit: 'update',
  remove: 'delete',
};

function meant(verb: string): string | undefined {
  const lower = verb.trim().toLowerCase();
  if (VERBS.has(lower)) return lower;
  return Object.hasOwn(MEANT, lower) ? MEANT[lower] : undefined;
}

export default defineCheck({
  practice: 'authorization',
  name: 'unknown-verb',
  title: 'Rule for a verb that does not exist',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03')],
  why: 'The API server never asks for it: what the rule was to grant is missing.',
  remediation:
    'Write the verbs of the API: get, list, watch, create, update, patch, delete, deletecollection.',

  subject: 'object',
  kinds: ROLES,
  evaluate({ object }) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    const found = rulesOf(object).flatMap((rule, index) =>
      isBuiltIn(rule)
        ? (rule.verbs ?? []).flatMap((verb, at) =>
            VERBS.has(verb) || isSpecial(verb) ? [] : [{ index, at, verb, instead: meant(verb) }],
          )
        : [],
    );
    if (found.length === 0) return pass;
    return fail(found, ...found.map(({ index, at }) => ['rules', index, 'verbs', at]));
  },
  message: found =>
    found
      .map(
        ({ verb, instead }) =>
          `"${verb}" is no verb of the API${instead === undefined ? '' : ` (meant ${instead}?)`}`,
      )
      .join('; '),
  fix: {
    title: 'Write the verb that was meant',
    kind: 'review',
    changes: found =>
      found.some(({ instead }) => instead === undefined)
        ? []
        : found.map(({ index, at, instead }) => ({
            op: 'set',
            path: ['rules', index, 'verbs', at],
            value: instead,
          })),
  },

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [GET] }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [read] }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [example.com], resources: [robots], verbs: [drive] }]
      `,
    ],
  },
});
