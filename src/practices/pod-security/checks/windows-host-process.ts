/** Windows containers that are processes of the host. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, pss } from '#check/frameworks.ts';
import { detailOf, setAll, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'windows-host-process',
  title: 'Windows HostProcess container',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), cis('5.2.10'), mitre('T1611')],
  why: 'A HostProcess container is an ordinary process of the Windows node with the rights of its user, SYSTEM among them.',
  remediation: 'Remove hostProcess.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'windowsHostProcess'),
  message: detailOf,

  fix: { title: 'Run as an ordinary container', kind: 'review', changes: setAll(false) },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        os: { name: windows }
        securityContext: { windowsOptions: { hostProcess: true } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        os: { name: windows }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
