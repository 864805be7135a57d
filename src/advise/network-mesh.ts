/**
 * What network policies have to let through because of a mesh: proxies ask their control plane, and ambient mode puts
 * connections into a tunnel.
 *
 * Sources: istio manifests/charts/istio-control/istio-discovery (labels and ports of istiod), istio.io ambient
 * documentation (port 15008; probes come from 169.254.7.127); linkerd2 charts/linkerd-control-plane/templates (labels and
 * ports of identity, destination and policy), linkerd2-proxy's inbound port 4143 for opaque connections.
 */
import { type Mesh, TUNNEL_PORT } from '#decide/mesh/door.ts';
import { endpointId, itemsOf, NAMESPACE_NAME, namespaceOf } from '#decide/network/inventory.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { peerOf, peerOfObject } from './mesh-parts.ts';
import { idOf, type Need, type NeedSide, sideOfId } from './network-needs.ts';
import { Workloads } from './network-workloads.ts';

const PROBES_OF_AMBIENT = '169.254.7.127/32';

/** Connections of the mesh itself, where policies restrict the network of its workloads. */
export function meshNeeds(objects: readonly KubeObject[], mesh: Mesh, namespaces: readonly string[]): Need[] {
  const closed = new Set(namespaces);
  const found: Need[] = [];
  const asked = new Set<string>();
  for (const object of new Workloads(objects).all()) {
    const { mesh: of, dataplane } = mesh.member(peerOfObject(object));
    const namespace = namespaceOf(object);
    if (!closed.has(namespace)) continue;
    if (of === 'istio' && dataplane === 'ambient')
      for (const port of probePorts(object))
        found.push({ from: { cidr: PROBES_OF_AMBIENT }, to: sideOfId(endpointId(object)), port });
    const key = `${of} ${dataplane} ${namespace}`;
    if (dataplane !== 'sidecar' || asked.has(key)) continue;
    asked.add(key);
    const from = { labels: {}, namespaceLabels: { [NAMESPACE_NAME]: namespace } };
    const planes = of === 'istio' ? ISTIO_PLANE : LINKERD_PLANE;
    for (const { labels, home, port } of planes)
      found.push({ from, to: { labels, namespaceLabels: { [NAMESPACE_NAME]: home } }, port });
  }
  return found;
}

const ISTIO_PLANE = [{ labels: { app: 'istiod' }, home: 'istio-system', port: 15012 }];
const component = (name: string): Readonly<Record<string, string>> => ({
  'linkerd.io/control-plane-component': name,
});
const LINKERD_PLANE = [
  { labels: component('identity'), home: 'linkerd', port: 8080 },
  { labels: component('destination'), home: 'linkerd', port: 8086 },
  { labels: component('destination'), home: 'linkerd', port: 8090 },
];

/** Where the proxy of Istio answers for the metrics of its pod. */
const MERGED_METRICS = 15_020;

/**
 * Scraping that annotations ask for, where the mesh will have it: the sidecar changes the annotations to its own port, at
 * which no rule of the mesh is asked. Source: istio pkg/kube/inject/webhook.go (applyPrometheusMerge), on by default.
 */
export function asScraped(needs: readonly Need[], objects: readonly KubeObject[], mesh: Mesh): Need[] {
  const workloads = new Workloads(objects);
  return needs.map(need => {
    const id = idOf(need.to);
    if (need.scraped !== true || id === undefined) return need;
    const { mesh: of, dataplane } = mesh.member(peerOf(need.to));
    const annotations = podTemplateOf(workloads.find(id))?.pod.metadata;
    const off = valueAt(annotations, ['annotations', 'prometheus.istio.io/merge-metrics']) === 'false';
    return of === 'istio' && dataplane === 'sidecar' && !off ? { ...need, port: MERGED_METRICS } : need;
  });
}

/**
 * Needs for network policies that hold before and after workloads join ambient mode: the ports that are meant, and the
 * tunnel's.
 */
export function withTunnels(needs: readonly Need[], mesh: Mesh): { needs: Need[]; tunnelled: boolean } {
  const packets = asPackets(needs, mesh);
  const all = [...needs, ...packets.needs].map((need): [string, Need] => [JSON.stringify(need), need]);
  return { needs: [...new Map(all).values()], tunnelled: packets.tunnelled };
}

/**
 * Needs as the network sees them: between two workloads of ambient mode every packet is for the tunnel's port.
 *
 * @returns the needs, and whether any of them is in a tunnel: the network then no longer tells its ports apart
 */
export function asPackets(needs: readonly Need[], mesh: Mesh): { needs: Need[]; tunnelled: boolean } {
  const isAmbient = (side: NeedSide): boolean =>
    idOf(side) !== undefined && mesh.member(peerOf(side)).dataplane === 'ambient';
  const found = new Map<string, Need>();
  let tunnelled = false;
  for (const need of needs) {
    const inTunnel = (need.protocol ?? 'TCP') === 'TCP' && isAmbient(need.from) && isAmbient(need.to);
    tunnelled ||= inTunnel;
    const packet: Need = inTunnel ? { from: need.from, to: need.to, port: TUNNEL_PORT } : need;
    found.set(JSON.stringify(packet), packet);
  }
  return { needs: [...found.values()], tunnelled };
}

/** The ports that the kubelet probes. */
export function probePorts(object: KubeObject): number[] {
  const ports = new Set<number>();
  for (const container of itemsOf(podTemplateOf(object)?.pod.spec['containers']))
    for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe'])
      for (const kind of ['httpGet', 'tcpSocket', 'grpc']) {
        const port = valueAt(container, [probe, kind, 'port']);
        const named = itemsOf(valueAt(container, ['ports'])).find(one => valueAt(one, ['name']) === port);
        const number = typeof port === 'number' ? port : valueAt(named, ['containerPort']);
        if (typeof number === 'number') ports.add(number);
      }
  return [...ports].sort((a, b) => a - b);
}
