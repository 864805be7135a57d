/** Selectors that do not select their own template's pods. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass, type Verdict } from '#check/verdict.ts';
import { isRecord, valueAt } from '#kube/objects.ts';
import { invalidSelector, type LabelSelector, matchesLabels, matchesSelector } from '#kube/selectors.ts';
import { metadataOf } from '#world/world.ts';

interface Evidence {
  /** Undefined where both are fine and only do not meet. */
  readonly problem: string | undefined;
}

export default defineCheck({
  practice: 'cicd',
  name: 'selector-mismatch',
  title: "Selector does not match the template's labels",
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'The API server refuses it, or (a ReplicationController) it makes pods without end.',
  remediation: 'Give the pod template the labels that the selector asks for.',

  subject: 'object',
  kinds: [
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'apps/ReplicaSet',
    '/ReplicationController',
    'argoproj.io/Rollout',
  ],
  evaluate({ object }): Verdict<Evidence> {
    const selector = valueAt(object, ['spec', 'selector']);
    const template = valueAt(object, ['spec', 'template']);
    if (!isRecord(template)) return notApplicable('there is no template');
    const { labels } = metadataOf(template['metadata']);
    if (object.kind === 'ReplicationController') {
      if (!isRecord(selector)) return notApplicable('the selector defaults to the labels');
      return matchesLabels(selector as Record<string, string>, labels)
        ? pass
        : fail({ problem: undefined }, ['spec', 'selector']);
    }
    if (object.kind === 'Rollout' && selector === undefined)
      return notApplicable('the selector is elsewhere');
    if (!isRecord(selector)) return fail({ problem: 'there is no selector' }, ['spec', 'selector']);
    const problem = invalidSelector(selector);
    if (problem !== undefined) return fail({ problem }, ['spec', 'selector']);
    if (Object.keys(selector).length === 0)
      return fail({ problem: 'the selector is empty' }, ['spec', 'selector']);
    return matchesSelector(selector as LabelSelector, labels)
      ? pass
      : fail({ problem: undefined }, ['spec', 'selector']);
  },
  message: ({ problem }) => problem ?? "the selector does not match the template's labels",

  examples: {
    bad: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: shop }
      spec:
        selector: { matchLabels: { app: shop } }
        template:
          metadata: { labels: { app: shopp } }
          spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      `,
    ],
    good: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: shop }
      spec:
        selector: { matchExpressions: [{ key: app, operator: In, values: [shop] }] }
        template:
          metadata: { labels: { app: shop } }
          spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      `,
    ],
  },
});
