/** Bindings to roles that nobody declares. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { BINDINGS, grantedRules, isShipped, ROLES } from '#paths/grants.ts';
import { HARMLESS } from '../examples.ts';

/** Roles in kube-system and kube-public that every cluster has. */
const SHIPPED_ROLES = new Set([
  'extension-apiserver-authentication-reader',
  'kube-proxy',
  'kubeadm:bootstrap-signer-clusterinfo',
]);

export default defineCheck({
  practice: 'authorization',
  name: 'dangling-role-reference',
  title: 'Binding to a role that is not in the input',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03')],
  why: 'It grants nothing today; whoever may create a role of that name decides what it grants tomorrow.',
  remediation: 'Correct the name, or remove the binding.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, { world }) {
    if (isShipped(object) || grantedRules(object, world) !== undefined) return pass;
    const kind = valueAt(object, ['roleRef', 'kind']);
    const name = valueAt(object, ['roleRef', 'name']);
    // Only an input that declares roles of this kind claims to hold them.
    const declares = world.ofKind(`rbac.authorization.k8s.io/${String(kind)}`).length > 0;
    if (!declares || typeof name !== 'string' || name.startsWith('system:') || SHIPPED_ROLES.has(name))
      return notApplicable('the roles are not in the input');
    return fail({ kind: String(kind), name }, ['roleRef', 'name']);
  },
  message: ({ kind, name }) => `${kind} "${name}" is not declared`,

  examples: {
    bad: [
      `
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: robot }
      rules: [{ apiGroups: [apps], resources: [deployments], verbs: [get, list] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: robot }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: robott }
      subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
      `,
    ],
    good: [HARMLESS],
  },
});
