/** Names that changed are changed where others use them. Source: api/filters/nameref, api/internal/accumulator. */
import { emit } from './emit.ts';
import { applySpec, type FieldSpec, type NameReference } from './field-specs.ts';
import { effectiveNamespace, type Gvk, idText, isSelected, sameNamespace } from './ids.ts';
import { BuildError, field, get, isMissing, type Node, prefixed, scalar, setField } from './node.ts';
import type { ResMap, Resource } from './resource.ts';
import { isNonString, toJson } from './scalars.ts';

export function fixNameReferences(map: ResMap, references: readonly NameReference[]): void {
  for (const referrer of map.list) {
    const { originalId } = referrer;
    let candidates: Candidates | undefined;
    for (const target of references)
      for (const spec of target.referrers) {
        if (!isSelected(originalId, spec)) continue;
        candidates ??= new Candidates(referrer, map.referencedBy(referrer));
        new Fixer(referrer, candidates, target, spec).run();
      }
  }
}

/** What a resource can mean, by the names that it had before: few resources are renamed, and most names are none. */
class Candidates {
  readonly all: readonly Resource[];
  readonly #byName = new Map<string, Resource[]>();

  constructor(_referrer: Resource, all: readonly Resource[]) {
    this.all = all;
    for (const resource of all)
      for (const name of new Set(resource.previousIds.map(id => id.name))) {
        const list = this.#byName.get(name);
        if (list === undefined) this.#byName.set(name, [resource]);
        else list.push(resource);
      }
  }

  called(name: string): readonly Resource[] {
    return this.#byName.get(name) ?? [];
  }
}

class Fixer {
  readonly #referrer: Resource;
  readonly #candidates: Candidates;
  readonly #target: Gvk;
  readonly #spec: FieldSpec;

  constructor(referrer: Resource, candidates: Candidates, target: Gvk, spec: FieldSpec) {
    this.#referrer = referrer;
    this.#candidates = candidates;
    this.#target = target;
    this.#spec = spec;
  }

  run(): void {
    const { node, gvk } = this.#referrer;
    try {
      applySpec(node!, { ...this.#spec, ...gvk }, { set: found => this.#set(found) });
    } catch (error) {
      throw prefixed(
        error,
        `updating name reference in '${this.#spec.path}' field of '${idText(this.#referrer.id)}'`,
      );
    }
  }

  #set(node: Node): void {
    if (isMissing(node)) return;
    if (node.kind === 'scalar') this.#setScalar(node);
    else if (node.kind === 'map') this.#setMapping(node);
    else if (node.kind === 'list')
      for (const element of node.content) {
        if (isMissing(element)) continue;
        if (element.kind === 'scalar') this.#setScalar(element);
        else if (element.kind === 'map') this.#setMapping(element);
        else throw new BuildError('a list of names is expected to hold strings or maps of strings');
      }
    else throw new BuildError('node must be a scalar, sequence or map');
  }

  #setScalar(node: Node): void {
    const referral = this.#select(node.value, this.#candidates.called(node.value), sameNames);
    if (referral === undefined || referral.name === node.value) return;
    setField(node, '', scalar(referral.name, node.at), isNonString);
  }

  #setMapping(node: Node): void {
    const name = get(node, 'name');
    if (name === undefined) throw new BuildError("path config error; no 'name' field in node");
    const referral = this.#select(name.value, this.#inNamespace(node, name.value), sameNamesAndNamespaces);
    if (referral === undefined) return;
    const { namespace } = referral;
    if (referral.name === name.value && namespace === '') return;
    setField(node, 'name', scalar(referral.name, name.at), isNonString);
    if (namespace !== '')
      setField(node, 'namespace', scalar(namespace, field(node, 'namespace')?.at), isNonString);
  }

  #inNamespace(node: Node, name: string): readonly Resource[] {
    const namespace = get(node, 'namespace');
    if (namespace === undefined) return this.#candidates.called(name);
    const { all } = this.#candidates;
    // Whether any is in the namespace is asked of all, not only of those that are called so.
    if (all.some(one => effectiveNamespace(one.originalId) === namespace.value))
      return this.#candidates
        .called(name)
        .filter(one => effectiveNamespace(one.originalId) === namespace.value);
    return this.#candidates.called(name).filter(one => effectiveNamespace(one.id) === namespace.value);
  }

  #select(
    _name: string,
    called: readonly Resource[],
    identical: (list: readonly Resource[]) => boolean,
  ): Resource | undefined {
    if (called.length === 0) return undefined;
    let list = called.filter(one => one.previousIds.some(id => isSelected(id, this.#target)));
    const role = this.#roleReference();
    if (role !== undefined) list = list.filter(one => one.previousIds.some(id => isSelected(id, role)));
    const { id } = this.#referrer;
    if (!id.clusterScoped)
      list = list.filter(one => {
        const other = one.id;
        return other.clusterScoped || other.kind === 'ServiceAccount' || sameNamespace(id, other);
      });
    if (list.length === 1) return list[0];
    list = list.filter(one => this.#fitsAround(one, true));
    if (list.length > 1) list = list.filter(one => this.#fitsAround(one, false));
    if (list.length <= 1) return list[0];
    if (identical(list)) return list[0];
    const details = list.map((one, i) => `--- possible referral ${i}:\n${yaml(one)}\n`);
    throw new BuildError(
      `found multiple possible referrals: ${list.map(one => idText(one.id)).join(', ')}\n\n**** Too many possible referral targets to referrer:\n${yaml(this.#referrer)}\n${details.join('')}`,
    );
  }

  /** The kind that a binding's roleRef states. */
  #roleReference(): Gvk | undefined {
    if (!this.#spec.path.endsWith('roleRef/name')) return undefined;
    const role = field(this.#referrer.node, 'roleRef');
    const group = field(role, 'apiGroup');
    const kind = field(role, 'kind');
    if (group === undefined || kind === undefined) return undefined;
    return { group: group.value, version: '', kind: kind.value };
  }

  /** Were both renamed by the same kustomizations? */
  #fitsAround(other: Resource, orNone: boolean): boolean {
    const same = (a: readonly string[], b: readonly string[]): boolean =>
      (orNone && (a.length === 0 || b.length === 0)) || sameEnding(a, b);
    return same(other.prefixes, this.#referrer.prefixes) && same(other.suffixes, this.#referrer.suffixes);
  }
}

function yaml({ node }: Resource): string {
  return emit(toJson(node!));
}

/** Source: api/internal/utils/stringslice.go (SameEndingSubSlice). */
function sameEnding(a: readonly string[], b: readonly string[]): boolean {
  const [short, long] = a.length > b.length ? [b, a] : [a, b];
  if (short.length === 0) return long.length === 0;
  return short.every((value, i) => long[i + long.length - short.length] === value);
}

function sameNames(list: readonly Resource[]): boolean {
  return list.every(one => one.name === list[0]!.name);
}

function sameNamesAndNamespaces(list: readonly Resource[]): boolean {
  return sameNames(list) && list.every(one => one.namespace === list[0]!.namespace);
}
