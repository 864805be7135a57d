/**
 * Routes and rules for hosts that do not exist. Source: istio
 * pkg/config/analysis/analyzers/virtualservice/destinationhosts.go and destinationrule/subset.go (IST0101, IST0174).
 */
import { defineCheck } from '#check/check.ts';
import { nearest } from '#kube/nearest.ts';
import { type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { itemsOf, verdictOf } from '../facts.ts';
import {
  fullHost,
  hostsMeet,
  isWhole,
  SERVICE_ENTRY,
  textsAt,
  VIRTUAL_SERVICE,
  WHOLE_CLUSTER,
} from '../istio.ts';

const RULE = 'networking.istio.io/DestinationRule';

/** Services by namespace, and the hosts of ServiceEntries. */
const registry = (world: World) => ({
  services: Map.groupBy(
    world.ofKind('/Service').map(({ object }) => object),
    object => namespaceOf(object) ?? '',
  ),
  entries: world.ofKind(SERVICE_ENTRY).flatMap(({ object }) => textsAt(object, ['spec', 'hosts'])),
});

function* hostsIn(object: KubeObject): Generator<{ host: string; path: Path }> {
  const at = (path: Path): { host: string; path: Path }[] => {
    const host = valueAt(object, path);
    return typeof host === 'string' && host !== '' ? [{ host, path }] : [];
  };
  if (object.kind === 'DestinationRule') return yield* at(['spec', 'host']);
  for (const protocol of ['http', 'tls', 'tcp'])
    for (const [index, route] of itemsOf(valueAt(object, ['spec', protocol])).entries()) {
      const path: Path = ['spec', protocol, index];
      for (const list of ['route', 'mirrors'])
        for (const one of itemsOf(valueAt(route, [list])).keys())
          yield* at([...path, list, one, 'destination', 'host']);
      yield* at([...path, 'mirror', 'host']);
    }
}

/** The Service that a host in the cluster's domain names; undefined for any other host. */
function serviceOf(
  host: string,
  own: string | undefined,
): { readonly namespace: string; readonly name: string } | undefined {
  const full = fullHost(host, own);
  const found = /^([^.*]+)\.([^.]+)\.svc(?:\.cluster\.local)?$/.exec(full);
  return found === null
    ? undefined
    : { name: found[1]!, namespace: host.includes('.') ? found[2]! : (own ?? '') };
}

export default defineCheck({
  practice: 'mesh',
  name: 'route-to-absent-host',
  title: 'Route or rule for a host that is not there',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'Requests that take the route fail with 503; a rule for such a host sets no timeout, and no TLS, for anybody.',
  remediation: 'Correct the host: the name of the Service, with its namespace where that is another one.',
  options: WHOLE_CLUSTER,

  subject: 'object',
  kinds: [VIRTUAL_SERVICE, RULE],
  looksAt: ['network'],
  evaluate({ object }, { world, options }) {
    const own = namespaceOf(object);
    const { services, entries } = world.fact(registry);
    return verdictOf(
      [...hostsIn(object)].flatMap(({ host, path }) => {
        const service = serviceOf(host, own);
        if (service === undefined && !isWhole(options)) return [];
        if (entries.some(entry => hostsMeet(entry, fullHost(host, own)))) return [];
        const beside = (service === undefined ? undefined : services.get(service.namespace)) ?? [];
        const names = beside.map(one => one.metadata?.name ?? '');
        if (service !== undefined && names.includes(service.name)) return [];
        if (host.startsWith('*')) return [];
        // Services are often declared elsewhere: only a name like one that is here is a slip.
        const meant = service === undefined ? undefined : slip(service.name, names);
        return meant !== undefined || isWhole(options) ? [{ what: { host, meant }, path }] : [];
      }),
    );
  },
  message: found =>
    [
      ...new Set(
        found.map(
          ({ host, meant }) =>
            `there is no host "${host}"${meant === undefined ? '' : `: did you mean Service "${meant}"?`}`,
        ),
      ),
    ].join('; '),
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: payments, namespace: shop }
      spec: { selector: { app: payments }, ports: [{ port: 80 }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: payments, namespace: shop }
      spec: { hosts: [payments], http: [{ route: [{ destination: { host: payment } }] }] }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Service
      metadata: { name: payments, namespace: shop }
      spec: { selector: { app: payments }, ports: [{ port: 80 }] }
      ---
      apiVersion: networking.istio.io/v1
      kind: VirtualService
      metadata: { name: payments, namespace: shop }
      spec: { hosts: [payments], http: [{ route: [{ destination: { host: payments } }, { destination: { host: ledger.bank.svc.cluster.local } }] }] }
      `,
    ],
  },
});

/** The name that was meant; names that differ by a version or a number are both likely to exist. */
function slip(name: string, known: readonly string[]): string | undefined {
  const meant = name.length < 5 ? undefined : nearest(name, known);
  const bare = (text: string): string => text.replace(/-?v?\d+/g, '');
  return meant === undefined || bare(meant) === bare(name) ? undefined : meant;
}
