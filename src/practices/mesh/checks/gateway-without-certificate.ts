/** Gateways that have nothing to show. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'gateway-without-certificate',
  title: 'Gateway server has no certificate',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'The gateway takes no configuration for the port: clients get no connection, or an older one stays.',
  remediation: 'Name a Secret in tls.credentialName.',

  subject: 'object',
  kinds: ['networking.istio.io/Gateway'],
  evaluate({ object }) {
    const found: { name: string; path: Path }[] = [];
    for (const [index, server] of itemsOf(valueAt(object, ['spec', 'servers'])).entries())
      if (
        /^(?:SIMPLE|MUTUAL|OPTIONAL_MUTUAL)$/.test(String(valueAt(server, ['tls', 'mode']))) &&
        ['credentialName', 'credentialNames', 'serverCertificate', 'tlsCertificates'].every(
          field => valueAt(server, ['tls', field]) === undefined,
        )
      )
        found.push({ name: String(valueAt(server, ['port', 'number'])), path: ['spec', 'servers', index] });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ path }) => path),
        );
  },
  message: ports => `port ${ports.join(', ')} terminates TLS without a certificate`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: web, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE } }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: web, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE, credentialName: web } }] }
      `,
    ],
  },
});
