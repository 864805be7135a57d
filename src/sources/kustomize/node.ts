/**
 * The trees that Kustomize works on: YAML nodes with tag, style and text, as kyaml has them. What it does with them
 * (sharing a node between two places, or copying it) shows in what it builds, so it is done the same way here.
 * Source: kyaml/yaml/rnode.go, fns.go, types.go of sigs.k8s.io/kustomize.
 */
import type { Place } from './source.ts';

export type Kind = '' | 'scalar' | 'map' | 'list' | 'alias';
export type Style = '' | 'single' | 'double' | 'literal' | 'folded' | 'flow';

export const STR = '!!str';
export const INT = '!!int';
export const FLOAT = '!!float';
export const BOOL = '!!bool';
export const NULL = '!!null';
export const MAP = '!!map';
export const SEQ = '!!seq';

/** What one build may cost: a kustomization is written by strangers, and can double what it has line by line. */
export interface BuildLimits {
  /** YAML nodes that are made, by reading and by copying. */
  readonly nodes: number;
  /** Folders that are entered; one that is used twice counts twice. */
  readonly folders: number;
  /** Milliseconds. */
  readonly time: number;
}

export const defaultBuildLimits: BuildLimits = { nodes: 4_000_000, folders: 10_000, time: 60_000 };

/** Not kubectl's: it would go on. No BuildError, since those are caught and told again on the way up. */
class OverLimitError extends Error {}

class Work {
  nodes = 0;
  readonly limits: BuildLimits;
  #folders = 0;
  readonly #end: number;

  constructor(limits: BuildLimits) {
    this.limits = limits;
    this.#end = performance.now() + limits.time;
  }

  check(): void {
    if (this.nodes > this.limits.nodes)
      throw new OverLimitError(`stopped: it makes more than ${this.limits.nodes} values`);
    if (performance.now() > this.#end) throw new OverLimitError(`stopped after ${this.limits.time} ms`);
  }

  enterFolder(): void {
    if (++this.#folders > this.limits.folders)
      throw new OverLimitError(`stopped: it enters more than ${this.limits.folders} folders`);
    this.check();
  }
}

const UNBOUNDED: BuildLimits = { nodes: Infinity, folders: Infinity, time: Infinity };

/** The build that is under way. Nodes are made everywhere, and a build never waits, so that there is only one. */
let work = new Work(UNBOUNDED);

/** To be called for each folder that a build enters. */
export const enterFolder = (): void => work.enterFolder();

/** @throws BuildError where the work, all together, goes beyond the limits */
export function withLimits<T>(limits: BuildLimits, run: () => T): T {
  const before = work;
  work = new Work(limits);
  try {
    return run();
  } catch (error) {
    throw error instanceof OverLimitError ? new BuildError(error.message) : error;
  } finally {
    work = before;
  }
}

/** A mutable node. `content` of a mapping holds keys and values by turns. */
export class Node {
  kind: Kind;
  tag: string;
  value: string;
  style: Style;
  content: Node[] = [];
  /** The tag was written out. */
  tagged = false;
  anchor = '';
  alias: Node | undefined;
  /** A null that a merge must not drop. */
  keep = false;
  /** Where the value was written. */
  at: Place | undefined;

  constructor(kind: Kind, tag = '', value = '', style: Style = '') {
    this.kind = kind;
    this.tag = tag;
    this.value = value;
    this.style = style;
    if (++work.nodes % 4096 === 0 || work.nodes > work.limits.nodes) work.check();
  }

  /** Becomes the other node: its value, not its identity. */
  become(other: Node): void {
    if (other === this) return;
    this.kind = other.kind;
    this.tag = other.tag;
    this.value = other.value;
    this.style = other.style;
    this.content = other.content.slice();
    this.tagged = other.tagged;
    this.anchor = other.anchor;
    this.alias = other.alias;
    this.at = other.at;
  }

  copy(): Node {
    const node = new Node(this.kind, this.tag, this.value, this.style);
    node.content = this.content.map(child => child.copy());
    node.tagged = this.tagged;
    node.anchor = this.anchor;
    node.alias = this.alias;
    node.keep = this.keep;
    node.at = this.at;
    return node;
  }
}

export class BuildError extends Error {
  override readonly name: string = 'BuildError';
}

/** Something that lies outside of the files, or would have to be run: neither is done. */
export class NotLocalError extends BuildError {
  override readonly name = 'NotLocalError';
}

export class NodeKindError extends BuildError {
  override readonly name = 'NodeKindError';
  readonly actual: Kind;

  constructor(expected: Kind, node: Node) {
    super(`wrong node kind: expected ${KIND_NAMES[expected]} but got ${KIND_NAMES[node.kind]}`);
    this.actual = node.kind;
  }
}

const KIND_NAMES: Readonly<Record<Kind, string>> = {
  '': '',
  scalar: 'ScalarNode',
  map: 'MappingNode',
  list: 'SequenceNode',
  alias: 'AliasNode',
};

/** Puts words in front of an error's message; what kind of error it is stays. */
export function prefixed(error: unknown, prefix: string): unknown {
  if (error instanceof BuildError) error.message = `${prefix}: ${error.message}`;
  return error;
}

export function scalar(value: string, at?: Place): Node {
  const node = new Node('scalar', '', value);
  node.at = at;
  return node;
}

/** A text that stays a text, whatever it looks like. Source: go-yaml v3 yaml.go (Node.SetString). */
export function text(value: string, at?: Place): Node {
  const node = new Node('scalar', STR, value, value.includes('\n') ? 'literal' : '');
  node.at = at;
  return node;
}

export function isMissing(node: Node | undefined): boolean {
  return node === undefined || node.tag === NULL;
}

export function isEmptyMap(node: Node | undefined): boolean {
  return isMissing(node) || (node!.kind === 'map' && node!.content.length === 0);
}

export function isNilOrEmpty(node: Node | undefined): boolean {
  if (node === undefined || node.tag === NULL) return true;
  if (node.kind === 'map' || node.kind === 'list') return node.content.length === 0;
  return node.kind === '' && node.value === '' && node.tag === '';
}

export function isText(node: Node): boolean {
  return node.kind === 'scalar' && (node.tag === STR || node.tag === '');
}

export function textOf(node: Node | undefined): string {
  return isMissing(node) ? '' : node!.value;
}

/** @throws NodeKindError for a node of another kind; what is missing or null passes */
export function expectKind(node: Node | undefined, kind: Kind): void {
  if (!isMissing(node) && node!.kind !== kind) throw new NodeKindError(kind, node!);
}

/** The value of a mapping's field; undefined for anything but a mapping. */
export function field(node: Node | undefined, name: string): Node | undefined {
  if (node?.kind !== 'map') return undefined;
  const { content } = node;
  for (let i = 0; i + 1 < content.length; i += 2) if (content[i]!.value === name) return content[i + 1];
  return undefined;
}

/** The key of a mapping's field. */
export function keyOf(node: Node | undefined, name: string): Node | undefined {
  if (node?.kind !== 'map') return undefined;
  const { content } = node;
  for (let i = 0; i + 1 < content.length; i += 2) if (content[i]!.value === name) return content[i];
  return undefined;
}

export function* fieldsOf(node: Node | undefined): Generator<readonly [Node, Node]> {
  if (node?.kind !== 'map') return;
  const { content } = node;
  for (let i = 0; i + 1 < content.length; i += 2) yield [content[i]!, content[i + 1]!];
}

/** As {@link field}, for places where anything but a mapping is a mistake. */
export function get(node: Node | undefined, name: string): Node | undefined {
  if (isMissing(node)) return undefined;
  expectKind(node, 'map');
  return field(node, name);
}

export function clearField(node: Node | undefined, name: string): Node | undefined {
  if (isMissing(node)) return undefined;
  expectKind(node, 'map');
  const { content } = node!;
  for (let i = 0; i + 1 < content.length; i += 2)
    if (content[i]!.value === name) {
      const [removed] = content.splice(i, 2).slice(1);
      return removed;
    }
  return undefined;
}

/** Does YAML 1.1 take the text for something else than a text? Set by `scalars.ts`, which knows. */
export type NonString = (value: string) => boolean;

/**
 * Sets a field, or (without a name) the scalar itself. An existing node keeps its identity and its style.
 * Source: kyaml/yaml/fns.go (FieldSetter).
 */
export function setField(
  node: Node,
  name: string,
  value: Node | undefined,
  nonString: NonString,
  keyStyle: Style = '',
): Node | undefined {
  if (value !== undefined && isText(value) && value.style === '' && nonString(value.value))
    value.style = 'double';
  if (name === '') {
    expectKind(node, 'scalar');
    if (isMissing(value)) return node;
    value!.style = node.style;
    node.become(value!);
    return node;
  }
  if (value === undefined || (value.tag === NULL && !value.keep)) return clearField(node, name);
  const known = get(node, name);
  if (known !== undefined) {
    value.style = known.style;
    known.become(value);
    return known;
  }
  const key = new Node('scalar', '', name, keyStyle);
  key.at = value.at;
  node.content.push(key, value);
  return value;
}

const INDEX = /^[+-]?[0-9]+$/;

export function isListIndex(part: string): boolean {
  return part.startsWith('[') && part.endsWith(']');
}

export function isNumber(part: string): boolean {
  return INDEX.test(part) && Number(part) >= 0;
}

export function indexNameValue(part: string): readonly [string, string] {
  const inner = part.replace(/\]$/, '').replace(/^\[/, '');
  const equal = inner.indexOf('=');
  if (equal < 0)
    throw new BuildError('list path element must contain fieldName=fieldValue for element to match');
  return [inner.slice(0, equal), inner.slice(equal + 1)];
}

export function kindOfPart(next: string, last: Kind): Kind {
  if (isListIndex(next) || isNumber(next)) return 'list';
  return next === '' ? last : 'map';
}

/**
 * Follows a path, making what is missing where `create` says of which kind the last node is to be.
 * Source: kyaml/yaml/fns.go (PathGetter).
 */
export function lookup(node: Node | undefined, path: readonly string[], create: Kind = ''): Node | undefined {
  let match = node;
  const parts = path.map(part => part.trim()).filter(part => part !== '');
  for (let i = 0; i < parts.length; i++) {
    if (match === undefined) return undefined;
    match = step(match, parts[i]!, parts[i + 1] ?? '', create);
  }
  return match;
}

function step(node: Node, part: string, next: string, create: Kind): Node | undefined {
  if (INDEX.test(part)) {
    const index = Number(part);
    if (index < 0) throw new BuildError(`array index ${index} cannot be negative`);
    expectKind(node, 'list');
    return node.content[index];
  }
  if (part === '-') {
    expectKind(node, 'list');
    return node.content.at(-1);
  }
  if (part === '*') throw new BuildError('wildcard is not supported in PathGetter');
  if (isListIndex(part)) return listStep(node, part, create);
  if (isMissing(node)) return undefined;
  expectKind(node, 'map');
  const known = field(node, part);
  if (known !== undefined || create === '') return known;
  const made = new Node(kindOfPart(next, create));
  const key = new Node('scalar', '', part);
  node.content.push(key, made);
  return made;
}

function listStep(node: Node, part: string, create: Kind): Node | undefined {
  const [name, value] = indexNameValue(part);
  const known = matchElement(node, [name], [value]);
  if (known !== undefined || create === '') return known;
  const made = name === '' ? scalar(value) : new Node('map');
  if (name !== '') made.content.push(new Node('scalar', '', name), scalar(value));
  node.content.push(made);
  return made;
}

/** The first element that has all the values under the keys. Source: kyaml/yaml/fns.go (ElementMatcher). */
export function matchElement(
  list: Node,
  keys: readonly string[],
  values: readonly string[],
): Node | undefined {
  expectKind(list, 'list');
  if (isMissing(list)) return undefined;
  if (keys.length === 0 || keys[0] === '')
    return list.content.find(element => element.value === (values[0] ?? ''));
  return list.content.find(
    element =>
      element.kind === 'map' && keys.every((key, i) => field(element, key)?.value === (values[i] ?? '')),
  );
}

/**
 * Puts an element in the place of those that match, or at the end; without an element, those are removed.
 * Source: kyaml/yaml/fns.go (ElementSetter).
 */
export function setElement(
  list: Node,
  element: Node | undefined,
  keys: readonly string[],
  values: readonly string[],
): void {
  expectKind(list, 'list');
  const names = keys.length === 0 ? [''] : keys;
  const ofMaps = names[0] !== '' && values.length > 0 && values[0] !== '';
  const kept: Node[] = [];
  let found = false;
  for (const one of list.content) {
    if (isMissing(one) || isEmptyMap(one)) continue;
    if (ofMaps && one.kind !== 'map') {
      kept.push(one);
      continue;
    }
    if (!matches(one, names, values)) {
      if (values.length > 0) kept.push(one);
      continue;
    }
    found = true;
    if (element !== undefined) kept.push(element);
  }
  list.content = kept;
  if (!isMissing(element) && !found) list.content.push(element!);
}

function matches(element: Node, keys: readonly string[], values: readonly string[]): boolean {
  let last = false;
  for (const [i, key] of keys.entries()) {
    // A key without a value of its own asks again what the one before was asked.
    if (i < values.length) last = matchesField(element, key, values[i]!);
    if (!last) return false;
  }
  return true;
}

function matchesField(element: Node, name: string, value: string): boolean {
  if (isMissing(element)) return false;
  if (name === '') {
    expectKind(element, 'scalar');
    return element.value === value;
  }
  expectKind(element, 'map');
  const found = field(element, name);
  return found !== undefined && (value === '' || found.value === value);
}

export function elementsOf(node: Node | undefined): readonly Node[] {
  expectKind(node, 'list');
  return node?.content ?? [];
}

/** Source: kyaml/utils/pathsplitter.go. */
export function splitPath(path: string, delimiter: string): string[] {
  const parts: string[] = [];
  const pieces = path.split(delimiter);
  // A path may begin with the delimiter.
  if (pieces.length > 1 && pieces[0] === '') pieces.shift();
  for (const part of pieces) {
    const last = parts.at(-1);
    if (last?.endsWith('\\') === true) parts[parts.length - 1] = last.slice(0, -1) + delimiter + part;
    else parts.push(part);
  }
  return parts;
}

/** As {@link splitPath}, but what stands in brackets stays in one piece. */
export function splitFieldPath(path: string): string[] {
  const parts = splitPath(path, '.');
  const result: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (!part.startsWith('[') || part.endsWith(']')) {
      result.push(part);
      continue;
    }
    const bracketed = [part];
    while (i < parts.length - 1) {
      bracketed.push(parts[++i]!);
      if (parts[i]!.endsWith(']')) break;
    }
    const joined = bracketed.join('.');
    result.push(joined.includes('=') ? joined : joined.replace(/^[[\]]+|[[\]]+$/g, ''));
  }
  return result;
}
