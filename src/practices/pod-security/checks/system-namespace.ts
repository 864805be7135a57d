/** Workloads among those of the system. */
import { defineCheck } from '#check/check.ts';
import { cis } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'system-namespace',
  title: 'Workload in kube-system',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.6.1')],
  why: 'Whoever may touch kube-system may touch the cluster itself, and admission policies usually leave it out.',
  remediation: 'Move it into a namespace of its own, unless it is a part of the cluster.',

  subject: 'pod',
  evaluate({ namespace }) {
    return namespace === 'kube-system' || namespace === 'kube-public' || namespace === 'kube-node-lease'
      ? fail({ namespace }, ['metadata', 'namespace'])
      : pass;
  },
  message: ({ namespace }) => `it runs in the namespace "${namespace}"`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop, namespace: kube-system }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop, namespace: shop }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      `,
    ],
  },
});
