/** Failover that never happens. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, valueAt } from '#kube/objects.ts';

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
    const policy = ['spec', 'trafficPolicy'];
    const locality = valueAt(object, [...policy, 'loadBalancer', 'localityLbSetting']);
    if (!isRecord(locality) || locality['enabled'] === false) return pass;
    if (locality['failover'] === undefined && locality['failoverPriority'] === undefined) return pass;
    return valueAt(object, [...policy, 'outlierDetection']) === undefined
      ? fail({}, [...policy, 'loadBalancer', 'localityLbSetting'])
      : pass;
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
