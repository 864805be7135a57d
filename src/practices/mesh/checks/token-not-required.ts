/** Tokens that nobody has to bring. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { itemsOf, rootNamespace } from '../facts.ts';

const ofToken = (key: string): boolean => key.startsWith('request.auth.');

function speaksOfTokens(rules: unknown): boolean {
  return itemsOf(rules).some(
    rule =>
      itemsOf(valueAt(rule, ['when'])).some(one => ofToken(String(valueAt(one, ['key'])))) ||
      itemsOf(valueAt(rule, ['from'])).some(one =>
        ['requestPrincipals', 'notRequestPrincipals'].some(
          field => itemsOf(valueAt(one, ['source', field])).length > 0,
        ),
      ),
  );
}

export default defineCheck({
  practice: 'mesh',
  name: 'token-not-required',
  title: 'Token is verified and not required',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), mitre('T1190')],
  why: 'RequestAuthentication refuses wrong tokens only: a request without any is let through.',
  remediation: 'Add an AuthorizationPolicy that requires requestPrincipals.',

  subject: 'object',
  kinds: ['security.istio.io/RequestAuthentication'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    if (itemsOf(valueAt(object, ['spec', 'jwtRules'])).length === 0) return notApplicable('it has no rules');
    const namespace = namespaceOf(object);
    const root = rootNamespace(world);
    // Which workloads a policy selects is not asked: one that speaks of tokens shows that somebody thought of it.
    const required = world
      .ofKind('security.istio.io/AuthorizationPolicy')
      .some(
        ({ object: policy }) =>
          (namespace === root || [root, namespace].includes(namespaceOf(policy))) &&
          (valueAt(policy, ['spec', 'action']) === 'CUSTOM' ||
            speaksOfTokens(valueAt(policy, ['spec', 'rules']))),
      );
    return required ? pass : fail({}, ['spec', 'jwtRules']);
  },
  message: () => 'no AuthorizationPolicy requires a token: requests without one are let in',
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: RequestAuthentication
      metadata: { name: web, namespace: shop }
      spec: { jwtRules: [{ issuer: "https://id.example.com" }] }
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: RequestAuthentication
      metadata: { name: web, namespace: shop }
      spec: { jwtRules: [{ issuer: "https://id.example.com" }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { rules: [{ from: [{ source: { requestPrincipals: ["*"] } }] }] }
      `,
    ],
  },
});
