/** Entries of a pod's own in /etc/hosts. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'host-aliases',
  title: 'Names resolved past DNS',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [mitre('T1557')],
  why: 'hostAliases send the traffic for a name to any address, unseen by those who watch DNS.',
  remediation: 'Use a Service or a DNS entry.',

  subject: 'pod',
  evaluate({ spec: { hostAliases } }) {
    if (hostAliases === undefined || hostAliases.length === 0) return pass;
    return fail(
      hostAliases.flatMap(({ hostnames }) => hostnames ?? []),
      ['spec', 'hostAliases'],
    );
  },
  message: names => `hostAliases for ${names.join(', ')}`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        hostAliases: [{ ip: 10.1.2.3, hostnames: [db.example.com] }]
        containers: [{ name: web, image: "shop:1.4.2" }]
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
