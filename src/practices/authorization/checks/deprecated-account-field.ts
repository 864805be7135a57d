/** The old name of a field. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'deprecated-account-field',
  title: 'Deprecated field serviceAccount',
  severity: 'info',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'serviceAccount is an alias that was deprecated in 1.6; where both are set and differ, serviceAccountName wins, and a reader may be deceived.',
  remediation: 'Rename it to serviceAccountName.',

  subject: 'pod',
  evaluate({ spec: { serviceAccount, serviceAccountName } }) {
    if (serviceAccount === undefined || serviceAccount === '') return pass;
    // The API server writes both: only a difference, or the old one alone, was written by somebody.
    if (serviceAccount === serviceAccountName) return pass;
    return fail({ serviceAccount, serviceAccountName }, ['spec', 'serviceAccount']);
  },
  message: ({ serviceAccount, serviceAccountName }) =>
    serviceAccountName === undefined
      ? `serviceAccount is "${serviceAccount}"; the field is called serviceAccountName now`
      : `serviceAccount says "${serviceAccount}" and serviceAccountName "${serviceAccountName}", which wins`,
  fix: {
    title: 'Use the new name',
    kind: 'safe',
    changes: ({ serviceAccount, serviceAccountName }) => [
      { op: 'remove', path: ['spec', 'serviceAccount'] },
      { op: 'set', path: ['spec', 'serviceAccountName'], value: serviceAccountName ?? serviceAccount },
    ],
  },
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        serviceAccount: shop
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
    ],
  },
});
