/** Permissions by identity where nobody can show one. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { notApplicable, unknown } from '#check/verdict.ts';
import { isRecord, valueAt } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { AUTHORIZATION_POLICY, policiesOf, selectedWorkloads } from '../authorization.ts';
import { WEB_WITH_PORT } from '../examples.ts';
import { itemsOf, meshOf, servedPorts, verdictOf } from '../facts.ts';
import { isByIdentity } from '../istio.ts';

/** Whether mutual TLS is off anywhere: no workload has to be asked otherwise. */
const hasDisabled = (world: World): boolean =>
  world.ofKind('security.istio.io/PeerAuthentication').some(({ object }) => {
    const ports = valueAt(object, ['spec', 'portLevelMtls']);
    return [valueAt(object, ['spec', 'mtls']), ...Object.values(isRecord(ports) ? ports : {})].some(
      one => valueAt(one, ['mode']) === 'DISABLE',
    );
  });

export default defineCheck({
  practice: 'mesh',
  name: 'identity-without-mtls',
  title: 'ALLOW by identity where mutual TLS is off',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), owasp('K07')],
  why: 'The port takes plain text only, in which no client has an identity: the rule lets nobody in.',
  remediation: 'Set PERMISSIVE or STRICT for the port, or allow by something else than identity.',

  subject: 'object',
  kinds: [AUTHORIZATION_POLICY],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const policy = policiesOf(world).get(object)!;
    if (policy.action !== 'ALLOW' || policy.dryRun || policy.targetRefs.length > 0)
      return notApplicable('it allows nothing by itself');
    if (policy.problem !== undefined) return unknown(policy.problem.text);
    const rules = [...itemsOf(valueAt(object, ['spec', 'rules'])).entries()].filter(([, rule]) =>
      isByIdentity(rule),
    );
    if (rules.length === 0) return notApplicable('it allows nobody by identity');
    if (!world.fact(hasDisabled)) return notApplicable('nothing switches mutual TLS off');
    const mesh = meshOf(world);
    for (const { object: workload, id, peer, dataplane: proxy } of selectedWorkloads(object, world)) {
      if (proxy !== 'sidecar') continue;
      for (const port of servedPorts(workload, world)) {
        const sides = mesh.inbound(peer, port);
        const isOff = sides.every(
          ({ captured, modes }) => captured && modes.length > 0 && modes.every(mode => mode === 'DISABLE'),
        );
        if (isOff)
          return verdictOf(rules.map(([index]) => ({ what: { id, port }, path: ['spec', 'rules', index] })));
      }
    }
    return verdictOf<{ id: string; port: number }>([]);
  },
  message: ([first]) => `mutual TLS is off on port ${first!.port} of ${first!.id}: nobody matches there`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB_WITH_PORT}
      ---
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, portLevelMtls: { 8080: { mode: DISABLE } } }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB_WITH_PORT}
      ---
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, mtls: { mode: STRICT } }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }] }] }
      `,
    ],
  },
});
