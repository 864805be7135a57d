/** Tokens of service accounts that most programs never use. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { accountOf, mountsToken } from '#kube/accounts.ts';
import { isAsked } from '../grants.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'token-mounted',
  title: 'Service account token mounted without need',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.6'), nsa('service account tokens'), mitre('T1528'), owasp('K06')],
  why: 'Whoever gets into the container finds the token and speaks to the API server as the account.',
  remediation:
    'Set automountServiceAccountToken to false on the pod, or on the account for all its pods; leave it only where the program calls the API server.',

  subject: 'pod',
  looksAt: ['/ServiceAccount'],
  evaluate({ spec, namespace, partial }, context) {
    const { world } = context;
    if (partial) return notApplicable('a controller makes the rest of the pod');
    const name = accountOf(spec);
    if (name === 'default' && isAsked(context, 'default-service-account'))
      return notApplicable('of the default account another check speaks');
    const account = world.find('/ServiceAccount', namespace, name);
    if (!mountsToken(spec, account?.['automountServiceAccountToken'])) return pass;
    return fail({ name, stated: spec.automountServiceAccountToken === true }, [
      'spec',
      'automountServiceAccountToken',
    ]);
  },
  message: ({ name, stated }) =>
    `the token of service account "${name}" is mounted${stated ? '' : ', for nothing says otherwise'}`,
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
        serviceAccountName: shop
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        automountServiceAccountToken: false
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
      `
      apiVersion: v1
      kind: ServiceAccount
      metadata: { name: shop, namespace: shop }
      automountServiceAccountToken: false
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: shop, namespace: shop }
      spec:
        serviceAccountName: shop
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
