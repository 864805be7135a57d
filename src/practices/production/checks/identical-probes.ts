/** Probes that restart what is only busy. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { pod } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'identical-probes',
  title: 'Liveness probe equals readiness probe',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'A container that is only overloaded is restarted instead of spared, which makes the others more overloaded.',
  remediation: 'Let the liveness probe fail later (a higher failureThreshold), or ask something cheaper.',

  subject: 'container',
  evaluate({ container: { livenessProbe, readinessProbe } }) {
    if (livenessProbe === undefined || readinessProbe === undefined)
      return notApplicable('there are not both');
    return JSON.stringify(livenessProbe) === JSON.stringify(readinessProbe)
      ? fail({}, ['livenessProbe'])
      : pass;
  },
  message: () => 'livenessProbe and readinessProbe are the same',

  examples: {
    bad: [pod('livenessProbe: { httpGet: { port: 80 } }, readinessProbe: { httpGet: { port: 80 } }')],
    good: [
      pod(
        'livenessProbe: { httpGet: { port: 80 }, failureThreshold: 10 }, readinessProbe: { httpGet: { port: 80 } }',
      ),
    ],
  },
});
