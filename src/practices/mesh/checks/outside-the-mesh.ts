/** Workloads that leave the mesh. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'outside-the-mesh',
  title: 'Workload opts out of the mesh',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07')],
  why: 'Its connections are in plain text and without identity; what it serves is under no policy of the mesh.',
  remediation: 'Remove the label or annotation, or say why it has to be.',

  subject: 'pod',
  evaluate({ metadata }) {
    const { labels = {}, annotations = {} } = metadata;
    const places = [
      ['labels', 'sidecar.istio.io/inject', labels['sidecar.istio.io/inject'] === 'false'],
      ['labels', 'istio.io/dataplane-mode', labels['istio.io/dataplane-mode'] === 'none'],
      ['annotations', 'sidecar.istio.io/inject', annotations['sidecar.istio.io/inject'] === 'false'],
      ['annotations', 'linkerd.io/inject', annotations['linkerd.io/inject'] === 'disabled'],
    ] as const;
    const found = places.filter(([, , off]) => off);
    return found.length === 0
      ? pass
      : fail(
          found.map(([, key]) => key),
          ...found.map(([field, key]) => ['metadata', field, key]),
        );
  },
  message: keys => `${keys.join(', ')} ${keys.length === 1 ? 'keeps' : 'keep'} the proxy away`,
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop, labels: { sidecar.istio.io/inject: "false" } }
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
