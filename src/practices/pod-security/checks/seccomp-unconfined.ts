/** Seccomp switched off. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, pss } from '#check/frameworks.ts';
import { detailOf, setAll, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'seccomp-unconfined',
  title: 'Seccomp switched off',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), cis('5.6.2'), mitre('T1562.001')],
  why: 'Every system call of the kernel is open to the container, also those that most escapes from containers begin with.',
  remediation: 'Set seccompProfile.type to RuntimeDefault, or to a Localhost profile that fits.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'seccompProfile_baseline'),
  message: detailOf,

  fix: { title: 'Use the profile of the runtime', kind: 'review', changes: setAll('RuntimeDefault') },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seccompProfile: { type: Unconfined } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seccompProfile: { type: RuntimeDefault } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
