/** Values copied from one resource's field into others'. Source: api/filters/replacement/replacement.go. */
import { idText, isSelectedBy, type ResId } from './ids.ts';
import type { FieldOptions, ReplacementArgs } from './kustomization.ts';
import {
  BuildError,
  elementsOf,
  expectKind,
  field,
  get,
  indexNameValue,
  isListIndex,
  isNilOrEmpty,
  isNumber,
  type Kind,
  kindOfPart,
  lookup,
  Node,
  prefixed,
  scalar,
  setField,
  splitFieldPath,
  textOf,
} from './node.ts';
import type { Resource } from './resource.ts';
import { isNonString, tagOf } from './scalars.ts';
import { Requirements, regex, type SelectorFields } from './selector.ts';
import type { Place } from './source.ts';

const DEFAULT_PATH = 'metadata.name';

type Targets = NonNullable<ReplacementArgs['targets']>;

export function applyReplacement(
  resources: readonly Resource[],
  replacement: ReplacementArgs,
  at: Place | undefined,
): void {
  const { source, sourceValue, targets } = replacement;
  if ((source === undefined && sourceValue === undefined) || targets === undefined)
    throw new BuildError('replacements must specify a source and at least one target');
  if (source !== undefined && sourceValue !== undefined)
    throw new BuildError('value and resource selectors are mutually exclusive');
  const value = source === undefined ? scalar(sourceValue!, at) : sourceNode(resources, source);
  for (const target of targets) applyTarget(resources, value, target);
}

function idOf(selector: SelectorFields) {
  const { group = '', version = '', kind = '', name = '', namespace = '' } = selector;
  return { group, version, kind, name, namespace };
}

/** What a resource is and was called. Source: api/internal/utils/makeResIds.go. */
function idsOf(resource: Resource): ResId[] {
  return [{ ...resource.id, clusterScoped: false }, ...resource.previousIds];
}

function showSource(source: NonNullable<ReplacementArgs['source']>): string {
  const { fieldPath = '', options } = source;
  const parts = [idText(idOf(source))];
  if (fieldPath !== '') parts.push(fieldPath);
  const { delimiter = '', index = 0, create = false } = options ?? {};
  if (delimiter !== '' || create) parts.push(`${delimiter}(${index}), create=${create}`);
  return parts.join(':');
}

function sourceNode(resources: readonly Resource[], source: NonNullable<ReplacementArgs['source']>): Node {
  const selector = idOf(source);
  const matches = resources.filter(resource => idsOf(resource).some(id => isSelectedBy(id, selector)));
  if (matches.length > 1) throw new BuildError(`multiple matches for selector ${showSource(source)}`);
  if (matches.length === 0) throw new BuildError(`nothing selected by ${showSource(source)}`);
  const path = source.fieldPath || DEFAULT_PATH;
  let node: Node | undefined;
  try {
    node = lookup(matches[0]!.node, splitFieldPath(path));
  } catch (error) {
    throw prefixed(error, 'error looking up replacement source');
  }
  if (isNilOrEmpty(node))
    throw new BuildError(`fieldPath \`${path}\` is missing for replacement source ${idText(selector)}`);
  return refined(node!, source.options);
}

function refined(node: Node, options: FieldOptions | undefined): Node {
  const { delimiter = '', index = 0 } = options ?? {};
  if (delimiter === '') return node;
  if (node.kind !== 'scalar') throw new BuildError('delimiter option can only be used with scalar nodes');
  const parts = textOf(node).split(delimiter);
  if (index < 0 || index >= parts.length)
    throw new BuildError(`options.index ${index} is out of bounds for value ${textOf(node)}`);
  const copy = node.copy();
  copy.value = parts[index]!;
  return copy;
}

function applyTarget(resources: readonly Resource[], value: Node, target: Targets[number]): void {
  const { select, reject = [] } = target;
  if (select === undefined) throw new BuildError('target must specify resources to select');
  const paths =
    target.fieldPaths === undefined || target.fieldPaths.length === 0 ? [DEFAULT_PATH] : target.fieldPaths;
  const fits = labelFilter(select);
  const rejected = reject
    .filter(one => (one.annotationSelector ?? '') !== '' || (one.labelSelector ?? '') !== '')
    .map(labelFilter);
  const rejectedIds = reject.map(idOf).filter(id => Object.values(id).some(word => word !== ''));
  const wanted = idOf(select);
  for (const resource of resources) {
    if (!fits(resource) || rejected.some(one => one(resource))) continue;
    const ids = idsOf(resource);
    if (!ids.some(id => isSelectedBy(id, wanted))) continue;
    if (rejectedIds.some(one => ids.some(id => isSelectedBy(id, one)))) continue;
    for (const path of paths) copyValue(resource.node!, value, path, target.options);
  }
}

function labelFilter(selector: SelectorFields): (resource: Resource) => boolean {
  const annotations = new Requirements(selector.annotationSelector ?? '');
  const labels = new Requirements(selector.labelSelector ?? '');
  return resource => annotations.fit(resource.annotations) && labels.fit(resource.labels);
}

function copyValue(target: Node, value: Node, path: string, options: FieldOptions | undefined): void {
  const create: Kind = options?.create === true ? value.kind : '';
  const failed = `unable to find${create === '' ? '' : ' or create'} field ${JSON.stringify(path)} in replacement target`;
  let found: readonly Node[];
  try {
    found = matchPath(target, splitFieldPath(path), create) ?? [];
  } catch (error) {
    throw prefixed(error, failed);
  }
  if (found.length === 0) throw new BuildError(failed);
  for (const node of found) setValue(node, value, options);
}

function setValue(target: Node, given: Node, options: FieldOptions | undefined): void {
  const value = given.copy();
  const { delimiter = '', index = 0 } = options ?? {};
  if (delimiter !== '') {
    if (target.kind !== 'scalar') throw new BuildError('delimiter option can only be used with scalar nodes');
    const parts = target.value.split(delimiter);
    const text = textOf(value);
    if (index < 0) parts.unshift(text);
    else if (index >= parts.length) parts.push(text);
    else parts[index] = text;
    value.value = parts.join(delimiter);
  }
  if (target.kind === 'scalar') {
    target.value = value.value;
    target.at = value.at ?? target.at;
  } else target.become(value);
}

/** Nodes that a path with wildcards and conditions leads to. Source: kyaml/yaml/match.go (PathMatcher). */
function matchPath(node: Node, path: readonly string[], create: Kind): Node[] | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return [node];
  if (isNumber(part)) return matchIndex(node, Number(part), part, rest, create);
  if (isListIndex(part)) return matchList(node, part, rest, create, true);
  if (part === '*') {
    const found: Node[] = [];
    for (const element of elementsOf(node)) found.push(...(matchPath(element, rest, create) ?? []));
    return found.length === 0 ? undefined : found;
  }
  let found = get(node, part);
  if (found === undefined) {
    if (create === '') return undefined;
    found = new Node(kindOfPart(rest[0] ?? '', create));
    setField(node, part, found, isNonString);
  }
  return matchPath(found, rest, create);
}

function matchIndex(
  node: Node,
  index: number,
  part: string,
  rest: readonly string[],
  create: Kind,
): Node[] | undefined {
  const elements = elementsOf(node);
  if (elements.length === index && create !== '') {
    expectKind(node, 'list');
    node.content.push(new Node(kindOfPart(rest[0] ?? '', create)));
  }
  if (node.content.length < Number(part) + 1)
    throw new BuildError(`index ${index} specified but only ${node.content.length} elements found`);
  return matchPath(node.content[index]!, rest, create);
}

function matchList(
  node: Node,
  part: string,
  rest: readonly string[],
  create: Kind,
  first: boolean,
): Node[] | undefined {
  const [name, pattern] = indexNameValue(part);
  const fits = regex(pattern);
  const found: Node[] = [];
  for (const element of elementsOf(node)) {
    const tested = name === '' ? element : field(element, name);
    if (tested === undefined || !fits(written(tested))) continue;
    if (name === '') found.push(element);
    else found.push(...(matchPath(element, rest, create) ?? []));
  }
  if (found.length > 0 || create === '') return found.length === 0 ? undefined : found;
  if (!first) return undefined;
  const value = scalar(pattern);
  const element = name === '' ? value : new Node('map');
  if (name !== '') element.content.push(new Node('scalar', '', name), value);
  expectKind(node, 'list');
  node.content.push(element);
  return matchList(node, part, rest, create, false);
}

/** The text as YAML would have it: a condition sees the quotes. */
function written(node: Node): string {
  if (node.kind !== 'scalar') return '';
  const { value, style, tag } = node;
  if (style === 'double') return JSON.stringify(value);
  if (style === 'single') return `'${value.replaceAll("'", "''")}'`;
  if (tag === '!!str' && tagOf(value) !== '!!str') return JSON.stringify(value);
  return value.trim();
}
