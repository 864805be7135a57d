/** YAML texts as Go values: what sigs.k8s.io/yaml gives, every number a float64, with the place of each key. */

import type { Path } from '#kube/objects.ts';
import { LineIndex } from '#yaml/lines.ts';
import { type ReadDocument, readDocuments } from '#yaml/read.ts';
import type { PlacedNode } from '#yaml/recorder.ts';
import { format } from './format.ts';
import { GoError, GoMap, GoSlice, grownSlice, type Place, type Value } from './value.ts';

/** Where a value of a text that stands inside another file was written: its path, and its place in the text. */
export type Relocate = (
  path: Path,
  line: number,
  column: number,
) => { readonly file: string; readonly line: number; readonly column: number };

/** Where the lines of a text were made that a template made. */
export interface MadeLines {
  /** @param line from 1 */
  placeOf(line: number): Place | undefined;
  /** How long the chain of what is worked out for it is. */
  readonly depth: number;
  /** Something that is new at every run may be in the text. */
  readonly mayBeNew: boolean;
}

/**
 * The first document of a text; null where it holds none.
 *
 * @param file takes down where each value stands in it; or what tells where its lines were made: of a map only
 * @param relocate for a text that stands inside another file
 */
export function readYaml(text: string, file?: string | MadeLines, relocate?: Relocate): Value {
  const clean = text.startsWith('\ufeff') ? text.slice(1) : text;
  const document = readDocuments(clean).find(one => one.is !== 'empty');
  if (document === undefined) return null;
  if (document.is === 'error') throw new GoError(goYamlMessage(document, clean));
  const value = fromPlain(document.value);
  if (!clean.endsWith('\n') && BLOCK_HEADER.test(clean)) withoutLastBreak(value, document.place());
  if (typeof file === 'object') {
    if (value instanceof GoMap) placeMade(value, file, clean, document);
  } else if (file !== undefined && relocate === undefined && !ANCHOR.test(clean))
    placeWhenAsked(value, new Written(file, clean, document), -1);
  else if (file !== undefined) {
    const lines = new LineIndex(clean, { start: 0, end: clean.length, startLine: 1 });
    const at: Relocate = relocate ?? ((_, line, column) => ({ file, line, column }));
    place(value, document.place(), document.start, at, [], lines);
  }
  return value;
}

/** Whatever could be the head of a block text. */
const BLOCK_HEADER = /[|>][-+0-9]*[ \t\r]*(?:#[^\n]*)?\n/;
/** Whatever could be an anchor: then a value may stand at several places. */
const ANCHOR = /(?:^|[\s,:[{-])&\S/;

/** The keys and items of a text of values, whose places are found, all at once, when somebody asks for the first one. */
class Written {
  readonly file: string;
  /** Of each key or item: what it is called, and the number of the one that it stands in; -1 for none. */
  readonly #steps: (string | number)[] = [];
  readonly #above: number[] = [];
  #source: { readonly text: string; readonly document: ReadDocument & { readonly is: 'value' } } | undefined;
  /** Line and column of each. */
  #positions: Int32Array | undefined;

  readonly #made: MadeLines | undefined;

  constructor(
    file: string,
    text: string,
    document: ReadDocument & { readonly is: 'value' },
    made?: MadeLines,
  ) {
    this.file = file;
    this.#made = made;
    this.#source = { text, document };
  }

  add(step: string | number, above: number): WrittenPlace {
    this.#above.push(above);
    return this.#place(this.#steps.push(step) - 1);
  }

  #place(number: number): WrittenPlace {
    return this.#made === undefined
      ? new WrittenPlace(this, number)
      : new LaterPlace(this, number, this.#made);
  }

  pathOf(number: number): Path {
    const path: (string | number)[] = [];
    for (let at = number; at >= 0; at = this.#above[at]!) path.push(this.#steps[at]!);
    return path.reverse();
  }

  line(number: number): number {
    return this.#found[2 * number]!;
  }

  column(number: number): number {
    return this.#found[2 * number + 1]!;
  }

  get #found(): Int32Array {
    if (this.#positions !== undefined) return this.#positions;
    const { text, document } = this.#source!;
    const lines = new LineIndex(text, { start: 0, end: text.length, startLine: 1 });
    const positions = new Int32Array(2 * this.#steps.length);
    const root = document.place();
    const nodes: (PlacedNode | undefined)[] = [];
    for (const [number, step] of this.#steps.entries()) {
      const above = this.#above[number]!;
      const node = above < 0 ? root : nodes[above];
      const found = typeof step === 'number' ? node?.items?.[step] : node?.entries?.get(step);
      nodes.push(found?.node);
      const { line, column } = lines.position(document.start + (found?.start ?? 0));
      positions[2 * number] = line;
      positions[2 * number + 1] = column;
    }
    this.#positions = positions;
    this.#source = undefined;
    return positions;
  }
}

/** The place of a key or an item, looked for when somebody asks: nearly nobody does. */
class WrittenPlace implements Place {
  readonly #written: Written;
  readonly #number: number;
  #plain: Place | undefined;

  constructor(written: Written, number: number) {
    this.#written = written;
    this.#number = number;
  }

  get number(): number {
    return this.#number;
  }

  get file(): string {
    return this.#written.file;
  }

  get line(): number {
    return this.#written.line(this.#number);
  }

  get column(): number {
    return this.#written.column(this.#number);
  }

  get path(): string {
    return dotted(this.#written.pathOf(this.#number));
  }

  get found(): Place {
    this.#plain ??= { path: this.path, file: this.file, line: this.line, column: this.column };
    return this.#plain;
  }
}

const MOST_LINKS = 30;

/** The place of what was read from a text that a template made: where that made its line. */
export class LaterPlace extends WrittenPlace {
  readonly #written: Written;
  readonly #made: MadeLines;
  readonly #otherwise: Place | undefined;
  #settled: Place | false | undefined;
  /** How long the chain of what is worked out for it is. */
  readonly depth: number;
  /** It may be the place of something that is new at every run. */
  readonly mayBeNew: boolean;

  constructor(written: Written, number: number, made: MadeLines, otherwise?: Place) {
    super(written, number);
    this.#written = written;
    this.#made = made;
    this.#otherwise = otherwise;
    this.depth = Math.max(made.depth, otherwise instanceof LaterPlace ? otherwise.depth + 1 : 0);
    this.mayBeNew =
      made.mayBeNew || (otherwise instanceof LaterPlace ? otherwise.mayBeNew : otherwise?.made !== undefined);
  }

  /** Undefined where nobody knows. */
  get settled(): Place | undefined {
    if (this.#settled === undefined) {
      const place = this.#made.placeOf(super.line) ?? this.#otherwise;
      this.#settled = (place instanceof LaterPlace ? place.settled : place) ?? false;
    }
    return this.#settled === false ? undefined : this.#settled;
  }

  /** The same, or another where nobody knows. */
  or(otherwise: Place | undefined): Place | undefined {
    // A chain is worked out before it gets long.
    if (this.depth > MOST_LINKS) return this.settled ?? otherwise;
    const own = this.#otherwise;
    const next = own instanceof LaterPlace ? own.or(otherwise) : (own ?? otherwise);
    return next === own ? this : new LaterPlace(this.#written, this.number, this.#made, next);
  }
}

/** A place, or another where there is none, or nobody knows it. */
export const placeOr = (place: Place | undefined, otherwise: Place | undefined): Place | undefined =>
  place instanceof LaterPlace ? place.or(otherwise) : (place ?? otherwise);

function placeMade(
  value: GoMap,
  made: MadeLines,
  text: string,
  document: ReadDocument & { readonly is: 'value' },
): void {
  if (!ANCHOR.test(text)) {
    placeWhenAsked(value, new Written('', text, document, made), -1);
    return;
  }
  const lines = new LineIndex(text, { start: 0, end: text.length, startLine: 1 });
  place(
    value,
    document.place(),
    document.start,
    (_, line, column) => made.placeOf(line) ?? { file: '', line: -1, column },
    [],
    lines,
  );
  withoutNowhere(value);
}

function withoutNowhere(value: Value): void {
  if (value instanceof GoMap) {
    for (const [key, place] of value.places ?? []) if (place.line < 0) value.places!.delete(key);
    for (const one of value.entries.values()) withoutNowhere(one);
  } else if (value instanceof GoSlice) {
    value.places = value.places?.map(place => (place !== undefined && place.line < 0 ? undefined : place));
    for (const one of value.items) withoutNowhere(one);
  }
}

function placeWhenAsked(value: Value, written: Written, above: number): void {
  if (value instanceof GoMap) {
    value.places = new Map();
    for (const [key, inner] of value.entries) {
      const place = written.add(key, above);
      value.places.set(key, place);
      if (inner !== null && typeof inner === 'object') placeWhenAsked(inner, written, place.number);
    }
  } else if (value instanceof GoSlice)
    value.places = value.items.map((inner, index) => {
      const place = written.add(index, above);
      if (inner !== null && typeof inner === 'object') placeWhenAsked(inner, written, place.number);
      return place;
    });
}

/** Deeper than any file that is read; what is deeper, or holds itself, can only be handed in by a program. */
const MAX_DEPTH = 1000;

/** @throws GoError for what lies inside itself, or too deep */
export function fromPlain(value: unknown, depth = 0): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object') return value as Value;
  if (depth >= MAX_DEPTH)
    throw new GoError(`values have more than ${MAX_DEPTH} maps and lists inside each other`);
  if (Array.isArray(value)) return grownSlice(value.map(item => fromPlain(item, depth + 1)));
  const entries = new Map<string, Value>();
  for (const key of Object.keys(value))
    entries.set(key, fromPlain((value as Record<string, unknown>)[key], depth + 1));
  return new GoMap(entries);
}

function place(
  value: Value,
  node: PlacedNode,
  start: number,
  at: Relocate,
  path: Path,
  lines: LineIndex,
): void {
  const placeAt = (offset: number, below: Path): Place => {
    const { line, column } = lines.position(start + offset);
    const place = at(below, line, column);
    return place instanceof WrittenPlace ? place : { path: dotted(below), ...place };
  };
  if (value instanceof GoMap && node.entries !== undefined) {
    value.places = new Map();
    for (const [key, entry] of node.entries) {
      const below = [...path, key];
      value.places.set(key, placeAt(entry.start, below));
      const inner = value.entries.get(key);
      if (inner !== undefined && inner !== null && typeof inner === 'object')
        place(inner, entry.node, start, at, below, lines);
    }
  } else if (value instanceof GoSlice && node.items !== undefined) {
    const places: Place[] = [];
    node.items.forEach((item, index) => {
      const below = [...path, index];
      places.push(placeAt(item.start, below));
      const inner = value.items[index];
      if (inner !== undefined && inner !== null && typeof inner === 'object')
        place(inner, item.node, start, at, below, lines);
    });
    value.places = places;
  }
}

/** `a.b[0].c` */
function dotted(path: Path): string {
  let text = '';
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`;
  return text;
}

/** The type that sigs.k8s.io/yaml names when a document is no map, or no list. */
export function kindInJson(value: Value): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'bool';
  return value instanceof GoSlice ? 'array' : 'object';
}

/**
 * A mistake in YAML in the words of go-yaml v2, as far as ours can be matched with them. It counts the lines of a
 * parser's error from 0 and those of a scanner's from 1, and leaves the first line unsaid (yaml.go, decode.go).
 */
export function goYamlMessage(
  { line, column, message }: { readonly line: number; readonly column?: number; readonly message: string },
  text = '',
): string {
  const prefix = 'error converting YAML to JSON: ';
  const key = message === KEY_OF_MANY ? bracketed(text, line, column ?? 0) : undefined;
  if (key !== undefined) {
    // Keys are decoded when all of the text is parsed: a mistake of form, anywhere in it, comes first.
    const other = readDocuments(key.without).find(one => one.is === 'error');
    if (other === undefined || other.message === KEY_OF_MANY)
      return `${prefix}yaml: invalid map key: ${format('%#v', [key.value])}`;
    return goYamlMessage(other, key.without);
  }
  if (/has no place in JSON/.test(message))
    return `${prefix}json: unsupported value: ${message.includes('-') ? '-Inf' : message.includes('nan') ? 'NaN' : '+Inf'}`;
  const scanner = (words: string): string => `${prefix}yaml: ${line > 1 ? `line ${line}: ` : ''}${words}`;
  const parser = (words: string): string => `${prefix}yaml: ${line > 1 ? `line ${line - 1}: ` : ''}${words}`;
  if (/with a key before it was not expected here/.test(message))
    return scanner('mapping values are not allowed in this context');
  if (/^a tab stands|^a text cannot begin with/.test(message))
    return scanner('found character that cannot start any token');
  if (/^this bracket is never closed/.test(message)) {
    const words = message.includes('}')
      ? "did not find expected ',' or '}'"
      : "did not find expected ',' or ']'";
    return `${prefix}yaml: line ${Math.max(1, line)}: ${words}`;
  }
  if (/^a key was expected/.test(message)) return parser('did not find expected key');
  if (/^a list item \("- "\) was expected/.test(message))
    return parser("did not find expected '-' indicator");
  if (/^a value was expected/.test(message)) return parser('did not find expected node content');
  for (const [pattern, words] of WITHOUT_LINE) {
    const match = pattern.exec(message);
    if (match !== null) return prefix + words(match);
  }
  // Where the text ends, the scanner stands behind its last line.
  const breaks = text.match(/\r\n|[\n\r\x85\u2028\u2029]/g)?.length ?? 0;
  if (/is never closed$/.test(message))
    return `${prefix}yaml: ${breaks > 0 ? `line ${breaks + 1}: ` : ''}found unexpected end of stream`;
  if (/^a key with a ":" behind it was expected/.test(message)) {
    const last = breaks + (/[\n\r\x85\u2028\u2029]$/.test(text) ? 1 : 2);
    return `${prefix}yaml: line ${Math.min(last, line + 2)}: could not find expected ':'`;
  }
  for (const [pattern, words] of SCANNED) if (pattern.test(message)) return scanner(words);
  return `${prefix}yaml: line ${line}: ${message}`;
}

const KEY_OF_MANY = 'a key cannot be a mapping or a list';

/**
 * The mapping or list in brackets that begins there, as go-yaml v2 decodes a key (decode.go, `mapping`): what is left of
 * `version: {{ version }}` where a template was never rendered; and the text with all keys of that kind made plain.
 * Undefined where no bracket begins or ends there.
 */
function bracketed(
  text: string,
  line: number,
  column: number,
): { readonly value: Value; readonly without: string } | undefined {
  let first: Value;
  let without = text;
  for (let [at, on, round] = [column, line, 0]; round < MOST_KEYS; round++) {
    const start = offsetOf(without, on, at);
    const found = start === undefined ? undefined : closed(without, start);
    if (found === undefined) break;
    if (round === 0) first = keyed(found.value);
    // As long as before, so that every place stays.
    const inner = without.slice(start! + 1, found.end - 1).replace(/[^\r\n]/g, 'x');
    without = `${without.slice(0, start)}"${inner}"${without.slice(found.end)}`;
    const next = readDocuments(without).find(one => one.is === 'error');
    if (next?.message !== KEY_OF_MANY) break;
    [on, at] = [next.line, next.column];
  }
  return first === undefined ? undefined : { value: first, without };
}

/** How many keys of one text are looked through for a mistake behind them. */
const MOST_KEYS = 50;

function offsetOf(text: string, line: number, column: number): number | undefined {
  let offset = 0;
  for (let at = 1; at < line; at++) {
    const end = text.indexOf('\n', offset);
    if (end < 0) return undefined;
    offset = end + 1;
  }
  return offset + column - 1;
}

/** What stands in brackets from an offset on, to the first bracket that closes it. */
function closed(text: string, start: number): { readonly value: Value; readonly end: number } | undefined {
  if (text[start] !== '{' && text[start] !== '[') return undefined;
  const window = text.slice(start, start + 10_000);
  for (const { index } of window.matchAll(/[}\]]/g)) {
    const [document] = readDocuments(window.slice(0, index + 1));
    if (document?.is === 'value') return { value: fromPlain(document.value), end: start + index + 1 };
    if (index > 1000) break;
  }
  return undefined;
}

function keyed(value: Value): Value {
  if (value instanceof GoSlice) return new GoSlice(value.items.map(keyed));
  if (!(value instanceof GoMap)) return value;
  const entries = [...value.entries].map(([key, inner]) => [key, keyed(inner)] as const);
  return new GoMap(new Map(entries), 'map[interface {}]interface {}');
}

/** Mistakes of go-yaml's decoder and of sigs.k8s.io/yaml, which name no line. */
const WITHOUT_LINE: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/^"<<" takes a mapping/, () => 'yaml: map merge requires map or sequence of maps as the value'],
  [/^no anchor "&([\s\S]*)" stands before/, ([, name]) => `yaml: unknown anchor '${name}' referenced`],
  [/^the anchor "&([\s\S]*)" holds itself/, ([, name]) => `yaml: anchor '${name}' value contains itself`],
  [/refuses "%YAML/, () => 'yaml: found incompatible YAML document'],
  [
    /^"([\s\S]*)" is not null, as its tag says/,
    ([, text]) => `yaml: cannot decode !!str \`${text}\` as a !!null`,
  ],
];

const SCANNED: readonly (readonly [RegExp, string])[] = [
  [/is no escape/, 'found unknown escape character'],
  [/^only a comment may follow/, 'did not find expected comment or line break'],
  [/^a list item \("- "\) must begin/, 'block sequence entries are not allowed in this context'],
  [/^a key \("\? "\) cannot begin here/, 'mapping keys are not allowed in this context'],
];

/** A block text at the very end of a text without a last line break has none either (go-yaml's scanner). */
function withoutLastBreak(root: Value, node: PlacedNode): void {
  let [value, here] = [root, node];
  for (;;) {
    if (value instanceof GoMap && here.entries !== undefined) {
      const [key, entry] = [...here.entries].at(-1) ?? [];
      if (key === undefined || entry === undefined) return;
      const inner = value.entries.get(key);
      if (typeof inner === 'string') {
        if (isBlockText(entry.node) && inner.endsWith('\n')) value.entries.set(key, inner.slice(0, -1));
        return;
      }
      [value, here] = [inner, entry.node];
    } else if (value instanceof GoSlice && here.items !== undefined) {
      const at = value.items.length - 1;
      const item = here.items[at];
      if (item === undefined) return;
      const inner = value.items[at];
      if (typeof inner === 'string') {
        if (isBlockText(item.node) && inner.endsWith('\n')) value.items[at] = inner.slice(0, -1);
        return;
      }
      [value, here] = [inner, item.node];
    } else return;
  }
}

const isBlockText = ({ style }: PlacedNode): boolean => style === 'literal' || style === 'folded';
