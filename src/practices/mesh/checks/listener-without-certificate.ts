/** Listeners that have nothing to show. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'listener-without-certificate',
  title: 'HTTPS listener has no certificate',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'The listener is not programmed: clients get no connection.',
  remediation: 'Name a Secret in tls.certificateRefs.',

  subject: 'object',
  kinds: ['gateway.networking.k8s.io/Gateway'],
  evaluate({ object }) {
    const found: { name: string; path: Path }[] = [];
    for (const [index, listener] of itemsOf(valueAt(object, ['spec', 'listeners'])).entries())
      if (
        valueAt(listener, ['protocol']) === 'HTTPS' &&
        valueAt(listener, ['tls', 'mode']) !== 'Passthrough' &&
        valueAt(listener, ['tls', 'options']) === undefined &&
        itemsOf(valueAt(listener, ['tls', 'certificateRefs'])).length === 0
      )
        found.push({ name: String(valueAt(listener, ['name'])), path: ['spec', 'listeners', index] });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ path }) => path),
        );
  },
  message: names =>
    `listener ${names.map(name => `"${name}"`).join(', ')} terminates TLS without certificateRefs`,
  examples: {
    bad: [
      `
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { gatewayClassName: istio, listeners: [{ name: web, port: 443, protocol: HTTPS, tls: { mode: Terminate } }] }
      `,
    ],
    good: [
      `
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { gatewayClassName: istio, listeners: [{ name: web, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: web }] } }] }
      `,
    ],
  },
});
