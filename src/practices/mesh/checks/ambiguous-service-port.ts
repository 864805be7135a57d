/**
 * Ports of a workload that Services describe in two ways. Source: istio
 * pkg/config/analysis/analyzers/deployment/services.go (IST0116, IST0137).
 */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { namespaceOf } from '#world/world.ts';
import { itemsOf, meshOf, peerOf, servicesFor, stringsIn } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'ambiguous-service-port',
  title: 'Services give one port of a workload two meanings',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'The proxy of the workload has one listener for the port: which Service it follows, and whether it reads HTTP there, depends on their order.',
  remediation: 'Give the port one protocol in all Services, and one number.',

  subject: 'object',
  kinds: ['apps/Deployment'],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    if (world.ofKind('/Service').length < 2) return notApplicable('no two Services lead to it');
    const labels = stringsIn(valueAt(podTemplateOf(object)?.pod.metadata, ['labels']));
    const services = servicesFor(labels, namespaceOf(object), world);
    if (services.length < 2) return notApplicable('no two Services lead to it');
    const protocols = new Map<string, Set<string>>();
    const numbers = new Map<string, Set<string>>();
    for (const service of services)
      for (const port of itemsOf(valueAt(service, ['spec', 'ports']))) {
        const number = String(valueAt(port, ['port']));
        const target = String(valueAt(port, ['targetPort']) || number);
        add(protocols, number, String(valueAt(port, ['protocol']) || 'TCP'));
        add(numbers, target, number);
      }
    const texts = [
      ...several(protocols, (port, list) => `port ${port} is ${list.join(' and ')}`),
      ...several(numbers, (port, list) => `port ${port} is asked for as ${list.join(' and ')}`),
    ];
    if (texts.length === 0) return pass;
    const to = peerOf(object, world);
    if (to === undefined || meshOf(world).member(to).dataplane !== 'sidecar')
      return notApplicable('it has no sidecar');
    return fail({ texts, services: [...new Set(services.map(one => one.metadata?.name ?? ''))] }, [
      'metadata',
      'name',
    ]);
  },
  message: ({ texts, services }) =>
    `${texts.join('; ')} (Services ${services.slice(0, 4).join(', ')}${services.length > 4 ? ', …' : ''})`,
  examples: {
    bad: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web, sidecar.istio.io/inject: "true" } }, spec: { containers: [{ name: web, image: "shop:1.4.2" }] } } }
      ---
      apiVersion: v1
      kind: Namespace
      metadata: { name: shop }
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web-raw, namespace: shop }
      spec: { selector: { app: web }, ports: [{ name: tcp, port: 8080, targetPort: 8080 }] }
      `,
    ],
    good: [
      `
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec: { selector: { matchLabels: { app: web } }, template: { metadata: { labels: { app: web, sidecar.istio.io/inject: "true" } }, spec: { containers: [{ name: web, image: "shop:1.4.2" }] } } }
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: web-headless, namespace: shop }
      spec: { clusterIP: None, selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
      `,
    ],
  },
});

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key) ?? new Set();
  map.set(key, known.add(value));
}

function several(
  map: ReadonlyMap<string, ReadonlySet<string>>,
  text: (key: string, values: string[]) => string,
): string[] {
  return [...map].flatMap(([key, values]) => (values.size > 1 ? [text(key, [...values].sort())] : []));
}
