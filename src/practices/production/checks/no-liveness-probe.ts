/** Containers that hang for ever. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { deployment } from '../examples.ts';
import { notProbed } from '../probes.ts';

export default defineCheck({
  practice: 'production',
  name: 'no-liveness-probe',
  title: 'No liveness probe',
  severity: 'info',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'A container that hangs stays as it is until somebody notices.',
  remediation: 'Add a livenessProbe that only a hung program fails; not the same as the readiness probe.',

  subject: 'container',
  evaluate(subject) {
    const why = notProbed(subject);
    if (why !== undefined) return notApplicable(why);
    return subject.container.livenessProbe === undefined ? fail({}, ['livenessProbe']) : pass;
  },
  message: () => 'there is no livenessProbe',

  examples: {
    bad: [deployment()],
    good: [deployment('', 'livenessProbe: { httpGet: { port: 8080 } }')],
  },
});
