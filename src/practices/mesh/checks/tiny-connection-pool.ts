/** Limits of an exercise. */
import { defineCheck } from '#check/check.ts';
import { valueAt } from '#kube/objects.ts';
import { verdictOf } from '../facts.ts';
import { trafficPolicies } from '../istio.ts';

/** One at a time is a limit for `http2MaxRequests` too; a request for each connection is another matter. */
const LIMITS = [
  ['tcp', 'maxConnections'],
  ['http', 'http1MaxPendingRequests'],
  ['http', 'http2MaxRequests'],
];

export default defineCheck({
  practice: 'mesh',
  name: 'tiny-connection-pool',
  title: 'Connection pool lets one request through',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'The numbers are those of the tutorial on circuit breakers: the second request at a time is refused with 503.',
  remediation: 'Set the limits to what the server can carry, or leave them out.',

  subject: 'object',
  kinds: ['networking.istio.io/DestinationRule'],
  evaluate({ object }) {
    return verdictOf(
      trafficPolicies(object).flatMap(({ policy, path }) =>
        LIMITS.flatMap(field =>
          valueAt(policy, ['connectionPool', ...field]) === 1
            ? [{ what: field.join('.'), path: [...path, 'connectionPool', ...field] }]
            : [],
        ),
      ),
    );
  },
  message: fields => `${[...new Set(fields)].join(' and ')} is 1`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web, trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } } } }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web, trafficPolicy: { connectionPool: { tcp: { maxConnections: 100 }, http: { http1MaxPendingRequests: 100 } } } }
      `,
    ],
  },
});
