/** Writes that are done twice. */
import { defineCheck } from '#check/check.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import { VIRTUAL_SERVICE } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'retry-of-writes',
  title: 'Route retries requests that change something',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'A server that answered too late, or with an error, may have done what was asked: the retry does it again.',
  remediation: 'Set attempts to 0 for these methods, or retryOn to connect-failure,refused-stream.',

  subject: 'object',
  kinds: [VIRTUAL_SERVICE],
  evaluate({ object }) {
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'http'])).flatMap((route, index) => {
        const matches = itemsOf(valueAt(route, ['match']));
        const writes =
          matches.length > 0 &&
          matches.every(match => /^(?:POST|PATCH)$/.test(String(valueAt(match, ['method', 'exact']))));
        const risky = String(valueAt(route, ['retries', 'retryOn']) ?? '')
          .split(',')
          .map(one => one.trim())
          .filter(one => /^(?:5xx|gateway-error|reset|retriable-4xx|500|502|503|504)$/.test(one));
        return writes && valueAt(route, ['retries', 'attempts']) !== 0 && risky.length > 0
          ? [{ what: risky.join(', '), path: ['spec', 'http', index, 'retries', 'retryOn'] }]
          : [];
      }),
    );
  },
  message: conditions => `POST or PATCH is sent again on ${[...new Set(conditions)].join('; ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ match: [{ method: { exact: POST } }], retries: { attempts: 2, retryOn: "5xx,reset" }, route: [{ destination: { host: web } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ match: [{ method: { exact: POST } }], retries: { attempts: 2, retryOn: "connect-failure,refused-stream" }, route: [{ destination: { host: web } }] }] }
      `,
    ],
  },
});
