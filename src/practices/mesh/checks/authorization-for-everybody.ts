/** Policies that allow every request. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { isRecord, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'authorization-for-everybody',
  title: 'AuthorizationPolicy allows every request',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), owasp('K07')],
  why: 'A rule that is empty matches everything: the other ALLOW rules no longer restrict anybody.',
  remediation: 'Name the callers and what they may do.',

  subject: 'object',
  kinds: ['security.istio.io/AuthorizationPolicy'],
  evaluate({ object }) {
    const action = valueAt(object, ['spec', 'action']);
    if (action !== undefined && action !== 'ALLOW') return pass;
    const open = itemsOf(valueAt(object, ['spec', 'rules'])).flatMap((rule, index) =>
      isRecord(rule) && ['from', 'to', 'when'].every(field => itemsOf(rule[field]).length === 0)
        ? [['spec', 'rules', index]]
        : [],
    );
    return open.length === 0 ? pass : fail({}, ...open);
  },
  message: () => 'an empty rule allows every request',
  examples: {
    bad: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { rules: [{}] }
      `,
    ],
    good: [
      `
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }] }] }
      `,
    ],
  },
});
