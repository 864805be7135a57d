/** Workloads in the namespace of everybody. */
import { defineCheck } from '#check/check.ts';
import { cis, nsa } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'default-namespace',
  title: 'Workload in the default namespace',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.6.4'), nsa('namespaces')],
  why: 'The default namespace is the one that is reached by forgetting to name another: quotas, policies and rights cannot be set for it with any meaning.',
  remediation: 'Give the workload a namespace of its own.',

  subject: 'pod',
  evaluate({ namespace }) {
    // A manifest that states none goes wherever it is applied to, which is not known here.
    return namespace === 'default' ? fail({}, ['metadata', 'namespace']) : pass;
  },
  message: () => 'it runs in the namespace "default"',

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop, namespace: default }
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
