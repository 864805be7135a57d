/** PodSecurityPolicies that the API server passes over without a word. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { UnusablePolicyError } from '#decide/pod-security/policy/ids.ts';
import { providerOf } from '#decide/pod-security/policy/provider.ts';
import { POLICY_KINDS, REMOVED_IN, readPolicy } from '../policies.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'policy-without-effect',
  title: 'PodSecurityPolicy that never admits anything',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1562.001')],
  why: 'The API server takes it and then passes over it: pods are refused, or admitted by a looser policy, and nothing says why.',
  remediation: 'Give each MustRunAs and MayRunAs its ranges, and seLinux its options; or remove the policy.',

  subject: 'object',
  kinds: POLICY_KINDS,
  looksAt: [],
  evaluate({ object }, { world }) {
    if (world.kubernetesMinor >= REMOVED_IN) return notApplicable('the cluster knows no policies');
    const policy = readPolicy(object);
    if ('refused' in policy) return unknown(`the API server would refuse the policy: ${policy.refused}`);
    const provider = providerOf(object);
    return provider instanceof UnusablePolicyError ? fail(provider.message, ['spec']) : pass;
  },
  message: reason => `it is passed over: ${reason}`,

  examples: {
    kubernetes: 24,
    bad: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: shop }
      spec:
        fsGroup: { rule: MustRunAs }
        runAsUser: { rule: MustRunAsNonRoot }
        seLinux: { rule: RunAsAny }
        supplementalGroups: { rule: RunAsAny }
      `,
    ],
    good: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: shop }
      spec:
        fsGroup: { rule: MustRunAs, ranges: [{ min: 1, max: 65535 }] }
        runAsUser: { rule: MustRunAsNonRoot }
        seLinux: { rule: RunAsAny }
        supplementalGroups: { rule: RunAsAny }
      `,
    ],
  },
});
