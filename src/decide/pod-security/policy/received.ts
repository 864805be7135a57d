/**
 * A pod as the API server of Kubernetes 1.24 holds it when admission begins: decoded, defaulted as far as a policy can
 * see it, converted. Source: pkg/apis/core/v1/defaults.go, conversion.go.
 */
import { DecodeError, decodePod } from '#kube/decode.ts';
import type { Container, Pod } from '#kube/pods.ts';
import { withDefaults } from '../defaults.ts';
import { known } from './stored.ts';
import { hasSource } from './volume-sources.ts';

/** Annotations of a beta that is long gone; they are dropped so that old clients make no difference. */
const DROPPED = new Set([
  'pod.beta.kubernetes.io/init-containers',
  'pod.alpha.kubernetes.io/init-containers',
  'pod.beta.kubernetes.io/init-container-statuses',
  'pod.alpha.kubernetes.io/init-container-statuses',
]);

/**
 * @param pod as a client submits it
 * @throws DecodeError where the API server could not decode it
 */
export function receive(pod: { readonly metadata?: unknown; readonly spec?: unknown }): Pod {
  const { metadata = {}, spec } = withDefaults(decode(pod));
  const { annotations = {} } = metadata;
  const dropped = Object.keys(annotations).some(key => DROPPED.has(key));
  const { serviceAccount, ...rest } = spec;
  return {
    metadata: dropped
      ? {
          ...metadata,
          annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => !DROPPED.has(key))),
        }
      : metadata,
    spec: {
      ...rest,
      serviceAccountName: spec.serviceAccountName || serviceAccount || '',
      securityContext: spec.securityContext ?? {},
      // Sources that came later are unknown fields here, and a volume without a source is an emptyDir.
      ...(spec.volumes === undefined
        ? {}
        : { volumes: spec.volumes.map(one => (hasSource(one) ? one : { ...one, emptyDir: {} })) }),
    },
  };
}

/** Fields that came after 1.24 are unknown ones: what they hold cannot be wrong. */
function decode({ metadata, spec }: { readonly metadata?: unknown; readonly spec?: unknown }): Pod {
  try {
    return decodePod({ metadata, spec });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return decodePod({ metadata: known('ObjectMeta', metadata), spec: known('PodSpec', spec) });
  }
}

/** The value of an annotation; undefined where the pod does not have it. */
export function annotationOf({ metadata }: Pod, key: string): string | undefined {
  const annotations = metadata?.annotations;
  return annotations !== undefined && Object.hasOwn(annotations, key) ? annotations[key] : undefined;
}

/** The pod with these annotations beside its own; the same pod where there are none. */
export function annotated(pod: Pod, added: ReadonlyMap<string, string>): Pod {
  if (added.size === 0) return pod;
  const annotations = Object.fromEntries([...Object.entries(pod.metadata?.annotations ?? {}), ...added]);
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

export const CONTAINER_FIELDS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

type ContainerField = (typeof CONTAINER_FIELDS)[number];

/** The path of a container, and of what lies in it. */
export interface ContainerPath {
  readonly at: string;
  readonly context: string;
  readonly seLinuxOptions: string;
  readonly addedCapabilities: string;
}

/** Made once: the same few are asked for again and again. */
const paths: Readonly<Record<ContainerField, ContainerPath[]>> = {
  initContainers: [],
  containers: [],
  ephemeralContainers: [],
};
const MOST_PATHS = 100;

function pathOf(list: ContainerField, index: number): ContainerPath {
  const known = paths[list][index];
  if (known !== undefined) return known;
  const at = `spec.${list}[${index}]`;
  const context = `${at}.securityContext`;
  const path: ContainerPath = {
    at,
    context,
    seLinuxOptions: `${context}.seLinuxOptions`,
    addedCapabilities: `${context}.capabilities.add`,
  };
  if (index < MOST_PATHS) paths[list][index] = path;
  return path;
}

/** Hands over every container with its path, in the order in which the API server visits them. */
export function forEachContainer(
  { spec }: Pod,
  visit: (container: Container, path: ContainerPath) => void,
): void {
  for (const list of CONTAINER_FIELDS) {
    const containers = spec[list];
    if (containers === undefined) continue;
    for (let i = 0; i < containers.length; i++) visit(containers[i]!, pathOf(list, i));
  }
}

/** The pod with every container replaced; the same pod where none is another one. */
export function mapContainers(pod: Pod, change: (container: Container) => Container): Pod {
  let lists: Partial<Record<ContainerField, readonly Container[]>> | undefined;
  for (const list of CONTAINER_FIELDS) {
    const containers = pod.spec[list];
    if (containers === undefined) continue;
    let changed: Container[] | undefined;
    for (let i = 0; i < containers.length; i++) {
      const after = change(containers[i]!);
      if (after === containers[i]) continue;
      changed ??= containers.slice();
      changed[i] = after;
    }
    if (changed !== undefined) {
      lists ??= {};
      lists[list] = changed;
    }
  }
  return lists === undefined ? pod : { ...pod, spec: { ...pod.spec, ...lists } };
}
