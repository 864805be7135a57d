/** One role under two names. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { rulesOf } from '#decide/authorization/rules.ts';
import type { KubeObject } from '#kube/objects.ts';
import { ROLES } from '#paths/grants.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { canonical, isKept } from '../roles.ts';

const textOf = (role: KubeObject): string =>
  `${role.kind}/${namespaceOf(role) ?? ''}/${canonical(rulesOf(role))}`;

/** The first role of each meaning. */
const firsts = (world: World): ReadonlyMap<string, KubeObject> => {
  const first = new Map<string, KubeObject>();
  for (const { object } of ROLES.flatMap(kind => world.ofKind(kind)))
    if (!first.has(textOf(object))) first.set(textOf(object), object);
  return first;
};

export default defineCheck({
  practice: 'authorization',
  name: 'duplicate-role',
  title: 'Role with the rules of another',
  severity: 'info',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'Two roles of the same rules drift apart: whoever narrows one forgets the other.',
  remediation: 'Bind one role to both.',

  subject: 'object',
  kinds: ROLES,
  looksAt: ROLES,
  evaluate({ object }, { world }) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    if (rulesOf(object).length === 0) return notApplicable('it has no rules of its own');
    const first = world.fact(firsts).get(textOf(object));
    if (first === undefined || first.metadata?.name === object.metadata?.name) return pass;
    return fail({ name: first.metadata?.name ?? '' }, ['metadata', 'name']);
  },
  message: ({ name }) => `its rules are those of "${name}"`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot2 }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot2 }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get] }]
      `,
    ],
  },
});
