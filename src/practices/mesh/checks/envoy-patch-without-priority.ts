/**
 * Patches whose order nothing says. Source: istio pkg/config/analysis/analyzers/envoyfilter/envoyfilter.go (IST0151,
 * IST0155).
 */
import { defineCheck } from '#check/check.ts';
import { notApplicable } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';

const ROUTES = ['ROUTE_CONFIGURATION', 'HTTP_ROUTE'];
const REPLACED = ['NETWORK_FILTER', 'HTTP_FILTER', 'VIRTUAL_HOST'];

/** Whether the patch is put beside something else, or in its place, so that order matters. */
function isRelative(operation: unknown, applyTo: unknown): boolean {
  switch (operation) {
    case 'INSERT_BEFORE':
    case 'INSERT_AFTER':
      return true;
    case 'REMOVE':
      return !ROUTES.includes(String(applyTo));
    case 'REPLACE':
      return REPLACED.includes(String(applyTo));
    default:
      return false;
  }
}

export default defineCheck({
  practice: 'mesh',
  name: 'envoy-patch-without-priority',
  title: 'EnvoyFilter places a patch by others, without a priority',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Where the filter beside which it belongs is put in later, the patch is not applied, and nothing says so.',
  remediation: 'Set priority, or use INSERT_FIRST.',

  subject: 'object',
  kinds: ['networking.istio.io/EnvoyFilter'],
  evaluate({ object }) {
    if (Number(valueAt(object, ['spec', 'priority']) ?? 0) !== 0) return notApplicable('it has a priority');
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'configPatches'])).flatMap((one, index) => {
        const operation = valueAt(one, ['patch', 'operation']);
        return isRelative(operation, valueAt(one, ['applyTo']))
          ? [
              {
                what: String(operation),
                path: ['spec', 'configPatches', index, 'patch', 'operation'],
              },
            ]
          : [];
      }),
    );
  },
  message: operations =>
    `${[...new Set(operations)].join(', ')} depends on the order, and priority is not set`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1alpha3
      kind: EnvoyFilter
      metadata: { name: limit, namespace: shop }
      spec: { configPatches: [{ applyTo: HTTP_FILTER, match: { context: SIDECAR_INBOUND }, patch: { operation: INSERT_BEFORE, value: { name: limit } } }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1alpha3
      kind: EnvoyFilter
      metadata: { name: limit, namespace: shop }
      spec: { priority: 10, configPatches: [{ applyTo: HTTP_FILTER, match: { context: SIDECAR_INBOUND }, patch: { operation: INSERT_BEFORE, value: { name: limit } } }] }
      `,
      `
      apiVersion: networking.istio.io/v1alpha3
      kind: EnvoyFilter
      metadata: { name: limit, namespace: shop }
      spec: { configPatches: [{ applyTo: HTTP_FILTER, match: { context: SIDECAR_INBOUND }, patch: { operation: INSERT_FIRST, value: { name: limit } } }] }
      `,
    ],
  },
});
