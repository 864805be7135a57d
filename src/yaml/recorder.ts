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

export interface Extent {
  start: number;
  end: number;
}

export interface Entry {
  readonly key: Extent;
  node: PlacedNode;
}

export interface PlacedNode extends Extent {
  style: Style;
  /** For mappings: by key, the last of equal ones; insertion order is source order. */
  entries?: Map<string, Entry>;
  /** For sequences: the dash (in block style) with the item. */
  items?: { start: number; node: PlacedNode }[];
  /** Stands elsewhere: it came in through an alias or a merge. */
  borrowed?: boolean;
  /** The alias by which it came in. */
  alias?: Extent;
  duplicates?: { key: string; at: Extent }[];
}

/** Builds the tree while the scanner goes through the text. Offsets are the scanner's own. */
export class Recorder {
  root: PlacedNode | undefined;
  /** The node that was completed last. */
  last: PlacedNode | undefined;
  readonly #open: PlacedNode[] = [];
  #pending: { key: string; extent: Extent } | undefined;
  #itemStart = -1;

  /** Forgets everything: another reader begins from the start. */
  reset(): void {
    this.root = undefined;
    this.last = undefined;
    this.#open.length = 0;
    this.#pending = undefined;
    this.#itemStart = -1;
  }

  open(start: number, style: Style): void {
    const node: PlacedNode = { start, end: start, style };
    if (style === 'block-map' || style === 'flow-map') node.entries = new Map();
    else node.items = [];
    this.#attach(node);
    this.#open.push(node);
  }

  close(end: number): void {
    this.last = this.#open.pop()!;
    this.last.end = end;
  }

  key(key: string, start: number, end: number): void {
    const extent = { start, end };
    const top = this.#open.at(-1)!;
    if (top.entries!.has(key)) {
      top.duplicates ??= [];
      top.duplicates.push({ key, at: extent });
      // The last one counts, in its own place.
      top.entries!.delete(key);
    }
    this.#pending = { key, extent };
  }

  item(start: number): void {
    this.#itemStart = start;
  }

  scalar(start: number, end: number, style: Style): void {
    this.last = { start, end, style };
    this.#attach(this.last);
  }

  /** Puts in a tree that was made before: the target of an alias, which itself stands from `start` to `end`. */
  borrow(node: PlacedNode, start: number, end: number): void {
    this.last = { ...node, borrowed: true, alias: { start, end } };
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
      const { key, extent } = this.#pending!;
      top.entries.set(key, { key: extent, node });
    } else {
      top.items!.push({ start: this.#itemStart < 0 ? node.start : this.#itemStart, node });
      this.#itemStart = -1;
    }
  }
}
