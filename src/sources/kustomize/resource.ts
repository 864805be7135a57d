/**
 * Resources and lists of them, with what Kustomize remembers of each in annotations: earlier names, prefixes,
 * behaviour. Source: api/resource/resource.go, api/resmap/reswrangler.go.
 */
import {
  apiVersionOf,
  effectiveNamespace,
  type Gvk,
  idText,
  makeId,
  parseApiVersion,
  type ResId,
  sameId,
  sameNamespace,
} from './ids.ts';
import { mergeInto } from './merge.ts';
import {
  BuildError,
  clearField,
  field,
  fieldsOf,
  isMissing,
  isNilOrEmpty,
  lookup,
  Node,
  STR,
  scalar,
  setField,
  text,
  textOf,
} from './node.ts';
import { isNonString } from './scalars.ts';
import type { Schemas } from './schemas.ts';
import type { Selector } from './selector.ts';

const DOMAIN = 'internal.config.kubernetes.io';
const PREVIOUS_KINDS = `${DOMAIN}/previousKinds`;
const PREVIOUS_NAMES = `${DOMAIN}/previousNames`;
const PREVIOUS_NAMESPACES = `${DOMAIN}/previousNamespaces`;
const PREFIXES = `${DOMAIN}/prefixes`;
const SUFFIXES = `${DOMAIN}/suffixes`;
const BEHAVIOR = `${DOMAIN}/generatorBehavior`;
const NEEDS_HASH = `${DOMAIN}/needsHashSuffix`;
const ALLOW_NAME_CHANGE = `${DOMAIN}/allowNameChange`;
const ALLOW_KIND_CHANGE = `${DOMAIN}/allowKindChange`;
const REF_BY = `${DOMAIN}/refBy`;
export const ORIGIN = 'config.kubernetes.io/origin';
export const TRANSFORMATIONS = 'alpha.config.kubernetes.io/transformations';
const LOCAL_CONFIG = 'config.kubernetes.io/local-config';

/** Taken out of the result again. Source: resource.go (BuildAnnotations), kyaml/kio/kioutil/kioutil.go. */
const BUILD_ANNOTATIONS: readonly string[] = [
  PREVIOUS_KINDS,
  PREVIOUS_NAMES,
  PREFIXES,
  SUFFIXES,
  PREVIOUS_NAMESPACES,
  ALLOW_NAME_CHANGE,
  ALLOW_KIND_CHANGE,
  REF_BY,
  BEHAVIOR,
  NEEDS_HASH,
  `${DOMAIN}/path`,
  `${DOMAIN}/index`,
  `${DOMAIN}/seqindent`,
  `${DOMAIN}/id`,
  `${DOMAIN}/annotations-migration-resource-id`,
  'config.kubernetes.io/path',
  'config.kubernetes.io/index',
  'config.k8s.io/id',
];

export function kindOf(node: Node | undefined): string {
  return field(node, 'kind')?.value ?? '';
}

export function apiVersionText(node: Node | undefined): string {
  return field(node, 'apiVersion')?.value ?? '';
}

function metadataOf(node: Node | undefined): Node | undefined {
  const metadata = isMissing(node) ? undefined : field(node, 'metadata');
  return isNilOrEmpty(metadata) ? undefined : metadata;
}

function metadataText(node: Node | undefined, name: string): string {
  const value = field(metadataOf(node), name);
  return isNilOrEmpty(value) ? '' : value!.value;
}

export function nameOf(node: Node | undefined): string {
  return metadataText(node, 'name');
}

export function namespaceOf(node: Node | undefined): string {
  return metadataText(node, 'namespace');
}

/** Annotations or labels, by name. */
export function metadataMap(node: Node | undefined, name: 'annotations' | 'labels'): Map<string, string> {
  const map = new Map<string, string>();
  for (const [key, value] of fieldsOf(field(metadataOf(node), name))) map.set(key.value, value.value);
  return map;
}

/** Writes annotations or labels anew, sorted; values that stay keep the place that they came from. */
export function setMetadataMap(
  node: Node,
  name: 'annotations' | 'labels',
  values: ReadonlyMap<string, string>,
): void {
  const metadata = lookup(node, ['metadata'], 'map');
  const before = clearField(metadata, name);
  if (values.size === 0 || metadata === undefined) return;
  const map = lookup(metadata, [name], 'map')!;
  map.at = before?.at;
  for (const key of [...values.keys()].sort(compareKeys)) {
    const value = text(values.get(key)!);
    const known = field(before, key);
    if (known !== undefined && known.value === value.value) value.at = known.at;
    setField(map, key, value, isNonString);
  }
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export class Resource {
  /** Undefined once a patch has deleted the resource. */
  node: Node | undefined;
  refVarNames: string[] = [];
  readonly #schemas: Schemas;

  constructor(node: Node, schemas: Schemas) {
    this.node = node;
    this.#schemas = schemas;
  }

  get schemas(): Schemas {
    return this.#schemas;
  }

  get gone(): boolean {
    return isNilOrEmpty(this.node);
  }

  get gvk(): Gvk {
    return { ...parseApiVersion(apiVersionText(this.node)), kind: kindOf(this.node) };
  }

  get name(): string {
    return nameOf(this.node);
  }

  get namespace(): string {
    return namespaceOf(this.node);
  }

  get id(): ResId {
    return makeId(this.gvk, this.name, this.namespace, this.#schemas);
  }

  /** What it was called before. Source: api/internal/utils/makeResIds.go. */
  get previousIds(): ResId[] {
    const annotations = this.annotations;
    const names = annotations.get(PREVIOUS_NAMES)?.split(',');
    if (names === undefined) return [];
    const namespaces = (annotations.get(PREVIOUS_NAMESPACES) ?? '').split(',');
    const kinds = (annotations.get(PREVIOUS_KINDS) ?? '').split(',');
    if (names.length !== namespaces.length || names.length !== kinds.length)
      throw new BuildError(
        'number of previous names, number of previous namespaces, number of previous kinds not equal',
      );
    const { group, version } = this.gvk;
    return names.map((name, i) => ({
      group,
      version,
      kind: kinds[i]!,
      name,
      namespace: namespaces[i]!,
      clusterScoped: false,
    }));
  }

  get originalId(): ResId {
    return this.previousIds[0] ?? this.id;
  }

  get annotations(): Map<string, string> {
    return metadataMap(this.node, 'annotations');
  }

  set annotations(values: ReadonlyMap<string, string>) {
    setMetadataMap(this.node!, 'annotations', values);
  }

  get labels(): Map<string, string> {
    return metadataMap(this.node, 'labels');
  }

  annotate(name: string, value: string | undefined): void {
    const { annotations } = this;
    if (value === undefined) annotations.delete(name);
    else annotations.set(name, value);
    this.annotations = annotations;
  }

  setName(name: string): void {
    const metadata = lookup(this.node, ['metadata'], 'map')!;
    setField(metadata, 'name', scalar(name, field(metadata, 'name')?.at), isNonString);
  }

  setKind(kind: string): void {
    setField(this.node!, 'kind', scalar(kind, field(this.node, 'kind')?.at), isNonString);
  }

  setApiVersion(apiVersion: string): void {
    setField(this.node!, 'apiVersion', scalar(apiVersion, field(this.node, 'apiVersion')?.at), isNonString);
  }

  setNamespace(namespace: string): void {
    const metadata = lookup(this.node, ['metadata']);
    if (namespace === '') {
      clearField(metadata, 'namespace');
      return;
    }
    const target = lookup(this.node, ['metadata'], 'map')!;
    setField(target, 'namespace', scalar(namespace, field(target, 'namespace')?.at), isNonString);
  }

  storePreviousId(): void {
    const { id } = this;
    this.#append(PREVIOUS_NAMES, id.name);
    this.#append(PREVIOUS_NAMESPACES, effectiveNamespace(id));
    this.#append(PREVIOUS_KINDS, id.kind);
  }

  get prefixes(): string[] {
    return this.annotations.get(PREFIXES)?.split(',') ?? [];
  }

  get suffixes(): string[] {
    return this.annotations.get(SUFFIXES)?.split(',') ?? [];
  }

  addPrefix(prefix: string): void {
    this.#append(PREFIXES, prefix);
  }

  addSuffix(suffix: string): void {
    this.#append(SUFFIXES, suffix);
  }

  /** Source: resource.go (appendCsvAnnotation), kyaml/yaml/kfns.go (SetAnnotation). */
  #append(name: string, value: string): void {
    if (value === '') return;
    const before = this.annotations.get(name);
    const metadata = lookup(this.node, ['metadata']);
    const annotations = field(metadata, 'annotations');
    if (metadata?.kind === 'map' && annotations !== undefined && annotations.content.length === 0)
      clearField(metadata, 'annotations');
    const map = lookup(this.node, ['metadata', 'annotations'], 'map')!;
    const node = new Node('scalar', STR, before === undefined ? value : `${before},${value}`, 'single');
    setField(map, name, node, isNonString);
  }

  get nameChangeAllowed(): boolean {
    return this.annotations.get(ALLOW_NAME_CHANGE) === 'enabled';
  }

  get kindChangeAllowed(): boolean {
    return this.annotations.get(ALLOW_KIND_CHANGE) === 'enabled';
  }

  allowNameChange(): void {
    this.annotate(ALLOW_NAME_CHANGE, 'enabled');
  }

  allowKindChange(): void {
    this.annotate(ALLOW_KIND_CHANGE, 'enabled');
  }

  get needsHash(): boolean {
    return this.annotations.get(NEEDS_HASH) === 'enabled';
  }

  enableHash(): void {
    this.annotate(NEEDS_HASH, 'enabled');
  }

  get behavior(): string {
    return this.annotations.get(BEHAVIOR) ?? '';
  }

  set behavior(behavior: string) {
    this.annotate(BEHAVIOR, ['replace', 'merge', 'create'].includes(behavior) ? behavior : 'unspecified');
  }

  copy(): Resource {
    const copy = new Resource(this.node!.copy(), this.#schemas);
    copy.refVarNames = [...this.refVarNames];
    return copy;
  }

  /** Takes over who the other is. Source: resource.go (CopyMergeMetaDataFieldsFrom). */
  mergeMetadataFrom(other: Resource): void {
    setMetadataMap(this.node!, 'labels', new Map([...other.labels, ...this.labels]));
    const own = this.annotations;
    const theirs = other.annotations;
    const merged = new Map([...theirs, ...own]);
    for (const name of BUILD_ANNOTATIONS) {
      const value = theirs.get(name);
      if (value === undefined) merged.delete(name);
      else merged.set(name, value);
    }
    if (!own.has(NEEDS_HASH)) merged.delete(NEEDS_HASH);
    this.annotations = merged;
    this.setName(other.name);
    this.setNamespace(other.namespace);
    this.refVarNames = [...other.refVarNames];
  }

  /** Source: resource.go (ApplySmPatch). */
  applyStrategicPatch(patch: Resource): void {
    const { name, namespace } = this;
    const { kind } = this.gvk;
    const nameMayChange = patch.nameChangeAllowed;
    const kindMayChange = patch.kindChangeAllowed;
    if (nameMayChange || kindMayChange) this.storePreviousId();
    this.node = mergeInto(this.node!, patch.node, this.#schemas);
    if (this.gone) return;
    if (!kindMayChange) this.setKind(kind);
    if (!nameMayChange) this.setName(name);
    this.setNamespace(namespace);
  }

  removeBuildAnnotations(): void {
    const { annotations } = this;
    if (annotations.size === 0) return;
    for (const name of BUILD_ANNOTATIONS) annotations.delete(name);
    this.annotations = annotations;
  }

  get isLocalConfig(): boolean {
    const value = this.annotations.get(LOCAL_CONFIG);
    return value !== undefined && value !== 'false';
  }

  /** Internal annotations, which a JSON patch must not lose. Source: kioutil.go (GetInternalAnnotations). */
  get internalAnnotations(): Map<string, string> {
    return new Map(
      [...this.annotations].filter(([name]) => name.startsWith(DOMAIN) || BUILD_ANNOTATIONS.includes(name)),
    );
  }
}

/** The data of two ConfigMaps, the second winning, keys sorted. Source: resource.go (MergeDataMapFrom). */
export function mergedData(base: Node | undefined, over: Node | undefined, name: string): Map<string, Node> {
  const result = new Map<string, Node>();
  for (const node of [field(base, name), field(over, name)])
    for (const [key, value] of fieldsOf(node)) {
      const copy = text(textOf(value), value.at);
      result.set(key.value, copy);
    }
  return new Map([...result].sort(([a], [b]) => compareKeys(a, b)));
}

/** A list of resources in which every id stands once. */
export class ResMap {
  list: Resource[];

  constructor(list: readonly Resource[] = []) {
    this.list = [];
    this.appendAll({ list });
  }

  append(resource: Resource): void {
    const { id } = resource;
    if (this.list.some(other => sameId(id, other.id)))
      throw new BuildError(`may not add resource with an already registered id: ${idText(id)}`);
    this.list.push(resource);
  }

  appendAll(other: { readonly list: readonly Resource[] }): void {
    // Ids are worked out once for the whole list: it may hold thousands.
    const seen = new Set(this.list.map(resource => idKey(resource.id)));
    for (const resource of other.list) {
      const { id } = resource;
      const key = idKey(id);
      if (seen.has(key))
        throw new BuildError(`may not add resource with an already registered id: ${idText(id)}`);
      seen.add(key);
      this.list.push(resource);
    }
  }

  byAnyId(fits: (id: ResId) => boolean): Resource[] {
    return this.list.filter(
      resource => !resource.gone && (fits(resource.id) || resource.previousIds.some(fits)),
    );
  }

  byCurrentId(id: ResId): Resource[] {
    return this.list.filter(resource => sameId(id, resource.id));
  }

  /** The one resource that has or had the id. */
  one(id: ResId): Resource {
    const found = this.byAnyId(other => sameId(id, other));
    if (found.length === 1) return found[0]!;
    const what = found.length > 1 ? 'multiple matches' : 'no matches';
    throw new BuildError(
      `${what} for Id ${idText(id)}; failed to find unique target for patch ${idText(id)}`,
    );
  }

  select(selector: Selector): Resource[] {
    return this.list.filter(resource => selector.fits(resource));
  }

  /** Source: reswrangler.go (ApplySmPatch). */
  applyStrategicPatch(selected: readonly Resource[], patch: Resource): void {
    const ids = new Set(selected.map(({ id }) => idKey(id)));
    const kept: Resource[] = [];
    for (const resource of this.list) {
      if (ids.has(idKey(resource.id))) {
        const copy = patch.copy();
        copy.mergeMetadataFrom(patch);
        const { gvk } = resource;
        copy.setApiVersion(apiVersionOf(gvk));
        copy.setKind(patch.gvk.kind);
        resource.applyStrategicPatch(copy);
      }
      if (!resource.gone) kept.push(resource);
    }
    const list = new ResMap();
    list.appendAll({ list: kept });
    this.list = list.list;
  }

  /** Source: reswrangler.go (appendReplaceOrMerge). */
  absorb(resource: Resource): void {
    const { id } = resource;
    const matches = this.byAnyId(other => sameId(id, other));
    const { behavior } = resource;
    const isMerge = behavior === 'merge';
    if (matches.length === 0) {
      if (isMerge || behavior === 'replace')
        throw new BuildError(`id ${goId(id)} does not exist; cannot merge or replace`);
      this.append(resource);
      return;
    }
    if (matches.length > 1)
      throw new BuildError(
        `found multiple objects ${matches.map(one => idText(one.id)).join(' ')} that could accept merge of ${idText(id)}`,
      );
    const [old] = matches as [Resource];
    if (!isMerge && behavior !== 'replace')
      throw new BuildError(`id ${goId(id)} exists; behavior must be merge or replace`);
    const origin = old.annotations.get(ORIGIN);
    resource.mergeMetadataFrom(old);
    if (isMerge) {
      for (const name of ['data', 'binaryData'] as const) {
        const data = mergedData(old.node, resource.node, name);
        clearField(resource.node, name);
        if (data.size === 0) continue;
        for (const [key, value] of data) {
          const map = lookup(resource.node, [name], 'map')!;
          setField(map, key, value, isNonString);
        }
      }
      if (origin !== undefined) resource.annotate(ORIGIN, origin);
    }
    const at = this.list.findIndex(one => sameId(resource.id, one.id));
    if (at !== this.list.indexOf(old)) throw new BuildError('unexpected target index in replacement');
    this.list[at] = resource;
  }

  /** What a resource can mean by a name: what is in its namespace, or in none. */
  referencedBy(referrer: Resource): Resource[] {
    const { id } = referrer;
    if (id.clusterScoped) return this.list;
    const more = accountNamespaces(referrer);
    return this.list.filter(target => {
      const other = target.id;
      return other.clusterScoped || sameNamespace(other, id) || more.has(target.namespace);
    });
  }

  dropGone(): void {
    this.list = this.list.filter(resource => !resource.gone);
  }
}

/** A RoleBinding names accounts of other namespaces. Source: reswrangler.go (getNamespacesForRoleBinding). */
function accountNamespaces(referrer: Resource): Set<string> {
  const namespaces = new Set<string>();
  if (referrer.gvk.kind !== 'RoleBinding') return namespaces;
  const subjects = field(referrer.node, 'subjects');
  if (subjects?.kind !== 'list') return namespaces;
  for (const subject of subjects.content) {
    const namespace = field(subject, 'namespace');
    if (namespace === undefined || field(subject, 'kind')?.value !== 'ServiceAccount') continue;
    if (namespace.tag === STR || namespace.tag === '') namespaces.add(namespace.value);
    else throw new BuildError(`Invalid Input: namespace is blank for resource "${idText(referrer.id)}"`);
  }
  return namespaces;
}

export function idKey(id: ResId): string {
  return `${id.group}|${id.version}|${id.kind}|${id.name}|${effectiveNamespace(id)}`;
}

/** Go's %#v of an id. */
function goId(id: ResId): string {
  const q = JSON.stringify;
  return `resid.ResId{Gvk:resid.Gvk{Group:${q(id.group)}, Version:${q(id.version)}, Kind:${q(id.kind)}, isClusterScoped:${id.clusterScoped}}, Name:${q(id.name)}, Namespace:${q(id.namespace)}}`;
}
