/** Connections that have to work: their sides, how they are written, and pods that stand for sides outside of the input. */
import { NAMESPACE_NAME } from '#decide/network/inventory.ts';
import type { Protocol } from '#decide/network/ports.ts';
import type { KubeObject } from '#kube/objects.ts';

/** Pods that the input does not hold, by labels and namespace; no labels at all: every pod of the namespace. */
export interface DescribedPods {
  readonly labels: Readonly<Record<string, string>>;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Their service account, where they are in the mesh and it is known. */
  readonly account?: string;
  /** They are in no mesh, whatever their namespace says. */
  readonly outside?: true;
}

/** One side of a need: a pod or workload of the input, pods by labels, or a block of addresses outside. */
export type NeedSide =
  | { readonly workload: string }
  | { readonly pod: string }
  | DescribedPods
  | { readonly cidr: string; readonly except?: readonly string[] };

/** A connection that has to work, on the destination pod's port. */
export interface Need {
  readonly from: NeedSide;
  readonly to: NeedSide;
  readonly port: number;
  /** The last port, where a range is needed. */
  readonly endPort?: number;
  readonly protocol?: Protocol;
  /** Annotations ask for it, which the proxy of Istio answers on a port of its own. */
  readonly scraped?: true;
}

/** A need cannot be written as a policy: its workload is unknown, or its block is none. */
export class NeedError extends Error {
  override readonly name = 'NeedError';
}

export function idOf(side: NeedSide): string | undefined {
  return 'workload' in side ? side.workload : 'pod' in side ? side.pod : undefined;
}

/** `shop/Deployment/web -> shop/Deployment/cart 8080/TCP`. */
export function needText({ from, to, port, endPort, protocol = 'TCP' }: Need): string {
  const ports = endPort === undefined || endPort === port ? String(port) : `${port}-${endPort}`;
  return `${sideText(from)} -> ${sideText(to)} ${ports}/${protocol}`;
}

export function sideText(side: NeedSide): string {
  if ('cidr' in side) return side.cidr === '0.0.0.0/0' || side.cidr === '::/0' ? 'any address' : side.cidr;
  return 'labels' in side ? describedId(side) : idOf(side)!;
}

/** What described pods are called; no object of a cluster can have the name. */
export function describedId(side: DescribedPods): string {
  return `${namespaceOfDescribed(side)}/${describedName(side)}`;
}

function describedName({ labels, account }: DescribedPods): string {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const who = words.length > 0 ? words.join(', ') : account === undefined ? 'any pod' : `account ${account}`;
  return `(${who})`;
}

export function namespaceOfDescribed({ namespaceLabels }: DescribedPods): string {
  return namespaceLabels[NAMESPACE_NAME] ?? '?';
}

/** Whose proxy a pod that is made up here has. */
export type ActorMesh = 'istio' | 'linkerd' | undefined;

/** A pod that stands for described ones, so that deciders can be asked about it like about any other. */
export function actorOf(side: DescribedPods, mesh: ActorMesh): KubeObject {
  const { labels, account, outside } = side;
  const proxy = account === undefined ? undefined : mesh;
  const pod = podOf(describedName(side), namespaceOfDescribed(side), labels, account, proxy);
  if (outside !== true) return pod;
  const annotations = { 'sidecar.istio.io/inject': 'false', 'linkerd.io/inject': 'disabled' };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

/** The pods that stand for all described sides, each once. */
export function actorsOf(needs: readonly Need[], mesh: ActorMesh): KubeObject[] {
  const found = new Map<string, KubeObject>();
  for (const { from, to } of needs)
    for (const side of [from, to])
      if ('labels' in side && !found.has(describedId(side)))
        found.set(describedId(side), actorOf(side, mesh));
  return [...found.values()];
}

/** A namespace that no input has: whoever comes from it is a stranger. */
const ELSEWHERE = 'another-namespace';

/**
 * Pods that nobody needs, for a proof that nothing but the needed works: one beside the workloads of each namespace,
 * and one elsewhere with the mesh's proxy and one without.
 */
export function strangersOf(namespaces: readonly string[], mesh: ActorMesh): KubeObject[] {
  return [
    ...namespaces.map(name => podOf('(any other pod)', name, {}, 'another', undefined)),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ELSEWHERE } },
    podOf('(any pod)', ELSEWHERE, {}, 'another', undefined),
    ...(mesh === undefined ? [] : [podOf('(any pod of the mesh)', ELSEWHERE, {}, 'another', mesh)]),
  ];
}

function podOf(
  name: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  account: string | undefined,
  mesh: ActorMesh,
): KubeObject {
  const container = mesh === undefined ? 'app' : `${mesh}-proxy`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      ...(account === undefined ? {} : { serviceAccountName: account }),
      containers: [{ name: container, image: container }],
    },
  };
}

/** Whether an endpoint's id is of a pod that was made up here. */
export function isMadeUp(id: string): boolean {
  return id.includes('(');
}
