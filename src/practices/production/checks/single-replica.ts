/** Deployments that stop with one node. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { deployment } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'single-replica',
  title: 'Single replica',
  severity: 'info',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'When its node is drained or fails, nothing serves until another has started.',
  remediation: 'Run two or more, and spread them over nodes.',

  subject: 'object',
  kinds: ['apps/Deployment'],
  looksAt: ['autoscaling/HorizontalPodAutoscaler'],
  evaluate({ object }, { world }) {
    const replicas = valueAt(object, ['spec', 'replicas']) ?? 1;
    if (replicas !== 1) return pass;
    const scaled = world
      .ofKind('autoscaling/HorizontalPodAutoscaler')
      .some(
        ({ object: scaler }) =>
          namespaceOf(scaler) === namespaceOf(object) &&
          valueAt(scaler, ['spec', 'scaleTargetRef', 'kind']) === object.kind &&
          valueAt(scaler, ['spec', 'scaleTargetRef', 'name']) === object.metadata?.name,
      );
    return scaled ? notApplicable('an autoscaler decides') : fail({}, ['spec', 'replicas']);
  },
  message: () => 'one replica',

  examples: {
    bad: [deployment('replicas: 1')],
    good: [deployment('replicas: 2')],
  },
});
