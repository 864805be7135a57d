/** PodSecurityPolicies that let in what their names deny. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { nameOf } from '#kube/objects.ts';
import { POLICY_KINDS, type Power, powersOf, REMOVED_IN, readPolicy } from '../policies.ts';

/** What names promise: the powers that such a policy must not have. */
const PROMISES: readonly { readonly name: RegExp; readonly denies: (power: Power) => boolean }[] = [
  { name: /\b(?:restricted|restrictive|restrict|strict|hardened)\b/, denies: () => true },
  { name: /\bbaseline\b/, denies: ({ level }) => level === 'baseline' },
  {
    name: /\b(?:unprivileged|(?:non|no|not)-?privileged?)\b/,
    denies: ({ what }) => what === 'privileged containers',
  },
  { name: /\b(?:non|no|not)-?root\b/, denies: ({ what }) => what === 'user 0' },
  { name: /\bno-?host-?paths?\b/, denies: ({ what }) => what.includes('of the node') },
  { name: /\bno-?host-?(?:network|net)\b/, denies: ({ what }) => what === 'hostNetwork' },
];

export default defineCheck({
  practice: 'pod-security',
  name: 'policy-beyond-name',
  title: 'PodSecurityPolicy that allows more than its name says',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1611')],
  why: 'Whoever binds it trusts the name; the pods that it lets in can take the node.',
  remediation: 'Take out what the name denies, or call it what it is.',

  subject: 'object',
  kinds: POLICY_KINDS,
  looksAt: [],
  evaluate({ object }, { world }) {
    if (world.kubernetesMinor >= REMOVED_IN) return notApplicable('the cluster knows no policies');
    const name = nameOf(object)
      .toLowerCase()
      .replace(/[^a-z]+/g, '-');
    const promises = PROMISES.filter(one => one.name.test(name));
    if (promises.length === 0) return notApplicable('its name promises nothing');
    const policy = readPolicy(object);
    if ('refused' in policy) return unknown(`the API server would refuse the policy: ${policy.refused}`);
    const found = powersOf(policy.spec).filter(power => promises.some(({ denies }) => denies(power)));
    return found.length === 0 ? pass : fail(found, ...found.map(({ at }) => at));
  },
  severityOf: found => (found.some(({ level }) => level === 'baseline') ? 'high' : 'medium'),
  message: found => `in spite of its name it allows ${found.map(({ what }) => what).join(', ')}`,

  examples: {
    kubernetes: 24,
    bad: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: shop-restricted }
      spec:
        allowPrivilegeEscalation: false
        hostNetwork: true
        volumes: [configMap, secret]
        fsGroup: { rule: RunAsAny }
        runAsUser: { rule: MustRunAsNonRoot }
        seLinux: { rule: RunAsAny }
        supplementalGroups: { rule: RunAsAny }
      `,
    ],
    good: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: shop-restricted }
      spec:
        allowPrivilegeEscalation: false
        volumes: [configMap, secret]
        fsGroup: { rule: RunAsAny }
        runAsUser: { rule: MustRunAsNonRoot }
        seLinux: { rule: RunAsAny }
        supplementalGroups: { rule: RunAsAny }
      `,
    ],
  },
});
