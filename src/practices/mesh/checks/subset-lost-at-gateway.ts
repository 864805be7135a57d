/**
 * Weights that hold inside only. Source: istio pkg/config/analysis/analyzers/virtualservice/destinationhosts.go
 * (IST0140): a gateway follows the VirtualService of the host that it was asked for, and no other behind it.
 */
import { defineCheck } from '#check/check.ts';
import { notApplicable } from '#check/verdict.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import { fullHost, named, othersOf, textsAt, VIRTUAL_SERVICE } from '../istio.ts';

function* destinationsOf(
  object: KubeObject,
): Generator<{ host: string; subset: unknown; path: [string, string, number, string, number] }> {
  for (const [index, route] of itemsOf(valueAt(object, ['spec', 'http'])).entries())
    for (const [at, one] of itemsOf(valueAt(route, ['route'])).entries()) {
      const host = valueAt(one, ['destination', 'host']);
      if (typeof host === 'string')
        yield {
          host: fullHost(host, namespaceOf(object)),
          subset: valueAt(one, ['destination', 'subset']) || undefined,
          path: ['spec', 'http', index, 'route', at],
        };
    }
}

/** The hosts that a VirtualService of their own divides into subsets. */
const divided = (world: World) =>
  othersOf(world, VIRTUAL_SERVICE, object => {
    const hosts = new Set(
      textsAt(object, ['spec', 'hosts']).map(host => fullHost(host, namespaceOf(object))),
    );
    return [...destinationsOf(object)].flatMap(({ host, subset }) =>
      subset !== undefined && hosts.has(host) ? [host] : [],
    );
  });

export default defineCheck({
  practice: 'mesh',
  name: 'subset-lost-at-gateway',
  title: 'Route of a gateway passes by the subsets of the host',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Another VirtualService divides the host into subsets, and the gateway does not follow it: requests from outside go to every version.',
  remediation: 'Name the subset in the route of the gateway too.',

  subject: 'object',
  kinds: [VIRTUAL_SERVICE],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    if (itemsOf(valueAt(object, ['spec', 'gateways'])).every(one => one === 'mesh'))
      return notApplicable('it is for no gateway');
    return verdictOf(
      [...destinationsOf(object)].flatMap(({ host, subset, path }) => {
        const other = subset === undefined ? world.fact(divided).get(host)?.[0] : undefined;
        return other === undefined ? [] : [{ what: named(other), path: [...path, 'destination', 'host'] }];
      }),
    );
  },
  message: others =>
    `the gateway does not follow the subsets of VirtualService ${[...new Set(others)].join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ route: [{ destination: { host: web, subset: v1 } }] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web-at-edge, namespace: shop }
      spec: { hosts: [shop.example.com], gateways: [edge/edge], http: [{ route: [{ destination: { host: web } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ route: [{ destination: { host: web, subset: v1 } }] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web-at-edge, namespace: shop }
      spec: { hosts: [shop.example.com], gateways: [edge/edge], http: [{ route: [{ destination: { host: web, subset: v1 } }] }] }
      `,
    ],
  },
});
