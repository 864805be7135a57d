/** Volumes that are folders of the node. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp, pss } from '#check/frameworks.ts';
import { standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'host-path-volume',
  title: 'hostPath volume',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), cis('5.2.11'), mitre('T1611'), owasp('K01')],
  why: 'A folder of the node outlives the pod, is shared with every other pod that mounts it, and is a way out of the container.',
  remediation:
    'Use a volume that belongs to the pod: emptyDir, a persistent volume claim, a projected volume.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'hostPathVolumes'),
  message: ({ detail, violations }) =>
    `${detail} ${violations.length === 1 ? 'is a folder' : 'are folders'} of the node`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
        volumes: [{ name: logs, hostPath: { path: /var/log } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
        volumes: [{ name: logs, emptyDir: {} }]
      `,
    ],
  },
});
