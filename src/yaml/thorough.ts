/**
 * The thorough reader: every YAML document there is, with the structure (parserc.go) and the values (decode.go) that
 * go-yaml v2 gives it, and with what sigs.k8s.io/yaml then refuses because JSON has no place for it. It also says
 * what is wrong with a broken one. No YAML library for JavaScript reads this dialect, so it is written out here.
 */

import { AliasCount } from './alias-count.ts';
import { setOwn } from './characters.ts';
import { Directives } from './directives.ts';
import type { Limits, OneReader } from './documents.ts';
import { mergeEntries, type PlacedNode, type Recorder, type Style } from './recorder.ts';
import {
  NOT_IN_JSON,
  plainKeyText,
  resolvePlain,
  resolveTagged,
  ScalarError,
  taggedKeyText,
} from './scalars.ts';
import { StructureError } from './structure.ts';
import { type Token, type TokenKind, Tokens } from './tokens.ts';
import { isMapping, Unwritable } from './unwritable.ts';

/** What go-yaml's reader does not let pass (readerc.go). */
const FORBIDDEN = /[^\t\n\r\x20-\x7e\x85\xa0-\ufffd]/;

export const readThoroughOne: OneReader = (file, extent, recorder, limits) => {
  const { chunk, end } = extent;
  const base = file.charCodeAt(chunk) === 0xfeff ? chunk + 1 : chunk;
  const text = file.slice(base, end);
  recorder?.begin(base);
  try {
    const forbidden = text.search(FORBIDDEN);
    if (forbidden >= 0)
      throw new StructureError(`${nameOf(text.charCodeAt(forbidden))} is not allowed in YAML`, forbidden);
    // kubectl ends every line with a line feed, also the last one of a file; behind a return that changes nothing.
    const isEnded = text.endsWith('\n') || text.endsWith('\r');
    return new Composer(isEnded ? text : `${text}\n`, recorder, limits).read(base);
  } catch (error) {
    if (error instanceof StructureError)
      return { is: 'error', message: error.message, at: Math.min(base + error.at, end) };
    throw error;
  }
};

function nameOf(code: number): string {
  return `the control character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** A node that was read. An anchor may hold on to it. */
interface Composed {
  kind: 'scalar' | 'map' | 'list';
  value: unknown;
  /** Of a scalar, as it is written: a key made of it depends on that. */
  text: string;
  tag: string;
  /** Without quotes and tag. */
  isPlain: boolean;
  /** An alias brought it in. */
  isAlias: boolean;
  /** Where it stands, a tag included. */
  start: number;
  end: number;
  /** How many nodes go-yaml decodes for it. */
  size: number;
  /** A collection that is not closed yet. */
  open: boolean;
  place: PlacedNode | undefined;
}

/** What stands in front of a node: an anchor, a tag, both or neither. */
interface Properties {
  readonly anchor: string | undefined;
  readonly tag: string;
  /** Where the tag begins: a change of the value has to take it along. */
  readonly tagStart: number | undefined;
  readonly end: number | undefined;
}

const NO_PROPERTIES: Properties = { anchor: undefined, tag: '', tagStart: undefined, end: undefined };
const MERGE = 'tag:yaml.org,2002:merge';

class Composer {
  readonly #tokens: Tokens;
  readonly #recorder: Recorder | null;
  readonly #limits: Limits;
  readonly #directives = new Directives();
  readonly #anchors = new Map<string, Composed>();
  readonly #aliases: AliasCount;
  readonly #unwritable = new Unwritable();
  #depth = 0;
  /** End of the content read last: where block collections end. */
  #contentEnd = 0;
  #hasDuplicates = false;

  constructor(text: string, recorder: Recorder | null, limits: Limits) {
    this.#tokens = new Tokens(text);
    this.#recorder = recorder;
    this.#limits = limits;
    this.#aliases = new AliasCount(limits.maxAliasExpansions);
  }

  /** The first document; go-yaml reads no other, nor anything else that stands behind it. */
  read(base: number): ReturnType<OneReader> {
    const isEmpty = this.#beginDocument();
    const value = isEmpty ? null : this.#node(true, false).value;
    const next = this.#tokens.peek();
    const ignored = this.#ignoredFrom(next);
    this.#unwritable.refuseIn(value);
    const rest = ignored === undefined ? {} : { ignored: base + ignored };
    return isEmpty
      ? { is: 'empty', ...rest }
      : { is: 'value', value, hasDuplicates: this.#hasDuplicates, ...rest };
  }

  /** @returns whether there is no content */
  #beginDocument(): boolean {
    let { kind } = this.#tokens.peek();
    if (kind === 'end') return true;
    if (kind !== 'version' && kind !== 'tag directive' && kind !== 'document start') return false;
    const { start } = this.#tokens.peek();
    this.#directives.take(this.#tokens);
    const token = this.#tokens.take();
    if (token.kind === 'end')
      throw new StructureError('kubectl refuses directives: it cuts them off at the "---" below them', start);
    if (token.kind !== 'document start')
      throw new StructureError('behind directives, "---" was expected', token.start);
    ({ kind } = this.#tokens.peek());
    return (
      kind === 'version' ||
      kind === 'tag directive' ||
      kind === 'document start' ||
      kind === 'document end' ||
      kind === 'end'
    );
  }

  /** Where text begins that go-yaml leaves unread, behind the document. */
  #ignoredFrom(token: Token): number | undefined {
    try {
      while (this.#tokens.peek().kind === 'document end') this.#tokens.take();
      const { kind, start } = this.#tokens.peek();
      return kind === 'end' ? undefined : start;
    } catch (error) {
      if (error instanceof StructureError) return Math.max(error.at, token.end);
      throw error;
    }
  }

  #is(...kinds: readonly TokenKind[]): boolean {
    return kinds.includes(this.#tokens.peek().kind);
  }

  /**
   * One node.
   *
   * @param inBlock whether block collections may begin here
   * @param indentless whether a list may begin at the column of the mapping around it
   */
  #node(inBlock: boolean, indentless: boolean): Composed {
    if (this.#is('alias')) return this.#alias(this.#tokens.take());
    const properties = this.#properties();
    const token = this.#tokens.peek();
    const { kind } = token;
    if (indentless && kind === 'block entry') return this.#list(properties, 'block-seq', false);
    if (kind === 'scalar') return this.#scalar(this.#tokens.take(), properties);
    if (kind === 'flow list') return this.#list(properties, 'flow-seq', true);
    if (kind === 'flow map') return this.#map(properties, 'flow-map');
    if (inBlock && kind === 'block list') return this.#list(properties, 'block-seq', true);
    if (inBlock && kind === 'block map') return this.#map(properties, 'block-map');
    if (properties.end !== undefined) return this.#empty(properties.end, properties);
    throw new StructureError(unexpected(token, 'a value was expected'), token.start);
  }

  #properties(): Properties {
    const first = this.#tokens.peek();
    if (first.kind !== 'anchor' && first.kind !== 'tag') return NO_PROPERTIES;
    this.#tokens.take();
    const next = this.#tokens.peek();
    const isPair = next.kind === (first.kind === 'anchor' ? 'tag' : 'anchor');
    const second = isPair ? this.#tokens.take() : undefined;
    const anchor = first.kind === 'anchor' ? first : second;
    const tag = first.kind === 'tag' ? first : second;
    return {
      anchor: anchor?.text,
      tag: tag === undefined ? '' : this.#directives.longForm(tag),
      tagStart: tag?.start,
      end: (second ?? first).end,
    };
  }

  /** @param token of a scalar that is there */
  #begin(kind: Composed['kind'], start: number, properties: Properties, token?: Token): Composed {
    const { anchor, tag } = properties;
    const node: Composed = {
      kind,
      value: null,
      text: token?.text ?? '',
      tag,
      isPlain: token === undefined ? tag === '' : tag === '!' || (tag === '' && token.style === 'plain'),
      isAlias: false,
      start: properties.tagStart ?? start,
      end: token?.end ?? start,
      size: this.#aliases.nodes,
      open: kind !== 'scalar',
      place: undefined,
    };
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    this.#aliases.add(start);
    return node;
  }

  #finish(node: Composed): Composed {
    node.open = false;
    node.size = this.#aliases.nodes - node.size;
    node.place = this.#recorder?.last;
    return node;
  }

  #scalar(token: Token, properties: Properties): Composed {
    return this.#textNode(this.#begin('scalar', token.start, properties, token), token.style, token.start);
  }

  /** A value that is not there: it stands right behind what announces it. */
  #empty(at: number, properties: Properties = NO_PROPERTIES): Composed {
    return this.#textNode(this.#begin('scalar', at, properties), 'null', at);
  }

  #textNode(node: Composed, style: Style, at: number): Composed {
    node.value = this.#valueOf(node, at);
    this.#contentEnd = node.end;
    this.#recorder?.scalar(node.start, node.end, style);
    return this.#finish(node);
  }

  #valueOf({ tag, text, isPlain }: Composed, at: number): unknown {
    try {
      const value = tag !== '' ? resolveTagged(tag, text) : isPlain ? resolvePlain(text) : text;
      return value === NOT_IN_JSON
        ? this.#unwritable.value(`"${text}" has no place in JSON, so kubectl refuses it`, at)
        : value;
    } catch (error) {
      if (error instanceof ScalarError) throw new StructureError(error.message, at);
      throw error;
    }
  }

  #alias(token: Token): Composed {
    const { text: name, start, end } = token;
    const target = this.#anchors.get(name);
    if (target === undefined)
      throw new StructureError(`no anchor "&${name}" stands before this alias`, start);
    if (target.open) throw new StructureError(`the anchor "&${name}" holds itself`, start);
    const before = this.#aliases.nodes;
    this.#aliases.add(start);
    this.#aliases.expand(target.size, start);
    this.#contentEnd = end;
    this.#recorder?.borrow(target.place ?? { start, end, style: 'alias' }, start, end);
    const size = this.#aliases.nodes - before;
    return { ...target, isAlias: true, start, end, size, place: this.#recorder?.last };
  }

  #open(kind: 'map' | 'list', style: Style, properties: Properties): Composed {
    const { start } = this.#tokens.peek();
    if (++this.#depth > this.#limits.maxDepth)
      throw new StructureError(
        `more than ${this.#limits.maxDepth} mappings and lists inside each other`,
        start,
      );
    const node = this.#begin(kind, start, properties);
    this.#recorder?.open(node.start, style);
    return node;
  }

  #close(node: Composed): Composed {
    this.#depth--;
    this.#recorder?.close(this.#contentEnd);
    return this.#finish(node);
  }

  /** @param announced whether a token of its own opens it; else it begins with its first dash */
  #list(properties: Properties, style: 'block-seq' | 'flow-seq', announced: boolean): Composed {
    const node = this.#open('list', style, properties);
    const items: unknown[] = [];
    node.value = items;
    const opening = announced ? this.#tokens.take() : this.#tokens.peek();
    if (style === 'flow-seq') this.#flowItems(items, opening);
    else if (announced) this.#blockItems(items);
    else this.#indentlessItems(items);
    return this.#close(node);
  }

  #blockItems(items: unknown[]): void {
    while (this.#is('block entry')) items.push(this.#item(['block entry', 'block end']));
    const token = this.#tokens.take();
    if (token.kind !== 'block end')
      throw new StructureError(
        unexpected(token, 'a list item ("- ") was expected: check the indentation'),
        token.start,
      );
  }

  #indentlessItems(items: unknown[]): void {
    while (this.#is('block entry')) items.push(this.#item(['block entry', 'key', 'value', 'block end']));
  }

  /** One item of a block list. @param ends what can follow a dash that has no value */
  #item(ends: readonly TokenKind[]): unknown {
    const dash = this.#tokens.take();
    this.#recorder?.item(dash.start);
    return (this.#is(...ends) ? this.#empty(dash.end) : this.#node(true, false)).value;
  }

  #flowItems(items: unknown[], opening: Token): void {
    for (let first = true; !this.#is('flow list end'); first = false) {
      if (!first) {
        this.#expectComma(opening, ']');
        if (this.#is('flow list end')) break;
      }
      items.push((this.#is('key') ? this.#pair() : this.#node(false, false)).value);
    }
    this.#contentEnd = this.#tokens.take().end;
  }

  #expectComma(opening: Token, bracket: string): void {
    const token = this.#tokens.peek();
    if (token.kind === 'flow entry') {
      this.#tokens.take();
      return;
    }
    if (token.kind === 'end')
      throw new StructureError(`this bracket is never closed: "${bracket}" is missing`, opening.start);
    throw new StructureError(`"," or "${bracket}" was expected`, token.start);
  }

  /** A mapping of one entry inside a flow list: `[a: b]`. */
  #pair(): Composed {
    const node = this.#open('map', 'flow-map', NO_PROPERTIES);
    const result: Record<string, unknown> = {};
    node.value = result;
    const keyToken = this.#tokens.take();
    let key: Composed;
    if (this.#is('value', 'flow entry', 'flow list end'))
      key = this.#aside(() => this.#empty(this.#tokens.take().end));
    else key = this.#keyNode(false);
    this.#entry(result, new Set(), key, keyToken, () => this.#flowValue('flow list end'));
    return this.#close(node);
  }

  #map(properties: Properties, style: 'block-map' | 'flow-map'): Composed {
    const node = this.#open('map', style, properties);
    const result: Record<string, unknown> = {};
    node.value = result;
    const opening = this.#tokens.take();
    if (style === 'flow-map') this.#flowEntries(result, opening);
    else this.#blockEntries(result);
    return this.#close(node);
  }

  #blockEntries(result: Record<string, unknown>): void {
    const own = new Set<string>();
    while (this.#is('key')) {
      const token = this.#tokens.take();
      const key = this.#is('key', 'value', 'block end')
        ? this.#aside(() => this.#empty(token.end))
        : this.#keyNode(true);
      this.#entry(result, own, key, token, () => this.#blockValue());
    }
    const token = this.#tokens.take();
    if (token.kind !== 'block end')
      throw new StructureError(unexpected(token, 'a key was expected: check the indentation'), token.start);
  }

  /** The value of an entry, with its colon; either may be missing. */
  #blockValue(): Composed {
    const colon = this.#tokens.peek();
    if (colon.kind !== 'value') return this.#empty(this.#contentEnd);
    this.#tokens.take();
    return this.#is('key', 'value', 'block end') ? this.#empty(colon.end) : this.#node(true, true);
  }

  #flowEntries(result: Record<string, unknown>, opening: Token): void {
    const own = new Set<string>();
    for (let first = true; !this.#is('flow map end'); first = false) {
      if (!first) {
        this.#expectComma(opening, '}');
        if (this.#is('flow map end')) break;
      }
      this.#flowEntry(result, own);
    }
    this.#contentEnd = this.#tokens.take().end;
  }

  #flowEntry(result: Record<string, unknown>, own: Set<string>): void {
    const token = this.#tokens.peek();
    if (token.kind !== 'key') {
      this.#entry(result, own, this.#keyNode(false), token, () => this.#empty(this.#contentEnd));
      return;
    }
    this.#tokens.take();
    const isEmpty = this.#is('value', 'flow entry', 'flow map end');
    const key = isEmpty ? this.#aside(() => this.#empty(token.end)) : this.#keyNode(false);
    this.#entry(result, own, key, token, () => this.#flowValue('flow map end'));
  }

  /** The value of an entry, with its colon; either may be missing. */
  #flowValue(end: 'flow list end' | 'flow map end'): Composed {
    const colon = this.#tokens.peek();
    if (colon.kind !== 'value') return this.#empty(this.#contentEnd);
    this.#tokens.take();
    return this.#is('flow entry', end) ? this.#empty(colon.end) : this.#node(false, false);
  }

  /** A key is no value of the tree of places. */
  #keyNode(inBlock: boolean): Composed {
    return this.#aside(() => this.#node(inBlock, inBlock));
  }

  #aside(read: () => Composed): Composed {
    this.#recorder?.beginAside();
    const node = read();
    this.#recorder?.endAside();
    return node;
  }

  #entry(
    result: Record<string, unknown>,
    own: Set<string>,
    key: Composed,
    token: Token,
    readValue: () => Composed,
  ): void {
    if (isMerge(key)) {
      this.#merge(result, token, readValue);
      return;
    }
    if (key.kind !== 'scalar') throw new StructureError('a key cannot be a mapping or a list', key.start);
    const text = this.#keyText(key);
    if (text === undefined) this.#unwritable.mark(result, refusedKey(key), key.start);
    const name = text ?? 'null';
    this.#recorder?.key(name, key.start, key.end, token.start);
    const { value } = readValue();
    if (own.has(name)) this.#hasDuplicates = true;
    own.add(name);
    setOwn(result, name, value);
  }

  /** @returns undefined where kubectl refuses the key */
  #keyText({ tag, text, isPlain, start }: Composed): string | undefined {
    try {
      if (tag !== '') return taggedKeyText(tag, text);
      return isPlain ? plainKeyText(text) : text;
    } catch (error) {
      if (error instanceof ScalarError) throw new StructureError(error.message, start);
      throw error;
    }
  }

  /** Merges are done where they stand, so that what they bring in wins over an earlier key. */
  #merge(result: Record<string, unknown>, key: Token, readValue: () => Composed): void {
    const target = this.#recorder?.beginAside();
    const node = readValue();
    this.#recorder?.endAside();
    const isList = node.kind === 'list' && !node.isAlias;
    const sources = isList ? (node.value as readonly unknown[]).toReversed() : [node.value];
    const places = isList ? node.place?.items?.map(item => item.node).toReversed() : [node.place];
    sources.forEach((source, i) => {
      if (!isMapping(source))
        throw new StructureError('"<<" takes a mapping, or a list of mappings', key.start);
      for (const [name, value] of Object.entries(source)) setOwn(result, name, value);
      this.#unwritable.passOn(source, result);
      if (target !== undefined) mergeEntries(target, places?.[i]);
    });
  }
}

function isMerge({ kind, text, isPlain, tag, isAlias }: Composed): boolean {
  return kind === 'scalar' && text === '<<' && !isAlias && (isPlain || tag === MERGE);
}

function refusedKey({ text }: Composed): string {
  return /^[0-9]/.test(text)
    ? `the key ${text} is no 64-bit integer: kubectl refuses it`
    : 'a key cannot be null';
}

/** What stands where something else was expected, if that says more. */
function unexpected(token: Token, expected: string): string {
  switch (token.kind) {
    case 'end':
      return `${expected}, but the document ends`;
    case 'flow list end':
      return '"]" closes no list here; quote the text if it is none';
    case 'flow map end':
      return '"}" closes no mapping here; quote the text if it is none';
    case 'flow entry':
      return '"," cannot stand here; quote the text if it begins with a comma';
    default:
      return expected;
  }
}
