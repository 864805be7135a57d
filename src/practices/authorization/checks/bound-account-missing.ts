/** Bindings for accounts that nobody declares. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { BINDINGS, isShipped, subjectsOf } from '#paths/grants.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { boundTo } from '../examples.ts';

const namespacesWithAccounts = (world: World): ReadonlySet<string | undefined> =>
  new Set(world.ofKind('/ServiceAccount').map(({ object }) => namespaceOf(object)));

export default defineCheck({
  practice: 'authorization',
  name: 'bound-account-missing',
  title: 'Binding for a service account that is not in the input',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1098')],
  why: 'Whoever may create a service account of that name gets what is granted to it.',
  remediation: 'Correct the name, or remove the subject.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ['/ServiceAccount'],
  evaluate({ object }, { world }) {
    if (isShipped(object)) return notApplicable('it ships with Kubernetes');
    const found = subjectsOf(object).flatMap(({ kind, name, namespace }, index) =>
      kind === 'ServiceAccount' &&
      name !== 'default' &&
      // Only where the input declares accounts of this namespace does it claim to hold them all.
      world.fact(namespacesWithAccounts).has(namespace) &&
      world.find('/ServiceAccount', namespace, name) === undefined
        ? [{ account: `${namespace}/${name}`, index }]
        : [],
    );
    if (found.length === 0) return pass;
    return fail(
      found.map(({ account }) => account),
      ...found.map(({ index }) => ['subjects', index, 'name']),
    );
  },
  message: accounts =>
    `service account ${accounts.join(', ')} is not declared, though others of its namespace are`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: ServiceAccount
      metadata: { name: robot, namespace: ops }
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: ServiceAccount, name: robott, namespace: ops }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: ServiceAccount
      metadata: { name: robot, namespace: ops }
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
      boundTo('view'),
    ],
  },
});
