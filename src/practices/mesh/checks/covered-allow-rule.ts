/** Permissions that others give already. */
import { defineCheck } from '#check/check.ts';
import { notApplicable, unknown } from '#check/verdict.ts';
import { attachesWherever, coversRule } from '#decide/mesh/door.ts';
import { AUTHORIZATION_POLICY, policiesOf } from '../authorization.ts';
import { rootNamespace, verdictOf } from '../facts.ts';
import { named } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'covered-allow-rule',
  title: 'ALLOW rule beside a wider one',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'Its narrow paths, methods or callers restrict nobody: the wider rule lets in all of these and more.',
  remediation: 'Remove the wider rule if the narrow one says what is meant, else the narrow one.',

  subject: 'object',
  kinds: [AUTHORIZATION_POLICY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const policies = policiesOf(world);
    const policy = policies.get(object)!;
    if (policy.action !== 'ALLOW' || policy.dryRun) return notApplicable('it allows nothing');
    if (policy.problem !== undefined) return unknown(policy.problem.text);
    const root = rootNamespace(world);
    const allowing = [...policies.values()].filter(
      other =>
        other.action === 'ALLOW' &&
        !other.dryRun &&
        other.problem === undefined &&
        attachesWherever(other, policy, root),
    );
    return verdictOf(
      policy.rules.flatMap((rule, index) => {
        for (const other of allowing)
          for (const [at, wide] of other.rules.entries()) {
            if (other === policy && at === index) continue;
            const [a, b] = [
              { rule: wide, namespace: other.namespace },
              { rule, namespace: policy.namespace },
            ];
            // Of two that are equal, the later one is in question.
            const isFirst = other === policy ? index < at : named(policy.object) < named(other.object);
            if (!coversRule(a, b) || (isFirst && coversRule(b, a))) continue;
            const where = other === policy ? `rule ${at}` : `AuthorizationPolicy ${named(other.object)}`;
            return [{ what: where, path: ['spec', 'rules', index] }];
          }
        return [];
      }),
    );
  },
  message: places => `${[...new Set(places)].join(', ')} allows all that it allows`,
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec:
        rules:
        - { from: [{ source: { namespaces: [shop] } }] }
        - { from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }], to: [{ operation: { methods: [GET], paths: ["/items*"] } }] }
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec:
        rules:
        - { from: [{ source: { namespaces: [shop] } }], to: [{ operation: { paths: ["/healthz"] } }] }
        - { from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }], to: [{ operation: { methods: [GET], paths: ["/items*"] } }] }
      `,
    ],
  },
});
