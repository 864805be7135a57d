/** The same granted twice. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { BINDINGS, isShipped, subjectsOf } from '#paths/grants.ts';
import { namespaceOf, type World } from '#world/world.ts';

const textOf = (binding: KubeObject): string =>
  JSON.stringify([
    binding.kind,
    namespaceOf(binding) ?? '',
    valueAt(binding, ['roleRef', 'kind']),
    valueAt(binding, ['roleRef', 'name']),
    subjectsOf(binding)
      .map(({ kind, name, namespace }) => `${kind}/${namespace}/${name}`)
      .sort(),
  ]);

/** The first binding of each meaning. */
const firsts = (world: World): ReadonlyMap<string, KubeObject> => {
  const first = new Map<string, KubeObject>();
  for (const { object } of BINDINGS.flatMap(kind => world.ofKind(kind)))
    if (!first.has(textOf(object))) first.set(textOf(object), object);
  return first;
};

export default defineCheck({
  practice: 'authorization',
  name: 'duplicate-binding',
  title: 'Binding that another binding repeats',
  severity: 'info',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'Whoever removes one believes that the right is gone, and the other still grants it.',
  remediation: 'Remove one of them.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: BINDINGS,
  evaluate({ object }, { world }) {
    if (isShipped(object)) return notApplicable('it ships with Kubernetes');
    if (subjectsOf(object).length === 0) return notApplicable('it binds nobody');
    const first = world.fact(firsts).get(textOf(object));
    // Two documents of one object are one object, declared twice.
    if (first === undefined || first.metadata?.name === object.metadata?.name) return pass;
    return fail({ name: first.metadata?.name ?? '' }, ['metadata', 'name']);
  },
  message: ({ name }) => `it grants what "${name}" grants already`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot2 }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
    ],
    good: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot2 }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
    ],
  },
});
