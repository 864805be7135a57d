/** Routes that lead nowhere. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { itemsOf } from '../facts.ts';

/** A short name is one of the object's own namespace. */
function fullName(host: string, namespace: string | undefined): string {
  return host.includes('.')
    ? host.replace(/\.svc(?:\.cluster\.local)?$/, '')
    : `${host}.${namespace ?? 'default'}`;
}

const subsetsOfHosts = (world: World): ReadonlyMap<string, ReadonlySet<unknown>> => {
  const hosts = new Map<string, Set<unknown>>();
  for (const { object } of world.ofKind('networking.istio.io/DestinationRule')) {
    const host = fullName(String(valueAt(object, ['spec', 'host'])), namespaceOf(object));
    const names = hosts.get(host) ?? new Set();
    for (const subset of itemsOf(valueAt(object, ['spec', 'subsets']))) names.add(valueAt(subset, ['name']));
    hosts.set(host, names);
  }
  return hosts;
};

function* destinations(object: KubeObject): Generator<{ destination: unknown; path: Path }> {
  for (const protocol of ['http', 'tcp', 'tls'])
    for (const [index, route] of itemsOf(valueAt(object, ['spec', protocol])).entries()) {
      const path: Path = ['spec', protocol, index];
      for (const [at, one] of itemsOf(valueAt(route, ['route'])).entries())
        yield { destination: valueAt(one, ['destination']), path: [...path, 'route', at, 'destination'] };
      yield { destination: valueAt(route, ['mirror']), path: [...path, 'mirror'] };
    }
}

export default defineCheck({
  practice: 'mesh',
  name: 'route-to-absent-subset',
  title: 'Route leads to a subset that no DestinationRule has',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'Requests that take the route fail with 503.',
  remediation: 'Correct the name, or add the subset to the DestinationRule.',

  subject: 'object',
  kinds: ['networking.istio.io/VirtualService'],
  looksAt: ['networking.istio.io/DestinationRule'],
  evaluate({ object }, { world }) {
    const own = namespaceOf(object);
    const found: { name: string; path: Path }[] = [];
    for (const { destination, path } of destinations(object)) {
      const subset = valueAt(destination, ['subset']);
      if (typeof subset !== 'string' || subset === '') continue;
      const host = fullName(String(valueAt(destination, ['host'])), own);
      // Rules are often kept apart from routes: only a rule for the host shows which subsets there are.
      const names = world.fact(subsetsOfHosts).get(host);
      if (names !== undefined && !names.has(subset)) found.push({ name: subset, path: [...path, 'subset'] });
    }
    return found.length === 0
      ? pass
      : fail([...new Set(found.map(({ name }) => name))], ...found.map(({ path }) => path));
  },
  message: names => `no DestinationRule of the host has subset ${names.map(name => `"${name}"`).join(', ')}`,
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: web, namespace: shop }
      spec: { hosts: [web], http: [{ route: [{ destination: { host: web, subset: v2 } }] }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web.shop.svc.cluster.local, subsets: [{ name: v1, labels: { version: v1 } }] }
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
      kind: DestinationRule
      metadata: { name: web, namespace: shop }
      spec: { host: web, subsets: [{ name: v1, labels: { version: v1 } }] }
      `,
    ],
  },
});
