/**
 * Where names, labels, images and the like stand in the kinds: lists of field specs, how two of them become one, and
 * how a spec is followed. Source: api/types/fieldspec.go, api/filters/fieldspec/fieldspec.go,
 * api/internal/plugins/builtinconfig/transformerconfig.go.
 */
import { compareGvk, type Gvk, idText, isSelected, parseApiVersion, sameGvk } from './ids.ts';
import {
  BuildError,
  elementsOf,
  get,
  isMissing,
  type Kind,
  lookup,
  type Node,
  NULL,
  prefixed,
  splitPath,
} from './node.ts';
import { apiVersionText, kindOf, nameOf, namespaceOf } from './resource.ts';

export interface FieldSpec extends Gvk {
  readonly path: string;
  readonly create: boolean;
}

/** The kind whose name is meant, and the fields of others that hold it. */
export interface NameReference extends Gvk {
  readonly referrers: readonly FieldSpec[];
}

export const LISTS = [
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonLabels',
  'labels',
  'templateLabels',
  'commonAnnotations',
  'varReference',
  'images',
  'replicas',
] as const;
export type ListName = (typeof LISTS)[number];

export interface Config extends Readonly<Record<ListName, readonly FieldSpec[]>> {
  readonly nameReference: readonly NameReference[];
}

export const EMPTY_CONFIG: Config = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  commonAnnotations: [],
  varReference: [],
  images: [],
  replicas: [],
  nameReference: [],
};

export function mergeSpec(list: readonly FieldSpec[], spec: FieldSpec): readonly FieldSpec[] {
  const known = list.find(one => isSelected(one, spec) && one.path === spec.path);
  if (known === undefined) return [...list, spec];
  if (known.create !== spec.create) throw new BuildError('conflicting fieldspecs');
  return list;
}

export function mergeSpecs(list: readonly FieldSpec[], more: readonly FieldSpec[]): readonly FieldSpec[] {
  return list === more ? list : more.reduce(mergeSpec, list);
}

export function mergeReference(
  list: readonly NameReference[],
  reference: NameReference,
): readonly NameReference[] {
  if (!list.some(one => sameGvk(one, reference))) return [...list, reference];
  return list.map(one =>
    sameGvk(one, reference) ? { ...one, referrers: mergeSpecs(one.referrers, reference.referrers) } : one,
  );
}

export function sorted(config: Config): Config {
  return Object.fromEntries(
    Object.entries(config).map(([name, list]) => [name, [...list].sort(compareGvk)]),
  ) as unknown as Config;
}

/**
 * Most configurations are the built-in one, which then need not be compared with itself. A merge into nothing is none
 * either only for that one: merging may drop what a list of one's own, sorted, says twice.
 */
export function mergeConfigs(config: Config, more: Config, builtIn?: Config): Config {
  if (config === more || more === EMPTY_CONFIG) return config;
  if (config === EMPTY_CONFIG && more === builtIn) return more;
  const merged: Record<string, unknown> = {
    nameReference: more.nameReference.reduce(mergeReference, config.nameReference),
  };
  for (const name of LISTS)
    try {
      merged[name] = mergeSpecs(config[name], more[name]);
    } catch (error) {
      throw prefixed(error, `failed to merge ${name[0]!.toUpperCase()}${name.slice(1)} fieldSpec`);
    }
  return sorted(merged as unknown as Config);
}

export interface Setting {
  readonly set: (node: Node) => void;
  /** The kind of a field that is made where the spec says so; none without it. */
  readonly create?: Kind;
  readonly createTag?: string;
}

/** Finds the fields that a spec means in an object, and sets them. */
export function applySpec(object: Node, spec: FieldSpec, setting: Setting): void {
  const kind = kindOf(object);
  if (spec.kind !== '' && spec.kind !== kind) return;
  const { group, version } = parseApiVersion(apiVersionText(object));
  if (spec.group !== '' && spec.group !== group) return;
  if (spec.version !== '' && spec.version !== version) return;
  try {
    follow(object, splitPath(spec.path, '/'), 0, spec, setting);
  } catch (error) {
    const id = idText({ group, version, kind, name: nameOf(object), namespace: namespaceOf(object) });
    throw prefixed(error, `considering field '${spec.path}' of object ${id}`);
  }
}

function follow(node: Node, path: readonly string[], depth: number, spec: FieldSpec, setting: Setting): void {
  if (depth === path.length) {
    setting.set(node);
    return;
  }
  if (isMissing(node)) return;
  switch (node.kind) {
    case 'list':
      for (const element of elementsOf(node)) follow(element, path, depth, spec, setting);
      return;
    case 'map':
      followMap(node, path, depth, spec, setting);
      return;
    default:
      throw new BuildError('expected sequence or mapping node');
  }
}

function followMap(
  node: Node,
  path: readonly string[],
  depth: number,
  spec: FieldSpec,
  setting: Setting,
): void {
  const part = path[depth]!;
  const isList = part.endsWith('[]');
  const name = isList ? part.slice(0, -2) : part;
  if (name === '') throw new BuildError('cannot set or create an empty field name');
  const isLast = depth === path.length - 1;
  const { create = '' } = setting;
  const kind: Kind =
    !spec.create || create === '' || isList ? (isList ? 'list' : '') : isLast ? create : 'map';
  // An index or a dash in a path means an element, as everywhere.
  const found =
    !spec.create || create === '' || isList
      ? lookupField(node, name)
      : lookup(node, [name], isLast ? create : 'map');
  if (found === undefined) return;
  if (found.tag === NULL && kind !== '') {
    found.kind = kind;
    found.tag = kind === 'list' ? '' : isLast ? (setting.createTag ?? '') : '!!map';
    if (kind !== 'scalar') found.value = '';
  }
  follow(found, path, depth + 1, spec, setting);
}

function lookupField(node: Node, name: string): Node | undefined {
  return /^[-+]?[0-9]+$|^[-*]$|^\[.*\]$/.test(name.trim()) ? lookup(node, [name]) : get(node, name.trim());
}
