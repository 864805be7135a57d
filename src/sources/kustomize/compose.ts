/**
 * Text to nodes, as kyaml's reader does it: cut at the separators, one document each, lists of objects unfolded,
 * aliases and merges written out. Source: kyaml/kio/byteio_reader.go, kyaml/yaml/rnode.go (DeAnchor).
 */
import { Directives } from '#yaml/directives.ts';
import { defaultLimits } from '#yaml/documents.ts';
import { StructureError } from '#yaml/structure.ts';
import { type Token, type TokenKind, Tokens } from '#yaml/tokens.ts';
import { BuildError, clearField, field, MAP, Node, NULL, SEQ, STR, type Style } from './node.ts';
import { MAX_DEPTH, tagOf } from './scalars.ts';
import type { Source } from './source.ts';

const CORE = 'tag:yaml.org,2002:';
const MERGE = '!!merge';
const SEPARATOR = /\n---.*\n/g;

/**
 * The objects of a text; `List`s are unfolded only where they are all there is.
 *
 * @throws BuildError for what is no YAML
 */
export function readNodes(source: Source): Node[] {
  const nodes: Node[] = [];
  const parts = split(source.text);
  for (const { start, end } of parts) {
    const node = readOne(source, start, end);
    if (node === undefined || node.tag === NULL) continue;
    const kind = node.kind === 'map' ? field(node, 'kind')?.value : undefined;
    if (
      parts.length === 1 &&
      (kind === 'List' || kind === 'ResourceList') &&
      field(node, 'items') !== undefined
    )
      nodes.push(...field(node, 'items')!.content);
    else nodes.push(node);
  }
  return nodes.map(node => withoutAnchors(node, { nodes: 0 }));
}

/** One value: the first document of a text. */
export function readValue(source: Source): Node | undefined {
  const node = readOne(source, 0, source.text.length);
  return node === undefined ? undefined : withoutAnchors(node, { nodes: 0 });
}

function split(text: string): { readonly start: number; readonly end: number }[] {
  if (text === '') return [];
  const parts: { readonly start: number; readonly end: number }[] = [];
  let from = 0;
  for (const match of text.matchAll(SEPARATOR)) {
    const behind = match[0].slice(4).trim();
    if (behind !== '' && !behind.startsWith('#'))
      throw new BuildError(`invalid document separator: ${match[0].trim()}`);
    parts.push({ start: from, end: match.index + 1 });
    from = match.index + match[0].length;
  }
  parts.push({ start: from, end: text.length });
  return parts;
}

function readOne(source: Source, start: number, end: number): Node | undefined {
  const base = source.text.charCodeAt(start) === 0xfeff ? start + 1 : start;
  const text = source.text.slice(base, end);
  try {
    return new Composer(text, source, base).read();
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    const { line } = source.position(Math.min(base + error.at, end), end);
    throw new BuildError(`MalformedYAMLError: yaml: line ${line}: ${error.message}`);
  }
}

interface Properties {
  readonly anchor: string;
  readonly tag: string;
  readonly start: number | undefined;
  readonly end: number | undefined;
}

const PLAIN_STYLES: Readonly<Record<string, Style>> = {
  single: 'single',
  double: 'double',
  literal: 'literal',
  folded: 'folded',
};

class Composer {
  readonly #tokens: Tokens;
  readonly #source: Source;
  readonly #base: number;
  readonly #directives = new Directives();
  readonly #anchors = new Map<string, Node>();
  /** Where a text without a last line break ends; infinite for any other. */
  readonly #openEnd: number;
  #depth = 0;
  #contentEnd = 0;

  constructor(text: string, source: Source, base: number) {
    const isClosed = text.endsWith('\n');
    this.#openEnd = isClosed ? Number.POSITIVE_INFINITY : text.length;
    this.#tokens = new Tokens(isClosed ? text : `${text}\n`);
    this.#source = source;
    this.#base = base;
  }

  read(): Node | undefined {
    this.#directives.take(this.#tokens);
    if (this.#is('document start')) this.#tokens.take();
    if (this.#is('end')) return undefined;
    if (this.#is('document start', 'document end')) return this.#empty(0, NONE);
    const node = this.#node(true, false);
    if (!this.#is('end', 'document end', 'document start')) {
      const { start } = this.#tokens.peek();
      throw new StructureError('did not find expected <document start>', start);
    }
    return node;
  }

  #is(...kinds: readonly TokenKind[]): boolean {
    return kinds.includes(this.#tokens.peek().kind);
  }

  #node(inBlock: boolean, indentless: boolean): Node {
    if (this.#is('alias')) return this.#alias(this.#tokens.take());
    const properties = this.#properties();
    const token = this.#tokens.peek();
    const { kind } = token;
    if (indentless && kind === 'block entry') return this.#list(properties, false, false);
    if (kind === 'scalar') return this.#scalar(this.#tokens.take(), properties);
    if (kind === 'flow list') return this.#list(properties, true, true);
    if (kind === 'flow map') return this.#map(properties, true);
    if (inBlock && kind === 'block list') return this.#list(properties, false, true);
    if (inBlock && kind === 'block map') return this.#map(properties, false);
    if (properties.end !== undefined) return this.#empty(properties.end, properties);
    throw new StructureError('did not find expected node content', token.start);
  }

  #properties(): Properties {
    let anchor = '';
    let tag = '';
    let start: number | undefined;
    let end: number | undefined;
    while (this.#is('anchor', 'tag')) {
      const token = this.#tokens.take();
      start ??= token.start;
      ({ end } = token);
      if (token.kind === 'anchor') anchor = token.text;
      else tag = this.#directives.longForm(token);
    }
    return { anchor, tag, start, end };
  }

  #make(kind: 'scalar' | 'map' | 'list', start: number, end: number, { anchor, tag }: Properties): Node {
    const node = new Node(kind, kind === 'map' ? MAP : kind === 'list' ? SEQ : '');
    node.at = { source: this.#source, start: this.#base + start, end: this.#base + end };
    if (tag !== '' && tag !== '!') {
      node.tag = tag.startsWith(CORE) ? `!!${tag.slice(CORE.length)}` : tag;
      node.tagged = true;
    }
    if (anchor !== '') {
      node.anchor = anchor;
      this.#anchors.set(anchor, node);
    }
    return node;
  }

  #scalar(token: Token, properties: Properties): Node {
    const node = this.#make('scalar', properties.start ?? token.start, token.end, properties);
    node.value = token.text;
    node.style = PLAIN_STYLES[token.style] ?? '';
    // A block that the end of the text ends has no last line break; the scanner was given one.
    if (token.end >= this.#openEnd && (node.style === 'literal' || node.style === 'folded'))
      node.value = node.value.replace(/\n$/, '');
    if (!node.tagged) node.tag = node.style === '' && properties.tag !== '!' ? tagOf(token.text) : STR;
    this.#contentEnd = token.end;
    return node;
  }

  #empty(at: number, properties: Properties): Node {
    const node = this.#make('scalar', at, at, properties);
    if (!node.tagged) node.tag = NULL;
    this.#contentEnd = at;
    return node;
  }

  #alias(token: Token): Node {
    const target = this.#anchors.get(token.text);
    if (target === undefined)
      throw new StructureError(`unknown anchor '${token.text}' referenced`, token.start);
    const node = new Node('alias');
    node.alias = target;
    node.at = { source: this.#source, start: this.#base + token.start, end: this.#base + token.end };
    this.#contentEnd = token.end;
    return node;
  }

  #open(): void {
    if (++this.#depth > defaultLimits.maxDepth)
      throw new StructureError(
        `more than ${defaultLimits.maxDepth} mappings and lists inside each other`,
        this.#tokens.peek().start,
      );
  }

  #close(node: Node): Node {
    this.#depth--;
    node.at = { ...node.at!, end: this.#base + Math.max(this.#contentEnd, node.at!.start - this.#base) };
    return node;
  }

  #list(properties: Properties, flow: boolean, announced: boolean): Node {
    this.#open();
    const opening = announced ? this.#tokens.take() : this.#tokens.peek();
    const node = this.#make('list', properties.start ?? opening.start, opening.end, properties);
    if (flow) {
      node.style = 'flow';
      for (let first = true; !this.#is('flow list end'); first = false) {
        if (!first) {
          this.#comma(']');
          if (this.#is('flow list end')) break;
        }
        node.content.push(this.#is('key') ? this.#pair() : this.#node(false, false));
      }
      this.#contentEnd = this.#tokens.take().end;
    } else {
      const ends: readonly TokenKind[] = announced
        ? ['block entry', 'block end']
        : ['block entry', 'key', 'value', 'block end'];
      while (this.#is('block entry')) {
        const dash = this.#tokens.take();
        node.content.push(this.#is(...ends) ? this.#empty(dash.end, NONE) : this.#node(true, false));
      }
      if (announced) this.#end("did not find expected '-' indicator");
    }
    return this.#close(node);
  }

  #end(message: string): void {
    const token = this.#tokens.take();
    if (token.kind !== 'block end') throw new StructureError(message, token.start);
  }

  #comma(bracket: string): void {
    const token = this.#tokens.peek();
    if (token.kind !== 'flow entry')
      throw new StructureError(`did not find expected ',' or '${bracket}'`, token.start);
    this.#tokens.take();
  }

  #pair(): Node {
    this.#open();
    const token = this.#tokens.take();
    const node = this.#make('map', token.start, token.end, NONE);
    node.style = 'flow';
    const key = this.#is('value', 'flow entry', 'flow list end')
      ? this.#empty(token.end, NONE)
      : this.#node(false, false);
    node.content.push(key, this.#value(['flow entry', 'flow list end'], false));
    return this.#close(node);
  }

  #map(properties: Properties, flow: boolean): Node {
    this.#open();
    const opening = this.#tokens.take();
    const node = this.#make('map', properties.start ?? opening.start, opening.end, properties);
    if (flow) {
      node.style = 'flow';
      for (let first = true; !this.#is('flow map end'); first = false) {
        if (!first) {
          this.#comma('}');
          if (this.#is('flow map end')) break;
        }
        this.#flowEntry(node);
      }
      this.#contentEnd = this.#tokens.take().end;
      return this.#close(node);
    }
    while (this.#is('key')) {
      const token = this.#tokens.take();
      const key = this.#is('key', 'value', 'block end')
        ? this.#empty(token.end, NONE)
        : this.#node(true, true);
      node.content.push(key, this.#value(['key', 'value', 'block end'], true));
    }
    this.#end('did not find expected key');
    return this.#close(node);
  }

  #flowEntry(node: Node): void {
    const token = this.#tokens.peek();
    if (token.kind !== 'key') {
      node.content.push(this.#node(false, false), this.#empty(this.#contentEnd, NONE));
      return;
    }
    this.#tokens.take();
    const ends: readonly TokenKind[] = ['flow entry', 'flow map end'];
    const key = this.#is('value', ...ends) ? this.#empty(token.end, NONE) : this.#node(false, false);
    node.content.push(key, this.#value(ends, false));
  }

  #value(ends: readonly TokenKind[], block: boolean): Node {
    const colon = this.#tokens.peek();
    if (colon.kind !== 'value') return this.#empty(this.#contentEnd, NONE);
    this.#tokens.take();
    return this.#is(...ends) ? this.#empty(colon.end, NONE) : this.#node(block, block);
  }
}

const NONE: Properties = { anchor: '', tag: '', start: undefined, end: undefined };

/** Counts what aliases bring in, so that a few lines do not become a billion nodes. */
interface Budget {
  nodes: number;
}

function withoutAnchors(node: Node, budget: Budget, depth = 0, inAlias = false): Node {
  if (depth > MAX_DEPTH) throw new BuildError('anchor contains itself, or nests too deep');
  if (inAlias && ++budget.nodes > defaultLimits.maxAliasExpansions)
    throw new BuildError('document contains excessive aliasing');
  node.anchor = '';
  if (node.kind === 'alias') return withoutAnchors(node.alias!.copy(), budget, depth + 1, true);
  if (node.kind === 'map') merge(node);
  node.content.forEach((child, i) => {
    node.content[i] = withoutAnchors(child, budget, depth + 1, inAlias);
  });
  return node;
}

/** Brings in what merge keys name; the mapping's own fields win. */
function merge(node: Node): void {
  const { content } = node;
  let value: Node | undefined;
  for (let i = 0; i + 1 < content.length; i += 2) {
    if (content[i]!.tag !== MERGE) continue;
    if (value !== undefined) throw new BuildError('duplicate merge key');
    value = content[i + 1];
  }
  if (value === undefined) return;
  const sources = mergeSources(value);
  clearField(node, '<<');
  const own = node.content;
  node.content = own.slice();
  for (const source of [...sources.map(one => one.copy().content), own])
    for (let i = 0; i + 1 < source.length; i += 2) setEntry(node, source[i]!, source[i + 1]!);
}

function mergeSources(value: Node): Node[] {
  if (value.kind === 'map') return [value];
  if (value.kind === 'alias') {
    if (value.alias!.kind !== 'map')
      throw new BuildError('invalid map merge: received alias for a non-map value');
    return [value.alias!];
  }
  if (value.kind !== 'list') throw new BuildError('map merge requires map or sequence of maps as the value');
  const sources: Node[] = [];
  for (const item of value.content) {
    if (item.kind === 'list') throw new BuildError('invalid map merge: received a nested sequence');
    sources.unshift(...mergeSources(item));
  }
  return sources;
}

function setEntry(node: Node, key: Node, value: Node): void {
  const { content } = node;
  for (let i = 0; i + 1 < content.length; i += 2)
    if (content[i]!.value === key.value) {
      content[i] = key;
      content[i + 1] = value;
      return;
    }
  content.push(key, value);
}
