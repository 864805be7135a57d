/** Places in a document, worked out when someone asks: the document is then read again with its positions. */
import type { Path } from '#kube/objects.ts';
import type { ReadDocument } from './documents.ts';
import { LineIndex } from './lines.ts';
import type { Entry, Extent, Item, PlacedNode, Style } from './recorder.ts';

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
  /**
   * Without the space and comments behind it: a text with its quotes or its tag, a block text from its header to its
   * last line with content, a block collection from its first key or dash to the end of its last value. An absent
   * value is empty, right behind its colon or dash.
   */
  readonly value: Span;
  /** Key and value, or a whole list item with its dash. */
  readonly entry: Span;
  readonly style: Style;
  /** It came in through an alias or a merge: the place is the original's, and an edit there changes others too. */
  readonly anchor?: boolean;
  /** The alias that stands for it here; what lies below it is the original's. */
  readonly alias?: Span;
}

export class Locator {
  readonly #document: ReadDocument;
  readonly #text: string;
  #lines: LineIndex | undefined;
  #root: PlacedNode | undefined;

  /** @param text the whole file's */
  constructor(text: string, document: ReadDocument) {
    this.#text = text;
    this.#document = document;
  }

  /** The place of a value; undefined where the path leads nowhere. */
  at(path: Path): Located | undefined {
    const { depth, step } = this.#follow(path);
    return depth === path.length ? this.#located(step) : undefined;
  }

  /** The place of a value, or of the deepest thing above it that is there. */
  nearest(path: Path): { readonly path: Path; readonly located: Located } {
    const { depth, step } = this.#follow(path);
    return { path: path.slice(0, depth), located: this.#located(step) };
  }

  /** The entries of a mapping by key, or the items of a list by index, as they stand; none of anything else. */
  children(path: Path): readonly { readonly step: string | number; readonly located: Located }[] {
    const { depth, step } = this.#follow(path);
    if (depth < path.length) return [];
    const { entries, items } = step.node;
    const children: Step[] = [
      ...Array.from(entries ?? [], ([, entry]) => below(step, entry)),
      ...(items ?? []).map(item => below(step, item)),
    ];
    const names = entries === undefined ? children.map((_, index) => index) : [...entries.keys()];
    return children.map((child, index) => ({ step: names[index]!, located: this.#located(child) }));
  }

  #follow(path: Path): { readonly depth: number; readonly step: Step } {
    let step = this.#top();
    let depth = 0;
    for (const name of path) {
      const child = typeof name === 'number' ? step.node.items?.[name] : step.node.entries?.get(name);
      if (child === undefined) break;
      step = below(step, child);
      depth++;
    }
    return { depth, step };
  }

  #top(): Step {
    this.#root ??=
      this.#document.is === 'value' ? this.#document.place() : { start: 0, end: 0, style: 'null' };
    return { node: this.#root, start: this.#root.start, borrowed: this.#root.borrowed === true };
  }

  #located({ node, key, start, borrowed }: Step): Located {
    return {
      ...(key === undefined ? {} : { key: this.#span(key) }),
      value: this.#span(node),
      entry: this.#span({ start, end: (node.alias ?? node).end }),
      style: node.style,
      ...(borrowed ? { anchor: true } : {}),
      ...(node.alias === undefined ? {} : { alias: this.#span(node.alias) }),
    };
  }

  #span({ start, end }: Extent): Span {
    this.#lines ??= new LineIndex(this.#text, this.#document);
    const base = this.#document.start;
    const from = this.#lines.position(base + start);
    const to = this.#lines.position(base + end);
    return { start: base + start, end: base + end, ...from, endLine: to.line, endColumn: to.column };
  }
}

/** A node with how it was reached. */
interface Step {
  readonly node: PlacedNode;
  readonly key?: Extent;
  readonly start: number;
  readonly borrowed: boolean;
}

function below(parent: Step, child: Entry | Item): Step {
  const { node, start } = child;
  const borrowed = parent.borrowed || node.borrowed === true;
  return 'key' in child ? { node, start, borrowed, key: child.key } : { node, start, borrowed };
}
