/** Every resource, those to come too. */
import { defineCheck } from '#check/check.ts';
import { cis, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { type PolicyRule, rulesOf } from '#decide/authorization/rules.ts';
import { builtInResources } from '#kube/api-resources.ts';
import { ROLES } from '#paths/grants.ts';
import { isAsked } from '../grants.ts';
import { isBuiltIn, isEverything, isKept, starReplaced } from '../roles.ts';

const METRICS = new Set(['custom.metrics.k8s.io', 'external.metrics.k8s.io']);

export default defineCheck({
  practice: 'authorization',
  name: 'wildcard-resources',
  title: 'Role grants every resource of a group',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.3'), owasp('K03')],
  why: 'A star grants subresources too, as pods/exec and nodes/proxy, and what a later release brings into the group; of the core group, all secrets.',
  remediation: 'List the resources that are used.',

  subject: 'object',
  kinds: ROLES,
  looksAt: [],
  evaluate({ object }, context) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    const isLeft = (rule: PolicyRule): boolean => isAsked(context, 'cluster-admin') && isEverything(rule);
    const found = rulesOf(object).flatMap((rule, index) => {
      const { apiGroups = [], resources = [] } = rule;
      if (!resources.includes('*') || isLeft(rule)) return [];
      // There the resources are the metrics themselves: no list could name them.
      if (apiGroups.length > 0 && apiGroups.every(group => METRICS.has(group))) return [];
      // The list is the product of groups and resources: of one known group it says what the star said.
      const [group] = apiGroups;
      const listed =
        apiGroups.length === 1 && isBuiltIn(rule)
          ? builtInResources
              .filter(one => one.group === group && !resources.includes(one.name))
              .map(({ name }) => name)
          : undefined;
      return [{ index, at: resources.indexOf('*'), groups: apiGroups, listed }];
    });
    if (found.length === 0) return pass;
    return fail(found, ...found.map(({ index }) => ['rules', index, 'resources']));
  },
  message: found =>
    found
      .map(
        ({ index, groups }) =>
          `rule ${index + 1} grants every resource of ${groups
            .map(group => (group === '*' ? 'every group' : group || 'the core group'))
            .slice(0, 4)
            .join(', ')}`,
      )
      .join('; '),
  fix: {
    title: 'List the resources of the group, without subresources',
    kind: 'review',
    // All of them or none: half a fix leaves the finding.
    changes: found =>
      found.some(({ listed = [] }) => listed.length === 0)
        ? []
        : found.flatMap(({ index, at, listed = [] }) =>
            starReplaced(['rules', index, 'resources'], at, listed),
          ),
  },

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: ["*"], verbs: [get] }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [example.com], resources: ["*"], verbs: [get] }]
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
