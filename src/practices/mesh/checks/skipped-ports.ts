/** Ports past the proxy. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

const KEYS = [
  'traffic.sidecar.istio.io/excludeInboundPorts',
  'traffic.sidecar.istio.io/excludeOutboundPorts',
  'traffic.sidecar.istio.io/excludeOutboundIPRanges',
  'config.linkerd.io/skip-inbound-ports',
  'config.linkerd.io/skip-outbound-ports',
];

export default defineCheck({
  practice: 'mesh',
  name: 'skipped-ports',
  title: 'Ports are kept away from the proxy',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07')],
  why: 'Traffic on these ports is in plain text, without identity and under no policy of the mesh.',
  remediation: 'Remove the annotation; mark ports that speak first as opaque instead.',

  subject: 'pod',
  evaluate({ metadata }) {
    const found = KEYS.filter(key => (metadata.annotations?.[key] ?? '') !== '');
    return found.length === 0 ? pass : fail(found, ...found.map(key => ['metadata', 'annotations', key]));
  },
  message: keys => `${keys.join(', ')} ${keys.length === 1 ? 'keeps' : 'keep'} ports away from the proxy`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop, annotations: { config.linkerd.io/skip-inbound-ports: "3306" } }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      `,
    ],
  },
});
