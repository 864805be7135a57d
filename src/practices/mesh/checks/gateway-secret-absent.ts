/**
 * Certificates in the wrong namespace. Source: istio pkg/config/analysis/analyzers/gateway/secret.go (IST0101): the
 * Secret stands where the gateway's pods run, not where the Gateway does.
 */
import { defineCheck } from '#check/check.ts';
import { notApplicable } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { allPods, itemsOf, rootNamespace, verdictOf } from '../facts.ts';
import { GATEWAY, hasLabels, isWhole, labelsAt, textsAt, WHOLE_CLUSTER } from '../istio.ts';

const secrets = (world: World): ReadonlyMap<string, ReadonlySet<string | undefined>> => {
  const places = new Map<string, Set<string | undefined>>();
  for (const { object } of world.ofKind('/Secret')) {
    const name = object.metadata?.name ?? '';
    const known = places.get(name) ?? new Set();
    places.set(name, known.add(namespaceOf(object)));
  }
  return places;
};

/** The namespaces of the pods that serve a Gateway; of the installed ingress gateway, where it is one of these. */
function namespacesOf(
  selector: Readonly<Record<string, string>>,
  world: World,
): ReadonlySet<string | undefined> {
  const found = new Set(
    allPods(world)
      .filter(pod => hasLabels(pod, selector))
      .map(({ namespace }) => namespace),
  );
  const isInstalled = Object.keys(selector).length === 1 && selector['istio'] === 'ingressgateway';
  if (found.size === 0 && isInstalled) found.add(rootNamespace(world));
  return found;
}

export default defineCheck({
  practice: 'mesh',
  name: 'gateway-secret-absent',
  title: "Gateway names a Secret that is not in its pods' namespace",
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [],
  why: 'The gateway reads Secrets of the namespace in which its pods run only: it has no certificate to show, and clients get no TLS.',
  remediation: 'Put the Secret beside the pods of the gateway, or correct credentialName.',
  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: [GATEWAY],
  looksAt: ['network', '/Secret'],
  evaluate({ object }, { world, options }) {
    const selector = labelsAt(object, ['spec', 'selector']);
    const namespaces = selector === undefined ? new Set<string>() : namespacesOf(selector, world);
    if (namespaces.size !== 1) return notApplicable('where its pods run is not known');
    const [namespace] = [...namespaces];
    return verdictOf(
      itemsOf(valueAt(object, ['spec', 'servers'])).flatMap((server, index) => {
        const one = valueAt(server, ['tls', 'credentialName']);
        const names = [
          ...(typeof one === 'string' ? [{ name: one, field: ['credentialName'] }] : []),
          ...textsAt(server, ['tls', 'credentialNames']).map((name, at) => ({
            name,
            field: ['credentialNames', at],
          })),
        ];
        return names.flatMap(({ name, field }) => {
          // A scheme or another namespace names something else than a Secret beside the pods.
          if (name === '' || name.includes('/')) return [];
          const places = world.fact(secrets).get(name);
          const absent = places === undefined ? isWhole(options) : !places.has(namespace);
          return absent
            ? [
                {
                  what: { name, namespace, elsewhere: [...(places ?? [])] },
                  path: ['spec', 'servers', index, 'tls', ...field],
                },
              ]
            : [];
        });
      }),
    );
  },
  message: found =>
    found
      .map(
        ({ name, namespace, elsewhere }) =>
          `Secret "${name}" is not in ${namespace ?? 'the namespace'} of the gateway's pods${
            elsewhere.length === 0 ? '' : `, but in ${elsewhere.map(one => one ?? 'none stated').join(', ')}`
          }`,
      )
      .join('; '),
  examples: {
    bad: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: https, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE, credentialName: shop-tls } }] }
      ---
      apiVersion: v1
      kind: Secret
      metadata: { name: shop-tls, namespace: shop }
      type: kubernetes.io/tls
      `,
    ],
    good: [
      `
      apiVersion: networking.istio.io/v1
      kind: Gateway
      metadata: { name: web, namespace: shop }
      spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: https, protocol: HTTPS }, hosts: [shop.example.com], tls: { mode: SIMPLE, credentialName: shop-tls } }] }
      ---
      apiVersion: v1
      kind: Secret
      metadata: { name: shop-tls, namespace: istio-system }
      type: kubernetes.io/tls
      `,
    ],
  },
});
