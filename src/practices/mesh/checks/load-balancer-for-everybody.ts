/** Load balancers without a list of who may come. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isInternal } from '#decide/network/load-balancers.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'load-balancer-for-everybody',
  title: 'Load balancer takes everybody',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07'), mitre('T1190')],
  why: 'The whole internet reaches the pods behind it, unless something that the manifest does not say is in between.',
  remediation: 'Name the sources in loadBalancerSourceRanges, or ask for an internal address.',

  subject: 'object',
  kinds: ['/Service'],
  evaluate({ object }) {
    if (valueAt(object, ['spec', 'type']) !== 'LoadBalancer') return pass;
    const ranges = itemsOf(valueAt(object, ['spec', 'loadBalancerSourceRanges']));
    const open = ranges.length === 0 || ranges.some(range => range === '0.0.0.0/0' || range === '::/0');
    return open && !isInternal(object) ? fail({}, ['spec', 'loadBalancerSourceRanges']) : pass;
  },
  message: () => 'any address may connect',
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ port: 80 }], type: LoadBalancer }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ port: 80 }], type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24] }
      `,
      `
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop, annotations: { service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type: intranet } }
      spec: { selector: { app: web }, ports: [{ port: 80 }], type: LoadBalancer }
      `,
    ],
  },
});
