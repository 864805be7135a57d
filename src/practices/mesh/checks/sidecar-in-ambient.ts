/** Egress rules where no proxy reads them. Source: istio pkg/config/analysis/analyzers/sidecar/selector.go (IST0167). */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { namespaceOf } from '#world/world.ts';
import { ambientWorkloads } from '../facts.ts';
import { labelsAt } from '../istio.ts';
import { isInAmbientNamespace } from '../overlap.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'sidecar-in-ambient',
  title: 'Sidecar object for workloads in ambient mode',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'ztunnel does not read it: REGISTRY_ONLY and the hosts of egress restrict nobody.',
  remediation: 'Restrict egress with a NetworkPolicy, or with a waypoint for the ServiceEntries.',

  subject: 'object',
  kinds: ['networking.istio.io/Sidecar'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const selector = labelsAt(object, ['spec', 'workloadSelector', 'labels']);
    if (selector === undefined)
      return isInAmbientNamespace(object, world) ? fail('its namespace', ['metadata', 'namespace']) : pass;
    const hit = ambientWorkloads(world, namespaceOf(object) ?? '').some(pod => {
      const labels = valueAt(podTemplateOf(pod)?.pod.metadata, ['labels']);
      return Object.entries(selector).every(([key, value]) => valueAt(labels, [key]) === value);
    });
    return hit ? fail('a workload that it selects', ['spec', 'workloadSelector']) : pass;
  },
  message: who => `${who} is in ambient mode: it restricts nothing there`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: { name: closed, namespace: shop }
      spec: { outboundTrafficPolicy: { mode: REGISTRY_ONLY } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: { name: closed, namespace: shop }
      spec: { outboundTrafficPolicy: { mode: REGISTRY_ONLY } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      `,
    ],
  },
});
