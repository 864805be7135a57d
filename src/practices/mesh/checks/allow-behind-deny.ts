/** Permissions that a DENY takes away again. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { notApplicable, unknown } from '#check/verdict.ts';
import { attachesWherever, coversRule } from '#decide/mesh/door.ts';
import { AUTHORIZATION_POLICY, policiesOf } from '../authorization.ts';
import { NO_ADMIN } from '../examples.ts';
import { rootNamespace, verdictOf } from '../facts.ts';
import { named } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'allow-behind-deny',
  title: 'ALLOW rule that a DENY rule takes away',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06')],
  why: 'DENY is asked before ALLOW: nobody whom the rule lets in gets in, and whoever repairs that in a hurry opens more than was meant.',
  remediation: 'Narrow the DENY rule by what it is against, or remove the ALLOW rule.',

  subject: 'object',
  kinds: [AUTHORIZATION_POLICY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const policies = policiesOf(world);
    const policy = policies.get(object)!;
    if (policy.action !== 'ALLOW' || policy.dryRun) return notApplicable('it allows nothing');
    if (policy.problem !== undefined) return unknown(policy.problem.text);
    const root = rootNamespace(world);
    const denying = [...policies.values()].filter(
      other =>
        other.action === 'DENY' &&
        !other.dryRun &&
        other.problem === undefined &&
        attachesWherever(other, policy, root),
    );
    return verdictOf(
      policy.rules.flatMap((rule, index) => {
        const by = denying.find(other =>
          other.rules.some(wide =>
            coversRule({ rule: wide, namespace: other.namespace }, { rule, namespace: policy.namespace }),
          ),
        );
        return by === undefined ? [] : [{ what: named(by.object), path: ['spec', 'rules', index] }];
      }),
    );
  },
  message: names => `AuthorizationPolicy ${[...new Set(names)].join(', ')} denies all that it allows`,
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: allow-cart, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }], to: [{ operation: { paths: ["/admin/items"] } }] }] }
      ---
      ${NO_ADMIN}
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: allow-cart, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }], to: [{ operation: { paths: ["/admin/items"] } }] }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: no-admin, namespace: shop }
      spec: { action: DENY, rules: [{ from: [{ source: { notPrincipals: [cluster.local/ns/shop/sa/cart] } }], to: [{ operation: { paths: ["/admin*"] } }] }] }
      `,
    ],
  },
});
