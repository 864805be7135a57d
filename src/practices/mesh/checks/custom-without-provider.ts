/** Authorization by nobody. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'custom-without-provider',
  title: 'CUSTOM policy names no provider',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06')],
  why: 'The proxy asks nobody: what the provider should have decided is refused for all, or not protected.',
  remediation: 'Name a provider of extensionProviders in provider.name.',

  subject: 'object',
  kinds: ['security.istio.io/AuthorizationPolicy'],
  evaluate({ object }) {
    if (valueAt(object, ['spec', 'action']) !== 'CUSTOM') return notApplicable('its action is not CUSTOM');
    const name = valueAt(object, ['spec', 'provider', 'name']);
    return typeof name === 'string' && name !== '' ? pass : fail({}, ['spec', 'action']);
  },
  message: () => 'its action is CUSTOM, and provider.name is not set',
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { action: CUSTOM, rules: [{}] }
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { action: CUSTOM, provider: { name: oauth }, rules: [{}] }
      `,
    ],
  },
});
