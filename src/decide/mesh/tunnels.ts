/**
 * The port that a packet is for, where a mesh carries the connection inside another: what network policies see of it.
 *
 * Sources: istio's ambient mode, HBONE on 15008; linkerd2 controller/api/destination/endpoint_translator.go
 * (createWeightedAddr: connections between proxies go to the inbound port, with the port that is meant in a header, where
 * the control plane was installed so or the port is opaque; never ports of the proxy itself or skipped ones),
 * charts/linkerd-control-plane/values.yaml (proxy.outboundTransportMode), pkg/k8s/labels.go (the annotations).
 */
import { itemsOf } from '#decide/network/inventory.ts';
import { valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import type { LinkerdSettings } from './linkerd-settings.ts';
import type { Member } from './members.ts';

/** The port on which ztunnel takes the tunnels of others. */
export const TUNNEL_PORT = 15_008;
/** The port on which Linkerd's proxy takes what comes in, where no annotation says otherwise. */
const LINKERD_INBOUND = 4143;
const ADMIN_PORTS: ReadonlySet<number> = new Set([4190, 4191]);
export const OPAQUE_PORTS = 'config.linkerd.io/opaque-ports';
/** Protocols whose servers speak first, as the chart lists them. */
const OPAQUE: ReadonlySet<number> = new Set([25, 587, 3306, 4444, 5432, 6379, 9300, 11211]);

export interface Tunnel {
  readonly port: number;
  /** What the port is, in words. */
  readonly text: string;
}

/** The tunnel in which clients of the same mesh reach a workload's port; undefined where they reach the port itself. */
export function tunnelTo(
  member: Member,
  port: number,
  { outboundTransportMode }: LinkerdSettings,
): Tunnel | undefined {
  if (member.dataplane === 'ambient') return { port: TUNNEL_PORT, text: 'the tunnel of ambient mode' };
  if (member.mesh !== 'linkerd' || ADMIN_PORTS.has(port) || !member.takesInbound(port)) return undefined;
  const opaque = outboundTransportMode === 'transparent';
  if (opaque && !isOpaquePort(member.config[OPAQUE_PORTS], port)) return undefined;
  return {
    port: inboundPort(member),
    text: opaque
      ? "where Linkerd's proxy takes connections to opaque ports"
      : "where Linkerd's proxy takes connections of the mesh (its chart sets proxy.outboundTransportMode to transport-header)",
  };
}

/** What the proxy says itself, else the annotation that it is made from. */
function inboundPort({ endpoint, config }: Member): number {
  const spec = endpoint.object === undefined ? undefined : podTemplateOf(endpoint.object)?.pod.spec;
  const proxy = [
    ...itemsOf(valueAt(spec, ['containers'])),
    ...itemsOf(valueAt(spec, ['initContainers'])),
  ].find(one => valueAt(one, ['name']) === 'linkerd-proxy');
  const listens = itemsOf(valueAt(proxy, ['env']))
    .filter(one => valueAt(one, ['name']) === 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR')
    .map(one =>
      String(valueAt(one, ['value']))
        .split(':')
        .at(-1),
    );
  const stated = Number(listens[0] ?? config['config.linkerd.io/inbound-port'] ?? LINKERD_INBOUND);
  return Number.isInteger(stated) && stated >= 1 && stated <= 65_535 ? stated : LINKERD_INBOUND;
}

/**
 * Whether Linkerd's proxy leaves a port's bytes alone.
 *
 * @param stated the annotation `config.linkerd.io/opaque-ports`; the chart's list where there is none
 */
export function isOpaquePort(stated: string | undefined, port: number): boolean {
  if (stated === undefined) return OPAQUE.has(port);
  return stated.split(',').some(part => {
    const [first, last = first] = part.split('-').map(Number);
    return first !== undefined && first <= port && port <= last!;
  });
}
