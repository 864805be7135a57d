/** PodSecurityPolicies of clusters that do not know them any more, over namespaces that nothing else guards. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { POLICY_KINDS, REMOVED_IN, unguarded } from '../policies.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'policy-left-behind',
  title: 'PodSecurityPolicy that guards nothing any more',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1562.001'), owasp('K01')],
  why: 'Since Kubernetes 1.25 no policy is asked: a namespace without a Pod Security label lets every pod in.',
  remediation:
    'Run sallyport pod-security psp migrate: it finds the labels, and writes what labels cannot say.',

  subject: 'object',
  kinds: POLICY_KINDS,
  looksAt: ['/Namespace', ...POLICY_KINDS],
  evaluate({ object }, { world }) {
    if (world.kubernetesMinor < REMOVED_IN) return notApplicable('the cluster still asks it');
    const [first] = POLICY_KINDS.flatMap(kind => world.ofKind(kind));
    // Of the same namespaces it is said once, however many policies there are.
    if (first?.object !== object) return pass;
    const names = unguarded(world);
    return names.length === 0 ? pass : fail(names, ['kind']);
  },
  message: names =>
    `Kubernetes asks no policy since 1.25, and ${names.length === 1 ? 'namespace' : 'namespaces'} ${few(names)} ${names.length === 1 ? 'enforces' : 'enforce'} no level`,

  examples: {
    bad: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: shop }
      spec: { runAsUser: { rule: MustRunAsNonRoot } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop }
      `,
    ],
    good: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: shop }
      spec: { runAsUser: { rule: MustRunAsNonRoot } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { pod-security.kubernetes.io/enforce: restricted } }
      `,
    ],
  },
});

function few(names: readonly string[]): string {
  const quoted = names.map(name => `"${name}"`);
  return quoted.length > 3
    ? `${quoted.slice(0, 3).join(', ')} and ${quoted.length - 3} more`
    : quoted.join(', ');
}
