/** Retries that make a storm. */
import { defineCheck } from '#check/check.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import { VIRTUAL_SERVICE } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'retries-that-multiply',
  title: 'Route retries many times',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Each server on the way of a request retries too: with five tries at each of three, a failing one gets 125 requests for one.',
  remediation: 'Retry twice at most, and only what another endpoint could answer.',

  subject: 'object',
  kinds: [VIRTUAL_SERVICE],
  evaluate({ object }) {
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'http'])).flatMap((route, index) => {
        const attempts = valueAt(route, ['retries', 'attempts']);
        return typeof attempts === 'number' && attempts > 3
          ? [{ what: attempts, path: ['spec', 'http', index, 'retries', 'attempts'] }]
          : [];
      }),
    );
  },
  message: attempts => `a request is tried ${Math.max(...attempts) + 1} times`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ retries: { attempts: 10, retryOn: 5xx }, route: [{ destination: { host: web } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ retries: { attempts: 2, retryOn: connect-failure }, route: [{ destination: { host: web } }] }] }
      `,
    ],
  },
});
