/** Containers that are told to run as root. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, pss } from '#check/frameworks.ts';
import { detailOf, removeAllAndEmpty, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'root-user',
  title: 'Container runs as user 0',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-restricted'],
  frameworks: [pss('restricted'), cis('5.2.7'), nsa('non-root containers'), mitre('T1611')],
  why: 'Root in a container is root on the node as soon as anything else goes wrong.',
  remediation: 'Name another user, or leave it to the image and set runAsNonRoot.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'restricted', 'runAsUser'),
  message: detailOf,

  fix: { title: 'Leave the user to the image', kind: 'review', changes: removeAllAndEmpty },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { runAsUser: 0 }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { runAsUser: 10001 }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
