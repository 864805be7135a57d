/** Replicas that a drain may take all at once. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { type LabelSelector, matchesSelector } from '#kube/selectors.ts';
import { metadataOf, namespaceOf } from '#world/world.ts';
import { deployment } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'no-disruption-budget',
  title: 'No PodDisruptionBudget',
  severity: 'info',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Draining nodes for an upgrade may evict all replicas at once.',
  remediation: 'Add a PodDisruptionBudget with maxUnavailable: 1.',

  subject: 'object',
  kinds: ['apps/Deployment', 'apps/StatefulSet'],
  looksAt: ['policy/PodDisruptionBudget'],
  evaluate({ object }, { world }) {
    const replicas = valueAt(object, ['spec', 'replicas']);
    if (typeof replicas !== 'number' || replicas < 2) return notApplicable('there are not several');
    const template = world.templatesOf(object)[0];
    if (template === undefined) return notApplicable('there is no template');
    const { labels } = metadataOf(template.pod.metadata);
    const kept = world
      .ofKind('policy/PodDisruptionBudget')
      .some(
        ({ object: budget }) =>
          namespaceOf(budget) === namespaceOf(object) &&
          matchesSelector(valueAt(budget, ['spec', 'selector']) as LabelSelector | undefined, labels),
      );
    return kept ? pass : fail({ replicas }, ['spec', 'replicas']);
  },
  message: ({ replicas }) => `${replicas} replicas without a PodDisruptionBudget`,

  examples: {
    bad: [deployment('replicas: 3')],
    good: [
      `${deployment('replicas: 3')}---
      apiVersion: policy/v1
      kind: PodDisruptionBudget
      metadata: { name: shop, namespace: shop }
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: shop } } }
      `,
    ],
  },
});
