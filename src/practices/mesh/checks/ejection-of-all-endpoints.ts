/** Outlier detection that leaves nobody. */
import { defineCheck } from '#check/check.ts';
import { valueAt } from '#kube/objects.ts';
import { verdictOf } from '../facts.ts';
import { trafficPolicies } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'ejection-of-all-endpoints',
  title: 'Outlier detection may eject every endpoint',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'When a dependency of all endpoints fails, all of them are ejected: requests fail at once, also when it is back.',
  remediation: 'Set maxEjectionPercent to 50 or less, or minHealthPercent to what the rest can carry.',

  subject: 'object',
  kinds: ['networking.istio.io/DestinationRule'],
  evaluate({ object }) {
    return verdictOf(
      trafficPolicies(object).flatMap(({ policy, path }) => {
        const most = valueAt(policy, ['outlierDetection', 'maxEjectionPercent']);
        const least = valueAt(policy, ['outlierDetection', 'minHealthPercent']);
        return most === 100 && !(typeof least === 'number' && least > 0)
          ? [{ what: 100, path: [...path, 'outlierDetection', 'maxEjectionPercent'] }]
          : [];
      }),
    );
  },
  message: () => 'maxEjectionPercent is 100, and minHealthPercent is not set',
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web, trafficPolicy: { outlierDetection: { consecutive5xxErrors: 5, maxEjectionPercent: 100 } } }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web, trafficPolicy: { outlierDetection: { consecutive5xxErrors: 5, maxEjectionPercent: 50 } } }
      `,
    ],
  },
});
