/** What can be reached from outside of the cluster: from each entry to workload and port, with the objects on the way. */
import type { KubeObject } from '#kube/objects.ts';
import type { Entry, Exposure, Exposures, ProxyRoute } from './exposure-types.ts';
import { gatewayRoutes } from './gateways.ts';
import { ingressRoutes, openShiftRoutes } from './ingresses.ts';
import type { ContainerPort, Inventory, PodEndpoint } from './inventory.ts';
import { istioRoutes } from './istio-gateways.ts';
import { YES } from './labels.ts';
import { keepsAddress, openingsOf } from './load-balancers.ts';
import type { Protocol } from './ports.ts';
import { portsOfService, Services, type Target } from './services.ts';

/** Answers of the policies. */
export interface Reach {
  /**
   * From outside of the cluster.
   *
   * @param keepsAddress whether the pod sees the address of the client
   */
  fromOutside(to: PodEndpoint, protocol: Protocol, port: number, keepsAddress: boolean): boolean | 'unknown';
  /** From one of these pods, or from any pod that there may be. */
  fromProxy(
    proxies: readonly PodEndpoint[],
    to: PodEndpoint,
    protocol: Protocol,
    port: number,
  ): boolean | 'unknown';
}

/** Every way from outside, in the order: Services, proxies, host ports. */
export function findExposures(objects: readonly KubeObject[], inventory: Inventory, reach: Reach): Exposures {
  const services = new Services(objects, inventory);
  const exposures = [
    ...[...services.all()].flatMap(service => fromService(service, services, reach)),
    ...[ingressRoutes, openShiftRoutes, gatewayRoutes, istioRoutes]
      .flatMap(routes => routes(objects, services))
      .map(route => fromRoute(route, reach)),
    ...inventory.endpoints.flatMap(endpoint => fromHost(endpoint, reach)),
  ];
  return { exposures, gaps: services.gaps };
}

/** The entries that a Service is itself. */
function fromService(service: KubeObject, services: Services, reach: Reach): Exposure[] {
  return portsOfService(service).flatMap(port => {
    const openings = openingsOf(service, port);
    if (openings.length === 0) return [];
    return services.targets(service, port).flatMap(target => {
      const reachable = reach.fromOutside(
        target.endpoint,
        target.protocol,
        target.port,
        keepsAddress(service),
      );
      return openings.map(({ entry, sources, internal }) =>
        exposureOf(entry, [service], target, { tls: 'unknown', sources, internal, reachable }),
      );
    });
  });
}

function fromRoute(route: ProxyRoute, reach: Reach): Exposure {
  const { endpoint, port, protocol } = route.target;
  return exposureOf(route.entry, route.through, route.target, {
    tls: route.tls,
    sources: route.sources,
    internal: route.internal,
    reachable: reach.fromProxy(route.proxies, endpoint, protocol, port),
    proxies: route.proxies.map(({ id }) => id),
  });
}

/** The ports of a pod that are ports of its node. */
function fromHost(endpoint: PodEndpoint, reach: Reach): Exposure[] {
  const { object, hostNetwork } = endpoint;
  if (object === undefined) return [];
  const ports = (endpoint.ports ?? []).filter(port => hostNetwork || port.hostPort !== undefined);
  return ports.map(port => {
    const target: Target = { endpoint, port: port.port, protocol: port.protocol, match: YES };
    return exposureOf(hostEntry(port, hostNetwork), [], target, {
      tls: 'unknown',
      sources: [],
      internal: false,
      reachable: reach.fromOutside(endpoint, port.protocol, port.port, true),
    });
  });
}

function hostEntry(port: ContainerPort, hostNetwork: boolean): Entry {
  return hostNetwork
    ? { is: 'host-network', port: port.port, hosts: [], addresses: [] }
    : { is: 'host-port', port: port.hostPort, hosts: [], addresses: [] };
}

function exposureOf(
  entry: Entry,
  through: readonly KubeObject[],
  { endpoint, port, protocol, match }: Target,
  rest: Pick<Exposure, 'tls' | 'sources' | 'internal' | 'reachable' | 'proxies'>,
): Exposure {
  return {
    entry,
    through,
    workload: endpoint.object!,
    id: endpoint.id,
    port,
    protocol,
    ...rest,
    reachable: match === YES || rest.reachable === false ? rest.reachable : 'unknown',
  };
}
