/** Ports that nobody can ask. Source: istio pkg/config/analysis/analyzers/gateway/gateway.go (IST0162). */
import { defineCheck } from '#check/check.ts';
import { notApplicable } from '#check/verdict.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { EDGE_POD } from '../examples.ts';
import { allPods, itemsOf, type Labelled, verdictOf } from '../facts.ts';
import { GATEWAY, hasLabels, isWhole, labelsAt, WHOLE_CLUSTER } from '../istio.ts';

/** The ports of the ingress gateway that an installation brings. Source: pkg/config/analysis/local/defaults.go. */
const INSTALLED: ReadonlySet<number> = new Set([80, 443, 31400, 15443]);

/** The ports of a pod that Services lead to, by the port that they are asked on too. */
function portsOf(pod: Labelled, world: World): Set<number> {
  const ports = new Set<number>();
  const selects = (service: KubeObject): boolean => {
    const selector = labelsAt(service, ['spec', 'selector']);
    return selector !== undefined && namespaceOf(service) === pod.namespace && hasLabels(pod, selector);
  };
  for (const { object } of world.ofKind('/Service')) {
    if (!selects(object)) continue;
    for (const port of itemsOf(valueAt(object, ['spec', 'ports']))) {
      if ((valueAt(port, ['protocol']) ?? 'TCP') !== 'TCP') continue;
      for (const field of ['port', 'targetPort']) {
        const number = valueAt(port, [field]);
        if (typeof number === 'number') ports.add(number);
      }
    }
  }
  return ports;
}

export default defineCheck({
  practice: 'mesh',
  name: 'gateway-port-without-service',
  title: 'Gateway listens on a port that no Service leads to',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'The proxy listens, and clients of the Service are refused: often it is the Service that was forgotten, or the wrong of its two numbers.',
  remediation: "Add the port to the gateway's Service, or correct the server.",
  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: [GATEWAY],
  looksAt: ['network'],
  evaluate({ object }, { world, options }) {
    const selector = labelsAt(object, ['spec', 'selector']) ?? {};
    const ports = new Set<number>();
    let pods = 0;
    for (const pod of allPods(world))
      if (hasLabels(pod, selector)) {
        pods++;
        for (const port of portsOf(pod, world)) ports.add(port);
      }
    const isInstalled = Object.entries(selector).every(
      ([key, value]) => key === 'istio' && value === 'ingressgateway',
    );
    if (isInstalled && isWhole(options)) for (const port of INSTALLED) ports.add(port);
    // Without pods or Services of the gateway in the input, they are somebody else's.
    else if (pods === 0 || ports.size === 0) return notApplicable('the gateway is not in the input');
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'servers'])).flatMap((server, index) => {
        const number = valueAt(server, ['port', 'number']);
        return typeof number !== 'number' || ports.has(number)
          ? []
          : [{ what: number, path: ['spec', 'servers', index, 'port', 'number'] }];
      }),
    );
  },
  message: ports => `no Service of its pods has port ${ports.join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: edge }, servers: [{ port: { number: 8443, name: http, protocol: HTTP }, hosts: [shop.example.com] }] }
      ---
      ${EDGE_POD}
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: edge, namespace: edge }
      spec: { selector: { app: edge }, ports: [{ port: 443, targetPort: 8080 }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { app: edge }, servers: [{ port: { number: 8080, name: http, protocol: HTTP }, hosts: [shop.example.com] }] }
      ---
      ${EDGE_POD}
      ---
      apiVersion: v1
      kind: Service
      metadata: { name: edge, namespace: edge }
      spec: { selector: { app: edge }, ports: [{ port: 443, targetPort: 8080 }] }
      `,
    ],
  },
});
