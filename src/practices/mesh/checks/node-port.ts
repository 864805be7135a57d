/** Services open on every node. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { WEB_SERVICE } from '../examples.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'node-port',
  title: 'Service opens a port on every node',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07'), mitre('T1190')],
  why: 'Every node answers on the port, past the load balancer with its TLS and its filters.',
  remediation: 'Use a ClusterIP behind a gateway.',

  subject: 'object',
  kinds: ['/Service'],
  evaluate({ object }) {
    return valueAt(object, ['spec', 'type']) === 'NodePort' ? fail({}, ['spec', 'type']) : pass;
  },
  message: () => 'type is NodePort',
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ port: 80 }], type: NodePort }
      `,
    ],
    good: [
      `
      ${WEB_SERVICE}
      `,
    ],
  },
});
