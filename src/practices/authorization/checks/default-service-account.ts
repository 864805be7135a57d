/** Pods that run as everybody else in the namespace. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { accountOf, mountsToken } from '#kube/accounts.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'default-service-account',
  title: 'Default service account used with its token',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [
    cis('5.1.5'),
    cis('5.1.6'),
    nsa('service account tokens'),
    mitre('T1078.001'),
    mitre('T1528'),
    owasp('K03'),
    owasp('K06'),
  ],
  why: 'Every pod without an account of its own shares this one: what is granted to one is granted to all.',
  remediation: 'Give the workload a service account of its own, or mount no token.',

  subject: 'pod',
  looksAt: ['/ServiceAccount'],
  evaluate({ spec, namespace, partial }, { world }) {
    if (partial) return notApplicable('a controller makes the rest of the pod');
    if (accountOf(spec) !== 'default') return pass;
    const account = world.find('/ServiceAccount', namespace, 'default');
    // Without a token the account is only a name.
    return mountsToken(spec, account?.['automountServiceAccountToken'])
      ? fail({}, ['spec', 'serviceAccountName'])
      : pass;
  },
  message: () => 'it runs as the default service account of its namespace, with its token',

  fix: {
    title: 'Mount no token',
    kind: 'review',
    changes: () => [{ op: 'set', path: ['spec', 'automountServiceAccountToken'], value: false }],
  },
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        serviceAccountName: shop
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        automountServiceAccountToken: false
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
