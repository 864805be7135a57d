/** Namespaces that ask for two proxies. Source: istio pkg/config/analysis/analyzers/injection/injection.go (IST0123). */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';

const LABELS = ['istio-injection', 'istio.io/rev', 'istio.io/dataplane-mode'];

export default defineCheck({
  practice: 'mesh',
  name: 'two-injection-labels',
  title: 'Namespace asks for two data planes',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'istio-injection wins over a revision, and a sidecar over ztunnel: the pods get another proxy than the label says.',
  remediation: 'Keep one of the labels.',

  subject: 'object',
  kinds: ['/Namespace'],
  evaluate({ object }) {
    const labels = valueAt(object, ['metadata', 'labels']);
    const injection = valueAt(labels, ['istio-injection']);
    // Whoever switches injection off says so beside the others with reason.
    if (injection !== undefined && injection !== 'enabled') return pass;
    const found = LABELS.filter(
      label => valueAt(labels, [label]) !== undefined && valueAt(labels, [label]) !== 'none',
    );
    return found.length < 2 ? pass : fail(found, ...found.map(label => ['metadata', 'labels', label]));
  },
  message: labels => `it has the labels ${labels.join(' and ')}`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled, istio.io/rev: canary } }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/rev: canary } }
      `,
    ],
  },
});
