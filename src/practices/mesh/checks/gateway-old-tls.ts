/** Gateways that speak broken versions of TLS. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'gateway-old-tls',
  title: 'Gateway takes TLS 1.0 or 1.1',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K07'), mitre('T1557')],
  why: 'These versions are broken: whoever stands on the way can force them.',
  remediation: 'Set minProtocolVersion to TLSV1_2 or TLSV1_3.',

  subject: 'object',
  kinds: ['networking.istio.io/Gateway'],
  evaluate({ object }) {
    const found: { name: string; path: Path }[] = [];
    for (const [index, server] of itemsOf(valueAt(object, ['spec', 'servers'])).entries())
      if (/^TLSV1_[01]$/.test(String(valueAt(server, ['tls', 'minProtocolVersion']))))
        found.push({
          name: String(valueAt(server, ['tls', 'minProtocolVersion'])),
          path: ['spec', 'servers', index],
        });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ path }) => path),
        );
  },
  message: versions => `minProtocolVersion is ${[...new Set(versions)].join(' and ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: web, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE, credentialName: web, minProtocolVersion: TLSV1_0 } }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: web, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE, credentialName: web, minProtocolVersion: TLSV1_2 } }] }
      `,
    ],
  },
});
