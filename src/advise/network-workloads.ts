/** The pods and workloads of an input by id, and the labels that tell one from the others of its namespace. */
import { endpointId, namespaceOf } from '#decide/network/inventory.ts';
import { isRecord, type KubeObject, valueAt } from '#kube/objects.ts';
import { matchesSelector } from '#kube/selectors.ts';
import { podTemplateOf } from '#kube/workloads.ts';
import { NeedError } from './network-needs.ts';

export type Labels = Readonly<Record<string, string>>;

export class Workloads {
  readonly #byId = new Map<string, KubeObject>();
  readonly #ids = new Set<string>();
  readonly #byNamespace = new Map<string, KubeObject[]>();
  readonly #selectors = new Map<KubeObject, Labels | undefined>();
  readonly #labels = new Map<KubeObject, Labels>();

  constructor(objects: readonly KubeObject[]) {
    for (const object of objects) {
      if (podTemplateOf(object) === undefined) continue;
      this.#byId.set(endpointId(object), object);
    }
    for (const [id, object] of this.#byId) {
      if (this.#isOwned(object)) continue;
      this.#ids.add(id);
      const list = this.#byNamespace.get(namespaceOf(object));
      if (list === undefined) this.#byNamespace.set(namespaceOf(object), [object]);
      else list.push(object);
    }
  }

  /** Those that no other one of the input makes: a ReplicaSet of a Deployment is the Deployment's matter. */
  *all(): Iterable<KubeObject> {
    for (const id of this.#ids) yield this.#byId.get(id)!;
  }

  /** The workload of the input that makes a pod or another workload; the id itself where there is none. */
  top(id: string): string {
    for (let [name, steps] = [id, 0]; ; steps++) {
      const object = this.#byId.get(name);
      const owner = object === undefined ? undefined : ownerOf(object);
      if (owner === undefined || !this.#byId.has(owner) || steps > 4) return name;
      name = owner;
    }
  }

  #isOwned(object: KubeObject): boolean {
    const owner = ownerOf(object);
    return owner !== undefined && this.#byId.has(owner);
  }

  namespaces(): string[] {
    return [...this.#byNamespace.keys()].sort();
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** @throws NeedError where there is none */
  find(id: string): KubeObject {
    const object = this.#byId.get(id);
    if (object === undefined) throw new NeedError(`the input has no workload ${id}`);
    return object;
  }

  /**
   * The fewest labels that select a workload's pods and no others of the namespace: those of its own selector if they
   * do, else one label that does, else all labels of the template. Undefined where its pods have no labels: nothing
   * selects them without selecting every pod of the namespace.
   */
  selector(object: KubeObject): Labels | undefined {
    if (!this.#selectors.has(object)) this.#selectors.set(object, this.#selectorOf(object));
    return this.#selectors.get(object);
  }

  /** Other workloads of the namespace that the selector selects too. */
  alsoSelected(object: KubeObject): KubeObject[] {
    const matchLabels = this.selector(object);
    if (matchLabels === undefined) return [];
    return this.#others(object).filter(other => matchesSelector({ matchLabels }, this.#labelsOf(other)));
  }

  #labelsOf(object: KubeObject): Labels {
    let labels = this.#labels.get(object);
    if (labels === undefined) {
      labels = labelsOf(object);
      this.#labels.set(object, labels);
    }
    return labels;
  }

  #others(object: KubeObject): KubeObject[] {
    return (this.#byNamespace.get(namespaceOf(object)) ?? []).filter(other => other !== object);
  }

  #selectorOf(object: KubeObject): Labels | undefined {
    const labels = this.#labelsOf(object);
    if (Object.keys(labels).length === 0) return undefined;
    const own = valueAt(object, ['spec', 'selector', 'matchLabels']) ?? valueAt(object, ['spec', 'selector']);
    const candidates: Labels[] = [];
    if (
      isRecord(own) &&
      Object.entries(own).every(([key, value]) => labels[key] === value && typeof value === 'string')
    )
      candidates.push(own as Labels);
    for (const key of Object.keys(labels).sort()) candidates.push({ [key]: labels[key]! });
    const others = this.#others(object).map(other => this.#labelsOf(other));
    const alone = (matchLabels: Labels): boolean =>
      Object.keys(matchLabels).length > 0 && !others.some(other => matchesSelector({ matchLabels }, other));
    return candidates.find(alone) ?? labels;
  }
}

function ownerOf(object: KubeObject): string | undefined {
  const owners = object.metadata?.ownerReferences;
  if (!Array.isArray(owners)) return undefined;
  const owner: unknown = owners.find(one => valueAt(one, ['controller']) === true) ?? owners[0];
  const [kind, name] = [valueAt(owner, ['kind']), valueAt(owner, ['name'])];
  if (typeof kind !== 'string' || typeof name !== 'string') return undefined;
  return `${namespaceOf(object)}/${kind}/${name}`;
}

/** The labels of the pods, less those whose values change with every revision. */
function labelsOf(object: KubeObject): Labels {
  const labels = valueAt(podTemplateOf(object)?.pod.metadata, ['labels']);
  if (!isRecord(labels)) return {};
  const changing = /^(?:pod-template-hash|controller-revision-hash|pod-template-generation)$/;
  return Object.fromEntries(
    Object.entries(labels).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && !changing.test(entry[0]),
    ),
  );
}

export function sorted(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Objects of the input less some, by identity. */
export function lessThose(
  objects: readonly KubeObject[],
  gone: readonly KubeObject[],
): readonly KubeObject[] {
  const set = new Set(gone);
  return set.size === 0 ? objects : objects.filter(object => !set.has(object));
}
