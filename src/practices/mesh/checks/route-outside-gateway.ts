/** Routes that no request takes. Source: istio pkg/config/analysis/analyzers/virtualservice/gateways.go (IST0132). */
import { defineCheck } from '#check/check.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { namespaceOf } from '#world/world.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import { GATEWAY, gatewayReference, hostsMeet, textsAt, VIRTUAL_SERVICE } from '../istio.ts';

/** The hosts that an Istio Gateway takes for VirtualServices of a namespace. */
function hostsFor(gateway: KubeObject, namespace: string | undefined): readonly string[] {
  return itemsOf(valueAt(gateway, ['spec', 'servers'])).flatMap(server =>
    textsAt(server, ['hosts']).flatMap(host => {
      const slash = host.indexOf('/');
      if (slash < 0) return [host];
      const of = host.slice(0, slash);
      const from = of === '.' ? namespaceOf(gateway) : of;
      return from === '*' || from === namespace ? [host.slice(slash + 1)] : [];
    }),
  );
}

/** The hosts of a Gateway of the Gateway API; a listener without one takes all. */
function hostsOfListeners(gateway: KubeObject): readonly string[] {
  return itemsOf(valueAt(gateway, ['spec', 'listeners'])).map(listener => {
    const host = valueAt(listener, ['hostname']);
    return typeof host === 'string' && host !== '' ? host : '*';
  });
}

export default defineCheck({
  practice: 'mesh',
  name: 'route-outside-gateway',
  title: 'Gateway does not take the hosts of the VirtualService',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'The gateway has no server for the hosts: none of the routes is ever taken there.',
  remediation: 'Add the hosts to a server of the Gateway, or correct those of the VirtualService.',

  subject: 'object',
  kinds: [VIRTUAL_SERVICE],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    const own = namespaceOf(object);
    const hosts = textsAt(object, ['spec', 'hosts']);
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'gateways'])).flatMap((text, index) => {
        if (typeof text !== 'string' || text === 'mesh') return [];
        const { namespace, name } = gatewayReference(text, own);
        const ofIstio = world.find(GATEWAY, namespace, name);
        const gateway = ofIstio ?? world.find('gateway.networking.k8s.io/Gateway', namespace, name);
        if (gateway === undefined) return [];
        const taken = ofIstio === undefined ? hostsOfListeners(gateway) : hostsFor(gateway, own);
        return taken.some(one => hosts.some(host => hostsMeet(one, host)))
          ? []
          : [{ what: text, path: ['spec', 'gateways', index] }];
      }),
    );
  },
  message: gateways => `Gateway ${gateways.join(', ')} has no server for its hosts`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: edge, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*.example.com"] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [shop.example.org], gateways: [edge], http: [{ route: [{ destination: { host: web } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: edge, namespace: edge }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["shop/*.example.com"] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [shop.example.com], gateways: [edge/edge], http: [{ route: [{ destination: { host: web } }] }] }
      `,
    ],
  },
});
