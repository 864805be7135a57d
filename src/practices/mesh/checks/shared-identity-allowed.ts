/** Identities that are not one workload. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { WEB_POD_WITH_PORT } from '../examples.ts';
import { itemsOf, meshOf } from '../facts.ts';

const shared = (world: World): ReadonlyMap<string, readonly string[]> =>
  new Map(
    [...meshOf(world).sharedIdentities()].map(([identity, ids]) => [
      identity.replace(/^spiffe:\/\//, ''),
      ids,
    ]),
  );

export default defineCheck({
  practice: 'mesh',
  name: 'shared-identity-allowed',
  title: 'Policy names an identity that several workloads hold',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K06'), mitre('T1078')],
  why: 'The identity is the service account: whoever lets one of the workloads in lets all of them in.',
  remediation: 'Give the caller a service account of its own.',

  subject: 'object',
  kinds: ['security.istio.io/AuthorizationPolicy'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const found: { text: string; path: Path }[] = [];
    for (const [index, rule] of itemsOf(valueAt(object, ['spec', 'rules'])).entries())
      for (const [at, one] of itemsOf(valueAt(rule, ['from'])).entries())
        for (const [place, principal] of itemsOf(valueAt(one, ['source', 'principals'])).entries()) {
          const holders = world.fact(shared).get(String(principal));
          if (holders !== undefined)
            found.push({
              text: `${principal} is ${holders.length} workloads (${holders.slice(0, 3).join(', ')})`,
              path: ['spec', 'rules', index, 'from', at, 'source', 'principals', place],
            });
        }
    return found.length === 0
      ? pass
      : fail([...new Set(found.map(({ text }) => text))], ...found.map(({ path }) => path));
  },
  message: texts => texts.join('; '),
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: web, namespace: shop, labels: { app: web } }
      spec: { serviceAccountName: cart, containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }] }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: cart, namespace: shop, labels: { app: cart } }
      spec: { serviceAccountName: cart, containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB_POD_WITH_PORT}
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: cart, namespace: shop, labels: { app: cart } }
      spec: { serviceAccountName: cart, containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }] }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }] }] }
      `,
    ],
  },
});
