/** Replicas that may all stand on one node. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { deployment } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'not-spread',
  title: 'Replicas not spread over nodes',
  severity: 'info',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'All replicas may stand on one node, and fail with it.',
  remediation: 'Add topologySpreadConstraints, or a podAntiAffinity, over kubernetes.io/hostname.',

  subject: 'pod',
  evaluate({ object, spec }) {
    const replicas = valueAt(object, ['spec', 'replicas']);
    if (
      (object.kind !== 'Deployment' && object.kind !== 'StatefulSet') ||
      typeof replicas !== 'number' ||
      replicas < 2
    )
      return notApplicable('there are not several');
    const spread =
      (spec.topologySpreadConstraints?.length ?? 0) > 0 || spec.affinity?.['podAntiAffinity'] !== undefined;
    return spread ? pass : fail({ replicas }, ['spec', 'topologySpreadConstraints']);
  },
  message: ({ replicas }) => `${replicas} replicas, and nothing spreads them over nodes`,

  examples: {
    bad: [deployment('replicas: 3')],
    good: [
      deployment(
        'replicas: 3',
        '',
        'topologySpreadConstraints: [{ maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway }]',
      ),
    ],
  },
});
