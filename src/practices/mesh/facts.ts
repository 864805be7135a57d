/** The network and the mesh that the input describes, made once for all checks. */
import { fail, pass, type Verdict } from '#check/verdict.ts';
import { createMesh, type Mesh, type MeshSettings, settingsOf } from '#decide/mesh/door.ts';
import { createNetwork, type Network, type Peer } from '#decide/network/door.ts';
import { endpointId } from '#decide/network/inventory.ts';
import { groupOf, isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import { matchesSelector } from '#kube/selectors.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { namespaceOf, type World } from '#world/world.ts';

export const NETWORK_POLICY = ['networking.k8s.io/NetworkPolicy'];

const network = (world: World): Network => createNetwork(world.declared.map(({ object }) => object));
const mesh = (world: World): Mesh => createMesh(world.declared.map(({ object }) => object));

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
export function peerOf(object: KubeObject, world: World): Peer | undefined {
  const id = endpointId(object);
  if (networkOf(world).connections().classOf(id) === undefined) return undefined;
  return object.kind === 'Pod' ? { pod: id } : { workload: id };
}

export interface Labelled {
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly portNames: ReadonlySet<string>;
}

const labelled = (world: World): readonly Labelled[] =>
  world.declared.flatMap(({ object }) => {
    const template = podTemplateOf(object);
    if (template === undefined) return [];
    const { metadata, spec } = template.pod;
    const labels = valueAt(metadata, ['labels']);
    const containers = [valueAt(spec, ['containers']), valueAt(spec, ['initContainers'])].flatMap(itemsOf);
    const names = containers.flatMap(container =>
      itemsOf(valueAt(container, ['ports'])).map(port => valueAt(port, ['name'])),
    );
    return [
      {
        namespace: namespaceOf(object),
        labels: stringsIn(labels),
        portNames: new Set(names.filter(name => typeof name === 'string')),
      },
    ];
  });

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

const denying = (world: World): ReadonlySet<string | undefined> =>
  new Set(
    world
      .ofKind('security.istio.io/AuthorizationPolicy')
      .filter(({ object }) => valueAt(object, ['spec', 'action']) === 'DENY')
      .map(({ object }) => namespaceOf(object)),
  );

/** Whether a policy that denies may hold in a namespace: the costly questions are asked only then. */
export function hasDenyRules(namespace: string | undefined, world: World): boolean {
  const found = world.fact(denying);
  return found.size > 0 && (found.has(namespace) || found.has(rootNamespace(world)));
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

const ambient = (world: World): ReadonlyMap<string, readonly KubeObject[]> => {
  const members: KubeObject[] = [];
  const says = (labels: unknown): boolean => valueAt(labels, ['istio.io/dataplane-mode']) === 'ambient';
  const isSaid = world.declared.some(
    ({ object }) =>
      says(object.metadata?.labels) || says(valueAt(podTemplateOf(object)?.pod.metadata, ['labels'])),
  );
  // Nobody is captured unless a namespace or a pod asks for it: most input needs no mesh to be made.
  if (!isSaid) return new Map();
  for (const { object } of world.declared) {
    const peer = podTemplateOf(object) === undefined ? undefined : peerOf(object, world);
    if (peer !== undefined && meshOf(world).member(peer).dataplane === 'ambient') members.push(object);
  }
  return Map.groupBy(members, object => namespaceOf(object) ?? '');
};

/** The workloads of a namespace whose traffic ztunnel takes; of all namespaces where none is named. */
export function ambientWorkloads(world: World, namespace?: string): readonly KubeObject[] {
  const members = world.fact(ambient);
  return namespace === undefined ? [...members.values()].flat() : (members.get(namespace) ?? []);
}
