/**
 * Sidecar objects of which one counts. Source: istio pkg/config/analysis/analyzers/sidecar/selector.go (IST0110,
 * IST0111), pilot/pkg/model/sidecar.go.
 */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { WEB_POD } from '../examples.ts';
import { isInAmbientNamespace, overlapOf } from '../overlap.ts';

const KIND = 'networking.istio.io/Sidecar';

export default defineCheck({
  practice: 'mesh',
  name: 'sidecar-overlap',
  title: 'Two Sidecars for one workload',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'The proxy follows the older one only: what the other says about egress, or about hosts that are refused, does not hold.',
  remediation: 'Make one Sidecar of them, or tell their selectors apart.',

  subject: 'object',
  kinds: [KIND],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const path = ['spec', 'workloadSelector', 'labels'];
    if (isInAmbientNamespace(object, world)) return notApplicable('there are no sidecars in its namespace');
    const other = overlapOf(world, KIND, path, object);
    return other === undefined ? pass : fail(other, ['metadata', 'name']);
  },
  message: ({ other, of }) => `Sidecar ${other} is for ${of} too`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: { name: web, namespace: shop }
      spec: { workloadSelector: { labels: { app: web } }, egress: [{ hosts: ["./*"] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: { name: all, namespace: shop }
      spec: { egress: [{ hosts: ["*/*"] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: { name: frontend, namespace: shop }
      spec: { workloadSelector: { labels: { tier: frontend } }, egress: [{ hosts: ["*/*"] }] }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web, tier: frontend } }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: { name: web, namespace: shop }
      spec: { workloadSelector: { labels: { app: web } }, egress: [{ hosts: ["./*"] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: { name: all, namespace: shop }
      spec: { egress: [{ hosts: ["*/*"] }] }
      ---
      ${WEB_POD}
      `,
    ],
  },
});
