/** YAML texts as Go values: what sigs.k8s.io/yaml gives, every number a float64, with the place of each key. */

import type { Path } from '#kube/objects.ts';
import { LineIndex } from '#yaml/lines.ts';
import { type ReadDocument, readDocuments } from '#yaml/read.ts';
import type { Entry, Item, PlacedNode } from '#yaml/recorder.ts';
import { GoError, GoMap, GoSlice, grownSlice, type Place, type Value } from './value.ts';

/** Where a value of a text that stands inside another file was written: its path, and its place in the text. */
export type Relocate = (
  path: Path,
  line: number,
  column: number,
) => { readonly file: string; readonly line: number; readonly column: number };

/**
 * The first document of a text; null where it holds none.
 *
 * @param file takes down where each value stands in it
 * @param relocate for a text that stands inside another file
 */
export function readYaml(text: string, file?: string, relocate?: Relocate): Value {
  const clean = text.startsWith('\ufeff') ? text.slice(1) : text;
  const document = readDocuments(clean).find(one => one.is !== 'empty');
  if (document === undefined) return null;
  if (document.is === 'error') throw new GoError(goYamlMessage(document, clean));
  const value = fromPlain(document.value);
  if (!clean.endsWith('\n') && BLOCK_HEADER.test(clean)) withoutLastBreak(value, document.place());
  if (file !== undefined && relocate === undefined && !ANCHOR.test(clean))
    placeWhenAsked(value, new Written(file, clean, document), undefined);
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

/** A text of values, which is read again for places when somebody asks for the first one. */
class Written {
  readonly file: string;
  readonly #text: string;
  readonly #document: ReadDocument & { readonly is: 'value' };
  #lines: LineIndex | undefined;

  constructor(file: string, text: string, document: ReadDocument & { readonly is: 'value' }) {
    this.file = file;
    this.#text = text;
    this.#document = document;
  }

  get root(): PlacedNode {
    return this.#document.place();
  }

  position(offset: number): { readonly line: number; readonly column: number } {
    this.#lines ??= new LineIndex(this.#text, { start: 0, end: this.#text.length, startLine: 1 });
    return this.#lines.position(this.#document.start + offset);
  }
}

/** The place of a key or an item, looked for when somebody asks: nearly nobody does. */
class WrittenPlace implements Place {
  readonly #written: Written;
  readonly #above: WrittenPlace | undefined;
  readonly #step: string | number;
  #position: { readonly line: number; readonly column: number } | undefined;
  #plain: Place | undefined;

  constructor(written: Written, above: WrittenPlace | undefined, step: string | number) {
    this.#written = written;
    this.#above = above;
    this.#step = step;
  }

  get file(): string {
    return this.#written.file;
  }

  get line(): number {
    return this.#found.line;
  }

  get column(): number {
    return this.#found.column;
  }

  get path(): string {
    return dotted(this.#path);
  }

  get #path(): Path {
    return [...(this.#above === undefined ? [] : this.#above.#path), this.#step];
  }

  get #found() {
    this.#position ??= this.#written.position(this.#entry?.start ?? 0);
    return this.#position;
  }

  get #entry(): Entry | Item | undefined {
    const above = this.#above === undefined ? this.#written.root : this.#above.#entry?.node;
    return typeof this.#step === 'number' ? above?.items?.[this.#step] : above?.entries?.get(this.#step);
  }

  get found(): Place {
    this.#plain ??= { path: this.path, file: this.file, line: this.line, column: this.column };
    return this.#plain;
  }
}

function placeWhenAsked(value: Value, written: Written, above: WrittenPlace | undefined): void {
  if (value instanceof GoMap) {
    value.places = new Map();
    for (const [key, inner] of value.entries) {
      const place = new WrittenPlace(written, above, key);
      value.places.set(key, place);
      if (inner !== null && typeof inner === 'object') placeWhenAsked(inner, written, place);
    }
  } else if (value instanceof GoSlice)
    value.places = value.items.map((inner, index) => {
      const place = new WrittenPlace(written, above, index);
      if (inner !== null && typeof inner === 'object') placeWhenAsked(inner, written, place);
      return place;
    });
}

export function fromPlain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return grownSlice(value.map(fromPlain));
  if (typeof value === 'object') {
    const entries = new Map<string, Value>();
    for (const key of Object.keys(value))
      entries.set(key, fromPlain((value as Record<string, unknown>)[key]));
    return new GoMap(entries);
  }
  return value as Value;
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
  { line, message }: { readonly line: number; readonly message: string },
  text = '',
): string {
  const prefix = 'error converting YAML to JSON: ';
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
