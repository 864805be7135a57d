/**
 * A file's documents, split as kubectl splits them before any YAML is parsed: a file that begins with a brace is a
 * stream of JSON as long as it can be; any other is cut at the lines that begin with `---`, wherever they stand.
 * Source: apimachinery pkg/util/yaml/decoder.go (YAMLOrJSONDecoder, YAMLReader). Where kubectl gives up, the documents
 * behind the mistake are read all the same.
 */
import type { Path } from '#kube/objects.ts';
import {
  BACKSLASH,
  COMMA,
  HASH,
  isCommon,
  isOdd,
  NEWLINE,
  OPEN_LIST,
  OPEN_MAP,
  PERCENT,
  RETURN,
  SINGLE,
  SPACE,
} from './characters.ts';
import { LineCounter, LineIndex, type Part } from './lines.ts';
import { type Extent, type PlacedNode, Recorder } from './recorder.ts';

export interface Limits {
  /** Mappings and lists inside each other. kubectl takes ten thousand. */
  readonly maxDepth: number;
  /** Nodes that aliases bring in, counted as often as they are brought in; kubectl's own limit comes on top. */
  readonly maxAliasExpansions: number;
  readonly maxDocuments: number;
  /** Values in a file, which take far more memory than their text. */
  readonly maxValues: number;
}

export const defaultLimits: Limits = {
  maxDepth: 300,
  maxAliasExpansions: 1_000_000,
  maxDocuments: 100_000,
  maxValues: 6_000_000,
};

export interface DuplicateKey {
  /** Ends in the key. */
  readonly path: Path;
  readonly key: string;
  /** Of the later one, which counts. */
  readonly line: number;
  readonly column: number;
}

/** Offsets are those of the text. */
interface Common extends Part {
  /** From 0 in its file. Text that kubectl ignores behind a document has the index of that document. */
  readonly index: number;
  /** Of the first content, from 1. */
  readonly line: number;
}

interface ValueDocument extends Common {
  readonly is: 'value';
  /** Plain data: whole numbers beyond 2^53 are `bigint`. What aliases bring in is shared, not copied. */
  readonly value: unknown;
  readonly duplicateKeys: readonly DuplicateKey[];
  /** Reads the document again for the places, the first time it is called; offsets count from `start`. */
  readonly place: () => PlacedNode;
}

interface EmptyDocument extends Common {
  readonly is: 'empty';
}

interface ErrorDocument extends Common {
  readonly is: 'error';
  /** What was expected; the line and column are those of the mistake. */
  readonly message: string;
  readonly column: number;
}

export type ReadDocument = ValueDocument | EmptyDocument | ErrorDocument;

/** Where one document stands in its file. */
export interface DocumentExtent {
  /** Where kubectl's parser begins: at the separator, where that is part of what it gets, else at `start`. */
  readonly chunk: number;
  /** Behind the separator's line. */
  readonly start: number;
  readonly end: number;
  /** The file holds nothing but ASCII with line feeds. */
  readonly isCommon: boolean;
}

/** What a reader makes of one document. Offsets are the file's. */
type ReadOne =
  | {
      readonly is: 'value';
      readonly value: unknown;
      readonly hasDuplicates: boolean;
      /** Where text begins that kubectl leaves unread. */
      readonly ignored?: number;
    }
  | { readonly is: 'empty'; readonly ignored?: number }
  | { readonly is: 'error'; readonly message: string; readonly at: number };

/** @param recorder takes down the places, where someone asks for them */
export type OneReader = (
  file: string,
  extent: DocumentExtent,
  recorder: Recorder | null,
  limits: Limits,
) => ReadOne;

/** What a reader of JSON streams gives back for one value. */
interface JsonValue {
  readonly value: unknown;
  readonly hasDuplicates: boolean;
  readonly start: number;
  readonly end: number;
}

/** Reads one JSON value, from white space before it on. @returns `end` where only white space follows */
export type JsonReader = (
  file: string,
  at: number,
  recorder: Recorder | null,
  limits: Limits,
) => JsonValue | JsonMistake | 'end';

interface JsonMistake {
  readonly is: 'mistake';
  readonly message: string;
  readonly at: number;
  /** JSON it is, but with something that kubectl refuses: no other way of reading helps. */
  readonly final: boolean;
  /** Behind the value, for a final one. */
  readonly end: number;
}

const MARK = '\ufeff';
const TWO_MARKS =
  'two byte order marks: behind the second, kubectl loses the first letter of lines; delete the marks';

/** Collects the documents of one file. */
export class Documents {
  readonly #file: string;
  readonly #limits: Limits;
  readonly #lines: LineCounter;
  readonly #isCommon: boolean;
  readonly #isMarked: boolean;
  readonly #documents: ReadDocument[] = [];
  #index = 0;

  /** @param isMarked a byte order mark stood in front of the text */
  constructor(file: string, limits: Limits, isMarked = false) {
    this.#file = file;
    this.#isMarked = isMarked;
    this.#limits = limits;
    this.#lines = new LineCounter(file);
    this.#isCommon = isCommon(file);
  }

  /** Reads a text that begins with a brace. */
  json(readJson: JsonReader, read: OneReader): ReadDocument[] {
    const file = this.#file;
    if (this.#hasTooMany()) return this.#documents;
    let count = 0;
    for (let at = 0; ; count++) {
      const one = readJson(file, at, null, this.#limits);
      if (one === 'end') return this.#documents;
      if (this.#isFull(at)) return this.#documents;
      if ('is' in one) {
        if (one.final) {
          this.#error(one.message, at, one.end, one.at);
          at = one.end;
          continue;
        }
        const rest = count > 1 ? undefined : restAfterJson(file, at);
        if (rest !== undefined) return this.yaml(rest, read);
        const next = nextSeparator(file, Math.max(at, one.at));
        this.#error(one.message, at, next < 0 ? file.length : next, one.at);
        return next < 0 ? this.#documents : this.yaml(next, read);
      }
      const { start, end } = one;
      this.#value({ start, end }, one, () => {
        const recorder = new Recorder(start);
        readJson(file, start, recorder, this.#limits);
        return recorder.root!;
      });
      at = end;
    }
  }

  /** Reads the text from an offset on, which counts as the start of a line. */
  yaml(from: number, read: OneReader): ReadDocument[] {
    const file = this.#file;
    if (from === 0 && this.#hasTooMany()) return this.#documents;
    let chunk = from;
    let start = from;
    /** Where the next separator can stand. */
    let search = this.#isMarked && from === 0 ? behindMarkedSeparator(file) : from;
    /** Whether a separator came before what is read now. */
    let isSeparated = false;
    for (;;) {
      const separator = nextSeparator(file, search);
      const end = separator < 0 ? file.length : separator;
      if (separator >= 0) {
        const wrong = wrongSeparator(file, separator);
        if (wrong !== undefined) {
          // What kubectl had read of the document above is lost with it.
          const next = nextSeparator(file, lineAfter(file, separator));
          const above = isPrelude(file, start, separator) ? '' : ', and the document above with it';
          if (this.#isFull(chunk)) break;
          this.#error(wrong + above, start, next < 0 ? file.length : next, separator);
          if (next < 0) break;
          chunk = next;
          start = next;
          search = next;
          isSeparated = false;
          continue;
        }
      }
      const isHeld = chunk === end;
      if (separator < 0 && start >= end) break;
      if (this.#isFull(start)) break;
      // A separator right behind another is part of what kubectl's parser gets next; people count a document there.
      if (isHeld) {
        if (isSeparated) this.#empty({ start, end });
      } else if (isSeparated || separator < 0 || !isPrelude(file, start, end))
        this.#one({ chunk, start, end, isCommon: this.#isCommon }, read);
      if (separator < 0) break;
      search = lineAfter(file, separator);
      start = isHeld ? behindSeparator(file, separator) : search;
      chunk = isHeld ? separator : start;
      isSeparated = true;
    }
    return this.#documents;
  }

  /** Whether a file may hold more values than there may be; such a one is not read at all. */
  #hasTooMany(): boolean {
    const { maxValues } = this.#limits;
    if (this.#file.length <= maxValues || valuesIn(this.#file, maxValues) <= maxValues) return false;
    this.#error(
      `more than ${maxValues.toLocaleString('en')} values in one file, which was not read; split it`,
      0,
      this.#file.length,
      0,
    );
    return true;
  }

  #isFull(at: number): boolean {
    if (this.#index < this.#limits.maxDocuments) return false;
    const { length } = this.#file;
    this.#error(
      `more than ${this.#limits.maxDocuments} documents in one file; the rest was not read`,
      at,
      length,
      at,
    );
    return true;
  }

  #one(extent: DocumentExtent, read: OneReader): void {
    if (!this.#isCommon && this.#isMarkedTwice(extent)) {
      this.#error(TWO_MARKS, extent.start, extent.end, extent.chunk);
      return;
    }
    const one = read(this.#file, extent, null, this.#limits);
    if (one.is === 'error') {
      this.#error(one.message, extent.start, extent.end, one.at);
      // Directives in front of a separator: to kubectl a broken document, to people a part of the next one.
      if (skipEmpty(this.#file, extent.start, extent.end, true) >= extent.end) this.#index--;
      return;
    }
    if (one.is === 'empty') this.#empty(extent);
    else this.#value(extent, one, () => placed(this.#file, extent, read, this.#limits));
    if (one.ignored !== undefined) {
      this.#index--;
      this.#error('kubectl reads nothing behind the end of a document', one.ignored, extent.end, one.ignored);
    }
  }

  /** Source: go-yaml's yamlprivateh.go (is_bom): it looks for the second mark at the buffer's start, on every line. */
  #isMarkedTwice({ chunk }: DocumentExtent): boolean {
    return this.#file[chunk] === MARK && ((this.#isMarked && chunk === 0) || this.#file[chunk + 1] === MARK);
  }

  #empty(extent: Extent): void {
    this.#documents.push({ is: 'empty', ...this.#common(extent) });
  }

  #value(
    extent: Extent,
    { value, hasDuplicates }: { readonly value: unknown; readonly hasDuplicates: boolean },
    place: () => PlacedNode,
  ): void {
    const common = this.#common(extent);
    let root: PlacedNode | undefined;
    const once = () => (root ??= place());
    const duplicateKeys = hasDuplicates ? duplicatesIn(once(), this.#file, common) : [];
    this.#documents.push({ is: 'value', ...common, value, duplicateKeys, place: once });
  }

  #common({ start, end }: Extent): Common {
    const startLine = this.#lines.at(start);
    const { lineStart } = this.#lines;
    const line = this.#lines.at(contentStart(this.#file, start, end));
    return { index: this.#index++, start, end, startLine, lineStart, line };
  }

  #error(message: string, start: number, end: number, at: number): void {
    const startLine = this.#lines.at(start);
    const { lineStart } = this.#lines;
    const line = this.#lines.at(at);
    const column = at - this.#lines.lineStart + 1;
    const index = this.#index++;
    this.#documents.push({ is: 'error', index, start, end, startLine, lineStart, line, column, message });
  }
}

function placed(file: string, extent: DocumentExtent, read: OneReader, limits: Limits): PlacedNode {
  const recorder = new Recorder(extent.start);
  read(file, extent, recorder, limits);
  return recorder.root ?? { start: 0, end: 0, style: 'null' };
}

/**
 * How many values a text holds at most, up to a limit: each begins a line, or follows a bracket or a comma. Pieces of
 * quoted texts count like values, for they take as much while they are read.
 */
function valuesIn(file: string, limit: number): number {
  let values = 0;
  for (let at = 0; at < file.length && values <= limit; at++) {
    const code = file.charCodeAt(at);
    if (
      code === NEWLINE ||
      code === COMMA ||
      code === OPEN_MAP ||
      code === OPEN_LIST ||
      code === BACKSLASH ||
      code === SINGLE
    )
      values++;
  }
  return values;
}

function lineAfter(file: string, at: number): number {
  const newline = file.indexOf('\n', at);
  return newline < 0 ? file.length : newline + 1;
}

/** The next line that begins with `---`. The offset to begin at counts as the start of a line. */
function nextSeparator(file: string, from: number): number {
  if (file.startsWith('---', from)) return from;
  const at = file.indexOf('\n---', from);
  return at < 0 ? -1 : at + 1;
}

const GO_BLANKS = /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*/;

/** What is wrong with a separator: kubectl lets only a comment stand on its line. */
function wrongSeparator(file: string, at: number): string | undefined {
  const rest = file.slice(at + 3, lineAfter(file, at)).replace(GO_BLANKS, '');
  if (rest === '' || rest.startsWith('#')) return undefined;
  // What stands there may be anything, a secret too: the place says enough.
  return 'only a comment may follow "---" on its line: kubectl refuses anything else';
}

/** A separator that is nothing else to go-yaml either: `---#` is text, and more than line feeds end its lines. */
const CLEAN_SEPARATOR = /^---(?:[ \t]+(?:#[^\r\x85\u2028\u2029]*)?)?\r?\n?$/;

/**
 * Behind a byte order mark, kubectl takes the first line for content, whatever it is, and hands it to go-yaml, which
 * lets a value stand behind its `---`. One without a value is the separator that people see.
 */
function behindMarkedSeparator(file: string): number {
  return file.startsWith('---') && behindSeparator(file, 0) === 0 ? lineAfter(file, 0) : 0;
}

/** Where the content begins behind a separator that kubectl's parser gets to see. */
function behindSeparator(file: string, at: number): number {
  const next = lineAfter(file, at);
  return CLEAN_SEPARATOR.test(file.slice(at, next)) ? next : at;
}

/** Whether there are only comments and empty lines: in front of the first separator they are no document. */
function isPrelude(file: string, start: number, end: number): boolean {
  return skipEmpty(file, start, end, false) >= end && !isOdd(file.slice(start, end));
}

/** Where the first line with content begins; directives are none. */
function contentStart(file: string, start: number, end: number): number {
  const first = file.charCodeAt(start);
  // The usual case: the document begins with a letter.
  return first > PERCENT ? start : skipEmpty(file, start, end, true);
}

/** From the start of a line over empty lines and comments. */
function skipEmpty(file: string, start: number, end: number, directives: boolean): number {
  let line = start;
  for (let at = start; at < end; ) {
    const code = file.charCodeAt(at);
    if (code === SPACE || code === RETURN) at++;
    else if (code === NEWLINE) line = ++at;
    else if (code === HASH || (directives && code === PERCENT && at === line))
      line = at = lineAfter(file, at);
    else return line;
  }
  return end;
}

const GO_SPACE = /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
/** kubectl looks at the white space behind JSON in pieces of so many bytes, and takes less for the end. */
const PIECE = 4;

/**
 * Where kubectl goes on reading as YAML what is no JSON: behind white space, up to and including a line break.
 * Source: decoder.go (consumeWhitespace).
 *
 * @returns undefined where it does not go on, as it does with the last three bytes of a file
 */
function restAfterJson(file: string, from: number): number | undefined {
  for (let at = from; ; at++) {
    if (bytesFrom(file, at) < PIECE) return undefined;
    const character = file[at]!;
    if (character === '\n') return at + 1;
    if (character === '\ufffd') return undefined;
    if (!GO_SPACE.test(character)) return at;
  }
}

/** How many bytes follow, as far as it matters. */
function bytesFrom(file: string, at: number): number {
  let bytes = 0;
  for (const character of file.slice(at, at + PIECE)) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

function duplicatesIn(root: PlacedNode, file: string, part: Part): DuplicateKey[] {
  const found: DuplicateKey[] = [];
  const lines = new LineIndex(file, part);
  const visit = (node: PlacedNode, path: Path): void => {
    if (node.borrowed === true) return;
    for (const { key, at } of node.duplicates ?? [])
      found.push({ path: [...path, key], key, ...lines.position(part.start + at.start) });
    for (const [key, entry] of node.entries ?? []) visit(entry.node, [...path, key]);
    node.items?.forEach((item, index) => {
      visit(item.node, [...path, index]);
    });
  };
  visit(root, []);
  return found;
}
