/**
 * Telemetry objects of which one counts. Source: istio pkg/config/analysis/analyzers/telemetry/selector.go and
 * default_selector.go (IST0159, IST0160).
 */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { overlapOf } from '../overlap.ts';

const KIND = 'telemetry.istio.io/Telemetry';

export default defineCheck({
  practice: 'mesh',
  name: 'telemetry-overlap',
  title: 'Two Telemetry objects for one workload',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'The proxy follows the older one only: access logs and metrics that the other asks for are not there when they are needed.',
  remediation: 'Make one Telemetry of them, or tell their selectors apart.',

  subject: 'object',
  kinds: [KIND],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const other = overlapOf(world, KIND, ['spec', 'selector', 'matchLabels'], object);
    return other === undefined ? pass : fail(other, ['metadata', 'name']);
  },
  message: ({ other, of }) => `Telemetry ${other} is for ${of} too`,
  examples: {
    bad: [
      `
      apiVersion: telemetry.istio.io/v1
      kind: Telemetry
      metadata: { name: access-logs, namespace: shop }
      spec: { accessLogging: [{ providers: [{ name: envoy }] }] }
      ---
      apiVersion: telemetry.istio.io/v1
      kind: Telemetry
      metadata: { name: traces, namespace: shop }
      spec: { tracing: [{ randomSamplingPercentage: 1 }] }
      `,
    ],
    good: [
      `
      apiVersion: telemetry.istio.io/v1
      kind: Telemetry
      metadata: { name: telemetry, namespace: shop }
      spec: { accessLogging: [{ providers: [{ name: envoy }] }], tracing: [{ randomSamplingPercentage: 1 }] }
      ---
      apiVersion: telemetry.istio.io/v1
      kind: Telemetry
      metadata: { name: telemetry, namespace: bank }
      spec: { tracing: [{ randomSamplingPercentage: 1 }] }
      `,
    ],
  },
});
