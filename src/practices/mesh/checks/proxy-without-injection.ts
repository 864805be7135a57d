/**
 * Containers that somebody was to fill in. Source: istio pkg/config/analysis/analyzers/injection/image-auto.go (IST0146,
 * IST0147).
 */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { itemsOf, meshOf, peerOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'proxy-without-injection',
  title: 'Proxy with image "auto" where nothing is injected',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'No webhook replaces the image: the pod does not start, or runs whatever an image of that name holds.',
  remediation: 'Label the pods with sidecar.istio.io/inject "true", or their namespace with istio-injection.',

  subject: 'pod',
  looksAt: ['network'],
  evaluate({ object, spec, partial }, { world }) {
    const index = itemsOf(valueAt(spec, ['containers'])).findIndex(
      one => valueAt(one, ['name']) === 'istio-proxy' && valueAt(one, ['image']) === 'auto',
    );
    if (index < 0 || partial) return notApplicable('it has no such container');
    const to = peerOf(object, world);
    if (to === undefined) return notApplicable('it is no workload of its own');
    return meshOf(world).member(to).dataplane === 'none'
      ? fail({}, ['spec', 'containers', index, 'image'])
      : pass;
  },
  message: () => 'no injector takes the pod, so that the image of istio-proxy stays "auto"',
  examples: {
    bad: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: edge, namespace: edge }
      spec: { selector: { matchLabels: { app: edge } }, template: { metadata: { labels: { app: edge } }, spec: { containers: [{ name: istio-proxy, image: auto }] } } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: edge }
      `,
    ],
    good: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: edge, namespace: edge }
      spec: { selector: { matchLabels: { app: edge } }, template: { metadata: { labels: { app: edge, sidecar.istio.io/inject: "true" } }, spec: { containers: [{ name: istio-proxy, image: auto }] } } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: edge }
      `,
    ],
  },
});
