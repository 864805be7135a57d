/** Containers without a request for Memory. */
import { defineCheck } from '#check/check.ts';
import { nsa } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { pod } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'no-memory-request',
  title: 'No memory request',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [nsa('resource policies')],
  why: 'The scheduler then packs the pod onto any node, and it is among the first to be killed when memory runs out.',
  remediation: 'Request what the program needs on an ordinary day.',

  subject: 'container',
  evaluate({ container: { resources }, role }) {
    if (role === 'ephemeral') return notApplicable('debugging takes what is left');
    // A limit without a request is its request too.
    const limits = resources?.limits;
    const stated = resources?.requests?.['memory'] ?? limits?.['memory'];
    return stated === undefined ? fail({}, ['resources', 'requests', 'memory']) : pass;
  },
  message: () => 'there is no request for memory',

  examples: {
    bad: [pod()],
    good: [pod('resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { memory: 64Mi } }')],
  },
});
