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
import { type Apart, hiddenFrom } from './environments.ts';
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
  /** Of the environments of its source: which are never applied together. One value for all objects of the source. */
  readonly apart?: Apart;
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

/** A world as some of the environments of an object see it. */
export interface View {
  readonly world: World;
  /** Undefined where the object is the same to all of its environments. */
  readonly environments?: readonly string[];
  /** Kinds of what these do not see. */
  readonly hidden: ReadonlySet<string>;
}

/** Of what a world is a view. */
interface Seen {
  readonly world: World;
  readonly hidden: ReadonlySet<Declared>;
  /** Of what is hidden. */
  readonly kinds: ReadonlySet<string>;
  readonly isOwn: (one: Declared) => boolean;
}

/** The newest minor version of Kubernetes 1 whose rules are known. */
export const newestMinor = 37;

export class World {
  readonly gaps: readonly Gap[];
  readonly kubernetesMinor: number;

  #declared: readonly Declared[] | undefined;
  #declarations: Map<KubeObject, Declared> | undefined;
  #byKind: Map<string, Declared[]> | undefined;
  #byReference: Map<string, KubeObject> | undefined;
  #places: MorePlaces | undefined;
  readonly #templates = new Map<KubeObject, readonly PodTemplate[]>();
  readonly #facts = new Map<(world: World) => unknown, unknown>();
  readonly #of: Seen | undefined;
  #all: Map<string, Declared[]> | undefined;
  /** What some environment may not see. */
  #placed: readonly Declared[] | undefined;
  readonly #seenBy = new Map<Apart | undefined, Map<string, View>>();
  /** By the number of what they hide. */
  readonly #views = new Map<number, readonly View[]>();

  constructor(input: WorldInput, of?: Seen) {
    if (of === undefined) this.#declared = input.declared;
    this.gaps = input.gaps ?? [];
    this.kubernetesMinor = input.kubernetesMinor;
    this.#of = of;
  }

  get declared(): readonly Declared[] {
    this.#declared ??= this.#of!.world.declared.filter(one => !this.#of!.hidden.has(one));
    return this.#declared;
  }

  /** How an object of this world was declared, and where. */
  declarationOf(object: KubeObject): Declared | undefined {
    if (this.#of !== undefined) return this.#of.world.declarationOf(object);
    this.#declarations ??= new Map(this.declared.map(declared => [declared.object, declared]));
    return this.#declarations.get(object);
  }

  /** All objects of a kind (`group/Kind`; the core group is empty: `/Secret`), in input order. */
  ofKind(key: string): readonly Declared[] {
    const of = this.#of;
    if (of !== undefined) {
      const all = of.world.ofKind(key);
      if (!of.kinds.has(key)) return all;
      this.#byKind ??= new Map();
      let seen = this.#byKind.get(key);
      if (seen === undefined) {
        seen = all.filter(one => !of.hidden.has(one));
        this.#byKind.set(key, seen);
      }
      return seen;
    }
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
    const of = this.#of;
    if (of !== undefined)
      return [...of.world.kinds()].filter(key => !of.kinds.has(key) || this.ofKind(key).length > 0);
    this.ofKind('');
    return this.#byKind!.keys();
  }

  /**
   * The object of that kind, namespace and name; the last one where several are declared, as `kubectl apply` leaves it.
   *
   * @param namespace undefined for cluster-scoped objects, and for manifests that state none
   */
  find(key: string, namespace: string | undefined, name: string): KubeObject | undefined {
    if (this.#of !== undefined) {
      const all = this.#of.world.#allOf(referenceKey(key, namespace, name));
      const seen = all.filter(one => !this.#of!.hidden.has(one));
      // What the environment itself makes stands before what is common to all.
      return (seen.findLast(this.#of.isOwn) ?? seen.at(-1))?.object;
    }
    if (this.#byReference === undefined) {
      this.#byReference = new Map();
      for (const { object } of this.declared) this.#byReference.set(identityOf(object), object);
    }
    return this.#byReference.get(referenceKey(key, namespace, name));
  }

  #allOf(reference: string): readonly Declared[] {
    if (this.#all === undefined) {
      this.#all = new Map();
      for (const declared of this.declared) {
        const key = identityOf(declared.object);
        const list = this.#all.get(key);
        if (list === undefined) this.#all.set(key, [declared]);
        else list.push(declared);
      }
    }
    return this.#all.get(reference) ?? [];
  }

  /** Whether the object carries pods: by the table of workload kinds, or by a CustomResourceDefinition of the input. */
  isWorkload(object: KubeObject): boolean {
    return isWorkload(object, this.#learnt());
  }

  /** Kinds that carry pods by a CustomResourceDefinition of the input, as `group/Kind`. */
  definedWorkloads(): Iterable<string> {
    return this.#learnt().keys();
  }

  /** The pod templates of an object, raw. */
  templatesOf(object: KubeObject): readonly PodTemplate[] {
    if (this.#of !== undefined && !this.#of.kinds.has(DEFINITION)) return this.#of.world.templatesOf(object);
    let templates = this.#templates.get(object);
    if (templates === undefined) {
      templates = podTemplatesOf(object, this.#learnt());
      this.#templates.set(object, templates);
    }
    return templates;
  }

  /**
   * The world as it is where an object is applied: each environment that it was built for sees what is its own and what
   * is common to all, and nothing of the environments beside it. Environments that see the same are one view. What is
   * written as it is applied sees everything.
   */
  viewsOf(declared: Declared): readonly View[] {
    const { environments, apart } = declared;
    if (environments === undefined || environments.length === 0) return [this.#whole()];
    this.#placed ??= this.declared.filter(one => one.apart !== undefined);
    if (this.#placed.length === 0) return [this.#whole()];
    const views = new Map<World, View & { readonly environments: string[] }>();
    for (const environment of environments) {
      const view = this.#viewOf(apart, environment);
      const known = views.get(view.world);
      if (known === undefined) views.set(view.world, { ...view, environments: [environment] });
      else known.environments.push(environment);
    }
    if (views.size > 1) return [...views.values()];
    return [...views.values()].map(({ world, hidden }) => ({ world, hidden }));
  }

  /** The world that this one is a view of; itself where it is none. */
  get whole(): World {
    return this.#of?.world.whole ?? this;
  }

  #whole(): View {
    return { world: this, hidden: NOTHING };
  }

  #viewOf(apart: Apart | undefined, environment: string): View {
    const known = this.#seenBy.get(apart)?.get(environment);
    if (known !== undefined) return known;
    const isHidden = hiddenFrom(environment, apart);
    const hidden = new Set(this.#placed!.filter(isHidden));
    const alike = this.#views.get(hidden.size) ?? [];
    let view =
      hidden.size === 0
        ? this.#whole()
        : alike.find(({ world }) => everyOf(hidden, one => world.#of!.hidden.has(one)));
    if (view === undefined) {
      const kinds = new Set([...hidden].map(({ object }) => kindKey(object)));
      const isOwn = (one: Declared) =>
        one.apart === apart && one.environments?.includes(environment) === true;
      view = { world: new World(this, { world: this, hidden, kinds, isOwn }), hidden: kinds };
      this.#views.set(hidden.size, [...alike, view]);
    }
    const seen = this.#seenBy.get(apart) ?? new Map<string, View>();
    this.#seenBy.set(apart, seen.set(environment, view));
    return view;
  }

  /** A fact derived from the whole world, computed once. The function itself is the name of the fact. */
  fact<Fact>(derive: (world: World) => Fact): Fact {
    if (!this.#facts.has(derive)) this.#facts.set(derive, derive(this));
    return this.#facts.get(derive) as Fact;
  }

  /**
   * A fact that follows from single objects and the definitions of the input, whatever stands beside them: a world has
   * it in common with its views.
   */
  factOfObjects<Fact>(derive: (world: World) => Fact): Fact {
    const of = this.#of;
    return of !== undefined && !of.kinds.has(DEFINITION) ? of.world.factOfObjects(derive) : this.fact(derive);
  }

  #learnt(): MorePlaces {
    if (this.#of !== undefined && !this.#of.kinds.has(DEFINITION)) return this.#of.world.#learnt();
    if (this.#places === undefined) {
      const places = new Map<string, NonNullable<ReturnType<typeof placesOfDefinition>>['places']>();
      for (const declared of this.ofKind(DEFINITION)) {
        const learnt = declared.learnt ?? placesOfDefinition(declared.object);
        if (learnt !== undefined) places.set(learnt.key, learnt.places);
      }
      this.#places = places;
    }
    return this.#places;
  }
}

function everyOf<One>(set: ReadonlySet<One>, holds: (one: One) => boolean): boolean {
  for (const one of set) if (!holds(one)) return false;
  return true;
}

const NOTHING: ReadonlySet<string> = new Set();
const DEFINITION = 'apiextensions.k8s.io/CustomResourceDefinition';

/** `group/Kind` of an object: the version does not matter to who it is. */
export function kindKey(object: KubeObject): string {
  return `${groupOf(object.apiVersion)}/${object.kind}`;
}

/** The namespace that the manifest states; undefined where it states none. */
export function namespaceOf(object: KubeObject): string | undefined {
  const namespace = object.metadata?.namespace;
  return typeof namespace === 'string' && namespace !== '' ? namespace : undefined;
}

/** What an object is called, whatever it says: two of one identity cannot be in one cluster. */
export function identityOf(object: KubeObject): string {
  return referenceKey(kindKey(object), namespaceOf(object), object.metadata?.name);
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
