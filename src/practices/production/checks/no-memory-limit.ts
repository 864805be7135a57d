/** Containers without a limit for Memory. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { pod } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'no-memory-limit',
  title: 'No memory limit',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [nsa('resource policies'), mitre('T1499')],
  why: 'A leak in it takes the memory of every pod on the node.',
  remediation: 'Set a limit, for memory best equal to the request.',

  subject: 'container',
  evaluate({ container: { resources }, role }) {
    if (role === 'ephemeral') return notApplicable('debugging takes what is left');
    const stated = resources?.limits?.['memory'];
    return stated === undefined ? fail({}, ['resources', 'limits', 'memory']) : pass;
  },
  message: () => 'there is no limit for memory',

  examples: {
    bad: [pod()],
    good: [pod('resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { memory: 64Mi } }')],
  },
});
