/** Load without a bound. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'no-circuit-breaker',
  title: 'DestinationRule bounds no connections',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'A slow service collects requests until its callers fail too.',
  remediation: 'Set trafficPolicy.connectionPool.',

  subject: 'object',
  kinds: ['networking.istio.io/DestinationRule'],
  evaluate({ object }) {
    const policies = [
      valueAt(object, ['spec', 'trafficPolicy']),
      ...itemsOf(valueAt(object, ['spec', 'trafficPolicy', 'portLevelSettings'])),
      ...itemsOf(valueAt(object, ['spec', 'subsets'])).map(subset => valueAt(subset, ['trafficPolicy'])),
    ];
    return policies.some(policy => valueAt(policy, ['connectionPool']) !== undefined)
      ? pass
      : fail({}, ['spec', 'host']);
  },
  message: () => 'connectionPool is not set',
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web, trafficPolicy: { connectionPool: { http: { http1MaxPendingRequests: 100 } } } }
      `,
    ],
  },
});
