/** Pods inside the namespaces of their node. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp, pss } from '#check/frameworks.ts';
import { detailOf, setAll, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'host-namespaces',
  title: 'Pod shares namespaces with its node',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [
    pss('baseline'),
    cis('5.2.3'),
    cis('5.2.4'),
    cis('5.2.5'),
    nsa('pod security enforcement'),
    mitre('T1611'),
    owasp('K01'),
  ],
  why: 'With hostPID a process sees and signals every process of the node and reads their secrets; with hostNetwork it listens to the traffic of the node and passes by network policies; with hostIPC it reads shared memory.',
  remediation: 'Remove hostNetwork, hostPID and hostIPC.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'hostNamespaces'),
  message: detailOf,

  fix: { title: 'Leave the namespaces of the node', kind: 'review', changes: setAll(false) },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        hostPID: true
        hostNetwork: true
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        hostNetwork: false
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
