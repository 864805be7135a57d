/**
 * The thorough reader: every YAML document there is, by the events of js-yaml, with the values that go-yaml v2 gives
 * them. It also says what is wrong with a broken one.
 */
import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import type { Limits, OneReader } from './documents.ts';
import type { Entry, PlacedNode, Recorder, Style } from './recorder.ts';
import { keyText, resolvePlain, resolveTagged, type Scalar, ScalarError } from './scalars.ts';
import { StructureError, setOwn } from './scanner.ts';

export const readThoroughOne: OneReader = (given, recorder, limits) => {
  // kubectl ends every line with a line break, also the last one of a file that has none.
  const text = given.endsWith('\n') ? given : `${given}\n`;
  let events: Event[];
  try {
    // js-yaml speaks of its own limit otherwise, and with less room than ours.
    events = parseEvents(text.startsWith('\ufeff') ? ` ${text.slice(1)}` : text, {
      maxDepth: limits.maxDepth,
    });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return { is: 'error', message: inWords(error), at: error.mark?.position ?? 0 };
  }
  const documents = events.filter(({ type }) => type === EVENT_ID.DOCUMENT).length;
  if (documents === 0) return { is: 'empty' };
  try {
    const builder = new Builder(text, events, recorder, limits);
    const value = builder.document();
    if (documents > 1)
      return {
        is: 'error',
        message: 'text after "...": kubectl reads nothing behind it; begin the next document with "---"',
        at: builder.nextContent(),
      };
    if (builder.isEmpty) return { is: 'empty' };
    return { is: 'value', value, hasDuplicates: builder.hasDuplicates };
  } catch (error) {
    if (error instanceof StructureError) return { is: 'error', message: error.message, at: error.at };
    throw error;
  }
};

function inWords(error: YAMLException): string {
  return error.reason ?? error.message;
}

interface Anchored {
  readonly value: unknown;
  readonly size: number;
  readonly node: PlacedNode | undefined;
}

const STYLES: Readonly<Record<number, Style>> = {
  [SCALAR_STYLE.PLAIN]: 'plain',
  [SCALAR_STYLE.SINGLE_QUOTED]: 'single',
  [SCALAR_STYLE.DOUBLE_QUOTED]: 'double',
  [SCALAR_STYLE.LITERAL_BLOCK]: 'literal',
  [SCALAR_STYLE.FOLDED_BLOCK]: 'folded',
};

class Builder {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #recorder: Recorder | null;
  readonly #limits: Limits;
  readonly #anchors = new Map<string, Anchored>();
  /** Anchors of collections that are still open: an alias to one of them would hold itself. */
  readonly #open = new Set<string>();
  #next = 0;
  #expansions = 0;
  #nodes = 0;
  #contentEnd = 0;
  hasDuplicates = false;
  isEmpty = false;

  constructor(text: string, events: readonly Event[], recorder: Recorder | null, limits: Limits) {
    this.#text = text;
    this.#events = events;
    this.#recorder = recorder;
    this.#limits = limits;
  }

  document(): unknown {
    this.#next++;
    const [, first] = this.#events;
    if (first === undefined || first.type === EVENT_ID.POP) {
      this.isEmpty = true;
      return null;
    }
    if (first.type === EVENT_ID.SCALAR && first.valueStart < 0 && first.tagStart < 0) this.isEmpty = true;
    const value = this.#node().value;
    return value;
  }

  /** Where the next document's content begins: for the message about text that kubectl never sees. */
  nextContent(): number {
    const event = this.#events
      .slice(this.#next + 1)
      .find(({ type }) => type !== EVENT_ID.DOCUMENT && type !== EVENT_ID.POP);
    if (event === undefined) return this.#text.length;
    return 'start' in event ? event.start : 'valueStart' in event ? Math.max(0, event.valueStart) : 0;
  }

  #node(): Anchored {
    const event = this.#events[this.#next++]!;
    const before = this.#nodes++;
    switch (event.type) {
      case EVENT_ID.ALIAS:
        return this.#alias(event);
      case EVENT_ID.SCALAR: {
        const value = this.#scalar(event);
        return this.#anchor(event, value, 1);
      }
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING: {
        const anchor = this.#anchorName(event);
        if (anchor !== undefined) this.#open.add(anchor);
        const value = event.type === EVENT_ID.SEQUENCE ? this.#sequence(event) : this.#mapping(event);
        if (anchor !== undefined) this.#open.delete(anchor);
        return this.#anchor(event, value, this.#nodes - before);
      }
      default:
        throw new StructureError('a value was expected', this.#contentEnd);
    }
  }

  #anchorName(event: { readonly anchorStart: number; readonly anchorEnd: number }): string | undefined {
    return event.anchorStart < 0 ? undefined : this.#text.slice(event.anchorStart, event.anchorEnd);
  }

  #anchor(
    event: { readonly anchorStart: number; readonly anchorEnd: number },
    value: unknown,
    size: number,
  ): Anchored {
    const anchored: Anchored = { value, size, node: this.#recorder?.last };
    const name = this.#anchorName(event);
    if (name !== undefined) this.#anchors.set(name, anchored);
    return anchored;
  }

  #alias(event: { readonly anchorStart: number; readonly anchorEnd: number }): Anchored {
    const name = this.#anchorName(event)!;
    if (this.#open.has(name))
      throw new StructureError(`the anchor "${name}" holds itself`, event.anchorStart);
    const anchored = this.#anchors.get(name);
    if (anchored === undefined) throw new StructureError(`unknown anchor "${name}"`, event.anchorStart);
    this.#expansions += anchored.size;
    this.#nodes += anchored.size;
    if (this.#expansions > this.#limits.maxAliasExpansions)
      throw new StructureError(
        `aliases bring in more than ${this.#limits.maxAliasExpansions} values`,
        event.anchorStart,
      );
    this.#contentEnd = event.anchorEnd;
    this.#recorder?.borrow(
      anchored.node ?? { start: event.anchorStart, end: event.anchorEnd, style: 'alias' },
      event.anchorStart - 1,
      event.anchorEnd,
    );
    return anchored;
  }

  #scalar(event: Extract<Event, { valueStart: number }>): Scalar {
    const value = this.#scalarValue(event);
    const { start, end } = this.#extent(event);
    this.#contentEnd = end;
    this.#recorder?.scalar(start, end, event.valueStart < 0 ? 'null' : STYLES[event.style]!);
    return value;
  }

  #scalarValue(event: Extract<Event, { valueStart: number }>): Scalar {
    this.#refuseSlashEscape(event);
    const text = getScalarValue(this.#text, event);
    const tag = this.#tag(event);
    try {
      if (tag !== undefined) return tag === '!' ? text : resolveTagged(tag, text);
      return event.style === SCALAR_STYLE.PLAIN ? resolvePlain(text) : text;
    } catch (error) {
      if (error instanceof ScalarError) throw new StructureError(error.message, this.#extent(event).start);
      throw error;
    }
  }

  /** `\/` came with YAML 1.2; go-yaml v2 does not know it. */
  #refuseSlashEscape(event: Extract<Event, { valueStart: number }>): void {
    if (event.style !== SCALAR_STYLE.DOUBLE_QUOTED || event.fast) return;
    const raw = this.#text.slice(event.valueStart, event.valueEnd);
    const slash = /^(?:[^\\]|\\[^/])*?\\\//s.exec(raw);
    if (slash !== null)
      throw new StructureError('unknown escape "\\/"', event.valueStart + slash[0].length - 2);
  }

  /** With the quotes, or the block scalar's header. */
  #extent(event: Extract<Event, { valueStart: number }>): { readonly start: number; readonly end: number } {
    let { valueStart: start, valueEnd: end } = event;
    const text = this.#text;
    if (start < 0) {
      const at = Math.max(event.tagEnd, event.anchorEnd, this.#contentEnd);
      return { start: at, end: at };
    }
    switch (event.style) {
      case SCALAR_STYLE.SINGLE_QUOTED:
      case SCALAR_STYLE.DOUBLE_QUOTED:
        return { start: start - 1, end: end + 1 };
      case SCALAR_STYLE.LITERAL_BLOCK:
      case SCALAR_STYLE.FOLDED_BLOCK: {
        const mark = event.style === SCALAR_STYLE.LITERAL_BLOCK ? '|' : '>';
        start = Math.max(0, text.lastIndexOf(mark, start));
        while (end > start && /\s/.test(text[end - 1]!)) end--;
        return { start, end };
      }
      default:
        return { start, end };
    }
  }

  #tag(event: { readonly tagStart: number; readonly tagEnd: number }): string | undefined {
    if (event.tagStart < 0) return undefined;
    const written = this.#text.slice(event.tagStart, event.tagEnd);
    if (written.startsWith('!!')) return `tag:yaml.org,2002:${written.slice(2)}`;
    if (written.startsWith('!<')) return written.slice(2, -1);
    return written;
  }

  #sequence(event: Extract<Event, { start: number }>): unknown[] {
    const flow = event.style === 2;
    this.#recorder?.open(event.start, flow ? 'flow-seq' : 'block-seq');
    this.#contentEnd = event.start + 1;
    const result: unknown[] = [];
    while (this.#events[this.#next]!.type !== EVENT_ID.POP) {
      if (!flow && this.#recorder !== null) this.#recorder.item(this.#dashBefore());
      result.push(this.#node().value);
    }
    this.#next++;
    this.#close(flow, ']');
    return result;
  }

  /** The dash of the next item: the last one between what was read and what comes. */
  #dashBefore(): number {
    const text = this.#text;
    let at = this.#contentEnd;
    if (text.charCodeAt(at - 1) === 45 && this.#contentEnd > 0) at--;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 35) at = (text.indexOf('\n', at) + 1 || text.length + 1) - 1;
      else if (code === 45) return at;
      else if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return -1;
    }
    return -1;
  }

  #close(flow: boolean, bracket: string): void {
    if (flow) {
      const at = this.#text.indexOf(bracket, this.#contentEnd);
      if (at >= 0) this.#contentEnd = at + 1;
    }
    this.#recorder?.close(this.#contentEnd);
  }

  /**
   * Merges are done where they stand, so a later one wins over an earlier key.
   * Source: go-yaml v2 decode.go (mapping, merge).
   */
  #mapping(event: Extract<Event, { start: number }>): Record<string, unknown> {
    const flow = event.style === 2;
    this.#recorder?.open(event.start, flow ? 'flow-map' : 'block-map');
    this.#contentEnd = event.start + (flow ? 1 : 0);
    const result: Record<string, unknown> = {};
    const own = new Set<string>();
    while (this.#events[this.#next]!.type !== EVENT_ID.POP) {
      const keyEvent = this.#events[this.#next++]!;
      this.#nodes++;
      if (keyEvent.type === EVENT_ID.SCALAR && this.#isMerge(keyEvent)) {
        this.#merge(result, keyEvent);
        continue;
      }
      const key = this.#key(keyEvent);
      const value = this.#node().value;
      if (own.has(key)) this.hasDuplicates = true;
      own.add(key);
      delete result[key];
      setOwn(result, key, value);
    }
    this.#next++;
    this.#close(flow, '}');
    return result;
  }

  #key(event: Event): string {
    let value: unknown;
    let start: number;
    let end: number;
    if (event.type === EVENT_ID.SCALAR) {
      value = this.#scalarValue(event);
      ({ start, end } = this.#extent(event));
      if (event.anchorStart >= 0)
        this.#anchors.set(this.#anchorName(event)!, { value, size: 1, node: undefined });
    } else if (event.type === EVENT_ID.ALIAS) {
      const name = this.#anchorName(event)!;
      if (!this.#anchors.has(name)) throw new StructureError(`unknown anchor "${name}"`, event.anchorStart);
      value = this.#anchors.get(name)!.value;
      start = event.anchorStart - 1;
      end = event.anchorEnd;
    } else
      throw new StructureError(
        'a mapping or list cannot be a key',
        'start' in event ? event.start : this.#contentEnd,
      );
    if (typeof value === 'object' && value !== null)
      throw new StructureError('a mapping or list cannot be a key', start);
    try {
      const key = keyText(value as Scalar, this.#text.slice(start, end));
      this.#contentEnd = end;
      this.#recorder?.key(key, start, end);
      return key;
    } catch (error) {
      if (error instanceof ScalarError) throw new StructureError(error.message, start);
      throw error;
    }
  }

  #isMerge(event: Extract<Event, { valueStart: number }>): boolean {
    return (
      event.valueStart >= 0 &&
      this.#text.slice(event.valueStart, event.valueEnd) === '<<' &&
      (event.style === SCALAR_STYLE.PLAIN || this.#tag(event) === 'tag:yaml.org,2002:merge')
    );
  }

  #merge(result: Record<string, unknown>, key: Extract<Event, { valueStart: number }>): void {
    const recorder = this.#recorder;
    const target = recorder?.beginAside();
    const { value, node } = this.#node();
    recorder?.endAside();
    const sources = Array.isArray(value) ? value.toReversed() : [value];
    const nodes = node?.items === undefined ? [node] : node.items.map(item => item.node).toReversed();
    sources.forEach((source: unknown, i) => {
      if (typeof source !== 'object' || source === null || Array.isArray(source))
        throw new StructureError('"<<" takes a mapping, or a list of mappings', key.valueStart);
      for (const [name, item] of Object.entries(source)) setOwn(result, name, item);
      if (target !== undefined) mergeEntries(target, nodes[i]);
    });
  }
}

function mergeEntries(target: PlacedNode, source: PlacedNode | undefined): void {
  for (const [key, entry] of source?.entries ?? []) {
    const borrowed: Entry = { key: entry.key, node: { ...entry.node, borrowed: true } };
    target.entries!.set(key, borrowed);
  }
}
