/**
 * What gateways of Istio take in: the servers of Gateways that select a proxy, on the ports where they listen.
 *
 * Sources: istio pilot/pkg/model/push_context.go (mergeGateways: every Gateway whose selector the proxy's labels have, of
 * any namespace), pilot/pkg/model/gateway.go (PortMap: a server's port is that of a Service before the proxy, which leads
 * to another), pilot/pkg/networking/core/gateway.go (buildGatewayListenerTLSContext),
 * pilot/pkg/config/kube/gateway/conversion.go (listeners of the Gateway API as servers).
 */
import { itemsOf, namespaceOf } from '#decide/network/inventory.ts';
import { type Match, NO, YES } from '#decide/network/labels.ts';
import { isRecord, type KubeObject, nameOf, type Path, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import type { PortProtocol } from './authorize.ts';
import type { Member } from './members.ts';
import { isOf, selectorMatch } from './policies.ts';
import type { Front } from './services.ts';

export type ServerTls = 'none' | 'terminated' | 'mesh' | 'through';

/** A server of a gateway, on a port of its pods. */
export interface GatewayServer {
  readonly object: KubeObject;
  readonly path: Path;
  readonly tls: ServerTls;
  /** What the object says of TLS. */
  readonly stated: string;
  readonly protocol: PortProtocol;
  readonly match: Match;
}

const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';
const OF_HTTP = /^(?:HTTP|HTTP2|GRPC|GRPC-WEB)$/i;

/**
 * Whether a proxy is a gateway and no sidecar: the injector is asked for the template of one, or the container says so.
 * Source: istio manifests/charts/gateway (templates), pkg/kube/inject.
 */
export function isRouter({ endpoint, annotations }: Member): boolean {
  const template = endpoint.object === undefined ? undefined : podTemplateOf(endpoint.object);
  const asked = annotations['inject.istio.io/templates'];
  if (asked?.split(',').some(name => name.trim() === 'gateway') === true) return true;
  const spec = template?.pod.spec;
  return itemsOf(valueAt(spec, ['containers'])).some(
    container =>
      valueAt(container, ['name']) === 'istio-proxy' &&
      itemsOf(valueAt(container, ['args'])).includes('router'),
  );
}

export class GatewayServers {
  readonly #istio: readonly KubeObject[];
  readonly #gatewayApi: readonly KubeObject[];

  constructor(objects: readonly KubeObject[]) {
    this.#istio = objects.filter(object => isOf(object, 'networking.istio.io', 'Gateway'));
    this.#gatewayApi = objects.filter(object => isOf(object, 'gateway.networking.k8s.io', 'Gateway'));
  }

  /** Whether any Gateway is, or may be, served by a workload. */
  areAt(member: Member): boolean {
    return this.#selecting(member).length > 0;
  }

  /**
   * The servers that take a port of a workload.
   *
   * @param fronts the Services that lead to the port, by which servers name it
   */
  on(member: Member, port: number, fronts: readonly Front[]): readonly GatewayServer[] {
    const names = new Set([port, ...fronts.map(front => front.port.port)]);
    return this.#selecting(member).flatMap(({ object, match }) =>
      isOf(object, 'networking.istio.io', 'Gateway')
        ? serversOf(object, names, match)
        : listenersOf(object, names, match),
    );
  }

  #selecting({ endpoint }: Member): { object: KubeObject; match: Match }[] {
    const found: { object: KubeObject; match: Match }[] = [];
    for (const object of this.#istio) {
      const selector = valueAt(object, ['spec', 'selector']);
      // Without a selector every gateway serves it; whether the workload is one, others have to say.
      const match = isRecord(selector)
        ? selectorMatch(selector as Record<string, string>, endpoint.labels)
        : NO;
      if (match !== NO) found.push({ object, match });
    }
    for (const object of this.#gatewayApi)
      if (
        namespaceOf(object) === endpoint.namespace &&
        endpoint.labels.labels[GATEWAY_NAME] === nameOf(object)
      )
        found.push({ object, match: YES });
    return found;
  }
}

function serversOf(object: KubeObject, ports: ReadonlySet<number>, match: Match): GatewayServer[] {
  return itemsOf(valueAt(object, ['spec', 'servers'])).flatMap((server, index): GatewayServer[] => {
    const [number, protocol] = [valueAt(server, ['port', 'number']), valueAt(server, ['port', 'protocol'])];
    if (typeof number !== 'number' || !ports.has(number)) return [];
    const tls = valueAt(server, ['tls']);
    const mode = valueAt(server, ['tls', 'mode']);
    const word = String(protocol ?? '');
    const secure = /^(?:HTTPS|TLS)$/i.test(word);
    const through = mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH';
    const kind: ServerTls = through
      ? 'through'
      : mode === 'ISTIO_MUTUAL'
        ? 'mesh'
        : isRecord(tls) && secure
          ? 'terminated'
          : 'none';
    return [
      {
        object,
        path: ['spec', 'servers', index],
        tls: kind,
        stated: isRecord(tls) && kind !== 'none' ? String(mode ?? 'PASSTHROUGH') : 'no TLS',
        protocol: OF_HTTP.test(word) || (/^HTTPS$/i.test(word) && kind !== 'through') ? 'HTTP' : 'TCP',
        match,
      },
    ];
  });
}

function listenersOf(object: KubeObject, ports: ReadonlySet<number>, match: Match): GatewayServer[] {
  return itemsOf(valueAt(object, ['spec', 'listeners'])).flatMap((listener, index): GatewayServer[] => {
    const number = valueAt(listener, ['port']);
    if (typeof number !== 'number' || !ports.has(number)) return [];
    const protocol = String(valueAt(listener, ['protocol']) ?? '');
    const secure = protocol === 'HTTPS' || protocol === 'TLS';
    const through = secure && valueAt(listener, ['tls', 'mode']) === 'Passthrough';
    return [
      {
        object,
        path: ['spec', 'listeners', index],
        tls: through ? 'through' : secure ? 'terminated' : 'none',
        stated: secure ? String(valueAt(listener, ['tls', 'mode']) ?? 'Terminate') : 'no TLS',
        protocol: protocol === 'HTTP' || (protocol === 'HTTPS' && !through) ? 'HTTP' : 'TCP',
        match,
      },
    ];
  });
}
