/** Autoscalers that scale nothing. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { deployment } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'autoscaler-without-target',
  title: 'Autoscaler whose target is missing',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Nothing is scaled, and load finds the replicas that were there.',
  remediation: 'Correct scaleTargetRef.',

  subject: 'object',
  kinds: ['autoscaling/HorizontalPodAutoscaler'],
  looksAt: ['apps/DaemonSet', 'apps/Deployment', 'apps/ReplicaSet', 'apps/StatefulSet'],
  evaluate({ object }, { world }) {
    const kind = valueAt(object, ['spec', 'scaleTargetRef', 'kind']);
    const name = valueAt(object, ['spec', 'scaleTargetRef', 'name']);
    if (kind !== 'Deployment' && kind !== 'StatefulSet')
      return notApplicable('its target is of another kind');
    if (typeof name !== 'string') return fail({ kind, name: '' }, ['spec', 'scaleTargetRef']);
    const namespace = namespaceOf(object);
    if (world.find(`apps/${kind}`, namespace, name) !== undefined) return pass;
    const whole = world.ofKind(`apps/${kind}`).some(({ object: other }) => namespaceOf(other) === namespace);
    return whole
      ? fail({ kind, name }, ['spec', 'scaleTargetRef', 'name'])
      : notApplicable('the workloads of the namespace are not in the input');
  },
  message: ({ kind, name }) => `${kind} "${name}" is not there`,

  examples: {
    bad: [
      `${deployment()}---
      apiVersion: autoscaling/v2
      kind: HorizontalPodAutoscaler
      metadata: { name: shop, namespace: shop }
      spec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: shopp } }
      `,
    ],
    good: [
      `${deployment()}---
      apiVersion: autoscaling/v2
      kind: HorizontalPodAutoscaler
      metadata: { name: shop, namespace: shop }
      spec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: shop } }
      `,
    ],
  },
});
