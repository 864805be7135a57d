/** The network and the mesh that the input describes, made once for all checks. */
import { fail, pass, type Verdict } from '#check/verdict.ts';
import { createMesh, type Mesh, type MeshSettings, settingsOf } from '#decide/mesh/door.ts';
import { showsMesh } from '#decide/mesh/members.ts';
import { createNetwork, type Network, type Peer } from '#decide/network/door.ts';
import { type ContainerPort, endpointId, latest } from '#decide/network/inventory.ts';
import { groupOf, isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { matchesLabels, matchesSelector } from '#kube/selectors.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { kindKey, namespaceOf, type World } from '#world/world.ts';

export const NETWORK_POLICY = ['networking.k8s.io/NetworkPolicy'];

/** Kinds that say nothing of the network: half of most input, which the deciders would go through for nothing. */
const APART =
  /^(?:rbac\.authorization\.k8s\.io\/.*|apiextensions\.k8s\.io\/.*|admissionregistration\.k8s\.io\/.*|policy\/PodDisruptionBudget|autoscaling\/.*|storage\.k8s\.io\/.*|\/(?:Secret|ServiceAccount|PersistentVolume|PersistentVolumeClaim|LimitRange|ResourceQuota|Event))$/;

const apart = (world: World): ReadonlySet<string> =>
  new Set([...world.whole.kinds()].filter(kind => APART.test(kind)));

/** What the deciders read: one list for both, so that what they have in common is made once. */
const objects = (world: World): readonly KubeObject[] => {
  const without = world.whole.fact(apart);
  return latest(
    world.declared
      .filter(({ object }) => !without.has(kindKey(object)) || showsMesh([object]))
      .map(({ object }) => object),
  );
};

const network = (world: World): Network => createNetwork(world.fact(objects));
const mesh = (world: World): Mesh => createMesh(world.fact(objects));

export function networkOf(world: World): Network {
  return world.fact(network);
}

export function meshOf(world: World): Mesh {
  return world.fact(mesh);
}

const settings = (world: World): MeshSettings =>
  settingsOf(
    [...world.kinds()]
      .filter(kind => /\/(?:ConfigMap|IstioOperator|Istio)$/.test(kind))
      .flatMap(kind => world.ofKind(kind).map(({ object }) => object)),
  );

/** What holds for the whole mesh: as its configuration in the input says, else Istio's defaults. */
export function meshSettings(world: World): MeshSettings {
  return world.fact(settings);
}

/** The namespace whose policies hold in all of them. */
export function rootNamespace(world: World): string {
  return meshSettings(world).rootNamespace;
}

/** What one check found: nothing, or each thing with its place. */
export function verdictOf<Found>(
  found: readonly { readonly what: Found; readonly path: Path }[],
): Verdict<readonly Found[]> {
  return found.length === 0
    ? pass
    : fail(
        found.map(({ what }) => what),
        ...found.map(({ path }) => path),
      );
}

/** The side of a connection that an object is; undefined for what the deciders take for no workload. */
export function peerOf(
  object: KubeObject,
  world: World,
  known: Pick<Mesh | Network, 'endpointsOf'> = meshOf(world),
): Peer | undefined {
  const id = endpointId(object);
  if (known.endpointsOf(id).length === 0) return undefined;
  return object.kind === 'Pod' ? { pod: id } : { workload: id };
}

/** The ports that the containers of an object declare; those past the first few are rarely another matter. */
export function portsOf(
  object: KubeObject,
  known: Pick<Mesh | Network, 'endpointsOf'>,
): readonly ContainerPort[] {
  const [first] = known.endpointsOf(endpointId(object));
  return (first?.ports ?? []).slice(0, 8);
}

interface Selecting {
  readonly object: KubeObject;
  readonly selector: Readonly<Record<string, string>>;
  /** The namespace, and a label that it asks for. */
  readonly key: string;
}

const services = (world: World): ReadonlyMap<string, readonly Selecting[]> =>
  Map.groupBy(
    world.ofKind('/Service').flatMap(({ object }): Selecting[] => {
      const selector = stringsIn(valueAt(object, ['spec', 'selector']));
      const [first] = Object.entries(selector);
      return first === undefined
        ? []
        : [{ object, selector, key: `${namespaceOf(object) ?? ''} ${first[0]}=${first[1]}` }];
    }),
    ({ key }) => key,
  );

/** The Services of a namespace that select labels; not those without a selector. */
export function servicesFor(
  labels: Readonly<Record<string, string>>,
  namespace: string | undefined,
  world: World,
): readonly KubeObject[] {
  const known = world.fact(services);
  return Object.entries(labels)
    .flatMap(([key, value]) => known.get(`${namespace ?? ''} ${key}=${value}`) ?? [])
    .filter(({ selector }) => matchesLabels(selector, labels))
    .map(({ object }) => object);
}

/** The TCP ports of a workload that its Services lead to by number. */
export function servicePorts(
  object: KubeObject,
  world: World,
  wanted: (port: unknown) => boolean = () => true,
): readonly number[] {
  const ports = new Set<number>();
  const labels = stringsIn(valueAt(podTemplateOf(object)?.pod.metadata, ['labels']));
  for (const service of servicesFor(labels, namespaceOf(object), world))
    for (const port of itemsOf(valueAt(service, ['spec', 'ports'])).filter(wanted)) {
      const target = valueAt(port, ['targetPort']) ?? valueAt(port, ['port']);
      if ((valueAt(port, ['protocol']) ?? 'TCP') === 'TCP' && typeof target === 'number') ports.add(target);
    }
  return [...ports].filter(port => Number.isInteger(port) && port > 0 && port < 65_536).slice(0, 8);
}

const served = (_: World): Map<KubeObject, readonly number[]> => new Map();

/** The TCP ports that a workload serves, as far as its containers and its Services tell. */
export function servedPorts(object: KubeObject, world: World): readonly number[] {
  const known = world.fact(served);
  let ports = known.get(object);
  if (ports === undefined) {
    const declared = portsOf(object, meshOf(world)).flatMap(({ port, protocol }) =>
      protocol === 'TCP' ? [port] : [],
    );
    ports = [...new Set([...declared, ...servicePorts(object, world)])].slice(0, 8);
    known.set(object, ports);
  }
  return ports;
}

/** What carries pods: a pod, a template. */
export interface Labelled {
  readonly object: KubeObject;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly portNames: ReadonlySet<string>;
}

/** Of single objects: made once for all environments. */
const carriers = (world: World): ReadonlyMap<KubeObject, Labelled> =>
  new Map(
    world.declared.flatMap(({ object }): [KubeObject, Labelled][] => {
      const template = podTemplateOf(object);
      if (template === undefined) return [];
      const { metadata, spec } = template.pod;
      const labels = stringsIn(valueAt(metadata, ['labels']));
      return [[object, { object, namespace: namespaceOf(object), labels, portNames: portNamesOf(spec) }]];
    }),
  );

function portNamesOf(spec: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  for (const field of ['containers', 'initContainers'])
    for (const container of itemsOf(valueAt(spec, [field])))
      for (const port of itemsOf(valueAt(container, ['ports']))) {
        const name = valueAt(port, ['name']);
        if (typeof name === 'string') names.add(name);
      }
  return names;
}

const labelled = (world: World): readonly Labelled[] => {
  const all = world.factOfObjects(carriers);
  return world.declared.flatMap(({ object }) => all.get(object) ?? []);
};

const byNamespace = (world: World): ReadonlyMap<string | undefined, readonly Labelled[]> =>
  Map.groupBy(world.fact(labelled), ({ namespace }) => namespace);

/** The texts of a mapping, by their keys. */
export function stringsIn(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The pods and templates that the input has in a namespace; of those that state none, the ones that do not either. */
export function podsIn(namespace: string | undefined, world: World): readonly Labelled[] {
  return world.fact(byNamespace).get(namespace) ?? [];
}

export function allPods(world: World): readonly Labelled[] {
  return world.fact(labelled);
}

/** Those of them that a selector selects; undefined where the selector is none that the API server takes. */
export function selectedBy(
  selector: unknown,
  namespace: string | undefined,
  world: World,
): readonly Labelled[] | undefined {
  return selectedOf(selector, podsIn(namespace, world));
}

export function selectedOf(selector: unknown, pods: readonly Labelled[]): readonly Labelled[] | undefined {
  try {
    return pods.filter(({ labels }) =>
      matchesSelector((isRecord(selector) ? selector : {}) as Parameters<typeof matchesSelector>[0], labels),
    );
  } catch {
    return undefined;
  }
}

const operated = (world: World): ReadonlySet<string | undefined> =>
  new Set(
    world.declared
      .filter(({ object }) => {
        const group = groupOf(object.apiVersion);
        return group.includes('.') && !/(?:^|\.)(?:k8s|istio)\.io$/.test(group);
      })
      .map(({ object }) => namespaceOf(object)),
  );

/** Whether custom resources stand in a namespace: their controllers may make pods that the input does not show. */
export function makesPods(namespace: string | undefined, world: World): boolean {
  return world.fact(operated).has(namespace);
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The rules of a policy with their places. */
export function rulesOf(
  policy: KubeObject,
  direction: 'ingress' | 'egress',
): readonly { readonly rule: unknown; readonly path: Path }[] {
  return itemsOf(valueAt(policy, ['spec', direction])).map((rule, index) => ({
    rule,
    path: ['spec', direction, index],
  }));
}

/** What istio-cni leaves at pods whose traffic ztunnel takes. */
const REDIRECTION = 'ambient.istio.io/redirection';

const ambient = (world: World): ReadonlyMap<string, readonly KubeObject[]> => {
  const members: KubeObject[] = [];
  const says = (labels: unknown): boolean => valueAt(labels, ['istio.io/dataplane-mode']) === 'ambient';
  const namespaces = new Set(
    world
      .ofKind('/Namespace')
      .filter(({ object }) => says(object.metadata?.labels))
      .map(({ object }) => object.metadata?.name),
  );
  for (const { object, namespace, labels } of world.fact(labelled)) {
    // Nobody is captured unless a namespace or a pod asks for it: most input needs no mesh to be made.
    const isAsked =
      namespaces.has(namespace ?? 'default') ||
      says(labels) ||
      valueAt(podTemplateOf(object)?.pod.metadata, ['annotations', REDIRECTION]) === 'enabled';
    const peer = isAsked ? peerOf(object, world) : undefined;
    if (peer !== undefined && meshOf(world).member(peer).dataplane === 'ambient') members.push(object);
  }
  return Map.groupBy(members, object => namespaceOf(object) ?? '');
};

/** The workloads of a namespace whose traffic ztunnel takes; of all namespaces where none is named. */
export function ambientWorkloads(world: World, namespace?: string): readonly KubeObject[] {
  const members = world.fact(ambient);
  return namespace === undefined ? [...members.values()].flat() : (members.get(namespace) ?? []);
}
