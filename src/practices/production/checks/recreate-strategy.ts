/** Deployments that stop before they start. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { deployment } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'recreate-strategy',
  title: 'Rollout with an outage',
  severity: 'info',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'With strategy Recreate all pods stop before the new ones start.',
  remediation: 'Use RollingUpdate, unless two versions must never run at once.',

  subject: 'object',
  kinds: ['apps/Deployment'],
  evaluate({ object }) {
    return valueAt(object, ['spec', 'strategy', 'type']) === 'Recreate'
      ? fail({}, ['spec', 'strategy', 'type'])
      : pass;
  },
  message: () => 'strategy Recreate: every rollout is an outage',

  examples: {
    bad: [deployment('strategy: { type: Recreate }')],
    good: [deployment()],
  },
});
