/** User ids that also mean someone on the node. */
import { defineCheck } from '#check/check.ts';
import { nsa } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'low-user-id',
  title: 'User id below 10000',
  severity: 'info',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [nsa('non-root containers')],
  why: 'Low numbers are accounts of the node too: should the container get out, it is one of them.',
  remediation: 'Use an id of 10000 or more.',

  subject: 'container',
  evaluate({ container, pod }) {
    // What the image says is not known here: only a number that is written down can be too low.
    const own = container.securityContext?.runAsUser;
    const value = own ?? pod.spec.securityContext?.runAsUser;
    if (value === undefined) return notApplicable('runAsUser is left to the image');
    if (value === 0 || value >= 10_000) return pass;
    return fail({ value }, ['securityContext', 'runAsUser']);
  },
  message: ({ value }) => `runAsUser is ${value}`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { runAsUser: 1000 } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { runAsUser: 10001 } }]
      `,
    ],
  },
});
