/** Strict modes that ztunnel turns into none. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { endpointId } from '#decide/network/inventory.ts';
import { isRecord, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { namespaceOf } from '#world/world.ts';
import { WEB_POD_WITH_PORT } from '../examples.ts';
import { ambientWorkloads, meshOf, peerOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'strict-port-fails-open',
  title: 'Port modes leave a strict mesh open in ambient mode',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K07'), mitre('T1562.001')],
  why: 'istiod converts the object to an empty policy for ztunnel: plain text is taken on every port, without an identity.',
  remediation: 'State STRICT in mtls.mode of this object, and of the one of the namespace.',

  subject: 'object',
  kinds: ['security.istio.io/PeerAuthentication'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const ports = valueAt(object, ['spec', 'portLevelMtls']);
    const labels = valueAt(object, ['spec', 'selector', 'matchLabels']);
    if (!isRecord(ports) || !isRecord(labels)) return notApplicable('it has no port modes of workloads');
    const namespace = namespaceOf(object);
    const mesh = meshOf(world);
    for (const pod of ambientWorkloads(world, namespace ?? '')) {
      const own = valueAt(podTemplateOf(pod)?.pod.metadata, ['labels']);
      if (!isRecord(own) || !Object.entries(labels).every(([key, value]) => own[key] === value)) continue;
      const to = peerOf(pod, world);
      if (to === undefined) continue;
      for (const [port, value] of Object.entries(ports)) {
        const number = Number(port);
        if (valueAt(value, ['mode']) !== 'STRICT' || !(number > 0 && number < 65_536)) continue;
        const { mode } = mesh.transport({ from: { ip: '203.0.113.1' }, to, port: number });
        if (mode === 'unknown') return unknown('whether ztunnel takes plain text there is not known');
        if (mode === 'plaintext')
          return fail({ port, pod: endpointId(pod) }, ['spec', 'portLevelMtls', port]);
      }
    }
    return pass;
  },
  message: ({ port, pod }) => `port ${port} of ${pod} is STRICT here, and ztunnel takes plain text on it`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
      ---
      ${WEB_POD_WITH_PORT}
      ---
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: mesh, namespace: istio-system }
      spec: { mtls: { mode: STRICT } }
      ---
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, mtls: { mode: PERMISSIVE }, portLevelMtls: { 8080: { mode: STRICT } } }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop, labels: { istio.io/dataplane-mode: ambient } }
      ---
      ${WEB_POD_WITH_PORT}
      ---
      apiVersion: security.istio.io/v1
      kind: PeerAuthentication
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, mtls: { mode: PERMISSIVE }, portLevelMtls: { 8080: { mode: STRICT } } }
      `,
    ],
  },
});
