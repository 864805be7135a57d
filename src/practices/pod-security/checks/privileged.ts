/** Containers with all of the node in their hands. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp, pss } from '#check/frameworks.ts';
import { detailOf, setAll, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'privileged',
  title: 'Privileged container',
  severity: 'critical',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), cis('5.2.2'), nsa('pod security enforcement'), mitre('T1611'), owasp('K01')],
  why: 'A privileged container has every capability and every device of the node: whoever gets into it owns the node and every pod on it.',
  remediation: 'Remove privileged and add only the capabilities that the program needs.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'privileged'),
  message: detailOf,

  fix: { title: 'Run without privilege', kind: 'review', changes: setAll(false) },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { privileged: true } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { privileged: false } }]
      `,
    ],
  },
});
