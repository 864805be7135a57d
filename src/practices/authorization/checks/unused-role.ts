/** Roles that nobody is bound to. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { nameOf, valueAt } from '#kube/objects.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { HARMLESS } from '../examples.ts';
import { isKept } from '../roles.ts';

const keyOf = (kind: string, namespace: string | undefined, name: string): string =>
  kind === 'Role' ? `Role/${namespace ?? ''}/${name}` : `ClusterRole/${name}`;

const referred = (world: World): ReadonlySet<string> =>
  new Set(
    BINDINGS.flatMap(kind => world.ofKind(kind)).map(({ object }) =>
      keyOf(
        String(valueAt(object, ['roleRef', 'kind'])),
        namespaceOf(object),
        String(valueAt(object, ['roleRef', 'name'])),
      ),
    ),
  );

export default defineCheck({
  practice: 'authorization',
  name: 'unused-role',
  title: 'Role that no binding of the input uses',
  severity: 'info',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'A role that waits to be bound is granted by whoever may bind it, without anybody looking at its rules again.',
  remediation: 'Remove the role, or bind it where it is needed.',

  subject: 'object',
  kinds: ROLES,
  looksAt: ['everything'],
  evaluate({ object }, { world }) {
    if (isKept(object)) return notApplicable('it ships with Kubernetes');
    const used = world.fact(referred);
    if (used.size === 0) return notApplicable('the input has no bindings');
    if (used.has(keyOf(object.kind, namespaceOf(object), nameOf(object)))) return pass;
    // Through a label its rules go into another role: that one counts.
    if (Object.keys(object.metadata?.labels ?? {}).some(label => label.includes('aggregate-to-')))
      return notApplicable('it is part of an aggregated role');
    if (world.gaps.length > 0) return unknown('a part of the input could not be read');
    return fail({}, ['metadata', 'name']);
  },
  message: () => 'no binding of the input refers to it',

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: spare }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
    ],
    good: [
      HARMLESS,
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      `,
    ],
  },
});
