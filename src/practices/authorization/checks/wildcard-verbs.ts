/** Every verb, those to come too. */
import { defineCheck } from '#check/check.ts';
import { cis, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { type PolicyRule, rulesOf } from '#decide/authorization/rules.ts';
import { ROLES } from '#paths/grants.ts';
import { isAsked } from '../grants.ts';
import { isEverything, isKept, starReplaced } from '../roles.ts';

/** What a star stands for with ordinary resources; verbs with a meaning of their own, as bind, are not meant by most. */
const ORDINARY = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

export default defineCheck({
  practice: 'authorization',
  name: 'wildcard-verbs',
  title: 'Role grants every verb',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.3'), owasp('K03')],
  why: 'A star grants verbs that nobody thought of: escalate, bind and impersonate among them, and those that a later release brings.',
  remediation: 'List the verbs that are used.',

  subject: 'object',
  kinds: ROLES,
  looksAt: [],
  evaluate({ object }, context) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    const isLeft = (rule: PolicyRule): boolean => isAsked(context, 'cluster-admin') && isEverything(rule);
    const found = rulesOf(object).flatMap((rule, index) =>
      (rule.verbs ?? []).includes('*') && !isLeft(rule) && (rule.nonResourceURLs ?? []).length === 0
        ? [{ index, verbs: rule.verbs ?? [], resources: rule.resources ?? [], groups: rule.apiGroups ?? [] }]
        : [],
    );
    if (found.length === 0) return pass;
    return fail(found, ...found.map(({ index }) => ['rules', index, 'verbs']));
  },
  message: found =>
    found
      .map(
        ({ index, resources, groups }) =>
          `rule ${index + 1} grants every verb on ${resources
            .slice(0, 4)
            .map(resource =>
              resource === '*'
                ? `all of ${groups.map(group => group || 'the core group').join(', ')}`
                : resource,
            )
            .join(', ')}`,
      )
      .join('; '),
  fix: {
    title: 'List the ordinary verbs',
    kind: 'review',
    changes: found =>
      found.flatMap(({ index, verbs }) =>
        starReplaced(
          ['rules', index, 'verbs'],
          verbs.indexOf('*'),
          ORDINARY.filter(verb => !verbs.includes(verb)),
        ),
      ),
  },

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: ["*"] }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      `,
    ],
  },
});
