/** Admission policies whose expressions the API server does not take. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { formatPath } from '#kube/objects.ts';
import { ADMISSION_POLICIES, refusedExpressions } from '../admission-policies.ts';
import { mutating, validating, WITHOUT_TOKEN } from '../examples.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'admission-policy-refused',
  title: 'Admission policy with an expression that does not compile',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'The API server refuses to store the policy, so what it was to keep out comes in; one that was stored by an older server fails every request that it is about.',
  remediation: 'Correct the expression.',

  subject: 'object',
  kinds: ADMISSION_POLICIES,
  looksAt: [],
  evaluate({ object }, { world }) {
    const refused = refusedExpressions(object, world.kubernetesMinor);
    return refused.length === 0 ? pass : fail(refused, ...refused.map(({ path }) => path));
  },
  message: refused =>
    refused
      .map(
        ({ path, message }) =>
          `${formatPath(path)}: ${message.split('\n')[0]!.replace(/^compilation failed: ERROR: <input>:/, '')}`,
      )
      .join('; '),

  examples: {
    bad: [
      validating('objekt.spec.replicas <= 5'),
      mutating('Object.spec{automountServiceAccountToken: false}'),
    ],
    good: [validating('object.spec.replicas <= 5'), WITHOUT_TOKEN],
  },
});
