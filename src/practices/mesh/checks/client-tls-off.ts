/** Clients that are told to send plain text. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'client-tls-off',
  title: 'DestinationRule switches TLS off',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K07'), mitre('T1040'), nsa('encryption')],
  why: 'Clients send plain text, without identity: servers that require mutual TLS refuse it, the others let it be read.',
  remediation: 'Remove the setting: Istio then uses mutual TLS where the server can.',

  subject: 'object',
  kinds: ['networking.istio.io/DestinationRule'],
  evaluate({ object }) {
    const policies: Path[] = [
      ['spec', 'trafficPolicy'],
      ...itemsOf(valueAt(object, ['spec', 'subsets'])).map(
        (_, i): Path => ['spec', 'subsets', i, 'trafficPolicy'],
      ),
    ];
    const places = policies.flatMap((path): Path[] => [
      [...path, 'tls', 'mode'],
      ...itemsOf(valueAt(object, [...path, 'portLevelSettings'])).map(
        (_, i): Path => [...path, 'portLevelSettings', i, 'tls', 'mode'],
      ),
    ]);
    const off = places.filter(path => valueAt(object, path) === 'DISABLE');
    return off.length === 0 ? pass : fail({}, ...off);
  },
  message: () => 'TLS mode is DISABLE',
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web.shop.svc.cluster.local, trafficPolicy: { tls: { mode: DISABLE } } }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web.shop.svc.cluster.local, trafficPolicy: { tls: { mode: ISTIO_MUTUAL } } }
      `,
    ],
  },
});
