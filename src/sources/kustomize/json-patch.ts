/**
 * JSON patches (RFC 6902) on nodes, so that what a patch brings keeps its place.
 * Source: github.com/evanphx/json-patch v4 (patch.go), api/filters/patchjson6902.
 */
import { isDeepStrictEqual } from 'node:util';
import { BuildError, field, fieldsOf, Node, NULL, prefixed } from './node.ts';
import { plainData, readValueOf } from './plain.ts';
import { fromJson, type Json, throughJson, toJson } from './scalars.ts';
import type { Source } from './source.ts';

interface Operation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  /** Undefined where none is stated, or null. */
  readonly value: Node | undefined;
}

export type JsonPatch = readonly Operation[];

/** @throws BuildError for a text that is no patch */
export function readJsonPatch(source: Source): JsonPatch {
  const { text } = source;
  if (text.startsWith('['))
    try {
      JSON.parse(text);
    } catch (error) {
      throw new BuildError(error instanceof Error ? error.message : String(error));
    }
  const node = readValueOf(source);
  if (node === undefined || node.tag === NULL) return [];
  if (node.kind !== 'list') throw notAPatch(wordOf(node), 'jsonpatch.Patch');
  return node.content.map(operation => {
    if (operation.kind !== 'map') throw notAPatch(wordOf(operation), 'jsonpatch.Operation');
    const value = field(operation, 'value');
    return {
      op: textOf(operation, 'op') ?? 'unknown',
      path: textOf(operation, 'path'),
      from: textOf(operation, 'from'),
      value: value === undefined ? undefined : asNode(value),
    };
  });
}

function notAPatch(word: string, type: string): BuildError {
  return new BuildError(`json: cannot unmarshal ${word} into Go value of type ${type}`);
}

function wordOf(node: Node): string {
  if (node.kind === 'map') return 'object';
  if (node.kind === 'list') return 'array';
  const value = plainData(node);
  return typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : 'number';
}

function textOf(operation: Node, name: string): string | undefined {
  const node = field(operation, name);
  const value = node === undefined ? undefined : plainData(node);
  return typeof value === 'string' ? value : undefined;
}

/** The patch's value in the dialect of patches, with its places. */
function asNode(node: Node): Node {
  if (node.kind === 'map') {
    const result = fromJson({}, node.at);
    const values = new Map<string, readonly [Node, Node]>();
    for (const [key, value] of fieldsOf(node)) values.set(key.value, [key, value]);
    for (const [key, value] of values.values()) {
      const name = fromJson(Object.keys(plainData(pair(key)) as object)[0] ?? key.value, key.at);
      result.content.push(name, asNode(value));
    }
    return result;
  }
  if (node.kind === 'list') {
    const result = fromJson([], node.at);
    result.content.push(...node.content.map(asNode));
    return result;
  }
  return fromJson(plainData(node), node.at);
}

/** A mapping of one key, to ask what the key is. */
function pair(key: Node): Node {
  const node = new Node('map');
  node.content.push(key, new Node('scalar', NULL));
  return node;
}

/** Applies the operations, one after the other, to a node that becomes what it is in JSON. */
export function applyJsonPatch(root: Node, patch: JsonPatch): void {
  throughJson(root);
  for (const operation of patch) apply(root, operation);
  throughJson(root);
}

const MISSING = 'missing value';
const INVALID = 'invalid index referenced';
const FAILED = 'test failed';

/** A mapping or a list, with the key of a place in it. */
interface Found {
  readonly parent: Node;
  readonly key: string;
}

function find(root: Node, path: string): Found | undefined {
  const parts = path.split('/');
  if (parts.length < 2) return undefined;
  let node = root;
  for (const part of parts.slice(1, -1)) {
    let next: Node | undefined;
    try {
      next = getAt(node, decode(part));
    } catch (error) {
      if (error instanceof BuildError) return undefined;
      throw error;
    }
    if (next === undefined || next.tag === NULL || (next.kind !== 'map' && next.kind !== 'list'))
      return undefined;
    node = next;
  }
  return { parent: node, key: decode(parts.at(-1)!) };
}

function decode(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

function indexOf(key: string): number {
  if (!/^[-+]?[0-9]+$/.test(key))
    throw new BuildError(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  return Number(key);
}

function checked(index: number, size: number): number {
  if (index >= size || index < -size)
    throw new BuildError(`Unable to access invalid index: ${index}: ${INVALID}`);
  return index < 0 ? index + size : index;
}

function getAt(node: Node, key: string): Node | undefined {
  if (node.kind === 'list') return node.content[checked(indexOf(key), node.content.length)];
  return field(node, key);
}

function addAt({ parent, key }: Found, value: Node): void {
  if (parent.kind === 'list') {
    if (key === '-') {
      parent.content.push(value);
      return;
    }
    let index: number;
    try {
      index = indexOf(key);
    } catch (error) {
      throw prefixed(error, `value was not a proper array index: '${key}'`);
    }
    parent.content.splice(checked(index, parent.content.length + 1), 0, value);
    return;
  }
  setAt({ parent, key }, value);
}

function setAt({ parent, key }: Found, value: Node): void {
  const { content } = parent;
  if (parent.kind === 'list') {
    content[checked(indexOf(key), content.length)] = value;
    return;
  }
  for (let i = 0; i + 1 < content.length; i += 2)
    if (content[i]!.value === key) {
      content[i + 1] = value;
      return;
    }
  content.push(fromJson(key, value.at), value);
}

function removeAt({ parent, key }: Found): void {
  const { content } = parent;
  if (parent.kind === 'list') {
    content.splice(checked(indexOf(key), content.length), 1);
    return;
  }
  for (let i = 0; i + 1 < content.length; i += 2)
    if (content[i]!.value === key) {
      content.splice(i, 2);
      return;
    }
  throw new BuildError(`Unable to remove nonexistent key: ${key}: ${MISSING}`);
}

function during<T>(prefix: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw prefixed(error, prefix);
  }
}

/** A copy, so that the same value at two places, or in two resources, is two values. */
function fresh({ value }: Operation): Node {
  return value === undefined ? fromJson(null) : value.copy();
}

function apply(root: Node, operation: Operation): void {
  const { op, path, from } = operation;
  if (path === undefined && ['add', 'remove', 'replace', 'test', 'move', 'copy'].includes(op))
    throw new BuildError(`${op} operation failed to decode path: ${MISSING}`);
  const at = path ?? '';
  switch (op) {
    case 'add': {
      const found = find(root, at);
      if (found === undefined)
        throw new BuildError(`add operation does not apply: doc is missing path: "${at}": ${MISSING}`);
      during(`error in add for path: '${at}'`, () => addAt(found, fresh(operation)));
      return;
    }
    case 'remove': {
      const found = find(root, at);
      if (found === undefined)
        throw new BuildError(`remove operation does not apply: doc is missing path: "${at}": ${MISSING}`);
      during(`error in remove for path: '${at}'`, () => removeAt(found));
      return;
    }
    case 'replace':
      replace(root, at, operation);
      return;
    case 'test':
      test(root, at, operation);
      return;
    case 'move':
    case 'copy':
      if (from === undefined) throw new BuildError(`${op} operation failed to decode from: ${MISSING}`);
      transfer(root, op, from, at);
      return;
    default:
      throw new BuildError(`Unexpected kind: ${op}`);
  }
}

function replace(root: Node, path: string, operation: Operation): void {
  if (path === '') {
    const value = fresh(operation);
    if (value.kind !== 'map' && value.kind !== 'list')
      throw new BuildError('replace operation value must be object or array');
    root.become(value);
    return;
  }
  const found = find(root, path);
  if (found === undefined)
    throw new BuildError(`replace operation does not apply: doc is missing path: ${path}: ${MISSING}`);
  // Only in a list must there be something to replace.
  try {
    getAt(found.parent, found.key);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    throw new BuildError(`replace operation does not apply: doc is missing key: ${path}: ${MISSING}`);
  }
  setAt(found, fresh(operation));
}

function test(root: Node, path: string, { value }: Operation): void {
  const failed = new BuildError(`testing value ${path} failed: ${FAILED}`);
  const wanted = value === undefined || value.tag === NULL ? undefined : value;
  if (path === '') {
    if (wanted === undefined || !isDeepStrictEqual(toJson(root), toJson(wanted))) throw failed;
    return;
  }
  const found = find(root, path);
  if (found === undefined)
    throw new BuildError(`test operation does not apply: is missing path: ${path}: ${MISSING}`);
  const known = during(`error in test for path: '${path}'`, () => getAt(found.parent, found.key));
  const has = known === undefined || known.tag === NULL ? undefined : known;
  if (has === undefined || wanted === undefined) {
    if (has !== wanted) throw failed;
    return;
  }
  if (!isDeepStrictEqual(json(has), json(wanted))) throw failed;
}

function json(node: Node): Json {
  return toJson(node, false);
}

function transfer(root: Node, op: 'move' | 'copy', from: string, path: string): void {
  const source = find(root, from);
  if (source === undefined)
    throw new BuildError(`${op} operation does not apply: doc is missing from path: ${from}: ${MISSING}`);
  const where = op === 'move' ? `error in move for path: '${path}'` : `error in copy for from: '${from}'`;
  const value = during(where, () => {
    const found = getAt(source.parent, source.key);
    if (op === 'move') removeAt(source);
    return found;
  });
  const target = find(root, path);
  if (target === undefined)
    throw new BuildError(
      `${op} operation does not apply: doc is missing destination path: ${path}: ${MISSING}`,
    );
  during(op === 'move' ? where : 'error while adding value during copy', () =>
    addAt(target, value === undefined ? fromJson(null) : value.copy()),
  );
}
