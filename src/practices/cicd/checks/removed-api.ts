/** Objects in a version that the cluster does not serve. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { retirementOf } from '#kube/api-lifecycle.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'removed-api',
  title: 'apiVersion that was removed',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K10')],
  why: 'The API server refuses the object: the rollout stops, or a guard (a PodSecurityPolicy, a webhook) is not there any more.',
  remediation: 'Move to the version that came instead; the migration guide of Kubernetes tells what changed.',

  subject: 'object',
  looksAt: [],
  evaluate({ object }, { world }) {
    const retirement = retirementOf(object.apiVersion, object.kind);
    if (retirement?.removed === undefined || world.kubernetesMinor < retirement.removed) return pass;
    return fail(
      { apiVersion: object.apiVersion, kind: object.kind, ...retirement, removed: retirement.removed },
      ['apiVersion'],
    );
  },
  message: ({ apiVersion, kind, removed, replacement }) =>
    `${apiVersion} ${kind} was removed in 1.${removed}; ${replacement === undefined ? 'nothing came instead' : `use ${replacement}`}`,

  examples: {
    bad: [
      `
      apiVersion: policy/v1beta1
      kind: PodSecurityPolicy
      metadata: { name: shop }
      `,
    ],
    good: [
      `
      apiVersion: policy/v1
      kind: PodDisruptionBudget
      metadata: { name: shop }
      `,
    ],
  },
});
