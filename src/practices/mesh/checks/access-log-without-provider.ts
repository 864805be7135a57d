/** Access logs that nobody writes. Source: istio pkg/config/analysis/analyzers/telemetry/providers.go (IST0157). */
import { defineCheck } from '#check/check.ts';
import { notApplicable } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, meshSettings, verdictOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'access-log-without-provider',
  title: 'Access logs are asked of no provider',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'Nothing is written: who was let in, and who was refused, can be looked up nowhere.',
  remediation: 'Name a provider, for example envoy, or set defaultProviders.accessLogging of the mesh.',

  subject: 'object',
  kinds: ['telemetry.istio.io/Telemetry'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const found = itemsOf(valueAt(object, ['spec', 'accessLogging'])).flatMap((one, index) =>
      valueAt(one, ['disabled']) !== true && itemsOf(valueAt(one, ['providers'])).length === 0
        ? [{ what: index, path: ['spec', 'accessLogging', index] }]
        : [],
    );
    if (found.length > 0 && meshSettings(world).logsAccess)
      return notApplicable('the mesh has a provider for access logs');
    return verdictOf(found);
  },
  message: () => 'no provider is named, and the mesh has none for access logs',
  examples: {
    bad: [
      `
      apiVersion: telemetry.istio.io/v1
      kind: Telemetry
      metadata: { name: mesh, namespace: istio-system }
      spec: { accessLogging: [{ filter: { expression: "response.code >= 400" } }] }
      `,
    ],
    good: [
      `
      apiVersion: telemetry.istio.io/v1
      kind: Telemetry
      metadata: { name: mesh, namespace: istio-system }
      spec: { accessLogging: [{ providers: [{ name: envoy }], filter: { expression: "response.code >= 400" } }] }
      `,
      `
      apiVersion: telemetry.istio.io/v1
      kind: Telemetry
      metadata: { name: mesh, namespace: istio-system }
      spec: { accessLogging: [{ filter: { expression: "response.code >= 400" } }] }
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: istio, namespace: istio-system }
      data: { mesh: "defaultProviders: { accessLogging: [envoy] }" }
      `,
    ],
  },
});
