/** Probes and hooks that call another host. */
import { defineCheck } from '#check/check.ts';
import { mitre, pss } from '#check/frameworks.ts';
import { detailOf, removeAll, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'probe-host',
  title: 'Probe or lifecycle hook of another host',
  severity: 'low',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), mitre('T1046')],
  why: 'The kubelet makes the call from the node: with a host of its choice a pod reaches what only the node may reach (a way to forge requests).',
  remediation: 'Remove host: the probe then asks the pod itself.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'hostProbesAndHostLifecycle'),
  message: detailOf,

  fix: { title: 'Ask the pod itself', kind: 'review', changes: removeAll },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", livenessProbe: { httpGet: { host: 169.254.169.254, port: 80 } } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", livenessProbe: { httpGet: { port: 80 } } }]
      `,
    ],
  },
});
