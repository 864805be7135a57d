/** What a kustomization does to resources, one function each. Source: api/internal/builtins, api/filters. */
import { applySpec, type FieldSpec, mergeSpec, mergeSpecs } from './field-specs.ts';
import { apiVersionOf, compareText, type Gvk, gvkText, isSelected, ranks, sameGvk, sortText } from './ids.ts';
import type { ImageArgs, SortOptions } from './kustomization.ts';
import {
  BuildError,
  field,
  fieldsOf,
  INT,
  isMissing,
  isNilOrEmpty,
  lookup,
  Node,
  NodeKindError,
  prefixed,
  STR,
  scalar,
  setField,
  textOf,
} from './node.ts';
import { idKey, type ResMap, type Resource } from './resource.ts';
import { isNonString } from './scalars.ts';
import { regex } from './selector.ts';
import type { Place } from './source.ts';

/** Sets entries of mappings: labels, annotations. @param placeOf where each is stated */
export function setEntries(
  map: ResMap,
  entries: Readonly<Record<string, string>>,
  specs: readonly FieldSpec[],
  placeOf: (key: string) => Place | undefined,
): void {
  const keys = Object.keys(entries).sort(compareText);
  for (const resource of map.list)
    for (const key of keys) {
      // One node for all places of a resource, as Kustomize has it: a later change of one changes them all.
      const value = new Node('scalar', STR, entries[key]!);
      value.at = placeOf(key);
      for (const spec of specs)
        applySpec(resource.node!, spec, {
          set: node => {
            setField(node, key, value, isNonString);
          },
          create: 'map',
          createTag: '!!map',
        });
    }
}

const SKIPPED: readonly Gvk[] = [
  { group: '', version: '', kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', version: '', kind: 'APIService' },
  { group: '', version: '', kind: 'Namespace' },
];

export function addAffix(
  map: ResMap,
  affix: string,
  where: 'prefix' | 'suffix',
  specs: readonly FieldSpec[],
  at: Place | undefined,
): void {
  for (const resource of map.list) {
    const id = resource.originalId;
    if (SKIPPED.some(gvk => isSelected(id, gvk))) continue;
    for (const spec of specs) {
      if (!isSelected(id, spec)) continue;
      if (spec.path === 'metadata/name') {
        if (where === 'prefix') resource.addPrefix(affix);
        else resource.addSuffix(affix);
        if (affix !== '') resource.storePreviousId();
      }
      applySpec(resource.node!, spec, {
        set: node => {
          const name = where === 'prefix' ? affix + node.value : node.value + affix;
          setField(node, '', scalar(name, node.at ?? at), isNonString);
        },
        create: 'scalar',
        createTag: STR,
      });
    }
  }
}

export interface NamespaceOptions {
  readonly namespace: string;
  readonly specs: readonly FieldSpec[];
  readonly unsetOnly: boolean;
  /** Which subjects of bindings are moved along. */
  readonly subjects: string;
  readonly at: Place | undefined;
}

const SUBJECT_MODES = ['allServiceAccounts', 'defaultOnly', 'none'];

export function checkSubjectMode(mode: string): string {
  if (mode === '') return 'defaultOnly';
  if (!SUBJECT_MODES.includes(mode))
    throw new BuildError(
      `invalid value ${JSON.stringify(mode)} for setRoleBindingSubjects: must be one of "defaultOnly", "none" or "allServiceAccounts"`,
    );
  return mode;
}

/** Source: builtins/NamespaceTransformer.go, filters/namespace/namespace.go. */
export function setNamespaces(map: ResMap, options: NamespaceOptions): void {
  if (options.namespace === '') return;
  // How many have each id, kept up to date: asking all of them for each of them would take minutes for thousands.
  const having = new Map<string, number>();
  const count = (key: string, by: number): number => {
    const now = (having.get(key) ?? 0) + by;
    having.set(key, now);
    return now;
  };
  for (const resource of map.list) count(idKey(resource.id), 1);
  for (const resource of map.list) {
    if (resource.gone) continue;
    count(idKey(resource.id), -1);
    resource.storePreviousId();
    setNamespace(resource, options);
    if (count(idKey(resource.id), 1) !== 1)
      throw new BuildError(
        `namespace transformation produces ID conflict: ${JSON.stringify(resource.name)} in "${options.namespace}"`,
      );
  }
}

export function setNamespace(resource: Resource, options: NamespaceOptions): void {
  const { namespace, unsetOnly, at } = options;
  const node = resource.node!;
  const set = (target: Node): void => {
    if (unsetOnly && !isNilOrEmpty(target) && target.kind === 'scalar' && textOf(target) !== '') return;
    const value = new Node('scalar', STR, namespace);
    value.at = at;
    setField(target, '', value, isNonString);
  };
  const { gvk } = resource;
  let specs = options.specs.filter(
    ({ path }) => path !== 'metadata/namespace' && (apiVersionOf(gvk) === 'v1' || path !== 'metadata/name'),
  );
  if (!resource.id.clusterScoped)
    applySpec(
      node,
      { group: '', version: '', kind: '', path: 'metadata/namespace', create: true },
      { set, create: 'scalar' },
    );
  const isBinding = (kind: string): boolean => kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
  if (isBinding(gvk.kind)) {
    specs = specs.filter(one => !(isBinding(one.kind) && one.path === 'subjects/namespace'));
    moveSubjects(node, options.subjects, set);
  }
  for (const one of specs)
    try {
      applySpec(node, one, { set, create: 'scalar', createTag: STR });
    } catch (error) {
      throw prefixed(
        error,
        error instanceof NodeKindError && error.actual !== 'scalar'
          ? 'namespace field specs must target scalar nodes'
          : 'namespace transformation failed',
      );
    }
}

function moveSubjects(binding: Node, mode: string, set: (node: Node) => void): void {
  if (mode === 'none') return;
  const subjects = lookup(binding, ['subjects']);
  if (isMissing(subjects)) return;
  if (subjects!.kind !== 'list') throw new NodeKindError('list', subjects!);
  for (const subject of subjects!.content) {
    const isMeant =
      mode === 'allServiceAccounts'
        ? textOf(field(subject, 'kind')) === 'ServiceAccount'
        : textOf(field(subject, 'name')) === 'default';
    if (isMeant) set(lookup(subject, ['namespace'], 'scalar')!);
  }
}

/** Source: builtins/ReplicaCountTransformer.go. */
export function setReplicas(
  map: ResMap,
  name: string,
  count: number,
  specs: readonly FieldSpec[],
  at: Place | undefined,
): void {
  let found = false;
  for (const spec of specs)
    for (const resource of map.byAnyId(id => id.name === name && isSelected(id, spec))) {
      found = true;
      applySpec(resource.node!, spec, {
        set: node => {
          const value = new Node('scalar', INT, String(count));
          value.at = at;
          setField(node, '', value, isNonString);
        },
        create: 'scalar',
        createTag: INT,
      });
    }
  if (!found)
    throw new BuildError(
      `resource with name ${name} does not match a config with the following GVK [${specs.map(gvkText).join(' ')}]`,
    );
}

/** Source: builtins/ImageTagTransformer.go, filters/imagetag. */
export function setImages(
  map: ResMap,
  image: ImageArgs,
  specs: readonly FieldSpec[],
  at: Place | undefined,
): void {
  const fits = imagePattern(image.name ?? '');
  const set = (node: Node | undefined): void => {
    if (isMissing(node)) {
      if (node === undefined) return;
    } else if (node!.kind !== 'scalar') throw new NodeKindError('scalar', node!);
    if (!fits(node!.value)) return;
    setField(node!, '', scalar(renamed(node!.value, image), at ?? node!.at), isNonString);
  };
  const resources = map.list.filter(({ gvk }) => gvk.kind !== 'CustomResourceDefinition');
  for (const resource of resources) inContainers(resource.node!, set);
  for (const resource of resources) for (const spec of specs) applySpec(resource.node!, spec, { set });
}

const TAG_AND_DIGEST = '(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$';

/** The name of an image is a pattern to kustomize. A usual one has no more of it than dots, and needs no RE2. */
function imagePattern(name: string): (text: string) => boolean {
  if (!/^[-A-Za-z0-9_./:]*$/.test(name)) return regex(`^${name}${TAG_AND_DIGEST}`);
  const pattern = new RegExp(`^${name.replaceAll('.', '[^\\n]')}${TAG_AND_DIGEST}`, 'u');
  return text => pattern.test(text);
}

/** Containers wherever they stand. Source: filters/imagetag/legacy.go. */
function inContainers(node: Node, set: (image: Node | undefined) => void): void {
  if (node.kind === 'list') for (const item of node.content) inContainers(item, set);
  for (const [key, value] of fieldsOf(node)) {
    inContainers(value, set);
    if ((key.value === 'containers' || key.value === 'initContainers') && value.kind === 'list')
      for (const container of value.content) {
        if (!isMissing(container) && container.kind !== 'map') throw new NodeKindError('map', container);
        set(field(container, 'image'));
      }
  }
}

function renamed(value: string, image: ImageArgs): string {
  let { name, tag, digest } = splitImage(value);
  if (image.newName) name = image.newName;
  if (image.newTag && image.digest) {
    tag = image.newTag;
    digest = image.digest;
  } else if (image.newTag) {
    tag = image.newTag;
    digest = '';
  } else if (image.digest) {
    tag = '';
    digest = image.digest;
  } else if (image.tagSuffix) {
    tag += image.tagSuffix;
    digest = '';
  }
  return `${name}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
}

/** Source: api/internal/image/image.go (Split). */
function splitImage(image: string): { name: string; tag: string; digest: string } {
  const slash = Math.max(0, image.indexOf('/'));
  const at = image.indexOf('@', slash);
  const colon = image.indexOf(':', slash);
  if (at < 0 && colon < 0) return { name: image, tag: '', digest: '' };
  if (at >= 0 && (colon < 0 || at < colon))
    return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) };
  if (at >= 0)
    return {
      name: image.slice(0, colon),
      tag: image.slice(colon + 1, at),
      digest: image.slice(at + 1),
    };
  return { name: image.slice(0, colon), tag: image.slice(colon + 1), digest: '' };
}

/** The field specs of one entry of `labels`. Source: api/internal/target/kusttarget_configplugin.go. */
export function labelSpecs(
  own: readonly FieldSpec[],
  config: {
    readonly labels: readonly FieldSpec[];
    readonly commonLabels: readonly FieldSpec[];
    readonly templateLabels: readonly FieldSpec[];
  },
  selectors: boolean,
  templates: boolean,
): readonly FieldSpec[] {
  try {
    const specs = mergeSpecs(own, config.labels);
    if (selectors) return mergeSpecs(specs, config.commonLabels);
    const withTemplates = templates ? mergeSpecs(specs, config.templateLabels) : specs;
    return mergeSpec(withTemplates, {
      group: '',
      version: '',
      kind: '',
      path: 'metadata/labels',
      create: true,
    });
  } catch (error) {
    throw prefixed(error, 'failed to merge labels');
  }
}

/** Source: builtins/SortOrderTransformer.go. */
export function sortResources(map: ResMap, options: SortOptions | undefined): void {
  const order = options === undefined ? 'legacy' : (options.order ?? '');
  if (order !== 'fifo' && order !== 'legacy')
    throw new BuildError("the field 'sortOptions.order' must be one of [fifo, legacy]");
  const legacy = options?.legacySortOptions;
  if (order === 'fifo') {
    if (legacy !== undefined)
      throw new BuildError(
        "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
      );
    return;
  }
  const rank = legacy === undefined ? ranks() : ranks(legacy.orderFirst ?? [], legacy.orderLast ?? []);
  const keyed = map.list.map(resource => {
    const { id } = resource;
    const text = `${gvkText(id)}|${id.namespace || '~X'}|${id.name || '~N'}`;
    return { resource, id, rank: rank.get(id.kind) ?? 0, gvk: sortText(id), text };
  });
  keyed.sort((a, b) => {
    if (sameGvk(a.id, b.id)) return compareText(a.text, b.text);
    if (a.rank !== b.rank) return a.rank - b.rank;
    const order = compareText(a.gvk, b.gvk);
    const isNamespace = a.id.kind === 'Namespace' && b.id.kind === 'Namespace';
    return isNamespace && (a.id.group === '' || b.id.group === '') ? -order : order;
  });
  map.list = keyed.map(({ resource }) => resource);
}

/** Source: builtins/ValueAddTransformer.go, filters/valueadd, kyaml/filesys/util.go (InsertPathPart). */
export function addValue(
  resource: Resource,
  value: string,
  path: string,
  position: number,
  at: Place | undefined,
): void {
  const fields = path.split('/').reduce<string[]>((parts, part) => {
    const last = parts.at(-1);
    if (last?.endsWith('\\') === true) parts[parts.length - 1] = `${last.slice(0, -1)}/${part}`;
    else parts.push(part);
    return parts;
  }, []);
  const node = lookup(resource.node, fields, 'scalar');
  if (node === undefined) return;
  if (!isMissing(node) && node.kind !== 'scalar') throw new NodeKindError('scalar', node);
  const text = position > 0 ? insertPart(node.value, position - 1, value) : value;
  setField(node, '', scalar(text, at ?? node.at), isNonString);
}

function insertPart(path: string, position: number, part: string): string {
  if (part === '') return path;
  const isAbsolute = path.startsWith('/');
  const parts = path.split('/').filter(one => one !== '');
  parts.splice(Math.min(Math.max(0, position), parts.length), 0, part);
  return (isAbsolute ? '/' : '') + parts.join('/');
}
