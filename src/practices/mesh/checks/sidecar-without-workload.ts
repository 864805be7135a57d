/** Sidecar objects that are for nobody. Source: istio pkg/config/analysis/analyzers/sidecar/selector.go (IST0101). */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { namespaceOf } from '#world/world.ts';
import { WEB_POD } from '../examples.ts';
import { makesPods, podsIn } from '../facts.ts';
import { hasLabels, isWhole, labelsAt, WHOLE_CLUSTER } from '../istio.ts';

const SELECTOR = ['spec', 'workloadSelector', 'labels'];

export default defineCheck({
  practice: 'mesh',
  name: 'sidecar-without-workload',
  title: 'Sidecar selects no workload',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'Its egress rules hold for nobody: the workload that was meant sees every host, and leaves through anything.',
  remediation: 'Correct the labels or the namespace.',
  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: ['networking.istio.io/Sidecar'],
  looksAt: ['network'],
  evaluate({ object }, { world, options }) {
    const selector = labelsAt(object, SELECTOR);
    if (selector === undefined) return notApplicable('it is for the whole namespace');
    const namespace = namespaceOf(object);
    const pods = podsIn(namespace, world);
    if (!isWhole(options) && (pods.length === 0 || makesPods(namespace, world)))
      return notApplicable('the pods are not in the input');
    return pods.some(pod => hasLabels(pod, selector)) ? pass : fail({}, SELECTOR);
  },
  message: () => 'it selects no workload',
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: { name: web, namespace: shop }
      spec: { workloadSelector: { labels: { app: wbe } }, outboundTrafficPolicy: { mode: REGISTRY_ONLY } }
      ---
      ${WEB_POD}
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Sidecar
      metadata: { name: web, namespace: shop }
      spec: { workloadSelector: { labels: { app: web } }, outboundTrafficPolicy: { mode: REGISTRY_ONLY } }
      ---
      ${WEB_POD}
      `,
    ],
  },
});
