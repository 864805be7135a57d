/** Every group, those to come too. */
import { defineCheck } from '#check/check.ts';
import { cis, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { type PolicyRule, rulesOf } from '#decide/authorization/rules.ts';
import { builtInResources } from '#kube/api-resources.ts';
import { ROLES } from '#paths/grants.ts';
import { isAsked } from '../grants.ts';
import { isEverything, isKept } from '../roles.ts';

/** The one group that serves all of the resources; undefined where several do, or none that is known. */
function groupOf(resources: readonly string[]): string | undefined {
  const groups = new Set<string>();
  for (const resource of resources) {
    const serving = builtInResources.filter(({ name }) => name === resource.split('/')[0]);
    if (serving.length !== 1) return undefined;
    groups.add(serving[0]!.group);
  }
  return groups.size === 1 ? [...groups][0] : undefined;
}

export default defineCheck({
  practice: 'authorization',
  name: 'wildcard-groups',
  title: 'Role grants a resource of every group',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.3'), owasp('K03')],
  why: 'A star grants the resource of that name in every group: whoever installs a definition decides what else it means.',
  remediation: 'Name the group.',

  subject: 'object',
  kinds: ROLES,
  looksAt: [],
  evaluate({ object }, context) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    const isLeft = (rule: PolicyRule): boolean => isAsked(context, 'cluster-admin') && isEverything(rule);
    const found = rulesOf(object).flatMap((rule, index) =>
      (rule.apiGroups ?? []).includes('*') && !isLeft(rule)
        ? [
            {
              index,
              at: (rule.apiGroups ?? []).indexOf('*'),
              resources: rule.resources ?? [],
              group: groupOf(rule.resources ?? []),
            },
          ]
        : [],
    );
    if (found.length === 0) return pass;
    return fail(found, ...found.map(({ index }) => ['rules', index, 'apiGroups']));
  },
  message: found =>
    found
      .map(
        ({ index, resources }) =>
          `rule ${index + 1} grants ${resources.slice(0, 4).join(', ') || 'nothing'} of every group`,
      )
      .join('; '),
  fix: {
    title: 'Name the group that serves the resource',
    kind: 'review',
    changes: found =>
      found.some(({ group }) => group === undefined)
        ? []
        : found.map(({ index, at, group }) => ({
            op: 'set',
            path: ['rules', index, 'apiGroups', at],
            value: group,
          })),
  },

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: ["*"], resources: [deployments], verbs: [get] }]
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
