/** Configuration of the proxy in an annotation. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'ingress-snippet',
  title: 'Ingress puts configuration into nginx',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1190'), owasp('K09')],
  why: 'Whoever may write an Ingress runs code in the controller with it, and the controller can read the secrets of all namespaces (CVE-2021-25742, CVE-2025-1974).',
  remediation: 'Remove the snippet, and forbid them: allow-snippet-annotations: "false".',

  subject: 'object',
  kinds: ['networking.k8s.io/Ingress', 'extensions/Ingress'],
  evaluate({ object }) {
    const found = Object.keys(object.metadata?.annotations ?? {}).filter(key =>
      /^nginx\.(?:ingress\.kubernetes\.io|org)\/.*snippets?$/.test(key),
    );
    return found.length === 0 ? pass : fail(found, ...found.map(key => ['metadata', 'annotations', key]));
  },
  message: keys => `it puts text into the configuration of nginx: ${keys.join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata: { name: web, namespace: shop, annotations: { nginx.ingress.kubernetes.io/server-snippet: "return 200;" } }
      spec:
        rules: [{ host: shop.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
        tls: [{ hosts: [shop.example.com], secretName: shop-tls }]
      `,
    ],
    good: [
      `
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata: { name: web, namespace: shop }
      spec:
        rules: [{ host: shop.example.com, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }]
        tls: [{ hosts: [shop.example.com], secretName: shop-tls }]
      `,
    ],
  },
});
