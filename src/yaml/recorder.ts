/** Where everything stands in one document: a tree of spans, made only when someone asks for positions. */

export type Style =
  | 'plain'
  | 'single'
  | 'double'
  | 'literal'
  | 'folded'
  | 'flow-map'
  | 'flow-seq'
  | 'block-map'
  | 'block-seq'
  | 'alias'
  | 'null';

/** Offsets from the document's start; the end is exclusive. */
export interface Extent {
  start: number;
  end: number;
}

export interface Entry {
  /** Of the key, or of the question mark before it. */
  readonly start: number;
  readonly key: Extent;
  node: PlacedNode;
  /** A merge key brought it in. */
  merged?: boolean;
}

export interface Item {
  /** Of the dash, in block style. */
  readonly start: number;
  node: PlacedNode;
}

export interface PlacedNode extends Extent {
  style: Style;
  /** For mappings: by key, the last of equal ones; insertion order is source order. */
  entries?: Map<string, Entry>;
  items?: Item[];
  /** Stands elsewhere: it came in through an alias or a merge. */
  borrowed?: boolean;
  /** The alias by which it came in. */
  alias?: Extent;
  /** Keys that a later one of the same name takes back, each with the place of that later one. */
  duplicates?: { key: string; at: Extent }[];
}

/** Who states a key that often made no slip: more would only be noise, and cost memory. */
const MOST_DUPLICATES = 100;

/** Builds the tree while a reader goes through the text. */
export class Recorder {
  root: PlacedNode | undefined;
  /** The node that was completed last. */
  last: PlacedNode | undefined;
  readonly #origin: number;
  #base = 0;
  readonly #open: PlacedNode[] = [];
  #pending: { key: string; start: number; extent: Extent } | undefined;
  #itemStart = -1;
  #duplicates = 0;

  /** @param origin the document's start in its file */
  constructor(origin: number) {
    this.#origin = origin;
  }

  /** Forgets everything: a reader begins, whose offsets count from a place in the file. */
  begin(base: number): void {
    this.root = undefined;
    this.last = undefined;
    this.#base = base - this.#origin;
    this.#open.length = 0;
    this.#pending = undefined;
    this.#itemStart = -1;
    this.#duplicates = 0;
  }

  /** @returns the node, which grows until it is closed */
  open(start: number, style: Style): PlacedNode {
    const node: PlacedNode = { start: start + this.#base, end: start + this.#base, style };
    if (style === 'block-map' || style === 'flow-map') node.entries = new Map();
    else node.items = [];
    this.#attach(node);
    this.#open.push(node);
    return node;
  }

  close(end: number): void {
    this.last = this.#open.pop()!;
    this.last.end = Math.max(end + this.#base, this.last.start);
  }

  /** @param entryStart where a question mark stands before the key */
  key(key: string, start: number, end: number, entryStart = start): void {
    const extent = { start: start + this.#base, end: end + this.#base };
    const top = this.#open.at(-1)!;
    const known = top.entries!.get(key);
    if (known !== undefined) {
      // A key that a merge brought in is no second one.
      if (known.merged !== true && this.#duplicates++ < MOST_DUPLICATES) {
        top.duplicates ??= [];
        top.duplicates.push({ key, at: extent });
      }
      // The last one counts, in its own place.
      top.entries!.delete(key);
    }
    this.#pending = { key, start: entryStart + this.#base, extent };
  }

  item(start: number): void {
    this.#itemStart = start + this.#base;
  }

  scalar(start: number, end: number, style: Style): void {
    this.last = { start: start + this.#base, end: end + this.#base, style };
    this.#attach(this.last);
  }

  /** Puts in a tree that was made before: the target of an alias, which itself stands from `start` to `end`. */
  borrow(node: PlacedNode, start: number, end: number): void {
    const alias = { start: start + this.#base, end: end + this.#base };
    this.last = { ...node, borrowed: true, alias };
    this.#attach(this.last);
  }

  /** What follows is the value of a merge key: no entry of the mapping that is open. @returns that mapping */
  beginAside(): PlacedNode {
    const target = this.#open.at(-1)!;
    this.#open.push({ start: 0, end: 0, style: 'flow-seq', items: [] });
    return target;
  }

  endAside(): void {
    this.#open.pop();
  }

  #attach(node: PlacedNode): void {
    const top = this.#open.at(-1);
    if (top === undefined) this.root = node;
    else if (top.entries !== undefined) {
      const { key, start, extent } = this.#pending!;
      top.entries.set(key, { start, key: extent, node });
    } else {
      const start = this.#itemStart < 0 ? (node.alias ?? node).start : this.#itemStart;
      top.items!.push({ start, node });
      this.#itemStart = -1;
    }
  }
}

/** Gives a mapping the entries of another, as a merge key does. */
export function mergeEntries(target: PlacedNode, source: PlacedNode | undefined): void {
  for (const [key, entry] of source?.entries ?? [])
    target.entries!.set(key, { ...entry, node: { ...entry.node, borrowed: true }, merged: true });
}
