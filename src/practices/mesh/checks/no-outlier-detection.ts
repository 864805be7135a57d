/** Endpoints that fail and are still asked. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { trafficPolicies } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'no-outlier-detection',
  title: 'DestinationRule has no outlier detection',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Endpoints that answer with errors keep their share of the requests.',
  remediation: 'Set trafficPolicy.outlierDetection.',

  subject: 'object',
  kinds: ['networking.istio.io/DestinationRule'],
  evaluate({ object }) {
    return trafficPolicies(object).some(({ policy }) => valueAt(policy, ['outlierDetection']) !== undefined)
      ? pass
      : fail({}, ['spec', 'host']);
  },
  message: () => 'outlierDetection is not set',
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
      spec: { host: web, trafficPolicy: { outlierDetection: { consecutive5xxErrors: 5 } } }
      `,
    ],
  },
});
