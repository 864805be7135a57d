/** What is in the cluster, as far as the objects tell: pods and pod templates, namespaces, nodes. */
import { groupOf, isRecord, type KubeObject, nameOf, valueAt } from '#kube/objects.ts';
import { isBuiltInWorkload, type MorePlaces, podTemplatesOf } from '#kube/workloads.ts';
import {
  type AddressSet,
  addressSet,
  familiesOf,
  parseAddress,
  parseBlock,
  podAddresses,
} from './addresses.ts';
import {
  compileSelector,
  type KnownLabels,
  labelsOf,
  matchLabels,
  type Selector,
  SelectorError,
  YES,
} from './labels.ts';
import { LAST_PORT, PROTOCOLS, type Protocol } from './ports.ts';

export const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

export interface ContainerPort {
  readonly name: string | undefined;
  readonly protocol: Protocol;
  readonly port: number;
  readonly hostPort: number | undefined;
  /** Of an init container that runs beside the others: implementations differ on whether its name counts. */
  readonly beside: boolean;
}

/** A pod, or the pods that a template makes: one side of a connection. */
export interface PodEndpoint {
  readonly is: 'pod';
  readonly object: KubeObject | undefined;
  /** `ns/name` of a pod, `ns/kind/name` of a workload. */
  readonly id: string;
  readonly namespace: string | undefined;
  readonly namespaceLabels: KnownLabels;
  readonly labels: KnownLabels;
  /** Undefined where no containers are known. */
  readonly ports: readonly ContainerPort[] | undefined;
  readonly hostNetwork: boolean;
  /** Its own ones where the status states them, else those that it could have. */
  readonly addresses: AddressSet;
  readonly addressesKnown: boolean;
  readonly node: string | undefined;
  /** The primary user-defined network, where the namespace has one. */
  readonly network: string | undefined;
}

/** An address outside of the pods: of a node, or of anything else. */
export interface AddressEndpoint {
  readonly is: 'address';
  readonly id: string;
  readonly addresses: AddressSet;
  /** The nodes that have the address. */
  readonly nodes: ReadonlySet<string>;
}

export type Endpoint = PodEndpoint | AddressEndpoint;

export interface Node {
  readonly name: string;
  readonly labels: KnownLabels;
  readonly addresses: AddressSet;
}

export interface Inventory {
  readonly endpoints: readonly PodEndpoint[];
  readonly pods: ReadonlyMap<string, PodEndpoint>;
  readonly workloads: ReadonlyMap<string, readonly PodEndpoint[]>;
  readonly byAddress: ReadonlyMap<bigint, PodEndpoint>;
  readonly nodes: readonly Node[];
  /** What a pod of unknown address can have. */
  readonly possibleAddresses: AddressSet;
  /** `ns/name` of the pods that have ended. */
  readonly finished: ReadonlySet<string>;
  /** The nodes that have an address. */
  nodesOf(address: bigint): ReadonlySet<string>;
  /** The primary user-defined network of a namespace. */
  networkOf(namespace: string): string | undefined;
}

const JOB_LABELS: ReadonlySet<string> = new Set([
  'controller-uid',
  'job-name',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-name',
  'batch.kubernetes.io/job-completion-index',
]);

const MACHINE_LABELS: ReadonlySet<string> = new Set([
  'kubevirt.io',
  'kubevirt.io/created-by',
  'kubevirt.io/nodeName',
  'kubevirt.io/migrationJobUID',
  'vm.kubevirt.io/name',
]);

/** Labels that controllers put on the pods of a template, whose values no template shows. */
const CONTROLLER_LABELS: Readonly<Record<string, ReadonlySet<string>>> = {
  ReplicationController: new Set(),
  ReplicaSet: new Set(),
  Deployment: new Set(['pod-template-hash']),
  DeploymentConfig: new Set(['deployment', 'deploymentconfig']),
  StatefulSet: new Set([
    'statefulset.kubernetes.io/pod-name',
    'apps.kubernetes.io/pod-index',
    'controller-revision-hash',
  ]),
  DaemonSet: new Set(['controller-revision-hash', 'pod-template-generation']),
  Job: JOB_LABELS,
  CronJob: JOB_LABELS,
  VirtualMachine: MACHINE_LABELS,
  VirtualMachineInstance: MACHINE_LABELS,
};

const PRIMARY_NETWORK = 'k8s.ovn.org/primary-user-defined-network';

/** By the objects that they are of: a network and a mesh of the same ones have theirs in common. */
const inventories = new WeakMap<readonly KubeObject[], Map<string, Inventory>>();

/**
 * Everything that policies can speak of.
 *
 * @param objects not to be changed afterwards: the inventory of a list is taken once
 * @param missingNamespaces what to take for the labels of a namespace that the input names and does not hold
 */
export function takeInventory(
  objects: readonly KubeObject[],
  missingNamespaces: 'unknown' | 'unlabelled',
): Inventory {
  const taken = inventories.get(objects) ?? new Map<string, Inventory>();
  inventories.set(objects, taken);
  const known = taken.get(missingNamespaces) ?? inventoryOf(objects, missingNamespaces);
  taken.set(missingNamespaces, known);
  return known;
}

function inventoryOf(objects: readonly KubeObject[], missingNamespaces: 'unknown' | 'unlabelled'): Inventory {
  const namespaces = new Map<string, KubeObject>();
  for (const object of objects)
    if (object.apiVersion === 'v1' && object.kind === 'Namespace') namespaces.set(nameOf(object), object);
  const labels = new Map<string, KnownLabels>();
  const namespaceLabels = (name: string): KnownLabels => {
    let known = labels.get(name);
    if (known === undefined) {
      const declared = namespaces.get(name);
      const open = declared === undefined && missingNamespaces === 'unknown' ? 'any' : 'none';
      const own = labelsOf(declared?.metadata?.labels, open);
      known = { ...own, labels: { ...own.labels, [NAMESPACE_NAME]: name } };
      labels.set(name, known);
    }
    return known;
  };
  const possibleAddresses = podAddresses(familiesSeen(objects));
  const networkOf = primaryNetworks(objects, namespaceLabels);
  const byId = new Map<string, PodEndpoint[]>();
  const finished = new Set<string>();
  for (const object of objects) {
    const made = endpointsOf(object, possibleAddresses, namespaceLabels, networkOf);
    if (made.length === 0) continue;
    const { id } = made[0]!;
    byId.delete(id);
    if (isFinished(object)) finished.add(id);
    else byId.set(id, made);
  }
  const pods = new Map<string, PodEndpoint>();
  const workloads = new Map<string, PodEndpoint[]>();
  const byAddress = new Map<bigint, PodEndpoint>();
  for (const [id, made] of byId) {
    if (made[0]!.object!.kind !== 'Pod') workloads.set(id, made);
    else pods.set(id, made[0]!);
  }
  for (const pod of pods.values()) {
    if (pod.addressesKnown && !pod.hostNetwork)
      for (const [first, last] of pod.addresses) if (first === last) byAddress.set(first, pod);
    const owner = ownerOf(pod.object!);
    if (owner !== undefined && !byId.has(owner)) {
      const owned = workloads.get(owner);
      if (owned === undefined) workloads.set(owner, [pod]);
      else owned.push(pod);
    }
  }
  const nodes = objects.filter(object => object.apiVersion === 'v1' && object.kind === 'Node').map(nodeOf);
  return {
    endpoints: [...byId.values()].flat(),
    pods,
    workloads,
    byAddress,
    nodes,
    possibleAddresses,
    finished,
    nodesOf: nodesByAddress(nodes, pods.values()),
    networkOf,
  };
}

/** Lists that {@link latest} made: it has nothing to do for them. */
const made = new WeakSet<readonly KubeObject[]>();

/** Of several objects with the same kind, namespace and name, the last one. */
export function latest(objects: readonly KubeObject[]): readonly KubeObject[] {
  if (made.has(objects)) return objects;
  const byReference = new Map<string, KubeObject>();
  for (const object of objects) {
    const key = `${groupOf(object.apiVersion)}\0${object.kind}\0${namespaceOf(object)}\0${nameOf(object)}`;
    byReference.delete(key);
    byReference.set(key, object);
  }
  const list = [...byReference.values()];
  made.add(list);
  return list;
}

/** The namespace that an object of a namespaced kind stands in; `default` where the manifest states none. */
export function namespaceOf(object: KubeObject): string {
  const namespace = object.metadata?.namespace;
  return typeof namespace === 'string' && namespace !== '' ? namespace : 'default';
}

/** `ns/name` of a pod, `ns/kind/name` of a workload. */
export function endpointId(object: KubeObject): string {
  const namespace = namespaceOf(object);
  return object.kind === 'Pod'
    ? `${namespace}/${nameOf(object)}`
    : `${namespace}/${object.kind}/${nameOf(object)}`;
}

/** The side of a connection that such an id means. */
export function sideOfId(id: string): { readonly workload: string } | { readonly pod: string } {
  return id.split('/').length === 3 ? { workload: id } : { pod: id };
}

/** The addresses of a list, those that are none left out. */
export function addressesOf(values: readonly unknown[]): AddressSet {
  const found = values.map(value => (typeof value === 'string' ? parseAddress(value) : undefined));
  return addressSet(
    found.filter(address => address !== undefined).map(address => [address, address] as const),
  );
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function endpointsOf(
  object: KubeObject,
  possibleAddresses: AddressSet,
  namespaceLabels: (name: string) => KnownLabels,
  networkOf: (namespace: string) => string | undefined,
): PodEndpoint[] {
  const namespace = namespaceOf(object);
  return podTemplatesOf(object, VIRTUAL_MACHINES).map(({ pod, partial }) => {
    const { spec } = pod;
    const hostNetwork = spec['hostNetwork'] === true;
    const addresses = ownAddresses(object, hostNetwork);
    const node = spec['nodeName'];
    return {
      is: 'pod',
      object,
      id: endpointId(object),
      namespace,
      namespaceLabels: namespaceLabels(namespace),
      labels: labelsOf(valueAt(pod.metadata, ['labels']), openLabels(object, partial)),
      ports: partial ? undefined : containerPorts(spec),
      hostNetwork,
      addresses: addresses.length > 0 ? addresses : possibleAddresses,
      addressesKnown: addresses.length > 0,
      node: typeof node === 'string' && node !== '' ? node : undefined,
      network: hostNetwork ? undefined : networkOf(namespace),
    };
  });
}

/** KubeVirt makes one pod of each machine, with the labels of its template. */
const VIRTUAL_MACHINES: MorePlaces = new Map([
  ['kubevirt.io/VirtualMachine', [{ shape: 'template', path: ['spec', 'template'] }]],
  ['kubevirt.io/VirtualMachineInstance', [{ shape: 'template', path: [] }]],
]);

function openLabels(object: KubeObject, partial: boolean): KnownLabels['open'] {
  if (object.kind === 'Pod') return 'none';
  if (partial) return 'any';
  const known =
    isBuiltInWorkload(object) ||
    /^(?:extensions|apps\.openshift\.io|kubevirt\.io)$/.test(groupOf(object.apiVersion));
  const keys = Object.hasOwn(CONTROLLER_LABELS, object.kind) ? CONTROLLER_LABELS[object.kind] : undefined;
  if (keys === undefined || !known) return 'any';
  return keys.size === 0 ? 'none' : keys;
}

function containerPorts(spec: Readonly<Record<string, unknown>>): ContainerPort[] {
  const read = (container: unknown, beside: boolean): ContainerPort[] =>
    itemsOf(valueAt(container, ['ports'])).flatMap(value => {
      if (!isRecord(value)) return [];
      const port = value['containerPort'];
      const protocol = value['protocol'] ?? 'TCP';
      if (!isPort(port) || !PROTOCOLS.includes(protocol as Protocol)) return [];
      const { name, hostPort } = value;
      return [
        {
          name: typeof name === 'string' && name !== '' ? name : undefined,
          protocol: protocol as Protocol,
          port,
          hostPort: isPort(hostPort) ? hostPort : undefined,
          beside,
        },
      ];
    });
  return [
    ...itemsOf(spec['containers']).flatMap(container => read(container, false)),
    ...itemsOf(spec['initContainers']).flatMap(container =>
      valueAt(container, ['restartPolicy']) === 'Always' ? read(container, true) : [],
    ),
  ];
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LAST_PORT;
}

function ownAddresses(object: KubeObject, hostNetwork: boolean): AddressSet {
  const status = object['status'];
  if (object.kind !== 'Pod' || !isRecord(status)) return [];
  const list = (field: string): unknown[] => itemsOf(status[field]).map(item => valueAt(item, ['ip']));
  return hostNetwork
    ? addressesOf([status['hostIP'], ...list('hostIPs'), status['podIP'], ...list('podIPs')])
    : addressesOf([status['podIP'], ...list('podIPs')]);
}

function isFinished(object: KubeObject): boolean {
  const phase = valueAt(object, ['status', 'phase']);
  return object.kind === 'Pod' && (phase === 'Succeeded' || phase === 'Failed');
}

function ownerOf(object: KubeObject): string | undefined {
  const owners = itemsOf(object.metadata?.ownerReferences).filter(isRecord);
  const owner =
    owners.find(({ controller }) => controller === true) ?? (owners.length === 1 ? owners[0] : undefined);
  if (typeof owner?.['kind'] !== 'string' || typeof owner['name'] !== 'string') return undefined;
  return `${namespaceOf(object)}/${owner['kind']}/${owner['name']}`;
}

function nodeOf(object: KubeObject): Node {
  const addresses = itemsOf(valueAt(object, ['status', 'addresses']));
  return {
    name: nameOf(object),
    labels: labelsOf(object.metadata?.labels),
    addresses: addressesOf(addresses.map(item => valueAt(item, ['address']))),
  };
}

function nodesByAddress(
  nodes: readonly Node[],
  pods: Iterable<PodEndpoint>,
): (address: bigint) => ReadonlySet<string> {
  const found = new Map<bigint, Set<string>>();
  const add = (addresses: AddressSet, name: string): void => {
    for (const [address] of addresses) {
      const names = found.get(address);
      if (names === undefined) found.set(address, new Set([name]));
      else names.add(name);
    }
  };
  for (const { addresses, name } of nodes) add(addresses, name);
  for (const { object, node } of pods)
    if (node !== undefined) add(addressesOf([valueAt(object, ['status', 'hostIP'])]), node);
  const none: ReadonlySet<string> = new Set();
  return address => found.get(address) ?? none;
}

/** The families that the input uses in addresses of pods, or in blocks; IPv4 where it shows none. */
function familiesSeen(objects: readonly KubeObject[]): ReturnType<typeof familiesOf> {
  let ipv4 = false;
  let ipv6 = false;
  for (const object of objects) {
    if (object.kind !== 'Pod' && object.kind !== 'Node') continue;
    const addresses = object.kind === 'Pod' ? ownAddresses(object, false) : nodeBlocks(object);
    const families = familiesOf(addresses);
    ipv4 ||= families.ipv4;
    ipv6 ||= families.ipv6;
  }
  return ipv4 || ipv6 ? { ipv4, ipv6 } : { ipv4: true, ipv6: false };
}

function nodeBlocks(object: KubeObject): AddressSet {
  const blocks = [valueAt(object, ['spec', 'podCIDR']), ...itemsOf(valueAt(object, ['spec', 'podCIDRs']))];
  const parsed = blocks.map(block => (typeof block === 'string' ? parseBlock(block) : undefined));
  return addressSet(parsed.filter(block => block !== undefined));
}

/**
 * OVN-Kubernetes: a namespace with the label for it has its own primary network, by a UserDefinedNetwork in it or a
 * ClusterUserDefinedNetwork that selects it; pods of different primary networks do not reach each other.
 * Source: https://ovn-kubernetes.io/features/user-defined-networks/
 */
function primaryNetworks(
  objects: readonly KubeObject[],
  namespaceLabels: (name: string) => KnownLabels,
): (namespace: string) => string | undefined {
  const own = new Map<string, string>();
  const clusterWide: { name: string; namespaces: Selector }[] = [];
  for (const object of objects) {
    if (groupOf(object.apiVersion) !== 'k8s.ovn.org') continue;
    if (object.kind === 'UserDefinedNetwork' && isPrimary(object['spec']))
      own.set(namespaceOf(object), `${namespaceOf(object)}/${nameOf(object)}`);
    if (object.kind === 'ClusterUserDefinedNetwork' && isPrimary(valueAt(object, ['spec', 'network'])))
      clusterWide.push({ name: nameOf(object), namespaces: namespacesOf(object) });
  }
  if (own.size === 0 && clusterWide.length === 0) return () => undefined;
  return namespace => {
    const known = namespaceLabels(namespace);
    if (!Object.hasOwn(known.labels, PRIMARY_NETWORK)) return undefined;
    return (
      own.get(namespace) ?? clusterWide.find(({ namespaces }) => matchLabels(namespaces, known) === YES)?.name
    );
  };
}

/** Whether a network's specification makes it the primary one of its pods. */
function isPrimary(network: unknown): boolean {
  return ['layer2', 'layer3'].some(layer => valueAt(network, [layer, 'role']) === 'Primary');
}

/** The namespaces of a ClusterUserDefinedNetwork; none where its selector is malformed. */
function namespacesOf(object: KubeObject): Selector {
  try {
    return compileSelector(valueAt(object, ['spec', 'namespaceSelector']));
  } catch (error) {
    if (error instanceof SelectorError) return [{ key: NAMESPACE_NAME, values: new Set(), negated: false }];
    throw error;
  }
}
