/**
 * Edits a document's text at the places where its values stand, so that comments, quotes, order and indentation stay
 * as they are. What cannot be done safely is refused with its reason; nothing is ever written anew as a whole.
 */
import { isRecord, type Path, valueAt } from '#kube/objects.ts';
import type { ReadDocument } from './documents.ts';
import type { Entry, PlacedNode } from './recorder.ts';
import { hintOf, resolvePlain } from './scalars.ts';

export type EditRequest =
  | { readonly op: 'set'; readonly path: Path; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: Path; readonly prune?: true }
  | { readonly op: 'append'; readonly path: Path; readonly value: unknown };

/** A replacement in the file's text. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The change cannot be made in this text without touching more than it should. */
export class EditRefused extends Error {
  override readonly name = 'EditRefused';
}

/**
 * The replacements that make the changes, sorted and without overlaps.
 *
 * @param text the file's
 * @param document one of its documents, as it was read
 * @throws EditRefused
 */
export function editsFor(text: string, document: ReadDocument, requests: readonly EditRequest[]): TextEdit[] {
  if (document.is !== 'value') throw new EditRefused('the document was not read');
  const editor = new Editor(text.slice(document.start, document.end), document.place());
  return editor.edits(requests).map(({ start, end, text: replacement }) => ({
    start: start + document.start,
    end: end + document.start,
    text: replacement,
  }));
}

/** The requests where what would be left empty by removals that may prune goes as a whole. */
export function pruned(value: unknown, requests: readonly EditRequest[]): readonly EditRequest[] {
  const prunable = requests.filter(request => request.op === 'remove' && request.prune === true);
  if (prunable.length === 0) return requests;
  let result = requests;
  for (const [, siblings] of Map.groupBy(prunable, ({ path }) => JSON.stringify(path.slice(0, -1)))) {
    const path = siblings[0]!.path.slice(0, -1);
    const holder = valueAt(value, path);
    const size = Array.isArray(holder) ? holder.length : isRecord(holder) ? Object.keys(holder).length : 0;
    const gone = new Set(siblings.map(one => one.path.at(-1)));
    const isFilled = requests.some(
      one =>
        one.op !== 'remove' &&
        one.path.length >= path.length &&
        path.every((step, i) => one.path[i] === step),
    );
    if (path.length === 0 || gone.size !== size || isFilled) continue;
    result = [...result.filter(one => !siblings.includes(one)), { op: 'remove', path, prune: true }];
  }
  return result === requests ? requests : pruned(value, result);
}

/** The text with replacements made. */
export function withEdits(text: string, edits: readonly TextEdit[]): string {
  let result = '';
  let at = 0;
  for (const edit of edits) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}

/** Values to be put into one mapping, by key; nested where mappings on the way are absent. */
interface Insertion {
  readonly node: PlacedNode;
  readonly path: Path;
  readonly values: Map<string, unknown>;
}

interface Found {
  readonly node: PlacedNode;
  readonly depth: number;
  readonly parents: readonly {
    readonly node: PlacedNode;
    readonly step: string | number;
    readonly entry: Entry | undefined;
  }[];
}

class Editor {
  readonly #text: string;
  readonly #root: PlacedNode;
  readonly #newline: string;
  readonly #indent: number;
  readonly #listIndent: number;

  constructor(text: string, root: PlacedNode) {
    this.#text = text;
    this.#root = root;
    this.#newline = text.includes('\r\n') ? '\r\n' : '\n';
    const { indent, listIndent } = this.#habits();
    this.#indent = indent;
    this.#listIndent = listIndent;
  }

  edits(requests: readonly EditRequest[]): TextEdit[] {
    const edits: TextEdit[] = [];
    const insertions = new Map<PlacedNode, Insertion>();
    const removals = new Map<PlacedNode, Map<string | number, Found>>();
    for (const request of requests) {
      const found = this.#find(request.path);
      if (request.op === 'remove') {
        const parent = found.parents.at(-1);
        if (found.depth !== request.path.length) continue;
        if (parent === undefined) throw new EditRefused('the whole document cannot be removed');
        const siblings = removals.get(parent.node) ?? new Map<string | number, Found>();
        removals.set(parent.node, siblings.set(parent.step, found));
      } else if (
        request.op === 'append' &&
        found.depth === request.path.length &&
        found.node.items !== undefined
      )
        edits.push(this.#append(found.node, request.value));
      else {
        const value = request.op === 'append' ? [request.value] : request.value;
        if (found.depth === request.path.length) edits.push(this.#replace(found, value));
        else this.#insert(insertions, found, request.path, value);
      }
    }
    for (const [holder, of] of removals) edits.push(...this.#removed(holder, [...of.values()]));
    for (const insertion of insertions.values()) edits.push(this.#inserted(insertion));
    edits.sort((a, b) => a.start - b.start || a.end - b.end);
    for (let i = 1; i < edits.length; i++)
      if (edits[i]!.start < edits[i - 1]!.end) throw new EditRefused('two changes touch the same place');
    return edits;
  }

  #find(path: Path): Found {
    let node = this.#root;
    const parents: Found['parents'][number][] = [];
    for (const step of path) {
      if (node.borrowed === true)
        throw new EditRefused('the value comes from an anchor, and others share it');
      const entry = typeof step === 'string' ? node.entries?.get(step) : undefined;
      const child = typeof step === 'number' ? node.items?.[step]?.node : entry?.node;
      if (child === undefined) break;
      parents.push({ node, step, entry });
      node = child;
    }
    if (node.borrowed === true) throw new EditRefused('the value comes from an anchor, and others share it');
    return { node, depth: parents.length, parents };
  }

  #replace({ node, parents }: Found, value: unknown): TextEdit {
    const entry = parents.at(-1)?.entry;
    if (node.entries === undefined && node.items === undefined) {
      if (node.style === 'literal' || node.style === 'folded')
        throw new EditRefused('the value is a block of text');
      const text = this.#flow(value, node.style === 'double' ? '"' : node.style === 'single' ? "'" : '');
      return { start: node.start, end: node.end, text: node.style === 'null' ? ` ${text}` : text };
    }
    if (entry === undefined)
      throw new EditRefused('only the value of a key can be replaced by another kind of value');
    // From behind the colon to the end of what was there; a comment in between would be lost.
    const colon = this.#text.indexOf(':', entry.key.end);
    if (this.#text.slice(colon, node.end).includes('#'))
      throw new EditRefused('a comment stands in what would be replaced');
    return {
      start: colon + 1,
      end: node.end,
      text: ` ${this.#flow(value, this.#quoteOf(parents.at(-1)!.node))}`,
    };
  }

  #insert(insertions: Map<PlacedNode, Insertion>, { node, depth }: Found, path: Path, value: unknown): void {
    const [step, ...rest] = path.slice(depth);
    if (typeof step !== 'string') throw new EditRefused('the list has no such item');
    if (node.entries === undefined && node.style !== 'null')
      throw new EditRefused('there is something else in its place');
    const insertion = insertions.get(node) ?? {
      node,
      path: path.slice(0, depth),
      values: new Map<string, unknown>(),
    };
    insertions.set(node, insertion);
    insertion.values.set(step, nested(insertion.values.get(step), rest, value));
  }

  #inserted({ node, values }: Insertion): TextEdit {
    const text = this.#text;
    if (node.style === 'null') {
      // `securityContext:` with nothing behind it: the keys go below, deeper than their own.
      const indent = this.#columnOfLine(node.start) + this.#indent;
      return {
        start: node.start,
        end: node.end,
        text: this.#newline + this.#blockLines(values, indent).join(this.#newline),
      };
    }
    if (node.style === 'flow-map') {
      const quote = this.#quoteOf(node);
      const parts = [...values].map(
        ([key, value]) => `${this.#key(key, quote)}: ${this.#flow(value, quote)}`,
      );
      const inner = text.slice(node.start + 1, node.end - 1);
      const tail = this.#text.slice(node.end, this.#endOfLine(node.end));
      const own = this.#text.slice(this.#lineStart(node.start), node.start);
      // Below a key of a block, where its neighbours stand.
      if (inner.trim() === '' && /^\s*(?:- +)*[\w./-]+: *$/.test(own) && /^ *(?:#.*)?$/.test(tail)) {
        const indent = this.#columnOfLine(node.start) + this.#indent;
        return {
          start: node.start - / *$/.exec(own)![0].length,
          end: this.#endOfLine(node.end),
          text: [tail.trimEnd(), ...this.#blockLines(values, indent)].join(this.#newline),
        };
      }
      if (inner.trim() === '')
        return {
          start: node.start,
          end: node.end,
          text: quote === '"' ? `{${parts.join(', ')}}` : `{ ${parts.join(', ')} }`,
        };
      const end = node.start + 1 + inner.trimEnd().length;
      if (/#[^\n]*$/.test(inner.trimEnd()))
        throw new EditRefused('a comment stands before the closing brace');
      const comma = inner.trimEnd().endsWith(',') ? ' ' : ', ';
      return { start: end, end, text: comma + parts.join(', ') };
    }
    const first = node.entries!.values().next().value;
    const indent = first === undefined ? 0 : this.#columnOf(first.key.start);
    const at = this.#endOfLine(node.end);
    return { start: at, end: at, text: this.#newline + this.#blockLines(values, indent).join(this.#newline) };
  }

  #append(node: PlacedNode, value: unknown): TextEdit {
    if (node.style === 'flow-seq') {
      const quote = this.#text.slice(node.start, node.end).includes('"') ? '"' : '';
      const inner = this.#text.slice(node.start + 1, node.end - 1).trimEnd();
      const end = node.start + 1 + inner.length;
      return { start: end, end, text: `${inner.trim() === '' ? '' : ', '}${this.#flow(value, quote)}` };
    }
    const last = node.items!.at(-1)!;
    const at = this.#endOfLine(last.node.end);
    const indent = this.#columnOf(node.items![0]!.start);
    return {
      start: at,
      end: at,
      text: this.#newline + this.#itemLines(value, indent).join(this.#newline),
    };
  }

  /** Entries of one mapping or list go; where none is left, it stays, empty. */
  #removed(holder: PlacedNode, gone: readonly Found[]): TextEdit[] {
    const size = holder.entries?.size ?? holder.items?.length ?? 0;
    const flow = holder.style === 'flow-map' || holder.style === 'flow-seq';
    if (gone.length === size) return [this.#emptied(holder, gone[0]!.parents, flow)];
    return gone.map(found => this.#remove(found, flow));
  }

  #remove({ node, parents }: Found, flow: boolean): TextEdit {
    const { node: holder, step, entry } = parents.at(-1)!;
    const start = entry?.key.start ?? holder.items![step as number]!.start;
    if (flow) return this.#removeFromFlow(holder, start, node.end);
    const lineStart = this.#lineStart(start);
    const end = this.#endOfLine(node.end);
    const after = end < this.#text.length ? end + this.#newline.length : end;
    if (this.#text.slice(lineStart, start).trim() === '') {
      // The last line of a text without a final line break takes the one before it along.
      if (after === end && lineStart > 0) return { start: lineStart - this.#newline.length, end, text: '' };
      return { start: lineStart, end: after, text: '' };
    }
    // The first key behind a dash: the next key moves up to its place.
    const indent = this.#columnOf(start);
    if (this.#text.slice(after, after + indent).trim() !== '' || /^\s*(?:#|$)/.test(this.#line(after)))
      throw new EditRefused('the next key does not follow directly');
    return { start, end: after + indent, text: '' };
  }

  #emptied(holder: PlacedNode, parents: Found['parents'], flow: boolean): TextEdit {
    const empty = holder.entries === undefined ? '[]' : '{}';
    if (flow) return { start: holder.start, end: holder.end, text: empty };
    const above = parents.at(-2)?.entry;
    if (above === undefined) throw new EditRefused('it is the only thing there');
    const colon = this.#text.indexOf(':', above.key.end);
    if (this.#text.slice(colon, holder.end).includes('#'))
      throw new EditRefused('a comment stands in what would be removed');
    return { start: colon + 1, end: holder.end, text: ` ${empty}` };
  }

  #removeFromFlow(holder: PlacedNode, start: number, end: number): TextEdit {
    const behind = /^\s*,\s*/.exec(this.#text.slice(end, holder.end));
    if (behind !== null) return { start, end: end + behind[0].length, text: '' };
    const before = /,\s*$/.exec(this.#text.slice(holder.start, start));
    return { start: start - (before?.[0].length ?? 0), end, text: '' };
  }

  #blockLines(values: ReadonlyMap<string, unknown>, indent: number): string[] {
    const pad = ' '.repeat(indent);
    return [...values].flatMap(([key, value]) => {
      const name = this.#key(key, '');
      if (isRecord(value) && Object.keys(value).length > 0)
        return [`${pad}${name}:`, ...this.#blockLines(new Map(Object.entries(value)), indent + this.#indent)];
      if (Array.isArray(value) && value.length > 0 && value.every(item => typeof item !== 'object'))
        return [
          `${pad}${name}:`,
          ...value.map(item => `${pad}${' '.repeat(this.#listIndent)}- ${this.#flow(item, '')}`),
        ];
      if (Array.isArray(value) && value.length > 0 && value.every(isFilled))
        return [`${pad}${name}:`, ...value.flatMap(item => this.#itemLines(item, indent + this.#listIndent))];
      return [`${pad}${name}: ${this.#flow(value, '')}`];
    });
  }

  /** An item of a list in block style; a mapping begins behind its dash. */
  #itemLines(value: unknown, indent: number): string[] {
    const pad = ' '.repeat(indent);
    if (!isFilled(value)) return [`${pad}- ${this.#flow(value, '')}`];
    const [first, ...rest] = this.#blockLines(new Map(Object.entries(value)), indent + 2);
    return [`${pad}- ${first!.trimStart()}`, ...rest];
  }

  #flow(value: unknown, quote: '' | '"' | "'"): string {
    if (typeof value === 'string') return quoteString(value, quote);
    if (Array.isArray(value)) return `[${value.map(item => this.#flow(item, quote)).join(', ')}]`;
    if (isRecord(value)) {
      const parts = Object.entries(value).map(
        ([key, item]) => `${this.#key(key, quote)}: ${this.#flow(item, quote)}`,
      );
      return parts.length === 0 ? '{}' : `{${parts.join(', ')}}`;
    }
    return String(value);
  }

  #key(key: string, quote: '' | '"' | "'"): string {
    return quote === '"' ? JSON.stringify(key) : quoteString(key, '');
  }

  /** Whether the keys of a mapping are quoted, as in JSON. */
  #quoteOf(node: PlacedNode): '' | '"' {
    const first = node.entries?.values().next().value ?? this.#root.entries?.values().next().value;
    return first !== undefined && this.#text[first.key.start] === '"' ? '"' : '';
  }

  /** How this author indents: below keys, and lists below their keys. */
  #habits(): { readonly indent: number; readonly listIndent: number } {
    let indent: number | undefined;
    let listIndent: number | undefined;
    const visit = (node: PlacedNode): void => {
      for (const { key, node: child } of node.entries?.values() ?? []) {
        if (node.style === 'block-map' && child.borrowed !== true) {
          const column = this.#columnOf(key.start);
          if (child.style === 'block-map') indent ??= this.#columnOf(child.start) - column;
          if (child.style === 'block-seq') listIndent ??= this.#columnOf(child.items![0]!.start) - column;
        }
        visit(child);
      }
      for (const item of node.items ?? []) visit(item.node);
    };
    visit(this.#root);
    return { indent: Math.max(1, indent ?? 2), listIndent: Math.max(0, listIndent ?? 2) };
  }

  #lineStart(at: number): number {
    return this.#text.lastIndexOf('\n', at - 1) + 1;
  }

  /** Before the line break of the line that the place is in; a comment there stays on its line. */
  #endOfLine(at: number): number {
    const newline = this.#text.indexOf('\n', at);
    if (newline < 0) return this.#text.length;
    return this.#text[newline - 1] === '\r' ? newline - 1 : newline;
  }

  #line(at: number): string {
    return this.#text.slice(at, this.#endOfLine(at));
  }

  #columnOf(at: number): number {
    return at - this.#lineStart(at);
  }

  /** The column of the first key on the line: behind a dash, if there is one. */
  #columnOfLine(at: number): number {
    return /^(?:\s|- )*/.exec(this.#text.slice(this.#lineStart(at), at))![0].length;
  }
}

function nested(before: unknown, rest: Path, value: unknown): unknown {
  const [step, ...more] = rest;
  if (step === undefined) return value;
  if (typeof step !== 'string') throw new EditRefused('the list has no such item');
  const record = isRecord(before) ? before : {};
  return { ...record, [step]: nested(record[step], more, value) };
}

function isFilled(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && Object.keys(value).length > 0;
}

const PLAIN = /^[A-Za-z_/][\w./-]*$/;

function quoteString(text: string, quote: '' | '"' | "'"): string {
  if (quote === "'" && !text.includes('\n')) return `'${text.replaceAll("'", "''")}'`;
  if (quote === '' && PLAIN.test(text) && (hintOf(text.charCodeAt(0)) === 0 || resolvePlain(text) === text))
    return text;
  return JSON.stringify(text);
}
