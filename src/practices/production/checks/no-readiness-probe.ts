/** Containers that get requests before they can answer. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { deployment } from '../examples.ts';
import { notProbed } from '../probes.ts';

export default defineCheck({
  practice: 'production',
  name: 'no-readiness-probe',
  title: 'No readiness probe',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Requests reach the container while it starts or when it cannot answer, and a rollout goes on although the new version is broken.',
  remediation: 'Add a readinessProbe that asks what requests need.',

  subject: 'container',
  evaluate(subject) {
    const why = notProbed(subject);
    if (why !== undefined) return notApplicable(why);
    return subject.container.readinessProbe === undefined ? fail({}, ['readinessProbe']) : pass;
  },
  message: () => 'there is no readinessProbe',

  examples: {
    bad: [deployment()],
    good: [deployment('', 'readinessProbe: { httpGet: { port: 8080 } }')],
  },
});
