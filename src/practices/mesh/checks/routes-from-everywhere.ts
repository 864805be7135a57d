/** Gateways that anybody may put routes on. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'routes-from-everywhere',
  title: 'Listener takes routes of every namespace',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K05')],
  why: 'Whoever may write a route in any namespace takes over host names of others.',
  remediation: 'Set allowedRoutes.namespaces.from to Same or to Selector.',

  subject: 'object',
  kinds: ['gateway.networking.k8s.io/Gateway'],
  evaluate({ object }) {
    const found: { name: string; path: Path }[] = [];
    for (const [index, listener] of itemsOf(valueAt(object, ['spec', 'listeners'])).entries())
      if (valueAt(listener, ['allowedRoutes', 'namespaces', 'from']) === 'All')
        found.push({ name: String(valueAt(listener, ['name'])), path: ['spec', 'listeners', index] });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ path }) => path),
        );
  },
  message: names => `listener ${names.map(name => `"${name}"`).join(', ')} takes routes of every namespace`,
  examples: {
    bad: [
      `
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { gatewayClassName: istio, listeners: [{ name: web, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: web }] }, allowedRoutes: { namespaces: { from: All } } }] }
      `,
    ],
    good: [
      `
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { gatewayClassName: istio, listeners: [{ name: web, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: web }] }, allowedRoutes: { namespaces: { from: Same } } }] }
      `,
    ],
  },
});
