/** /proc with nothing masked. */
import { defineCheck } from '#check/check.ts';
import { mitre, pss } from '#check/frameworks.ts';
import { detailOf, setAll, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'proc-mount',
  title: 'Unmasked /proc',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), mitre('T1611')],
  why: 'The runtime hides parts of /proc that control the kernel; Unmasked shows them to the container.',
  remediation: 'Remove procMount, or give the pod its own user namespace (hostUsers: false).',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'procMount'),
  message: detailOf,

  fix: { title: 'Mask /proc', kind: 'review', changes: setAll('Default') },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { procMount: Unmasked } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        hostUsers: false
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { procMount: Unmasked } }]
      `,
    ],
  },
});
