/**
 * Hosts that have two VirtualServices inside the mesh. Source: istio
 * pkg/config/analysis/analyzers/virtualservice/conflictingmeshgatewayhosts.go (IST0109).
 */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { byAge } from '#decide/mesh/policies.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { itemsOf } from '../facts.ts';
import { fullHost, hostsMeet, named, scopesOf, textsAt, VIRTUAL_SERVICE } from '../istio.ts';

function isOfMesh(object: KubeObject): boolean {
  const gateways = itemsOf(valueAt(object, ['spec', 'gateways']));
  return gateways.length === 0 || gateways.includes('mesh');
}

interface Routed {
  readonly object: KubeObject;
  readonly scope: string;
  readonly host: string;
}

function hostsOf(object: KubeObject): Routed[] {
  return [...scopesOf(object)].flatMap(scope =>
    textsAt(object, ['spec', 'hosts']).map(host => ({
      object,
      scope,
      host: fullHost(host, namespaceOf(object)),
    })),
  );
}

/** By the scope and host; and those that everybody sees, whose hosts may have a star. */
const routed = (world: World) => {
  const all = world
    .ofKind(VIRTUAL_SERVICE)
    .map(({ object }) => object)
    .filter(isOfMesh)
    .flatMap(hostsOf);
  return {
    exact: Map.groupBy(all, ({ scope, host }) => `${scope}/${host}`),
    public: all.filter(({ scope }) => scope === '*'),
    scoped: all.filter(({ scope }) => scope !== '*'),
  };
};

export default defineCheck({
  practice: 'mesh',
  name: 'routes-of-one-host',
  title: 'Two VirtualServices route one host of the mesh',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'Proxies follow the older one only: the routes, timeouts and tests of the other hold for nobody.',
  remediation: 'Make one VirtualService of them, or export them to different namespaces.',

  subject: 'object',
  kinds: [VIRTUAL_SERVICE],
  looksAt: ['network'],
  evaluate({ object }, { world }) {
    if (!isOfMesh(object)) return notApplicable('it is for gateways only');
    const known = world.fact(routed);
    for (const { scope, host } of hostsOf(object)) {
      // Of its own scope by name; a narrower one meets everything that everybody sees, stars included.
      const others = [
        ...(known.exact.get(`${scope}/${host}`) ?? []),
        ...(scope === '*' ? known.scoped : known.public).filter(one => hostsMeet(host, one.host)),
      ];
      const other = others.find(one => byAge(one.object, object) < 0);
      if (other !== undefined) return fail({ host, other: named(other.object) }, ['spec', 'hosts']);
    }
    return pass;
  },
  message: ({ host, other }) => `VirtualService ${other} routes ${host} too`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ route: [{ destination: { host: web } }] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web-timeout, namespace: shop }
      spec: { hosts: [web.shop.svc.cluster.local], http: [{ timeout: 5s, route: [{ destination: { host: web } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ route: [{ destination: { host: web } }] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web-at-edge, namespace: shop }
      spec: { hosts: [web], gateways: [edge/edge], http: [{ route: [{ destination: { host: web } }] }] }
      `,
    ],
  },
});
