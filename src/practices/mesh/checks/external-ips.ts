/** Services that take addresses. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { WEB_SERVICE } from '../examples.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'external-ips',
  title: 'Service takes external IPs',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1557'), owasp('K09')],
  why: 'Traffic of the cluster to these addresses goes to the Service instead: whoever may write Services can stand in the middle of any connection (CVE-2020-8554).',
  remediation: 'Use a load balancer, or a gateway.',

  subject: 'object',
  kinds: ['/Service'],
  evaluate({ object }) {
    const addresses = itemsOf(valueAt(object, ['spec', 'externalIPs']));
    return addresses.length === 0 ? pass : fail(addresses.map(String), ['spec', 'externalIPs']);
  },
  message: addresses => `it takes the traffic to ${addresses.join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ port: 80 }], externalIPs: [203.0.113.7] }
      `,
    ],
    good: [
      `
      ${WEB_SERVICE}
      `,
    ],
  },
});
