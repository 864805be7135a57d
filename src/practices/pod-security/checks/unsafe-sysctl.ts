/** Kernel parameters that reach beyond the pod. */
import { defineCheck } from '#check/check.ts';
import { owasp, pss } from '#check/frameworks.ts';
import { detailOf, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'unsafe-sysctl',
  title: 'Kernel parameter outside the safe set',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), owasp('K01')],
  why: 'Parameters outside the safe set can change the behaviour of the whole node, or of other pods on it.',
  remediation: 'Remove the parameter, or set it on the node if all its pods need it.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'sysctls'),
  message: detailOf,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { sysctls: [{ name: kernel.msgmax, value: "65536" }] }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { sysctls: [{ name: net.ipv4.tcp_syncookies, value: "1" }] }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
