/** PodSecurityPolicies that nobody may use. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { nameOf } from '#kube/objects.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { POLICY_KINDS, REMOVED_IN, usageOf } from '../policies.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'policy-for-nobody',
  title: 'PodSecurityPolicy that nobody may use',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'It admits no pod: what it was to guard is refused, or admitted by another policy.',
  remediation: 'Let the service accounts that it is meant for use it, by a role and a binding; or remove it.',

  subject: 'object',
  kinds: POLICY_KINDS,
  looksAt: [...BINDINGS, ...ROLES],
  evaluate({ object }, { world }) {
    if (world.kubernetesMinor >= REMOVED_IN) return notApplicable('the cluster knows no policies');
    const usage = usageOf(world);
    // Bindings may well be elsewhere, and so may the roles that they refer to.
    if (!usage.isKnown || usage.isPartial) return notApplicable('who may use it is not in the input');
    return usage.holdersOf(nameOf(object)).length > 0 ? pass : fail(nameOf(object), ['metadata', 'name']);
  },
  message: name => `no role of the input lets anybody use "${name}"`,

  examples: {
    kubernetes: 24,
    bad: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: shop }
      spec: { runAsUser: { rule: MustRunAsNonRoot } }
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: Role
      metadata: { name: psp, namespace: shop }
      rules: [{ apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [shops], verbs: [use] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: RoleBinding
      metadata: { name: psp, namespace: shop }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: psp }
      subjects: [{ kind: ServiceAccount, name: web, namespace: shop }]
      `,
    ],
    good: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: shop }
      spec: { runAsUser: { rule: MustRunAsNonRoot } }
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: Role
      metadata: { name: psp, namespace: shop }
      rules: [{ apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [shop], verbs: [use] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: RoleBinding
      metadata: { name: psp, namespace: shop }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: psp }
      subjects: [{ kind: ServiceAccount, name: web, namespace: shop }]
      `,
    ],
  },
});
