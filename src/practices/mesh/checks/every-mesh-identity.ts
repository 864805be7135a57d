/** Authentication that any client of the mesh passes. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import { itemsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'every-mesh-identity',
  title: 'MeshTLSAuthentication takes every identity',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), mitre('T1078')],
  why: 'Every workload with a proxy gets in: one that is taken over reaches all.',
  remediation: 'Name the service accounts of the callers.',

  subject: 'object',
  kinds: ['policy.linkerd.io/MeshTLSAuthentication'],
  evaluate({ object }) {
    const found: { name: string; path: Path }[] = [];
    for (const [index, identity] of itemsOf(valueAt(object, ['spec', 'identities'])).entries())
      if (identity === '*') found.push({ name: '*', path: ['spec', 'identities', index] });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ path }) => path),
        );
  },
  message: () => 'it takes every identity of the mesh',
  examples: {
    bad: [
      `
      apiVersion: policy.linkerd.io/v1alpha1
      kind: MeshTLSAuthentication
      metadata: { name: web, namespace: shop }
      spec: { identities: ["*"] }
      `,
    ],
    good: [
      `
      apiVersion: policy.linkerd.io/v1alpha1
      kind: MeshTLSAuthentication
      metadata: { name: web, namespace: shop }
      spec: { identities: [cart.shop.serviceaccount.identity.linkerd.cluster.local] }
      `,
    ],
  },
});
