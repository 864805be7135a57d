/**
 * Patches that no proxy applies. Source: istio pkg/config/analysis/analyzers/envoyfilter/envoyfilter.go (IST0152,
 * IST0153, IST0154).
 */
import { defineCheck } from '#check/check.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';

/** What a patch of an operation may not be applied to. */
const IGNORED: Readonly<Record<string, (applyTo: string) => boolean>> = {
  ADD: applyTo => applyTo === 'ROUTE_CONFIGURATION' || applyTo === 'HTTP_ROUTE',
  REMOVE: applyTo => applyTo === 'ROUTE_CONFIGURATION' || applyTo === 'HTTP_ROUTE',
  REPLACE: applyTo => !['NETWORK_FILTER', 'HTTP_FILTER', 'VIRTUAL_HOST'].includes(applyTo),
};

export default defineCheck({
  practice: 'mesh',
  name: 'ignored-envoy-patch',
  title: 'EnvoyFilter has a patch that is never applied',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'The operation does not fit what it is applied to, and the proxy goes on without it: often it was to check tokens, or to limit rates.',
  remediation: 'Use an operation that the part takes: MERGE for routes and their configuration.',

  subject: 'object',
  kinds: ['networking.istio.io/EnvoyFilter'],
  evaluate({ object }) {
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'configPatches'])).flatMap((one, index) => {
        const operation = String(valueAt(one, ['patch', 'operation']));
        const applyTo = String(valueAt(one, ['applyTo']));
        return Object.hasOwn(IGNORED, operation) && IGNORED[operation]!(applyTo)
          ? [
              {
                what: `${operation} of ${applyTo}`,
                path: ['spec', 'configPatches', index, 'patch', 'operation'],
              },
            ]
          : [];
      }),
    );
  },
  message: patches => `proxies ignore ${[...new Set(patches)].join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1alpha3
      kind: EnvoyFilter
      metadata: { name: no-cache, namespace: shop }
      spec: { configPatches: [{ applyTo: HTTP_ROUTE, match: { context: GATEWAY }, patch: { operation: ADD, value: { name: admin, direct_response: { status: 403 } } } }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1alpha3
      kind: EnvoyFilter
      metadata: { name: no-cache, namespace: shop }
      spec: { configPatches: [{ applyTo: HTTP_ROUTE, match: { context: GATEWAY }, patch: { operation: MERGE, value: { direct_response: { status: 403 } } } }] }
      `,
    ],
  },
});
