/** Rules that whoever hides passes by. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { itemsOf, meshOf, peerOf, rootNamespace, servedPorts, stringsIn } from '../facts.ts';
import { isByIdentity, named } from '../istio.ts';

interface Denial {
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Whom the policies that deny by identity select: nobody else is worth the costly questions. */
const denials = (world: World): readonly Denial[] =>
  world
    .ofKind('security.istio.io/AuthorizationPolicy')
    .map(({ object }) => object)
    .filter(
      object =>
        valueAt(object, ['spec', 'action']) === 'DENY' &&
        itemsOf(valueAt(object, ['spec', 'rules'])).some(isByIdentity),
    )
    .map((object: KubeObject) => ({
      namespace: namespaceOf(object),
      labels: stringsIn(valueAt(object, ['spec', 'selector', 'matchLabels'])),
      text: `AuthorizationPolicy ${named(object)}`,
    }));

/** A port that nothing speaks of, for workloads whose ports are not known. */
const ANY_PORT = 65_535;

export default defineCheck({
  practice: 'mesh',
  name: 'void-identity-rule',
  title: 'DENY by identity where plain text is taken',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), mitre('T1562.001')],
  why: 'A client without a proxy has no identity: it matches no rule that denies by identity, and gets in.',
  remediation:
    'Require mutual TLS for the workload (PeerAuthentication STRICT), or allow by identity instead.',

  subject: 'pod',
  looksAt: ['network'],
  evaluate({ object, metadata, partial, namespace }, { world }) {
    const known = world.fact(denials);
    if (known.length === 0) return pass;
    const labels = stringsIn(metadata.labels);
    const root = rootNamespace(world);
    const denial = known.find(
      one =>
        (one.namespace === namespace || one.namespace === root) &&
        Object.entries(one.labels).every(([key, value]) => labels[key] === value),
    );
    if (denial === undefined) return pass;
    const to = partial ? undefined : peerOf(object, world);
    if (to === undefined) return notApplicable('it is no workload of its own');
    const mesh = meshOf(world);
    const { dataplane } = mesh.member(to);
    if (dataplane === 'none') return notApplicable('it has no proxy');
    const ports = servedPorts(object, world);
    const said = new Set<string>();
    for (const port of ports.length === 0 ? [ANY_PORT] : ports) {
      if (dataplane === 'unknown') {
        // Whoever denies callers of it takes it for one of the mesh.
        if (mesh.inbound(to, port).some(({ modes }) => modes.every(mode => mode !== 'STRICT')))
          said.add(denial.text);
        continue;
      }
      const denied = mesh.identityRules(to, port).filter(({ action }) => action === 'DENY');
      if (denied.length === 0) continue;
      const { mode } = mesh.transport({ from: { ip: '203.0.113.1' }, to, port });
      if (mode === 'unknown') return unknown('whether it takes plain text is not known');
      if (mode === 'plaintext') said.add(denied[0]!.because.text);
    }
    return said.size === 0 ? pass : fail([...said], ['metadata']);
  },
  message: rules => `plain text is taken, so these do not hold: ${rules.join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec:
        selector: { matchLabels: { app: web } }
        template:
          metadata: { labels: { app: web } }
          spec:
            containers: [{ name: web, image: "shop:1.4.2", ports: [{ name: http, containerPort: 8080 }] }]
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, action: DENY, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec:
        selector: { matchLabels: { app: web } }
        template:
          metadata: { labels: { app: web } }
          spec:
            containers: [{ name: web, image: "shop:1.4.2", ports: [{ name: http, containerPort: 8080 }] }]
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, action: DENY, rules: [{ from: [{ source: { principals: [cluster.local/ns/shop/sa/cart] } }] }] }
      ---
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { mtls: { mode: STRICT } }
      `,
    ],
  },
});
