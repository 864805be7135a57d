/** PodSecurityPolicies that never decide about a pod, because another one comes first. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { nameOf } from '#kube/objects.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { POLICY_KINDS, REMOVED_IN, readPolicy, shadowOf, usageOf } from '../policies.ts';

/** Two policies that one account may use; the name of the wider one decides which is tried first. */
const both = (wide: string) => `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: ${wide} }
      spec:
        privileged: true
        volumes: ['*']
        runAsUser: { rule: RunAsAny }
        seLinux: { rule: RunAsAny }
        fsGroup: { rule: RunAsAny }
        supplementalGroups: { rule: RunAsAny }
      ---
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: strict }
      spec:
        volumes: [configMap, secret]
        runAsUser: { rule: MustRunAsNonRoot }
        seLinux: { rule: RunAsAny }
        fsGroup: { rule: RunAsAny }
        supplementalGroups: { rule: RunAsAny }
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: psp }
      rules: [{ apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [${wide}, strict], verbs: [use] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: psp }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: psp }
      subjects: [{ kind: ServiceAccount, name: web, namespace: shop }]
      `;

export default defineCheck({
  practice: 'pod-security',
  name: 'policy-shadowed',
  title: 'PodSecurityPolicy that another one always comes before',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'Of the policies that change nothing the API server takes the first by its name: all who may use this one may use a looser one that comes first, so what it demands is demanded of nobody.',
  remediation: 'Take the looser policy from those for whom this one is meant; or remove this one.',

  subject: 'object',
  kinds: POLICY_KINDS,
  looksAt: [...BINDINGS, ...ROLES, ...POLICY_KINDS],
  evaluate({ object }, { world }) {
    if (world.kubernetesMinor >= REMOVED_IN) return notApplicable('the cluster knows no policies');
    const policy = readPolicy(object);
    if ('refused' in policy) return unknown(`the API server would refuse the policy: ${policy.refused}`);
    const usage = usageOf(world);
    // Who may use a policy by bindings that are elsewhere may not be able to use the other.
    if (!usage.isKnown || usage.isPartial) return notApplicable('who may use it is not in the input');
    if (usage.holdersOf(nameOf(object)).length === 0) return notApplicable('nobody may use it');
    const by = shadowOf(world, object);
    return by === undefined ? pass : fail({ name: nameOf(object), by }, ['metadata', 'name']);
  },
  message: ({ name, by }) =>
    `"${name}" is never chosen: "${by}" comes first by name, lets in all that it lets in, changes nothing, and all who may use the one may use the other`,

  examples: { kubernetes: 24, bad: [both('all')], good: [both('z-all')] },
});
