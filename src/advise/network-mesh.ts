/**
 * What network policies have to let through because of a mesh: proxies ask their control plane, and ambient mode puts
 * connections into a tunnel.
 *
 * Sources: istio manifests/charts/istio-control/istio-discovery (labels and ports of istiod), istio.io ambient
 * documentation (port 15008; probes come from 169.254.7.127); linkerd2 charts/linkerd-control-plane/templates
 * identity.yaml and destination.yaml (the Services linkerd-identity-headless 8080, linkerd-dst-headless 8086 and
 * linkerd-policy 8090, their target ports and labels: the policy controller is a container of destination), and
 * charts/partials/templates/_proxy.tpl (LINKERD2_PROXY_…_SVC_ADDR: which of them a proxy asks).
 */
import { type Mesh, PROBES_OF_AMBIENT } from '#decide/mesh/door.ts';
import { endpointId, itemsOf, NAMESPACE_NAME, namespaceOf, sideOfId } from '#decide/network/inventory.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { peerOf, peerOfObject } from './mesh-parts.ts';
import { idOf, type Need } from './network-needs.ts';
import { Workloads } from './network-workloads.ts';

/** Network policies see probes of ambient mode come from this address. */
export const PROBE_BLOCK = `${PROBES_OF_AMBIENT}/32`;

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
        found.push({ from: { cidr: PROBE_BLOCK }, to: sideOfId(endpointId(object)), port });
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
 * Needs for network policies that hold before and after workloads join a mesh that puts connections into a tunnel: the
 * ports that are meant, and the tunnel's.
 */
export function withTunnels(needs: readonly Need[], mesh: Mesh): { needs: Need[]; tunnel?: number } {
  const packets = asPackets(needs, mesh);
  const all = [...needs, ...packets.needs].map((need): [string, Need] => [JSON.stringify(need), need]);
  return { ...packets, needs: [...new Map(all).values()] };
}

/**
 * Needs as the network sees them: what a mesh puts into a tunnel is for the tunnel's port.
 *
 * @param mesh with pods that stand for the described sides
 * @returns the needs, and the port of the tunnel where any of them is in one: the network then no longer tells its ports
 * apart
 */
export function asPackets(needs: readonly Need[], mesh: Mesh): { needs: Need[]; tunnel?: number } {
  const found = new Map<string, Need>();
  let tunnel: number | undefined;
  for (const need of needs) {
    const port = (need.protocol ?? 'TCP') === 'TCP' ? tunnelOf(need, mesh) : undefined;
    tunnel ??= port;
    const packet: Need = port === undefined ? need : { from: need.from, to: need.to, port };
    found.set(JSON.stringify(packet), packet);
  }
  return { needs: [...found.values()], ...(tunnel === undefined ? {} : { tunnel }) };
}

function tunnelOf({ from, to, port }: Need, mesh: Mesh): number | undefined {
  if ('cidr' in from || 'cidr' in to) return undefined;
  const target = peerOf(to);
  const tunnel = mesh.tunnel(target, port)?.port;
  if (tunnel === undefined) return undefined;
  return mesh.transport({ from: peerOf(from), to: target, port }).mode === 'mtls' ? tunnel : undefined;
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
