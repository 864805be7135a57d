/** PodSecurityPolicies that let pods take the node, and that everybody may use. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { nameOf } from '#kube/objects.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { POLICY_KINDS, powersOf, REMOVED_IN, readPolicy, usageOf } from '../policies.ts';

/** Everybody who is known, and every pod. */
const EVERYBODY = new Set(['system:authenticated', 'system:unauthenticated', 'system:serviceaccounts']);

export default defineCheck({
  practice: 'pod-security',
  name: 'policy-for-everybody',
  title: 'Loose PodSecurityPolicy that everybody may use',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1611'), owasp('K01')],
  why: 'Of the policies that somebody may use one is enough: with this one for everybody, the strict ones guard nothing.',
  remediation: 'Bind it to the service accounts that need it, in their namespaces.',

  subject: 'object',
  kinds: POLICY_KINDS,
  looksAt: [...BINDINGS, ...ROLES],
  evaluate({ object }, { world }) {
    if (world.kubernetesMinor >= REMOVED_IN) return notApplicable('the cluster knows no policies');
    const policy = readPolicy(object);
    if ('refused' in policy) return unknown(`the API server would refuse the policy: ${policy.refused}`);
    const powers = powersOf(policy.spec).filter(({ level }) => level === 'baseline');
    if (powers.length === 0) return pass;
    const groups = usageOf(world)
      .holdersOf(nameOf(object))
      .filter(({ kind, name }) => kind === 'Group' && EVERYBODY.has(name))
      .map(({ name, because }) => ({ name, by: because[0]?.text ?? '' }));
    const [first] = groups;
    return first === undefined ? pass : fail({ ...first, powers }, ...powers.map(({ at }) => at));
  },
  message: ({ name, by, powers }) =>
    `group "${name}" may use it (${by}), and it allows ${powers.map(({ what }) => what).join(', ')}`,

  examples: {
    kubernetes: 24,
    bad: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: open }
      spec:
        privileged: true
        fsGroup: { rule: RunAsAny }
        runAsUser: { rule: RunAsAny }
        seLinux: { rule: RunAsAny }
        supplementalGroups: { rule: RunAsAny }
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: psp-open }
      rules: [{ apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [open], verbs: [use] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: { name: psp-open }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: psp-open }
      subjects: [{ kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:authenticated" }]
      `,
    ],
    good: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: open }
      spec:
        privileged: true
        fsGroup: { rule: RunAsAny }
        runAsUser: { rule: RunAsAny }
        seLinux: { rule: RunAsAny }
        supplementalGroups: { rule: RunAsAny }
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRole
      metadata: { name: psp-open }
      rules: [{ apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [open], verbs: [use] }]
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: RoleBinding
      metadata: { name: psp-open, namespace: kube-system }
      roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: psp-open }
      subjects: [{ kind: ServiceAccount, name: node-agent, namespace: kube-system }]
      `,
    ],
  },
});
