/** Requests that may wait for ever. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'route-without-timeout',
  title: 'Route without a timeout',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Istio sets no timeout: one slow server holds the connections and the memory of all its callers.',
  remediation: 'Set timeout on the route.',

  subject: 'object',
  kinds: ['networking.istio.io/VirtualService'],
  evaluate({ object }) {
    const open = itemsOf(valueAt(object, ['spec', 'http'])).flatMap((route, index) =>
      itemsOf(valueAt(route, ['route'])).length > 0 &&
      [undefined, '0s'].includes(valueAt(route, ['timeout']) as string | undefined)
        ? [['spec', 'http', index]]
        : [],
    );
    return open.length === 0 ? pass : fail(open.length, ...open);
  },
  message: routes => (routes === 1 ? 'a route has no timeout' : `${routes} routes have no timeout`),
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ route: [{ destination: { host: web } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ route: [{ destination: { host: web } }], timeout: 5s }] }
      `,
    ],
  },
});
