/** Names that a request does not carry. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { rulesOf } from '#decide/authorization/rules.ts';
import { ROLES } from '#paths/grants.ts';
import { isKept } from '../roles.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'named-creation',
  title: 'Rule that grants creation by name',
  severity: 'info',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'A request that creates an object, or deletes all of a kind, carries no name when it is authorized: the rule does not match it. Only a patch that creates (server-side apply) asks for create by name, and a rule with patch is taken to be for that.',
  remediation: 'Grant create in a rule of its own, without resourceNames.',

  subject: 'object',
  kinds: ROLES,
  evaluate({ object }) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    const found = rulesOf(object).flatMap(({ verbs = [], resources = [], resourceNames = [] }, index) => {
      // A subresource is created on an object that has a name.
      const whole = resources.filter(resource => resource !== '*' && !resource.includes('/'));
      // Source: apiserver pkg/endpoints/handlers/{create,patch,update}.go.
      const unnamed = verbs.filter(
        verb => (verb === 'create' && !verbs.includes('patch')) || verb === 'deletecollection',
      );
      return resourceNames.length > 0 && whole.length > 0 && unnamed.length > 0
        ? [{ index, verbs: unnamed, resources: whole.slice(0, 4) }]
        : [];
    });
    if (found.length === 0) return pass;
    return fail(found, ...found.map(({ index }) => ['rules', index, 'resourceNames']));
  },
  message: found =>
    found
      .map(
        ({ index, verbs, resources }) =>
          `rule ${index + 1} grants ${verbs.join(', ')} on ${resources.join(', ')} by name`,
      )
      .join('; '),

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [robot], verbs: [create, get, update] }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], resourceNames: [robot], verbs: [create, patch] }]
      `,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [""], resources: [serviceaccounts/token], resourceNames: [robot], verbs: [create] }]
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
