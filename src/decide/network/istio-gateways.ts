/**
 * Gateways of Istio: the proxies that one selects, the Services in front of them, and the VirtualServices that route from
 * it. Source: istio.io, references of Gateway and VirtualService.
 */
import { groupOf, isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import type { Exposure, ProxyRoute } from './exposure-types.ts';
import { commonHosts } from './hosts.ts';
import { itemsOf, namespaceOf, type PodEndpoint } from './inventory.ts';
import { type Opening, openingsOf } from './load-balancers.ts';
import { means, portsOfService, type ServicePort, type Services, textAt, textsAt } from './services.ts';

const GROUP = 'networking.istio.io';
const KINDS_OF_ROUTE = ['http', 'tls', 'tcp'] as const;

interface Server {
  readonly gateway: KubeObject;
  readonly value: Readonly<Record<string, unknown>>;
  /** Ways to the proxies; one of unknown kind where no Service in the input leads to them. */
  readonly openings: readonly (Opening & { readonly services: readonly KubeObject[] })[];
  readonly proxies: readonly PodEndpoint[];
}

export function istioRoutes(objects: readonly KubeObject[], services: Services): ProxyRoute[] {
  const ofKind = (kind: string) =>
    objects.filter(object => object.kind === kind && groupOf(object.apiVersion) === GROUP);
  const servers = new Map<string, Server[]>();
  for (const gateway of ofKind('Gateway'))
    servers.set(`${namespaceOf(gateway)}/${nameOf(gateway)}`, serversOf(gateway, services));
  return ofKind('VirtualService').flatMap(virtualService =>
    textsAt(valueAt(virtualService, ['spec']), 'gateways').flatMap((name, index) => {
      if (name === 'mesh') return [];
      const id = name.includes('/') ? name : `${namespaceOf(virtualService)}/${name}`;
      const found = servers.get(id);
      if (found === undefined)
        services.note(virtualService, ['spec', 'gateways', index], `there is no Gateway ${id} in the input`);
      return (found ?? []).flatMap(server => follow(virtualService, server, services));
    }),
  );
}

function serversOf(gateway: KubeObject, services: Services): Server[] {
  const labels = valueAt(gateway, ['spec', 'selector']);
  const proxies = isRecord(labels)
    ? services.selected(labels, undefined).map(({ endpoint }) => endpoint)
    : [];
  if (proxies.length === 0)
    services.note(gateway, ['spec', 'selector'], 'the selector finds no proxy in the input');
  return itemsOf(valueAt(gateway, ['spec', 'servers'])).flatMap(value =>
    isRecord(value) ? [{ gateway, value, proxies, openings: openingsTo(proxies, value, services) }] : [],
  );
}

/** The ports of Services that are open to the outside: few are, and every server of every Gateway asks. */
function openPorts(services: Services): readonly OpenPort[] {
  let known = opened.get(services);
  if (known === undefined) {
    known = [...services.all()].flatMap(service =>
      portsOfService(service).flatMap(port => {
        const openings = openingsOf(service, port);
        return openings.length === 0 ? [] : [{ service, port, openings }];
      }),
    );
    opened.set(services, known);
  }
  return known;
}

interface OpenPort {
  readonly service: KubeObject;
  readonly port: ServicePort;
  readonly openings: readonly Opening[];
}

const opened = new WeakMap<Services, readonly OpenPort[]>();

/** How the proxies' port for a server is open to the outside. */
function openingsTo(
  proxies: readonly PodEndpoint[],
  server: Readonly<Record<string, unknown>>,
  services: Services,
): Server['openings'] {
  const number = valueAt(server, ['port', 'number']);
  const found = openPorts(services).flatMap(({ service, port, openings }) => {
    if (port.port !== number && port.target !== number) return [];
    if (!services.targets(service, port).some(({ endpoint }) => proxies.includes(endpoint))) return [];
    return openings.map(opening => ({ ...opening, services: [service] }));
  });
  if (found.length > 0) return found;
  const port = typeof number === 'number' ? number : undefined;
  const entry = { is: 'istio-gateway', port, hosts: [], addresses: [] } as const;
  return proxies.length > 0 ? [] : [{ entry, sources: [], internal: false, services: [] }];
}

function follow(virtualService: KubeObject, server: Server, services: Services): ProxyRoute[] {
  const hosts = commonHosts(
    hostsFor(server, namespaceOf(virtualService)),
    textsAt(valueAt(virtualService, ['spec']), 'hosts').filter(host => host !== '*'),
  );
  if (hosts === undefined) return [];
  return KINDS_OF_ROUTE.flatMap(kind =>
    itemsOf(valueAt(virtualService, ['spec', kind])).flatMap((rule, index) =>
      itemsOf(valueAt(rule, ['route'])).flatMap((item, place) =>
        destination(
          virtualService,
          valueAt(item, ['destination']),
          ['spec', kind, index, 'route', place],
          services,
        ),
      ),
    ),
  ).flatMap(({ service, target }) =>
    server.openings.map(opening => ({
      entry: { ...opening.entry, is: 'istio-gateway' as const, hosts },
      through: [...opening.services, server.gateway, virtualService, service],
      target,
      tls: tlsOf(server),
      proxies: server.proxies,
      internal: opening.internal,
      sources: opening.sources,
    })),
  );
}

/** The hosts of a server that VirtualServices of a namespace may bind: `namespace/host`, `./host` or `host`. */
function hostsFor({ value, gateway }: Server, namespace: string): string[] {
  const allowed = textsAt(value, 'hosts').flatMap(entry => {
    const slash = entry.indexOf('/');
    if (slash < 0) return [entry];
    const from = entry.slice(0, slash);
    const matches = from === '*' || (from === '.' ? namespaceOf(gateway) : from) === namespace;
    return matches ? [entry.slice(slash + 1)] : [];
  });
  // No host at all is no name in common with anything; `*` is every name.
  return allowed.length === 0 ? ['.'] : allowed.includes('*') ? [] : allowed;
}

function destination(virtualService: KubeObject, value: unknown, path: Path, services: Services) {
  const host = textAt(value, ['host']);
  if (host === undefined) return [];
  const named = serviceOf(host, namespaceOf(virtualService));
  if (named === undefined) return [];
  const service = services.find(named.namespace, named.name, virtualService, [
    ...path,
    'destination',
    'host',
  ]);
  if (service === undefined) return [];
  const ports = portsOfService(service).filter(port => means(valueAt(value, ['port', 'number']), port));
  return ports.flatMap(port => services.targets(service, port).map(target => ({ service, target })));
}

/** The Service that a host is: a short name stands in the VirtualService's own namespace. Others are outside. */
function serviceOf(host: string, own: string): { name: string; namespace: string } | undefined {
  const [name = host, namespace = own, ...rest] = host.split('.');
  return rest.length === 0 || rest[0] === 'svc' ? { name, namespace } : undefined;
}

function tlsOf({ value }: Server): Exposure['tls'] {
  const mode = valueAt(value, ['tls', 'mode']);
  if (mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH') return 'passthrough';
  if (typeof mode === 'string') return 'terminated';
  const protocol = textAt(value, ['port', 'protocol'])?.toUpperCase();
  return protocol === 'HTTPS' || protocol === 'TLS' ? 'unknown' : 'none';
}
