/**
 * The least policies of Istio for what has to work: nothing is let in, then callers by their identity and port; nobody
 * comes without an identity, but on ports whose callers have none.
 *
 * What the policies mean is decided in `decide/mesh`; the facts that shape them: an AuthorizationPolicy without rules lets
 * nothing in; a waypoint sees the client and the port of the Service, and ztunnel behind it sees the waypoint (istio
 * pilot/pkg/serviceregistry/ambient, pilot/pkg/model/policyattachment.go); portLevelMtls names ports of the workload.
 */
import { createMesh } from '#decide/mesh/door.ts';
import { securityObjects } from '#decide/mesh/policies.ts';
import { type Front, ServiceIndex } from '#decide/mesh/services.ts';
import { accountOfWaypoint, waypointOf } from '#decide/mesh/waypoints.ts';
import { endpointId, namespaceOf, type PodEndpoint } from '#decide/network/inventory.ts';
import { groupOf, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import {
  isOfGroup,
  type MeshPolicies,
  MeshScene,
  type MeshTask,
  Names,
  peerOf,
  peerOfObject,
} from './mesh-parts.ts';
import { PROBE_BLOCK, probePorts } from './network-mesh.ts';
import { type Need, namespaceOfDescribed, sideText } from './network-needs.ts';
import { lessThose, sorted, Workloads } from './network-workloads.ts';

const SECURITY = 'security.istio.io';
/** What a source may be, written so that equal ones are equal texts. */
type Source =
  | { readonly principal: string }
  | { readonly namespace: string }
  | { readonly block: string }
  | { readonly anyone: true };

/** Who may come to the ports of a workload, or of a Service at its waypoint. */
class Callers {
  readonly #ports = new Map<string, { source: Source; ports: Set<number> }>();

  add(source: Source, port: number): void {
    const key = JSON.stringify(source);
    const known = this.#ports.get(key);
    if (known === undefined) this.#ports.set(key, { source, ports: new Set([port]) });
    else known.ports.add(port);
  }

  /** Rules with callers of the same ports together, in an order of their own. */
  rules(): object[] {
    const all = [...this.#ports.values()];
    const open = new Set(all.filter(({ source }) => 'anyone' in source).flatMap(({ ports }) => [...ports]));
    const byPorts = new Map<string, { ports: number[]; sources: Source[] }>();
    for (const { source, ports } of all) {
      const own = [...ports].filter(port => 'anyone' in source || !open.has(port)).sort((a, b) => a - b);
      if (own.length === 0) continue;
      const key = `${'anyone' in source} ${own.map(port => String(port).padStart(5, '0')).join()}`;
      const rule = byPorts.get(key);
      if (rule === undefined) byPorts.set(key, { ports: own, sources: [source] });
      else rule.sources.push(source);
    }
    return [...byPorts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { ports, sources }]) => ({
        ...(sources.some(source => 'anyone' in source) ? {} : { from: fromOf(sources) }),
        to: [{ operation: { ports: ports.map(String) } }],
      }));
  }
}

function fromOf(sources: readonly Source[]): object[] {
  const texts = (pick: (source: Source) => string | undefined): string[] =>
    sources.flatMap(source => pick(source) ?? []).sort();
  const principals = texts(source => ('principal' in source ? source.principal : undefined));
  const namespaces = texts(source => ('namespace' in source ? source.namespace : undefined));
  const ipBlocks = texts(source => ('block' in source ? source.block : undefined));
  return [
    ...(principals.length > 0 ? [{ source: { principals } }] : []),
    ...(namespaces.length > 0 ? [{ source: { namespaces } }] : []),
    ...(ipBlocks.length > 0 ? [{ source: { ipBlocks } }] : []),
  ];
}

/** Policies of the input that the proposed ones take the place of. Those that deny, ask or log stay, as guard rails. */
function isReplaced(object: KubeObject, closed: ReadonlySet<string>): boolean {
  if (!closed.has(namespaceOf(object))) return false;
  if (isOfGroup(object, SECURITY, 'PeerAuthentication')) return true;
  if (!isOfGroup(object, SECURITY, 'AuthorizationPolicy')) return false;
  return (valueAt(object, ['spec', 'action']) ?? 'ALLOW') === 'ALLOW';
}

export function istioPolicies(task: MeshTask): MeshPolicies {
  const closed = new Set(task.closed);
  const replaced = task.objects.filter(object => isReplaced(object, closed));
  const nameFor = (namespace: string): string => wholeNamespace(task.objects, namespace) ?? 'default';
  const lenient = task.closed.map(namespace =>
    peerAuthentication(nameFor(namespace), namespace, { mtls: { mode: 'PERMISSIVE' } }),
  );
  const scene = new MeshScene(task, [...lessThose(task.objects, replaced), ...lenient], 'istio');
  const builder = new Builder(scene);
  for (const need of task.needs) builder.add(need);
  builder.addProbes();
  return {
    lenient: lenient.filter(({ metadata }) => !isStrict(task, String(metadata?.namespace))),
    replaced,
    ...builder.policies(task.closed, nameFor),
  };
}

/** The name of the object that counts for a whole namespace: a second one beside it would not be read. */
function wholeNamespace(objects: readonly KubeObject[], namespace: string): string | undefined {
  const own = securityObjects(objects, 'PeerAuthentication').find(
    object =>
      namespaceOf(object) === namespace &&
      Object.keys(valueAt(object, ['spec', 'selector', 'matchLabels']) ?? {}).length === 0,
  );
  return own === undefined ? undefined : nameOf(own);
}

/** Whether nobody comes in without an identity today: then nothing is opened on the way. */
function isStrict({ objects, options }: MeshTask, namespace: string): boolean {
  const mesh = createMesh(objects, options);
  const own = [...new Workloads(objects).all()].filter(
    object => namespaceOf(object) === namespace && mesh.member(peerOfObject(object)).mesh === 'istio',
  );
  return own.every(
    object =>
      mesh.transport({ from: { ip: '203.0.113.1' }, to: peerOfObject(object), port: 65_000 }).mode ===
      'refused',
  );
}

interface Destination {
  readonly object: KubeObject;
  readonly callers: Callers;
  /** Ports with callers that prove no identity. */
  readonly plaintext: Map<number, Set<string>>;
}

class Builder {
  readonly #scene: MeshScene;
  readonly #services: ServiceIndex;
  readonly #gateways: readonly KubeObject[];
  readonly #destinations = new Map<string, Destination>();
  /** By Service: who may come through its waypoint. */
  readonly #fronts = new Map<string, { service: KubeObject; callers: Callers }>();
  readonly #waypoints = new Map<string, KubeObject>();
  readonly #notes = new Set<string>();

  constructor(scene: MeshScene) {
    this.#scene = scene;
    this.#services = new ServiceIndex(scene.objects);
    this.#gateways = scene.objects.filter(
      ({ apiVersion }) => groupOf(apiVersion) === 'gateway.networking.k8s.io',
    );
  }

  add(need: Need): void {
    const object = this.#scene.destination(need, 'istio');
    if (object === undefined) return;
    const { mesh } = this.#scene;
    const { from, port, endPort } = need;
    const id = endpointId(object);
    if (endPort !== undefined && endPort !== port) {
      this.#notes.add(`${id}: rules of Istio name single ports, so ports ${port}-${endPort} are left out`);
      return;
    }
    // ztunnel never sees the probes of the kubelet: no rule has to let them in.
    if ('cidr' in from && from.cidr === PROBE_BLOCK) return;
    const destination = this.#destinationOf(object);
    if ('cidr' in from) {
      const whole = from.cidr === '0.0.0.0/0' || from.cidr === '::/0';
      destination.callers.add(whole ? { anyone: true } : { block: from.cidr }, port);
      this.#openTo(destination, port, sideText(from));
      return;
    }
    const peer = peerOf(from);
    const { mode, because } = mesh.transport({ from: peer, to: peerOfObject(object), port });
    const { identity, dataplane } = mesh.member(peer);
    if ((mode === 'plaintext' || mode === 'tls') && !isGateway(object)) {
      destination.callers.add({ anyone: true }, port);
      this.#openTo(destination, port, sideText(from));
      if (dataplane === 'sidecar')
        this.#notes.add(
          `${sideText(from)} reaches ${id} port ${port} in plain text although it has a proxy: ${because[1]?.text ?? ''}`,
        );
      return;
    }
    const source: Source | undefined =
      'labels' in from && from.account === undefined
        ? { namespace: namespaceOfDescribed(from) }
        : identity === undefined
          ? undefined
          : { principal: identity.replace(/^spiffe:\/\//, '') };
    if (source === undefined) {
      this.#notes.add(`${sideText(from)}: whether it is in the mesh is not known, so nothing lets it in`);
      return;
    }
    const direct = dataplane !== 'ambient' || !this.#throughWaypoints(object, source, port, destination);
    if (direct) destination.callers.add(source, port);
  }

  /**
   * The kubelet has no identity. Its probes are rewritten to a port of the proxy, unless an annotation forbids it; ztunnel
   * lets them pass. Source: istio pkg/kube/inject/app_probe.go (ShouldRewriteAppHTTPProbers).
   */
  addProbes(): void {
    const { workloads, closed, mesh } = this.#scene;
    for (const object of workloads.all()) {
      if (!closed.has(namespaceOf(object))) continue;
      const annotations = valueAt(podTemplateOf(object)?.pod.metadata, ['annotations']);
      if (valueAt(annotations, ['sidecar.istio.io/rewriteAppHTTPProbers']) !== 'false') continue;
      const { mesh: of, dataplane } = mesh.member(peerOfObject(object));
      if (of !== 'istio' || dataplane !== 'sidecar') continue;
      for (const port of probePorts(object)) {
        const destination = this.#destinationOf(object);
        destination.callers.add({ anyone: true }, port);
        this.#openTo(destination, port, 'the kubelet (its probes are not rewritten)');
      }
    }
  }

  #destinationOf(object: KubeObject): Destination {
    const id = endpointId(object);
    let destination = this.#destinations.get(id);
    if (destination === undefined) {
      destination = { object, callers: new Callers(), plaintext: new Map() };
      this.#destinations.set(id, destination);
    }
    return destination;
  }

  #openTo({ plaintext }: Destination, port: number, caller: string): void {
    plaintext.set(port, (plaintext.get(port) ?? new Set()).add(caller));
  }

  /** @returns whether the client goes through waypoints on all its ways */
  #throughWaypoints(object: KubeObject, source: Source, port: number, destination: Destination): boolean {
    const { inventory } = this.#scene;
    const id = endpointId(object);
    const pod = inventory.pods.get(id);
    const endpoints = pod === undefined ? (inventory.workloads.get(id) ?? []) : [pod];
    const fronts = endpoints.flatMap(endpoint =>
      [...this.#services.inFrontOf(endpoint, port)].map(front => ({ front, endpoint })),
    );
    let all = fronts.length > 0;
    for (const { front, endpoint } of fronts) {
      const gateway = this.#waypointOf(front, endpoint);
      if (gateway === undefined) {
        all = false;
        continue;
      }
      const key = `${namespaceOf(front.service)}/${nameOf(front.service)}`;
      const known = this.#fronts.get(key) ?? { service: front.service, callers: new Callers() };
      this.#fronts.set(key, known);
      known.callers.add(source, front.port.port);
      this.#waypoints.set(`${namespaceOf(gateway)}/${nameOf(gateway)}`, gateway);
      const domain = 'principal' in source ? source.principal.split('/', 1)[0]! : 'cluster.local';
      destination.callers.add(
        { principal: `${domain}/ns/${namespaceOf(gateway)}/sa/${accountOfWaypoint(gateway)}` },
        port,
      );
    }
    return all;
  }

  #waypointOf(
    { service }: Front,
    { namespace = 'default', namespaceLabels }: PodEndpoint,
  ): KubeObject | undefined {
    const found = waypointOf(
      this.#gateways,
      {
        object: service,
        labels: service.metadata?.labels ?? {},
        path: ['metadata', 'labels'],
        namespace: this.#scene.objects.find(
          one => one.apiVersion === 'v1' && one.kind === 'Namespace' && nameOf(one) === namespace,
        ),
        namespaceName: namespace,
        namespaceLabels,
      },
      'service',
    );
    return found.is === 'waypoint' ? found.gateway : undefined;
  }

  policies(
    closed: readonly string[],
    nameFor: (namespace: string) => string,
  ): Omit<MeshPolicies, 'lenient' | 'replaced'> {
    const names = new Names();
    const allow: KubeObject[] = [];
    const open: KubeObject[] = [];
    const plaintext: MeshPolicies['plaintext'][number][] = [];
    for (const [id, destination] of [...this.#destinations].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const { object, callers } = destination;
      const namespace = namespaceOf(object);
      const labels = this.#scene.workloads.selector(object);
      const rules = callers.rules();
      if (rules.length === 0) continue;
      if (labels === undefined) {
        continue;
      }
      const selector = { matchLabels: sorted(labels) };
      const name = names.of(namespace, `allow-${nameOf(object)}`, object.kind);
      allow.push(authorizationPolicy(name, namespace, { selector, action: 'ALLOW', rules }));
      if (destination.plaintext.size === 0) continue;
      for (const [port, who] of destination.plaintext)
        plaintext.push({ to: id, port, callers: [...who].sort() });
      // The servers of a gateway decide what it takes; a mode of its pods changes nothing.
      if (isGateway(object)) continue;
      const ports = [...destination.plaintext.keys()].sort((a, b) => a - b);
      open.push(
        peerAuthentication(name.replace('allow-', 'plaintext-'), namespace, {
          selector,
          mtls: { mode: 'STRICT' },
          portLevelMtls: Object.fromEntries(ports.map(port => [String(port), { mode: 'PERMISSIVE' }])),
        }),
      );
    }
    for (const [, { service, callers }] of [...this.#fronts].sort(([a], [b]) => (a < b ? -1 : 1)))
      allow.push(
        authorizationPolicy(
          names.of(namespaceOf(service), `allow-${nameOf(service)}-at-waypoint`, 'Service'),
          namespaceOf(service),
          {
            targetRefs: [{ group: '', kind: 'Service', name: nameOf(service) }],
            action: 'ALLOW',
            rules: callers.rules(),
          },
        ),
      );
    const deny = [
      ...closed.map(namespace => authorizationPolicy(DENY_ALL, namespace, {})),
      ...[...this.#waypoints.values()].map(gateway =>
        authorizationPolicy(`${DENY_ALL}-at-${nameOf(gateway)}`, namespaceOf(gateway), {
          targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: nameOf(gateway) }],
        }),
      ),
    ];
    const strict = [
      ...closed.map(namespace =>
        peerAuthentication(nameFor(namespace), namespace, { mtls: { mode: 'STRICT' } }),
      ),
      ...open,
    ];
    return { allow, deny, strict, plaintext, notes: [...this.#notes] };
  }
}

/** The AuthorizationPolicy of each namespace that lets nothing in. */
export const DENY_ALL = 'allow-nothing';

/** Whether it is a gateway by the labels that Istio's charts give theirs. */
function isGateway(object: KubeObject): boolean {
  const labels = valueAt(object, ['spec', 'template', 'metadata', 'labels']) ?? object.metadata?.labels;
  return /gateway/.test(String(valueAt(labels, ['istio']) ?? ''));
}

function authorizationPolicy(name: string, namespace: string, spec: object): KubeObject {
  return { apiVersion: `${SECURITY}/v1`, kind: 'AuthorizationPolicy', metadata: { name, namespace }, spec };
}

function peerAuthentication(name: string, namespace: string, spec: object): KubeObject {
  return { apiVersion: `${SECURITY}/v1`, kind: 'PeerAuthentication', metadata: { name, namespace }, spec };
}
