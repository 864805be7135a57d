/** Telemetry of nobody. Source: istio pkg/config/analysis/analyzers/telemetry/selector.go (IST0101). */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { namespaceOf } from '#world/world.ts';
import { WEB_POD } from '../examples.ts';
import { makesPods, podsIn } from '../facts.ts';
import { hasLabels, isWhole, labelsAt, WHOLE_CLUSTER } from '../istio.ts';

const SELECTOR = ['spec', 'selector', 'matchLabels'];

export default defineCheck({
  practice: 'mesh',
  name: 'telemetry-without-workload',
  title: 'Telemetry selects no workload',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Nobody writes the access logs and metrics that it asks for.',
  remediation: 'Correct the labels or the namespace.',
  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: ['telemetry.istio.io/Telemetry'],
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
      apiVersion: telemetry.istio.io/v1
      kind: Telemetry
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: wbe } }, accessLogging: [{ providers: [{ name: envoy }] }] }
      ---
      ${WEB_POD}
      `,
    ],
    good: [
      `
      apiVersion: telemetry.istio.io/v1
      kind: Telemetry
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, accessLogging: [{ providers: [{ name: envoy }] }] }
      ---
      ${WEB_POD}
      `,
    ],
  },
});
