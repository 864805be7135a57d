/** What the policies of both meshes are made with: who is enrolled, what is closed, who the callers of a port are. */
import { createMesh, type Mesh, type MeshOptions, type Peer } from '#decide/mesh/door.ts';
import { type Inventory, namespaceOf, takeInventory } from '#decide/network/inventory.ts';
import { groupOf, type KubeObject, nameOf } from '#kube/objects.ts';
import { type ActorMesh, actorsOf, describedId, idOf, type Need, type NeedSide } from './network-needs.ts';
import { Workloads } from './network-workloads.ts';

export type MeshName = 'istio' | 'linkerd';
export type Dataplane = 'sidecar' | 'ambient';

/** Namespaces of the system, in which no mesh puts proxies into pods. Source: istio pkg/kube/inject (IgnoredNamespaces). */
const NEVER: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'local-path-storage',
  'istio-system',
  'linkerd',
]);

export interface MeshTask {
  /** The input with its namespaces enrolled, and with the policies of other layers as they will be. */
  readonly objects: readonly KubeObject[];
  readonly needs: readonly Need[];
  /** The namespaces to close. */
  readonly closed: readonly string[];
  readonly options: MeshOptions;
}

/** Policies that a mesh is given, in the order of a roll-out. */
export interface MeshPolicies {
  /** Before anything is refused: both kinds of transport are taken, or refusals are only logged. */
  readonly lenient: readonly KubeObject[];
  /** Who may come. */
  readonly allow: readonly KubeObject[];
  /** Everything else is refused. */
  readonly deny: readonly KubeObject[];
  /** Nobody without an identity, but for the ports that say so. */
  readonly strict: readonly KubeObject[];
  /** Policies of the input that these stand for: they have to be deleted. */
  readonly replaced: readonly KubeObject[];
  readonly notes: readonly string[];
  /** Ports that callers without an identity need, with those callers. */
  readonly plaintext: readonly PlaintextPort[];
}

export interface PlaintextPort {
  readonly to: string;
  readonly port: number;
  readonly callers: readonly string[];
}

/** The namespaces that a mesh can close: those of workloads, less those of the system. */
export function closable(objects: readonly KubeObject[], wanted: readonly string[] | undefined): string[] {
  const all = new Workloads(objects).namespaces().filter(name => !NEVER.has(name));
  return wanted === undefined ? all : all.filter(name => wanted.includes(name));
}

/**
 * The input as it is once the workloads of some namespaces are in a mesh: their Namespaces ask for a proxy.
 *
 * @returns the input, and the Namespaces that are changed or new
 */
export function enrolled(
  objects: readonly KubeObject[],
  namespaces: readonly string[],
  mesh: MeshName,
  dataplane: Dataplane,
): { readonly objects: readonly KubeObject[]; readonly changed: readonly KubeObject[] } {
  const now = createMesh(objects, { missingNamespaces: 'unlabelled' });
  const outside = new Set<string>();
  for (const object of new Workloads(objects).all()) {
    const namespace = namespaceOf(object);
    if (!namespaces.includes(namespace)) continue;
    const peer = peerOfObject(object);
    const { mesh: of, because } = now.member(peer);
    // A workload that opts out itself is not made to join by its namespace.
    if (of === 'none' && because.every(one => one.object !== object || !isOptOut(one.text)))
      outside.add(namespace);
  }
  if (outside.size === 0) return { objects, changed: [] };
  const known = new Map(
    objects.filter(isNamespace).map((object): [string, KubeObject] => [nameOf(object), object]),
  );
  const changed = [...outside]
    .sort()
    .map(name => withMesh(known.get(name) ?? namespaceNamed(name), mesh, dataplane));
  const names = new Set(outside);
  return {
    objects: [...objects.filter(object => !isNamespace(object) || !names.has(nameOf(object))), ...changed],
    changed,
  };
}

function isOptOut(text: string): boolean {
  return /network of its node|: "?(?:false|none|disabled)/.test(text);
}

function namespaceNamed(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function withMesh(namespace: KubeObject, mesh: MeshName, dataplane: Dataplane): KubeObject {
  const { labels = {}, annotations = {} } = namespace.metadata ?? {};
  const added =
    mesh === 'linkerd'
      ? { annotations: { ...annotations, 'linkerd.io/inject': 'enabled' } }
      : {
          labels: {
            ...labels,
            ...(dataplane === 'ambient'
              ? { 'istio.io/dataplane-mode': 'ambient' }
              : { 'istio-injection': 'enabled' }),
          },
        };
  return { ...namespace, metadata: { ...namespace.metadata, ...added } };
}

export function isNamespace(object: KubeObject): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Namespace';
}

export function peerOfObject(object: KubeObject): Peer {
  const namespace = namespaceOf(object);
  return object.kind === 'Pod'
    ? { pod: `${namespace}/${nameOf(object)}` }
    : { workload: `${namespace}/${object.kind}/${nameOf(object)}` };
}

/** A side as deciders take it: described pods are the pod that stands for them, a block its first address. */
export function peerOf(side: NeedSide): Peer {
  if ('cidr' in side) return { ip: outsideAddress(side.cidr) };
  return 'labels' in side ? { pod: describedId(side) } : side;
}

/** An address of a block that is outside of the cluster where the block does not say. */
export function outsideAddress(cidr: string): string {
  const [address = ''] = cidr.split('/', 1);
  if (cidr === '0.0.0.0/0') return '203.0.113.1';
  return cidr === '::/0' ? '2001:db8::1' : address;
}

/** What the builders of both meshes ask: the task with made-up pods added, and the deciders for it. */
export class MeshScene {
  readonly objects: readonly KubeObject[];
  readonly mesh: Mesh;
  readonly inventory: Inventory;
  readonly workloads: Workloads;
  readonly closed: ReadonlySet<string>;

  constructor(task: MeshTask, objects: readonly KubeObject[], of: ActorMesh) {
    this.objects = [...objects, ...actorsOf(task.needs, of)];
    this.mesh = createMesh(this.objects, task.options);
    this.inventory = takeInventory(this.objects, 'unknown');
    this.workloads = new Workloads(task.objects);
    this.closed = new Set(task.closed);
  }

  /** The object of a need's destination, where policies of this mesh can stand before it. */
  destination({ to, protocol = 'TCP' }: Need, of: MeshName): KubeObject | undefined {
    const id = idOf(to);
    if (id === undefined || protocol !== 'TCP') return undefined;
    const object = this.workloads.find(id);
    if (!this.closed.has(namespaceOf(object))) return undefined;
    return this.mesh.member(peerOfObject(object)).mesh === of ? object : undefined;
  }
}

export function isOfGroup(object: KubeObject, group: string, kind: string): boolean {
  return object.kind === kind && groupOf(object.apiVersion) === group;
}

/** A name that no other object of its kind and namespace has yet. */
export class Names {
  readonly #taken = new Set<string>();

  of(namespace: string, plain: string, kind: string): string {
    const name = this.#taken.has(`${namespace}/${plain}`) ? `${plain}-${kind.toLowerCase()}` : plain;
    this.#taken.add(`${namespace}/${name}`);
    return name;
  }
}
