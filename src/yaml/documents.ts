/**
 * A file's documents, split as kubectl splits them: by lines that begin with `---`, before anything is parsed.
 * Source: apimachinery pkg/util/yaml/decoder.go (YAMLReader). Kinder than kubectl in one point: what stands before
 * the first separator and is only comments or directives belongs to the first document.
 */
import type { Path } from '#kube/objects.ts';
import { type PlacedNode, Recorder } from './recorder.ts';

export interface Limits {
  /** Nested collections. */
  readonly maxDepth: number;
  /** Nodes that aliases bring in, counted as often as they are brought in. */
  readonly maxAliasExpansions: number;
  readonly maxDocuments: number;
}

export const defaultLimits: Limits = { maxDepth: 200, maxAliasExpansions: 100_000, maxDocuments: 100_000 };

export interface DuplicateKey {
  readonly path: Path;
  readonly key: string;
  readonly line: number;
  readonly column: number;
}

interface Common {
  /** From 0 in its file. */
  readonly index: number;
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** The line, from 1, in which `start` lies. */
  readonly startLine: number;
  /** Of the first content, from 1. */
  readonly line: number;
}

export interface ValueDocument extends Common {
  readonly is: 'value';
  /** Plain data: whole numbers beyond 2^53 are `bigint`. */
  readonly value: unknown;
  readonly duplicateKeys: readonly DuplicateKey[];
  /** Reads the document again, for the places; offsets are relative to `start`. */
  readonly place: () => PlacedNode;
}

export interface EmptyDocument extends Common {
  readonly is: 'empty';
}

export interface ErrorDocument extends Common {
  readonly is: 'error';
  /** What was expected; the line and column are those of the mistake. */
  readonly message: string;
  readonly column: number;
}

export type ReadDocument = ValueDocument | EmptyDocument | ErrorDocument;

/** What a reader makes of one document's text. Offsets are relative to it. */
export type ReadOne =
  | { readonly is: 'value'; readonly value: unknown; readonly hasDuplicates: boolean }
  | { readonly is: 'empty' }
  | { readonly is: 'error'; readonly message: string; readonly at: number }
  /** The text goes on after a complete JSON document. */
  | { readonly is: 'more'; readonly value: unknown; readonly hasDuplicates: boolean; readonly next: number };

/** @param recorder takes down the places, where someone asks for them */
export type OneReader = (text: string, recorder: Recorder | null, limits: Limits) => ReadOne;

const ONLY_PRELUDE = /^(?:[ \t]*(?:#[^\n]*|%[^\n]*)?\r?(?:\n|$))*$/;

/** Splits a text and reads each of its documents. */
export function readWith(text: string, read: OneReader, limits: Limits): ReadDocument[] {
  const documents: ReadDocument[] = [];
  const lines = new LineCounter(text);
  let start = 0;
  let explicit = false;
  for (let from = 0; ; ) {
    const separator = nextSeparator(text, from);
    const end = separator < 0 ? text.length : separator;
    if (separator === from && !explicit && start === from) {
      // The text begins with a separator: nothing stands before it.
    } else addDocument(start, end);
    if (separator < 0) break;
    const lineEnd = text.indexOf('\n', separator);
    const next = lineEnd < 0 ? text.length : lineEnd + 1;
    const rest = text.slice(separator + 3, next).trim();
    explicit = true;
    start = next;
    if (rest !== '' && !rest.startsWith('#')) {
      // Read what follows up to the next separator as part of the mistake.
      const after = nextSeparator(text, next);
      documents.push(
        error(
          `only a comment may follow "---" on its line: kubectl refuses "${cut(rest)}"`,
          separator,
          after < 0 ? text.length : after,
          separator,
        ),
      );
      if (after < 0) return documents;
      from = after;
      start = after;
      explicit = false;
      continue;
    }
    from = next;
    if (next >= text.length) break;
    if (documents.length >= limits.maxDocuments) {
      documents.push(
        error(
          `more than ${limits.maxDocuments} documents in one file; the rest was not read`,
          start,
          text.length,
          start,
        ),
      );
      break;
    }
  }
  return documents;

  function addDocument(first: number, last: number): void {
    const whole = first === 0 && last === text.length ? text : text.slice(first, last);
    // Comments and directives before the first separator are no document of their own.
    if (!explicit && last < text.length && ONLY_PRELUDE.test(whole)) return;
    for (let offset = 0; offset < whole.length || offset === 0; ) {
      const part = offset === 0 ? whole : whole.slice(offset);
      const one = read(part, null, limits);
      const start = first + offset;
      const index = documents.length;
      if (one.is === 'error') {
        documents.push(error(one.message, start, last, start + one.at));
        return;
      }
      const startLine = lines.at(start);
      const line = lines.at(start + contentStart(part));
      if (one.is === 'empty') {
        documents.push({ is: 'empty', index, start, end: last, startLine, line });
        return;
      }
      const end = one.is === 'more' ? start + one.next : last;
      const own = one.is === 'more' ? part.slice(0, one.next) : part;
      const place = (): PlacedNode => placed(own, read, limits);
      documents.push({
        is: 'value',
        index,
        start,
        end,
        startLine,
        line,
        value: one.value,
        duplicateKeys: one.hasDuplicates ? duplicatesIn(place(), start, text) : [],
        place,
      });
      if (one.is !== 'more') return;
      offset = end - first;
      if (documents.length >= limits.maxDocuments) return;
    }
  }

  function error(message: string, start: number, end: number, at: number): ErrorDocument {
    const { line, column } = positionAt(text, at);
    return { is: 'error', index: documents.length, start, end, startLine: line, line, column, message };
  }
}

/** Counts lines while offsets only grow, so that a file of many documents is counted once. */
class LineCounter {
  readonly #text: string;
  #offset = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  at(offset: number): number {
    for (;;) {
      const newline = this.#text.indexOf('\n', this.#offset);
      if (newline < 0 || newline >= offset) return this.#line;
      this.#offset = newline + 1;
      this.#line++;
    }
  }
}

const CONTENT = /^(?:[ \t]*(?:#[^\n]*|%[^\n]*)?\r?\n)*/;

/** Where the first line with content begins. */
function contentStart(text: string): number {
  const first = text.charCodeAt(0);
  // The usual case costs no regular expression: the text begins with a letter.
  if (first > 37 && first !== 0xfeff) return 0;
  return CONTENT.exec(text)![0].length;
}

function nextSeparator(text: string, from: number): number {
  if ((from === 0 || text.charCodeAt(from - 1) === 10) && text.startsWith('---', from)) return from;
  const at = text.indexOf('\n---', from);
  return at < 0 ? -1 : at + 1;
}

function placed(text: string, read: OneReader, limits: Limits): PlacedNode {
  const recorder = new Recorder();
  read(text, recorder, limits);
  return recorder.root ?? { start: 0, end: 0, style: 'null' };
}

/** Who states a key that often made no slip: more would only be noise. */
const MAX_DUPLICATES = 100;

function duplicatesIn(root: PlacedNode, base: number, text: string): DuplicateKey[] {
  const found: DuplicateKey[] = [];
  const visit = (node: PlacedNode, path: Path): void => {
    if (node.borrowed === true) return;
    for (const { key, at } of node.duplicates ?? []) {
      if (found.length >= MAX_DUPLICATES) return;
      found.push({ path: [...path, key], key, ...positionAt(text, base + at.start) });
    }
    for (const [key, entry] of node.entries ?? []) visit(entry.node, [...path, key]);
    node.items?.forEach((item, index) => {
      visit(item.node, [...path, index]);
    });
  };
  visit(root, []);
  return found;
}

/** Line and column of an offset, both from 1; columns count UTF-16 code units. */
export function positionAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let start = 0;
  for (;;) {
    const newline = text.indexOf('\n', start);
    if (newline < 0 || newline >= offset) break;
    line++;
    start = newline + 1;
  }
  return { line, column: offset - start + 1 };
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
