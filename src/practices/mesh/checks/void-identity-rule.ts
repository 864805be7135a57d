/** Rules that whoever hides passes by. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { WEB_WITH_NAMED_PORT } from '../examples.ts';
import { itemsOf, meshOf, peerOf, rootNamespace, servedPorts, stringsIn } from '../facts.ts';
import { isByIdentity, isGateway, named } from '../istio.ts';

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
        ['targetRef', 'targetRefs'].every(field => valueAt(object, ['spec', field]) === undefined) &&
        !/^(?:1|t|true)$/i.test(String(object.metadata?.annotations?.['istio.io/dry-run'])) &&
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
    if (mesh.member(to).dataplane === 'none') return notApplicable('it has no proxy');
    if (isGateway(labels, world)) return notApplicable('it is a gateway: its servers decide what it takes');
    const ports = servedPorts(object, world);
    for (const port of ports.length === 0 ? [ANY_PORT] : ports)
      for (const { dataplane, captured, modes } of mesh.inbound(to, port)) {
        // Whoever denies callers of a workload takes it for one of the mesh.
        if (dataplane !== 'unknown' && !captured) continue;
        const strict = modes.filter(mode => mode === 'STRICT').length;
        if (strict === 0 && modes.length > 0) return fail(denial.text, ['metadata']);
        if (strict < modes.length) return unknown('whether it takes plain text is not known');
      }
    return pass;
  },
  message: policy => `plain text is taken, so this does not hold: ${policy}`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB_WITH_NAMED_PORT}
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
      ${WEB_WITH_NAMED_PORT}
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
