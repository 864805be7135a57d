/** Grants of all that a namespace keeps. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'grant-of-every-secret',
  title: 'ReferenceGrant opens every Secret of the namespace',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K03'), mitre('T1552.007')],
  why: 'A gateway of the other namespace may serve with any key that is kept here.',
  remediation: 'Name the Secret in to[].name.',

  subject: 'object',
  kinds: ['gateway.networking.k8s.io/ReferenceGrant'],
  evaluate({ object }) {
    const found: { name: string; path: Path }[] = [];
    for (const [index, target] of itemsOf(valueAt(object, ['spec', 'to'])).entries())
      if (valueAt(target, ['kind']) === 'Secret' && (valueAt(target, ['name']) ?? '') === '')
        found.push({ name: 'Secret', path: ['spec', 'to', index] });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ path }) => path),
        );
  },
  message: () => 'it opens every Secret of its namespace',
  examples: {
    bad: [
      `
      apiVersion: gateway.networking.k8s.io/v1beta1
      kind: ReferenceGrant
      metadata: { name: web, namespace: shop }
      spec: { from: [{ group: gateway.networking.k8s.io, kind: Gateway, namespace: edge }], to: [{ group: "", kind: Secret }] }
      `,
    ],
    good: [
      `
      apiVersion: gateway.networking.k8s.io/v1beta1
      kind: ReferenceGrant
      metadata: { name: web, namespace: shop }
      spec: { from: [{ group: gateway.networking.k8s.io, kind: Gateway, namespace: edge }], to: [{ group: "", kind: Secret, name: web-tls }] }
      `,
    ],
  },
});
