/** Failover that never happens. */
import { defineCheck } from '#check/check.ts';
import { isRecord, valueAt } from '#kube/objects.ts';
import { verdictOf } from '../facts.ts';
import { trafficPolicies } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'failover-without-outlier-detection',
  title: 'Locality failover without outlier detection',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Only outlier detection tells that endpoints are unhealthy: without it traffic never moves to another place.',
  remediation: 'Add outlierDetection to the same traffic policy.',

  subject: 'object',
  kinds: ['networking.istio.io/DestinationRule'],
  evaluate({ object }) {
    const own = valueAt(object, ['spec', 'trafficPolicy', 'outlierDetection']);
    return verdictOf(
      trafficPolicies(object).flatMap(({ policy, path }) => {
        const locality = valueAt(policy, ['loadBalancer', 'localityLbSetting']);
        if (!isRecord(locality) || locality['enabled'] === false) return [];
        if (locality['failover'] === undefined && locality['failoverPriority'] === undefined) return [];
        // A subset takes what it does not state from the rule; what stands at a port takes nothing.
        const detection =
          valueAt(policy, ['outlierDetection']) ?? (path.includes('portLevelSettings') ? undefined : own);
        return detection === undefined
          ? [{ what: path, path: [...path, 'loadBalancer', 'localityLbSetting'] }]
          : [];
      }),
    );
  },
  message: () => 'failover does nothing without outlierDetection',
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web.shop.svc.cluster.local, trafficPolicy: { loadBalancer: { localityLbSetting: { failover: [{ from: eu, to: us }] } } } }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web.shop.svc.cluster.local, trafficPolicy: { loadBalancer: { localityLbSetting: { failover: [{ from: eu, to: us }] } }, outlierDetection: { consecutive5xxErrors: 5 } } }
      `,
    ],
  },
});
