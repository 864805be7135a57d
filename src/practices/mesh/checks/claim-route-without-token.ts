/**
 * Routes by claims that nobody verifies. Source: istio
 * pkg/config/analysis/analyzers/virtualservice/jwtclaimroute.go (IST0149), pkg/jwt/routing.go (ToRoutingClaim).
 */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { EDGE_POD } from '../examples.ts';
import { allPods, itemsOf, rootNamespace } from '../facts.ts';
import { GATEWAY, gatewayReference, hasLabels, labelsAt, VIRTUAL_SERVICE } from '../istio.ts';

const CLAIM = /^@request\.auth\.claims(?:\..|\[.+\]$)/i;

/** The places that speak of claims. */
function claimsOf(object: KubeObject): { key: string; path: Path }[] {
  const found: { key: string; path: Path }[] = [];
  for (const [index, route] of itemsOf(valueAt(object, ['spec', 'http'])).entries())
    for (const [at, match] of itemsOf(valueAt(route, ['match'])).entries())
      for (const field of ['headers', 'withoutHeaders']) {
        const headers = valueAt(match, [field]);
        for (const key of isRecord(headers) ? Object.keys(headers) : [])
          if (CLAIM.test(key)) found.push({ key, path: ['spec', 'http', index, 'match', at, field, key] });
      }
  return found;
}

export default defineCheck({
  practice: 'mesh',
  name: 'claim-route-without-token',
  title: 'Route by claims at a gateway that verifies no token',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06')],
  why: 'Without RequestAuthentication no request has a claim: routes for those who have one are never taken, and everybody takes those for the others.',
  remediation: 'Add a RequestAuthentication for the pods of the gateway.',

  subject: 'object',
  kinds: [VIRTUAL_SERVICE],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const claims = claimsOf(object);
    if (claims.length === 0) return notApplicable('it asks for no claim');
    const root = rootNamespace(world);
    for (const text of itemsOf(valueAt(object, ['spec', 'gateways']))) {
      if (typeof text !== 'string' || text === 'mesh') continue;
      const { namespace, name } = gatewayReference(text, namespaceOf(object));
      const gateway = world.find(GATEWAY, namespace, name);
      if (gateway === undefined) continue;
      const selector = labelsAt(gateway, ['spec', 'selector']) ?? {};
      for (const pod of allPods(world)) {
        if (!hasLabels(pod, selector)) continue;
        const verified = world
          .ofKind('security.istio.io/RequestAuthentication')
          .some(
            ({ object: one }) =>
              [root, pod.namespace].includes(namespaceOf(one)) &&
              hasLabels(pod, labelsAt(one, ['spec', 'selector', 'matchLabels']) ?? {}),
          );
        if (!verified) return fail({ key: claims[0]!.key, text }, ...claims.map(({ path }) => path));
      }
    }
    return pass;
  },
  message: ({ key, text }) =>
    `${key} is asked for, and no RequestAuthentication verifies tokens at Gateway ${text}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: edge }
      spec: { hosts: [shop.example.com], gateways: [edge], http: [{ match: [{ withoutHeaders: { "@request.auth.claims.groups": { exact: guest } } }], route: [{ destination: { host: admin } }] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: edge, namespace: edge }
      spec: { selector: { app: edge }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [shop.example.com] }] }
      ---
      ${EDGE_POD}
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: edge }
      spec: { hosts: [shop.example.com], gateways: [edge], http: [{ match: [{ headers: { "@request.auth.claims.groups": { exact: admin } } }], route: [{ destination: { host: admin } }] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: edge, namespace: edge }
      spec: { selector: { app: edge }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [shop.example.com] }] }
      ---
      ${EDGE_POD}
      ---
      apiVersion: security.istio.io/v1
      kind: RequestAuthentication
      metadata: { name: edge, namespace: edge }
      spec: { selector: { matchLabels: { app: edge } }, jwtRules: [{ issuer: "https://id.example.com" }] }
      `,
    ],
  },
});
