/**
 * Callers of a namespace that does not exist. Source: istio
 * pkg/config/analysis/analyzers/authz/authorizationpolicies.go (IST0101).
 */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { notApplicable } from '#check/verdict.ts';
import { nearest } from '#kube/nearest.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import { isWhole, textsAt, WHOLE_CLUSTER } from '../istio.ts';

/** Whether a namespace is one of those that a value means. */
function matches(value: string, namespace: string): boolean {
  if (value === '*') return true;
  if (value.startsWith('*')) return namespace.endsWith(value.slice(1));
  if (value.endsWith('*')) return namespace.startsWith(value.slice(0, -1));
  return value === namespace;
}

export default defineCheck({
  practice: 'mesh',
  name: 'absent-source-namespace',
  title: 'AuthorizationPolicy names a namespace that is not there',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06')],
  why: 'A slip in the name: whom the rule was to deny gets in, and whom it was to allow does not.',
  remediation: 'Correct the name of the namespace.',
  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: ['security.istio.io/AuthorizationPolicy'],
  looksAt: ['network'],
  evaluate({ object }, { world, options }) {
    const known = world.ofKind('/Namespace').map(one => one.object.metadata?.name ?? '');
    if (known.length === 0 && !isWhole(options)) return notApplicable('namespaces are not in the input');
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'rules'])).flatMap((rule, index) =>
        itemsOf(valueAt(rule, ['from'])).flatMap((from, at) =>
          ['namespaces', 'notNamespaces'].flatMap(field =>
            textsAt(from, ['source', field]).flatMap((value, item) => {
              if (known.some(namespace => matches(value, namespace))) return [];
              // Most namespaces are declared elsewhere: only one that looks like a known one is a slip.
              const meant = value.includes('*') ? undefined : nearest(value, known);
              const slip = meant !== undefined && value.length > 3 && !isNumbered(value, meant);
              return slip || isWhole(options)
                ? [
                    {
                      what: { value, ...(slip ? { meant } : {}) },
                      path: ['spec', 'rules', index, 'from', at, 'source', field, item],
                    },
                  ]
                : [];
            }),
          ),
        ),
      ),
    );
  },
  message: found =>
    found
      .slice(0, 3)
      .map(
        ({ value, meant }) =>
          `there is no namespace "${value}"${meant === undefined ? '' : `: did you mean "${meant}"?`}`,
      )
      .join('; '),
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: payments }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { action: DENY, rules: [{ from: [{ source: { namespaces: [paymnets] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: payments }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { action: DENY, rules: [{ from: [{ source: { namespaces: [payments, monitoring] } }] }] }
      `,
    ],
  },
});

/** Whether two names differ by a number, or by what stands for a stage, only: both are likely to be meant. */
function isNumbered(a: string, b: string): boolean {
  const bare = (text: string): string => text.replace(/\d+|-?(?:dev|test|prod|stage|staging|qa|uat)\b/g, '');
  return bare(a) === bare(b);
}
