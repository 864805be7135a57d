/**
 * Strategic merge, as kyaml does it: mappings field by field, lists by the keys that the type's schema states, lists
 * without one replaced; `$patch` directives. Source: kyaml/yaml/merge2, kyaml/yaml/walk.
 */
import {
  BuildError,
  clearField,
  elementsOf,
  expectKind,
  field,
  isEmptyMap,
  isMissing,
  isNilOrEmpty,
  type Kind,
  keyOf,
  matchElement,
  Node,
  NULL,
  type Style,
  scalar,
  setElement,
  setField,
} from './node.ts';
import { isNonString, MAX_DEPTH } from './scalars.ts';
import type { Schema, Schemas } from './schemas.ts';

type Maybe = Node | undefined;

/** @returns the merged node, most often `destination` itself; undefined where the patch deletes it */
export function mergeInto(destination: Node, patch: Maybe, schemas: Schemas): Maybe {
  return walk([destination, patch], undefined, schemas, 0);
}

/** Destination and patch. */
type Pair = [Maybe, Maybe];

function walk(pair: Pair, given: Schema | undefined, schemas: Schemas, depth: number): Maybe {
  if (depth > MAX_DEPTH) throw new BuildError(`more than ${MAX_DEPTH} mappings and lists inside each other`);
  const schema = given ?? schemaOf(pair, schemas);
  const kind = kindOf(pair);
  switch (kind) {
    case 'map':
      expectAll(pair, 'map');
      return walkMap(pair, schema, schemas, depth);
    case 'list':
      expectAll(pair, 'list');
      return schema?.strategy.split(',').includes('merge')
        ? walkList(pair, schema, schemas, depth)
        : (pair[1] ?? pair[0]);
    case 'scalar':
      expectAll(pair, 'scalar');
      restate(pair);
      return pair[1] ?? pair[0];
    case '':
      return walkMap(pair, schema, schemas, depth);
    case 'alias':
      return undefined;
  }
}

/** A patch that says again what is there changes nothing: the place stays the base's. */
function restate([destination, patch]: Pair): void {
  if (destination !== undefined && patch?.value === destination.value && patch.tag === destination.tag)
    patch.at = destination.at;
}

function kindOf(pair: Pair): Kind {
  for (const node of pair) if (!isMissing(node)) return node!.kind;
  return '';
}

function expectAll(pair: Pair, kind: Kind): void {
  for (const node of pair) expectKind(node, kind);
}

function schemaOf(pair: Pair, schemas: Schemas): Schema | undefined {
  for (const node of pair) {
    if (isMissing(node)) continue;
    const kind = field(node, 'kind');
    const apiVersion = field(node, 'apiVersion');
    if (isNilOrEmpty(kind) || isNilOrEmpty(apiVersion)) continue;
    const schema = schemas.of(apiVersion!.value, kind!.value);
    if (schema !== undefined) return schema;
  }
  return undefined;
}

type Directive = 'merge' | 'replace' | 'delete';

/** What `$patch` says; it is taken out of the patch. */
function directiveOf(patch: Maybe): Directive {
  if (patch === undefined) return 'merge';
  if (patch.kind === 'list') return listDirective(patch);
  if (patch.kind !== 'map')
    throw new BuildError(
      `no implemented strategic merge patch strategy for '${patch.tag}' ('${patch.value}')`,
    );
  const directive = field(patch, '$patch');
  if (isMissing(directive)) return 'merge';
  const { value } = directive!;
  expectDirective(value);
  clearField(patch, '$patch');
  return value;
}

function expectDirective(value: string): asserts value is Directive {
  if (value !== 'delete' && value !== 'replace' && value !== 'merge')
    throw new BuildError(`unknown patch strategy '${value}'`);
}

function listDirective(patch: Node): Directive {
  const element = patch.content.find(one => one.kind === 'map' && field(one, '$patch') !== undefined);
  if (element === undefined || element.content.length > 2) return 'merge';
  const { value } = field(element, '$patch')!;
  expectDirective(value);
  setElement(patch, undefined, ['$patch'], [value]);
  return value;
}

function copyStyle([destination, patch]: Pair): void {
  if (
    destination !== undefined &&
    patch !== undefined &&
    destination.kind !== 'scalar' &&
    destination.content.length === 0
  )
    destination.style = patch.style;
}

/** What is gone on with: what the patch is merged into, or what takes its place. */
function directed(destination: Maybe, patch: Maybe): Maybe {
  if (patch?.tag === NULL) return undefined;
  switch (directiveOf(patch)) {
    case 'delete':
      return undefined;
    case 'replace':
      return patch;
    case 'merge':
      return destination;
  }
}

function visitMap(pair: Pair): Maybe {
  copyStyle(pair);
  const [destination, patch] = pair;
  if (isMissing(destination)) {
    let directive: Directive | undefined;
    try {
      directive = directiveOf(patch);
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
    }
    if (directive === 'delete') return undefined;
    if (patch === undefined && destination !== undefined && destination.value !== '') {
      const kept = new Node('scalar', NULL, destination.value);
      kept.keep = true;
      kept.at = destination.at;
      return kept;
    }
    return patch;
  }
  return directed(destination, patch);
}

function walkMap(pair: Pair, schema: Schema | undefined, schemas: Schemas, depth: number): Maybe {
  const target = visitMap(pair);
  pair[0] = target;
  if (target === undefined) return undefined;
  for (const name of fieldNames(pair)) {
    const values: Pair = [field(pair[0], name), field(pair[1], name)];
    const styles = new Map<Maybe, Style>();
    for (const [i, node] of pair.entries()) {
      const key = keyOf(node, name);
      if (key !== undefined) styles.set(values[i], key.style);
    }
    const value = walk(values, schema?.field(name), schemas, depth + 1);
    const known = field(target, name);
    if (value !== undefined && value === known) {
      if (value.tag !== NULL || value.keep) continue;
      clearField(target, name);
      continue;
    }
    const key = keyOf(pair[1], name);
    setField(target, name, value, isNonString, styles.get(value) ?? '');
    const added = keyOf(target, name);
    if (known === undefined && added !== undefined) added.at = key?.at ?? value?.at;
  }
  return target;
}

function fieldNames(pair: Pair): string[] {
  const names = new Set<string>();
  for (const node of pair)
    if (node?.kind === 'map')
      for (let i = 0; i + 1 < node.content.length; i += 2) names.add(node.content[i]!.value);
  return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function visitList(pair: Pair): Maybe {
  copyStyle(pair);
  const [destination, patch] = pair;
  if (isMissing(destination)) return patch;
  return directed(destination, patch);
}

function walkList(pair: Pair, schema: Schema, schemas: Schemas, depth: number): Maybe {
  const destination = visitList(pair);
  pair[0] = destination;
  if (destination === undefined) return undefined;
  const keys = schema.keys;
  const byKeys = keys.length > 0;
  const values = byKeys ? elementValues(pair, keys) : primitiveValues(pair);
  return setElements(pair, values, byKeys ? keys : [''], destination, schema, schemas, depth);
}

/** What the elements have under the keys: the patch's first, then those of the destination that are not among them. */
function elementValues([destination, patch]: Pair, keys: readonly string[]): string[][] {
  const result: string[][] = [];
  const seen = new Set<string>();
  for (const source of [patch, destination]) {
    if (source === undefined) continue;
    for (const element of elementsOf(source)) {
      const values = keys.map(key => {
        const value = field(element, key);
        return isNilOrEmpty(value) ? '' : value!.value;
      });
      const id = JSON.stringify(values);
      if (values.length === 0 || seen.has(id)) continue;
      seen.add(id);
      result.push(values);
    }
  }
  return result;
}

function primitiveValues([destination, patch]: Pair): string[][] {
  const seen = new Set<string>();
  for (const source of [patch, destination])
    for (const element of source?.content ?? []) seen.add(element.value);
  return [...seen].map(value => [value]);
}

/** Values that agree where both state something are of one element. */
function mergeValues(list: string[][]): string[][] {
  for (let i = 0; i < list.length; i++)
    for (let j = 0; j < list.length; j++) {
      const merged = agree(list[i]!, list[j]!);
      if (merged === undefined) continue;
      list[i] = merged;
      list[j] = merged;
    }
  return list;
}

function agree(a: readonly string[], b: readonly string[]): string[] | undefined {
  if (a.length !== b.length) return undefined;
  let common = false;
  const result: string[] = [];
  for (const [i, value] of a.entries()) {
    if (value === b[i]) {
      common = true;
      result.push(value);
    } else if (value !== '' && b[i] !== '') return undefined;
    else result.push(value === '' ? b[i]! : value);
  }
  return common ? result : undefined;
}

/** The keys that any of the values state; all of them where none is stated. */
function validKeys(
  list: readonly (readonly string[])[],
  values: readonly string[],
  keys: readonly string[],
): readonly [readonly string[], readonly string[]] {
  const stated = new Set<string>();
  for (const one of list)
    one.forEach((value, i) => {
      if (value !== '') stated.add(keys[i]!);
    });
  if (stated.size === 0) return [keys, values];
  return [
    keys.filter(key => stated.has(key)),
    values.filter((value, i) => value !== '' || stated.has(keys[i]!)),
  ];
}

function setElements(
  pair: Pair,
  list: string[][],
  keys: readonly string[],
  destination: Node,
  schema: Schema,
  schemas: Schemas,
  depth: number,
): Maybe {
  const added = new Node('list');
  const below = schema.elements();
  const merged = keys.length > 1 ? mergeValues(list) : list;
  let usedKeys: readonly string[] = [];
  for (const values of merged) {
    if (values.length === 0) continue;
    const [valid, validValues] = validKeys(merged, values, keys);
    usedKeys = valid;
    const [own, ownValues] = validKeys([validValues], validValues, valid);
    const sources: Pair = [
      pair[0]?.kind === 'list' ? matchElement(pair[0], own, ownValues) : undefined,
      pair[1]?.kind === 'list' ? matchElement(pair[1], own, ownValues) : undefined,
    ];
    const value = walk(sources, below, schemas, depth + 1);
    let skip = false;
    for (const [i, key] of valid.entries()) {
      if (isMissing(value) || isEmptyMap(value)) {
        setElement(destination, undefined, valid, validValues);
        skip = true;
      } else if (key !== '' && field(value, key) === undefined && validValues[i] !== '')
        setField(value!, key, scalar(validValues[i]!), isNonString);
    }
    if (!skip) setElement(added, value, valid, validValues);
  }
  if (merged.length === 0) return isMissing(destination) ? undefined : destination;
  const result = appendElements(added, destination, usedKeys);
  result.at = destination.at;
  return result;
}

/** The destination's elements behind the patch's; those that were merged already are replaced by themselves. */
function appendElements(target: Node, source: Node, keys: readonly string[]): Node {
  for (const element of source.content) {
    if ((keys[0] ?? '') === '') {
      setElement(target, element, [''], [element.value]);
      continue;
    }
    const values: string[] = [];
    for (const key of keys) {
      const value = field(element, key);
      if (value === undefined) target.content.push(element);
      else values.push(value.value);
    }
    if (keys.length > 1) setElement(target, undefined, keys, values);
    setElement(target, element, keys, values);
  }
  return target;
}
