/** Objects in a version that will go. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { retirementOf } from '#kube/api-lifecycle.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'deprecated-api',
  title: 'apiVersion that is deprecated',
  severity: 'low',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K10')],
  why: 'A later upgrade of the cluster removes it, and then the object is refused.',
  remediation: 'Move to the version that came instead, before the upgrade that removes it.',

  subject: 'object',
  looksAt: [],
  evaluate({ object }, { world }) {
    const retirement = retirementOf(object.apiVersion, object.kind);
    if (retirement === undefined || world.kubernetesMinor < retirement.deprecated) return pass;
    if (retirement.removed !== undefined && world.kubernetesMinor >= retirement.removed)
      return notApplicable('it was removed');
    return fail({ apiVersion: object.apiVersion, kind: object.kind, ...retirement }, ['apiVersion']);
  },
  message: ({ apiVersion, kind, deprecated, removed, replacement }) =>
    `${apiVersion} ${kind} is deprecated since 1.${deprecated}${removed === undefined ? '' : ` and goes with 1.${removed}`}${replacement === undefined ? '' : `; use ${replacement}`}`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Endpoints
      metadata: { name: shop }
      `,
    ],
    good: [
      `
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: { name: shop }
      `,
    ],
  },
});
