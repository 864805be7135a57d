/** Encrypted, to whoever answers. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'unverified-server',
  title: 'TLS without a check of the server',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1557'), nsa('encryption')],
  why: 'The proxy takes any certificate: whoever stands in between reads and changes what is sent.',
  remediation: 'Set caCertificates, or credentialName with a workloadSelector; and subjectAltNames.',

  subject: 'object',
  kinds: ['networking.istio.io/DestinationRule'],
  evaluate({ object }) {
    const policy: Path = ['spec', 'trafficPolicy'];
    const places: Path[] = [
      [...policy, 'tls'],
      ...itemsOf(valueAt(object, [...policy, 'portLevelSettings'])).map(
        (_, i): Path => [...policy, 'portLevelSettings', i, 'tls'],
      ),
    ];
    // Source: istio pkg/config/analysis/analyzers/destinationrule/ca.go.
    const selects = valueAt(object, ['spec', 'workloadSelector']) !== undefined;
    const open = places.filter(path => {
      const mode = valueAt(object, [...path, 'mode']);
      if (mode !== 'SIMPLE' && mode !== 'MUTUAL') return false;
      const ca = valueAt(object, [...path, 'caCertificates']);
      const credential = valueAt(object, [...path, 'credentialName']);
      return (
        (ca === undefined || ca === '') && !(selects && typeof credential === 'string' && credential !== '')
      );
    });
    return open.length === 0 ? pass : fail({}, ...open);
  },
  message: () => 'no authority is named that the certificate of the server has to come from',
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web.shop.svc.cluster.local, trafficPolicy: { tls: { mode: SIMPLE } } }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web.shop.svc.cluster.local, trafficPolicy: { tls: { mode: SIMPLE, caCertificates: /etc/certs/ca.pem } } }
      `,
    ],
  },
});
