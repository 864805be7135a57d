/** Rules that the controller throws away. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { rulesOf } from '#decide/authorization/rules.ts';
import { isRecord, nameOf } from '#kube/objects.ts';
import { rulesOfClusterRole } from '#paths/grants.ts';
import { includes, isKept } from '../roles.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'overwritten-rules',
  title: 'Rules of an aggregated role that are overwritten',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03')],
  why: 'The controller replaces the rules of an aggregated role by those that its selectors gather: what is written beside them is granted for a moment, or never.',
  remediation: 'Put the rules into a ClusterRole with a label that is selected.',

  subject: 'object',
  kinds: ['rbac.authorization.k8s.io/ClusterRole'],
  looksAt: ['rbac.authorization.k8s.io/ClusterRole'],
  evaluate({ object }, { world }) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    if (!isRecord(object['aggregationRule'])) return notApplicable('it aggregates nothing');
    const gathered = rulesOfClusterRole(nameOf(object), world) ?? [];
    // An export of a cluster has the gathered rules written down.
    const lost = rulesOf(object).filter(rule => !gathered.some(one => includes(one, rule)));
    return lost.length === 0 ? pass : fail({ count: lost.length }, ['rules']);
  },
  message: ({ count }) =>
    `${count === 1 ? 'a rule is' : `${count} rules are`} overwritten by what the selectors gather`,
  fix: {
    title: 'Leave the rules to the controller',
    kind: 'safe',
    changes: () => [{ op: 'set', path: ['rules'], value: [] }],
  },

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { robots: "true" } }] }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { robots: "true" } }] }
      rules: []
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      `,
    ],
  },
});
