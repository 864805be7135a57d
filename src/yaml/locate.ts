/** Places in a document, worked out when someone asks: the document is then read again with its positions. */
import type { Path } from '#kube/objects.ts';
import type { ReadDocument } from './documents.ts';
import type { Extent, PlacedNode, Style } from './recorder.ts';

/** Offsets into the file's text; lines and columns from 1, columns in UTF-16 code units; the end is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface Located {
  readonly key?: Span;
  readonly value: Span;
  /** Key and value, or a whole list item with its dash. */
  readonly entry: Span;
  readonly style: Style;
  /** It came in through an alias or a merge: the place is the original's, and an edit there changes others too. */
  readonly anchor?: boolean;
}

export class Locator {
  readonly #text: string;
  readonly #base: number;
  readonly #baseLine: number;
  readonly #document: ReadDocument;
  #root: PlacedNode | undefined;
  /** Where the lines of the document begin. */
  #lines: number[] | undefined;

  constructor(text: string, document: ReadDocument) {
    this.#text = text.slice(document.start, document.end);
    this.#base = document.start;
    this.#baseLine = document.startLine;
    this.#document = document;
  }

  /** The place of a value; undefined where the path leads nowhere. */
  at(path: Path): Located | undefined {
    const { path: found, located } = this.nearest(path);
    return found.length === path.length ? located : undefined;
  }

  /** The place of a value, or of the deepest thing above it that is there. */
  nearest(path: Path): { readonly path: Path; readonly located: Located } {
    let node = this.#tree();
    let key: Extent | undefined;
    let entryStart = node.start;
    let borrowed = node.borrowed === true;
    let depth = 0;
    for (const step of path) {
      const child = typeof step === 'number' ? node.items?.[step] : node.entries?.get(step);
      if (child === undefined) break;
      node = child.node;
      borrowed ||= node.borrowed === true;
      key = 'key' in child ? child.key : undefined;
      entryStart = 'key' in child ? child.key.start : child.start;
      depth++;
    }
    const extent = node.end < node.start ? { start: node.start, end: node.start } : node;
    return {
      path: path.slice(0, depth),
      located: {
        ...(key === undefined ? {} : { key: this.#span(key) }),
        value: this.#span(extent),
        entry: this.#span({ start: Math.min(entryStart, extent.start), end: extent.end }),
        style: node.style,
        ...(borrowed ? { anchor: true } : {}),
      },
    };
  }

  #tree(): PlacedNode {
    this.#root ??=
      this.#document.is === 'value' ? this.#document.place() : { start: 0, end: 0, style: 'null' };
    return this.#root;
  }

  #span({ start, end }: Extent): Span {
    const from = this.#position(start);
    const to = this.#position(end);
    return {
      start: this.#base + start,
      end: this.#base + end,
      line: this.#baseLine + from.line,
      column: from.column,
      endLine: this.#baseLine + to.line,
      endColumn: to.column,
    };
  }

  /** The line of an offset counts from 0, its column from 1. */
  #position(offset: number): { readonly line: number; readonly column: number } {
    this.#lines ??= lineStarts(this.#text);
    let low = 0;
    let high = this.#lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#lines[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, column: offset - this.#lines[low]! + 1 };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
