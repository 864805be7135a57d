/** Policies for workloads that no proxy protects. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { OWN_PORTS } from '#decide/mesh/members.ts';
import { AUTHORIZATION_POLICY, selectedWorkloads } from '../authorization.ts';
import { WEB_WITH_PORT } from '../examples.ts';
import { meshOf, servedPorts } from '../facts.ts';
import { labelsAt } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'policy-without-proxy',
  title: 'Policy of the mesh for a workload without a proxy',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K06'), owasp('K07'), mitre('T1562.001')],
  why: 'Nothing enforces it: whoever reaches the workload gets in, though the policy says otherwise.',
  remediation: 'Let the workload or the port into the mesh, or restrict it with a NetworkPolicy.',

  subject: 'object',
  kinds: [AUTHORIZATION_POLICY, 'security.istio.io/PeerAuthentication'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    // Who writes for a whole namespace does not mean each pod of it.
    const selector = labelsAt(object, ['spec', 'selector', 'matchLabels']);
    if (selector === undefined) return notApplicable('it selects no workload of its own');
    const workloads = selectedWorkloads(object, world);
    const mesh = meshOf(world);
    const bare: string[] = [];
    let why = '';
    for (const { object: workload, id, peer, mesh: of, dataplane } of workloads) {
      // Another mesh, or none that is known, is no slip.
      if (of === 'linkerd' || dataplane === 'unknown')
        return notApplicable('what its workloads are in is not known');
      if (dataplane === 'none') {
        bare.push(id);
        why ||= mesh.member(peer).because[0]?.text ?? '';
        continue;
      }
      // A gateway lists the ports at which its proxy tells its health.
      const open = servedPorts(workload, world).filter(
        port => !OWN_PORTS.has(port) && mesh.inbound(peer, port).some(({ captured }) => !captured),
      );
      if (open.length > 0) {
        bare.push(`port ${open.join(', ')} of ${id}`);
        why ||= `its proxy leaves port ${open[0]} alone`;
      }
    }
    return bare.length === 0 ? pass : fail({ bare, why }, ['spec', 'selector']);
  },
  message: ({ bare, why }) =>
    `nothing enforces it for ${bare.slice(0, 3).join(', ')}${bare.length > 3 ? ` and ${bare.length - 3} more` : ''}: ${why}`,
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
      spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web, sidecar.istio.io/inject: "false" } }, spec: { containers: [{ name: web, image: "shop:1.4.2" }] } } }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { namespaces: [shop] } }] }] }
      `,
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web }, annotations: { traffic.sidecar.istio.io/excludeInboundPorts: "8080" } }, spec: { containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }] } } }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { namespaces: [shop] } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: gateway, namespace: edge }
      spec: { selector: { matchLabels: { istio: gateway } }, template: { metadata: { labels: { istio: gateway, sidecar.istio.io/inject: "true" } }, spec: { containers: [{ name: istio-proxy, image: auto, ports: [{ containerPort: 15021 }, { containerPort: 8443 }] }] } } }
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: gateway, namespace: edge }
      spec: { selector: { matchLabels: { istio: gateway } }, rules: [{ to: [{ operation: { hosts: [shop.example.com] } }] }] }
      `,
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio-injection: enabled } }
      ---
      ${WEB_WITH_PORT}
      ---
      apiVersion: security.istio.io/v1
      kind: AuthorizationPolicy
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, rules: [{ from: [{ source: { namespaces: [shop] } }] }] }
      `,
    ],
  },
});
