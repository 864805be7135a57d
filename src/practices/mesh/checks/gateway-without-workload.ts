/**
 * Gateways that no pod serves. Source: istio pkg/config/analysis/analyzers/gateway/gateway.go (IST0101), and
 * pkg/config/analysis/local/defaults.go: the ingress gateway that an installation brings is taken to be there.
 */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { EDGE_POD } from '../examples.ts';
import { allPods } from '../facts.ts';
import { GATEWAY, hasLabels, isWhole, labelsAt, WHOLE_CLUSTER } from '../istio.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'gateway-without-workload',
  title: 'Gateway selects no workload',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'No proxy takes its servers: what the Gateway should let in gets no connection.',
  remediation: 'Correct spec.selector, or deploy the gateway.',
  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: [GATEWAY],
  looksAt: ['network'],
  evaluate({ object }, { world, options }) {
    const selector = labelsAt(object, ['spec', 'selector']);
    if (selector === undefined) return notApplicable('it has no selector: every gateway serves it');
    if (!isWhole(options)) return notApplicable('its pods may be elsewhere');
    const assumed = { labels: { istio: 'ingressgateway' } };
    return [...allPods(world), assumed].some(pod => hasLabels(pod, selector))
      ? pass
      : fail(selector, ['spec', 'selector']);
  },
  message: selector =>
    `no pod has the labels ${Object.entries(selector)
      .map(([key, value]) => `${key}=${value}`)
      .join(', ')}`,
  examples: {
    options: { wholeCluster: true },
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingresgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [shop.example.com] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: edge }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [shop.example.com] }] }
      ---
      ${EDGE_POD}
      `,
    ],
  },
});
