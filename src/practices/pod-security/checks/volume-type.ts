/** Volumes of kinds that reach beyond the pod. */
import { defineCheck } from '#check/check.ts';
import { owasp, pss } from '#check/frameworks.ts';
import { detailOf, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'volume-type',
  title: 'Volume of a restricted type',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict', 'pss-restricted'],
  frameworks: [pss('restricted'), owasp('K01')],
  why: 'Volumes of these kinds reach the node, or storage with credentials that the pod then holds.',
  remediation:
    'Use a persistent volume claim, emptyDir, projected, configMap, secret, csi, ephemeral, image or downwardAPI.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'restricted', 'restrictedVolumes'),
  message: detailOf,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
        volumes: [{ name: data, nfs: { server: nfs.example.com, path: / } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
        volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]
      `,
    ],
  },
});
