/** Rules that say nothing new. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { rulesOf } from '#decide/authorization/rules.ts';
import { ROLES } from '#paths/grants.ts';
import { canonical, includes, isKept } from '../roles.ts';

/** More rules than these are not compared with one another. */
const MOST = 500;

export default defineCheck({
  practice: 'authorization',
  name: 'duplicate-rule',
  title: 'Rule that another rule includes',
  severity: 'info',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'Whoever narrows one rule does not see that the other still grants it.',
  remediation: 'Remove the rule.',

  subject: 'object',
  kinds: ROLES,
  evaluate({ object }) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    const rules = rulesOf(object);
    if (rules.length > MOST) return unknown(`it has more than ${MOST} rules`);
    const texts = rules.map(rule => canonical([rule]));
    const found = rules.flatMap((rule, index) => {
      // Of two that are equal the first stays.
      const by = rules.findIndex(
        (other, at) => at !== index && includes(other, rule) && (texts[at] !== texts[index] || at < index),
      );
      return by < 0 ? [] : [{ index, by }];
    });
    return found.length === 0 ? pass : fail(found, ...found.map(({ index }) => ['rules', index]));
  },
  message: found => found.map(({ index, by }) => `rule ${by + 1} includes rule ${index + 1}`).join('; '),
  fix: {
    title: 'Remove the rule',
    kind: 'safe',
    changes: found => found.map(({ index }) => ({ op: 'remove', path: ['rules', index] })),
  },

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: 
        - { apiGroups: [apps], resources: [deployments], verbs: [get, list] }
        - { apiGroups: [apps], resources: [deployments], verbs: [get] }
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: 
        - { apiGroups: [apps], resources: [deployments], verbs: [get, list] }
        - { apiGroups: [apps], resources: [deployments], verbs: [list, get] }
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
      rules: 
        - { apiGroups: [apps], resources: [deployments], verbs: [get], resourceNames: [web] }
        - { apiGroups: [apps], resources: [deployments], verbs: [list] }
      `,
    ],
  },
});
