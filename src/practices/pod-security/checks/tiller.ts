/** The server of Helm 2. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'tiller',
  title: 'Tiller, the server of Helm 2',
  severity: 'critical',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1610'), owasp('K10')],
  why: 'Tiller does what anyone in the cluster asks of it, usually as cluster-admin, and has had no fixes since 2020.',
  remediation: 'Move to Helm 3 or newer, which needs no server, and remove Tiller.',

  subject: 'container',
  evaluate({ container: { image } }) {
    return image !== undefined && /(?:^|\/)tiller(?:[:@]|$)/.test(image) ? fail({ image }, ['image']) : pass;
  },
  message: ({ image }) => `"${image}" is Tiller`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: tiller, image: "ghcr.io/helm/tiller:v2.17.0" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
