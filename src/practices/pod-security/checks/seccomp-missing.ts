/** No seccomp profile stated. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, pss } from '#check/frameworks.ts';
import { detailOf, setAll, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'seccomp-missing',
  title: 'No seccomp profile',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict', 'pss-restricted'],
  frameworks: [pss('restricted'), cis('5.6.2'), mitre('T1611')],
  why: 'Unless the node is configured otherwise (seccompDefault, which a manifest cannot tell), no profile means that every system call is open.',
  remediation: 'Set seccompProfile.type to RuntimeDefault on the pod.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'restricted', 'seccompProfile_restricted'),
  message: detailOf,

  fix: { title: 'Use the profile of the runtime', kind: 'review', changes: setAll('RuntimeDefault') },

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
        securityContext: { seccompProfile: { type: RuntimeDefault } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
