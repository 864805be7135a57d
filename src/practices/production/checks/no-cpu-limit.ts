/** Containers that may take every processor. */
import { defineCheck } from '#check/check.ts';
import { nsa } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { pod } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'no-cpu-limit',
  title: 'No CPU limit',
  severity: 'info',
  since: '0.1.0',
  profiles: [],
  frameworks: [nsa('resource policies')],
  why: 'A busy container may take all idle processors of its node. Many teams want exactly that, so this check is in no profile.',
  remediation: 'Set a limit where one tenant must not slow another down.',

  subject: 'container',
  evaluate({ container: { resources }, role }) {
    if (role === 'ephemeral') return notApplicable('debugging takes what is left');
    return resources?.limits?.['cpu'] === undefined ? fail({}, ['resources', 'limits', 'cpu']) : pass;
  },
  message: () => 'there is no limit for CPU',

  examples: {
    bad: [pod()],
    good: [pod('resources: { limits: { cpu: 500m } }')],
  },
});
