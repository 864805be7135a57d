/** The pods of a world as subjects: decoded as the API server decodes them, with the way back to the object's paths. */
import { DecodeError, decodePod } from '#kube/decode.ts';
import { isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { PodTemplate } from '#kube/workloads.ts';
import type { ContainerRole, ContainerSubject, PodSubject } from '#world/subjects.ts';
import { metadataOf, namespaceOf, type World } from '#world/world.ts';
import { withDefaults } from './defaults.ts';
import { type Breach, containersOf } from './standards/check.ts';
import { controlsOf } from './standards/registry.ts';

/** What the pod templates of one object turned out to be. */
export interface Pods {
  readonly pods: readonly PodSubject[];
  /** Templates that the API server could not decode: nothing is known of them. */
  readonly refused: readonly { readonly path: Path; readonly reason: string }[];
}

const ROLES: Readonly<Record<string, ContainerRole>> = {
  initContainers: 'init',
  containers: 'container',
  ephemeralContainers: 'ephemeral',
};

const NONE: Pods = { pods: [], refused: [] };
const cache = (_world: World): Map<KubeObject, Pods> => new Map();

/** The pods of an object. Decoded once for each world. */
export function podsOf(world: World, object: KubeObject): Pods {
  const templates = world.templatesOf(object);
  if (templates.length === 0) return refusedTemplate(world, object) ?? NONE;
  const known = world.factOfObjects(cache);
  let pods = known.get(object);
  if (pods === undefined) {
    pods = decodeAll(object, templates);
    known.set(object, pods);
  }
  return pods;
}

/** A workload whose template is there but is no mapping: `spec: nonsense`. */
function refusedTemplate(world: World, object: KubeObject): Pods | undefined {
  if (!world.isWorkload(object)) return undefined;
  const spec = object['spec'];
  if (spec === undefined || spec === null || isRecord(spec)) return undefined;
  return { pods: [], refused: [{ path: ['spec'], reason: refusal('spec: expected a mapping') }] };
}

function decodeAll(object: KubeObject, templates: readonly PodTemplate[]): Pods {
  const pods: PodSubject[] = [];
  const refused: { path: Path; reason: string }[] = [];
  for (const template of templates) {
    try {
      pods.push(subjectOf(object, template));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      refused.push({ path: template.pathOf(error.path), reason: refusal(error.message) });
    }
  }
  return { pods, refused };
}

function refusal(message: string): string {
  return `the API server would refuse this pod, so it was not judged: ${message}`;
}

function subjectOf(object: KubeObject, { pod: raw, pathOf, partial }: PodTemplate): PodSubject {
  const pod = withDefaults(decodePod(raw));
  const containers: ContainerSubject[] = [];
  const own = raw.metadata === object.metadata ? undefined : valueAt(raw, ['metadata', 'namespace']);
  const subject: PodSubject = {
    object,
    metadata: metadataOf(raw.metadata),
    spec: pod.spec,
    containers,
    partial,
    namespace: namespaceOf(object) ?? (typeof own === 'string' && own !== '' ? own : undefined),
    pathOf,
  };
  const injected = injectedInto(subject.metadata.annotations ?? {});
  for (const { container, path, name } of containersOf(pod)) {
    const role = ROLES[path[1] as string]!;
    containers.push({
      pod: subject,
      container,
      role,
      sidecar: role === 'init' && container.restartPolicy === 'Always',
      injected: injected.has(name) || (name === 'istio-proxy' && container.image === AUTO),
      name: name === '' ? `#${Number(path[2]) + 1}` : name,
      path,
    });
  }
  return subject;
}

/**
 * What stands for the image where Istio's injector is to fill in a container that somebody only adjusts. Source: Istio
 * pkg/kube/inject/webhook.go (AutoImage).
 */
const AUTO = 'auto';

/**
 * The names of the containers that a mesh put into a pod, by the marks that its injector leaves. Sources: Istio
 * pkg/kube/inject (sidecar.istio.io/status), Linkerd pkg/k8s/labels.go (linkerd.io/proxy-version).
 */
function injectedInto(annotations: Readonly<Record<string, string>>): ReadonlySet<string> {
  const names = new Set<string>();
  if (annotations['sidecar.istio.io/status'] !== undefined)
    for (const name of ['istio-proxy', 'istio-init', 'istio-validation']) names.add(name);
  if (annotations['linkerd.io/proxy-version'] !== undefined)
    for (const name of ['linkerd-proxy', 'linkerd-init', 'linkerd-network-validator']) names.add(name);
  return names;
}

const breaches = new WeakMap<PodSubject, Map<string, Breach | undefined>>();

/** What one control of the newest standards says of a pod; undefined where it keeps it, or the control does not hold. */
export function breachOf(pod: PodSubject, level: 'baseline' | 'restricted', id: string): Breach | undefined {
  let known = breaches.get(pod);
  if (known === undefined) {
    known = new Map();
    breaches.set(pod, known);
  }
  const key = `${level}/${id}`;
  if (!known.has(key)) {
    const active = controlsOf(level, Number.POSITIVE_INFINITY).find(({ control }) => control.id === id);
    known.set(key, active?.revision.breach({ metadata: pod.metadata, spec: pod.spec }));
  }
  return known.get(key);
}
