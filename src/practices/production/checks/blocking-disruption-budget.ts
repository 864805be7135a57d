/** Budgets under which no node can be drained. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';

export default defineCheck({
  practice: 'production',
  name: 'blocking-disruption-budget',
  title: 'PodDisruptionBudget allows no disruption',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'A node with such a pod cannot be drained: upgrades, security fixes among them, stop there.',
  remediation: 'Allow at least one to be unavailable.',

  subject: 'object',
  kinds: ['policy/PodDisruptionBudget'],
  evaluate({ object }) {
    const maximum = valueAt(object, ['spec', 'maxUnavailable']);
    const minimum = valueAt(object, ['spec', 'minAvailable']);
    if (maximum === 0 || maximum === '0' || maximum === '0%')
      return fail({ field: 'maxUnavailable', value: String(maximum) }, ['spec', 'maxUnavailable']);
    return minimum === '100%'
      ? fail({ field: 'minAvailable', value: minimum }, ['spec', 'minAvailable'])
      : pass;
  },
  message: ({ field, value }) => `${field} is ${value}: no pod may ever be evicted`,

  examples: {
    bad: [
      `
      apiVersion: policy/v1
      kind: PodDisruptionBudget
      metadata: { name: shop }
      spec: { maxUnavailable: 0, selector: {} }
      `,
    ],
    good: [
      `
      apiVersion: policy/v1
      kind: PodDisruptionBudget
      metadata: { name: shop }
      spec: { maxUnavailable: 1, selector: {} }
      `,
    ],
  },
});
