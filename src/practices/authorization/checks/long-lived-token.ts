/** Tokens that never expire. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'long-lived-token',
  title: 'Service account token that never expires',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [nsa('service account tokens'), mitre('T1528'), owasp('K06')],
  why: 'A token in a Secret is valid until somebody deletes it, and everyone who may read the Secret has it.',
  remediation:
    'Let the API server project short-lived tokens into pods, or ask for one with kubectl create token.',

  subject: 'object',
  kinds: ['/Secret'],
  evaluate({ object }) {
    if (object['type'] !== 'kubernetes.io/service-account-token') return pass;
    const account = object.metadata?.annotations?.['kubernetes.io/service-account.name'];
    return fail({ account: typeof account === 'string' ? account : undefined }, ['type']);
  },
  message: ({ account }) =>
    `a token${account === undefined ? '' : ` of service account "${account}"`} that never expires`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Secret
      metadata: { name: robot, annotations: { kubernetes.io/service-account.name: robot } }
      type: kubernetes.io/service-account-token
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Secret
      metadata: { name: db }
      type: Opaque
      `,
    ],
  },
});
