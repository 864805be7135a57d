/**
 * The facts: one immutable snapshot of what was declared. Everything derived is lazy, cached and pure; look-ups by
 * reference are constant in time.
 */
import { groupOf, isRecord, type KubeObject, type ObjectMeta, type Path } from '#kube/objects.ts';
import {
  isWorkload,
  type MorePlaces,
  type PodTemplate,
  placesOfDefinition,
  podTemplatesOf,
} from '#kube/workloads.ts';
import type { Origin } from './origin.ts';

export interface Declared {
  readonly object: KubeObject;
  readonly origin: Origin;
  /** Keys that the object states more than once; the last one counts. */
  readonly duplicateKeys?: readonly Path[];
  /** Of a CustomResourceDefinition whose schemas were not kept: the pod templates that they show. */
  readonly learnt?: ReturnType<typeof placesOfDefinition>;
  /** The folder of the chart that it was rendered from. */
  readonly chart?: string;
  /** What it was built for, where the same source becomes several objects: folders of overlays. */
  readonly environments?: readonly string[];
  /** Where it comes from in its environments beyond the first, where a comment may tell them apart. */
  readonly alike?: readonly Origin[];
  /** Of how many environments these are some: what holds in all of them need not be said of each. */
  readonly among?: number;
}

/** Something that the sources met and could not turn into facts. */
export interface Gap {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly reason: string;
  /** The object's namespace could hold more than what was read. */
  readonly object?: KubeObject;
}

export interface WorldInput {
  readonly declared: readonly Declared[];
  readonly gaps?: readonly Gap[];
  /** The version of Kubernetes that the objects are meant for, as a minor version of 1: 37 for v1.37. */
  readonly kubernetesMinor: number;
}

/** The newest minor version of Kubernetes 1 whose rules are known. */
export const newestMinor = 37;

export class World {
  readonly declared: readonly Declared[];
  readonly gaps: readonly Gap[];
  readonly kubernetesMinor: number;

  #declarations: Map<KubeObject, Declared> | undefined;
  #byKind: Map<string, Declared[]> | undefined;
  #byReference: Map<string, KubeObject> | undefined;
  #places: MorePlaces | undefined;
  readonly #templates = new Map<KubeObject, readonly PodTemplate[]>();
  readonly #facts = new Map<(world: World) => unknown, unknown>();

  constructor(input: WorldInput) {
    this.declared = input.declared;
    this.gaps = input.gaps ?? [];
    this.kubernetesMinor = input.kubernetesMinor;
  }

  /** How an object of this world was declared, and where. */
  declarationOf(object: KubeObject): Declared | undefined {
    this.#declarations ??= new Map(this.declared.map(declared => [declared.object, declared]));
    return this.#declarations.get(object);
  }

  /** All objects of a kind (`group/Kind`; the core group is empty: `/Secret`), in input order. */
  ofKind(key: string): readonly Declared[] {
    if (this.#byKind === undefined) {
      this.#byKind = new Map();
      for (const declared of this.declared) {
        const kind = kindKey(declared.object);
        const list = this.#byKind.get(kind);
        if (list === undefined) this.#byKind.set(kind, [declared]);
        else list.push(declared);
      }
    }
    return this.#byKind.get(key) ?? [];
  }

  /** The kinds of this world as `group/Kind`. */
  kinds(): Iterable<string> {
    this.ofKind('');
    return this.#byKind!.keys();
  }

  /**
   * The object of that kind, namespace and name; the last one where several are declared, as `kubectl apply` leaves it.
   *
   * @param namespace undefined for cluster-scoped objects, and for manifests that state none
   */
  find(key: string, namespace: string | undefined, name: string): KubeObject | undefined {
    if (this.#byReference === undefined) {
      this.#byReference = new Map();
      for (const { object } of this.declared)
        this.#byReference.set(
          referenceKey(kindKey(object), namespaceOf(object), object.metadata?.name),
          object,
        );
    }
    return this.#byReference.get(referenceKey(key, namespace, name));
  }

  /** Whether the object carries pods: by the table of workload kinds, or by a CustomResourceDefinition of the input. */
  isWorkload(object: KubeObject): boolean {
    return isWorkload(object, this.#learnt());
  }

  /** The pod templates of an object, raw. */
  templatesOf(object: KubeObject): readonly PodTemplate[] {
    let templates = this.#templates.get(object);
    if (templates === undefined) {
      templates = podTemplatesOf(object, this.#learnt());
      this.#templates.set(object, templates);
    }
    return templates;
  }

  /** A fact derived from the whole world, computed once. The function itself is the name of the fact. */
  fact<Fact>(derive: (world: World) => Fact): Fact {
    if (!this.#facts.has(derive)) this.#facts.set(derive, derive(this));
    return this.#facts.get(derive) as Fact;
  }

  #learnt(): MorePlaces {
    if (this.#places === undefined) {
      const places = new Map<string, NonNullable<ReturnType<typeof placesOfDefinition>>['places']>();
      for (const declared of this.ofKind('apiextensions.k8s.io/CustomResourceDefinition')) {
        const learnt = declared.learnt ?? placesOfDefinition(declared.object);
        if (learnt !== undefined) places.set(learnt.key, learnt.places);
      }
      this.#places = places;
    }
    return this.#places;
  }
}

/** `group/Kind` of an object: the version does not matter to who it is. */
export function kindKey(object: KubeObject): string {
  return `${groupOf(object.apiVersion)}/${object.kind}`;
}

/** The namespace that the manifest states; undefined where it states none. */
export function namespaceOf(object: KubeObject): string | undefined {
  const namespace = object.metadata?.namespace;
  return typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
}

/** Metadata as far as it has the right types: what else the input holds there is dropped. */
export function metadataOf(value: unknown): ObjectMeta {
  if (!isRecord(value)) return {};
  const { name, namespace } = value;
  return {
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof namespace === 'string' ? { namespace } : {}),
    labels: stringsOf(value['labels']),
    annotations: stringsOf(value['annotations']),
  };
}

function stringsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function referenceKey(kind: string, namespace: string | undefined, name: unknown): string {
  return `${kind}\0${namespace ?? ''}\0${String(name)}`;
}
