/** Gateways that speak plain HTTP. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'gateway-without-tls',
  title: 'Gateway takes plain HTTP',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07'), mitre('T1557')],
  why: 'Passwords and cookies can be read and changed on the way to the cluster.',
  remediation: 'Serve HTTPS, and answer HTTP with tls.httpsRedirect only.',

  subject: 'object',
  kinds: ['networking.istio.io/Gateway'],
  evaluate({ object }) {
    const found: { name: string; path: Path }[] = [];
    for (const [index, server] of itemsOf(valueAt(object, ['spec', 'servers'])).entries())
      if (
        /^(?:HTTP|HTTP2|GRPC|GRPC-WEB)$/i.test(String(valueAt(server, ['port', 'protocol']))) &&
        valueAt(server, ['tls', 'httpsRedirect']) !== true &&
        valueAt(server, ['tls', 'mode']) === undefined
      )
        found.push({ name: String(valueAt(server, ['port', 'number'])), path: ['spec', 'servers', index] });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ path }) => path),
        );
  },
  message: ports => `port ${ports.join(', ')} takes plain HTTP and does not lead to HTTPS`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: web, protocol: HTTP }, hosts: [shop.example.com] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: web, protocol: HTTP }, hosts: [shop.example.com], tls: { httpsRedirect: true } }] }
      `,
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: web, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE, credentialName: web } }] }
      `,
    ],
  },
});
