/**
 * The fast reader: the YAML that manifests are written in, in one pass from text to values. Anything rare, odd or
 * wrong (anchors, tags, complex keys, directives, text over lines inside brackets, tabs that indent) makes it give up with
 * UNUSUAL, and the thorough reader takes over; it never guesses.
 */
import {
  BACKSLASH,
  CLOSE_LIST,
  CLOSE_MAP,
  COLON,
  COMMA,
  DASH,
  DOT,
  DOUBLE,
  GREATER,
  HASH,
  NEWLINE,
  OPEN_LIST,
  OPEN_MAP,
  PIPE,
  PLUS,
  QUESTION,
  RETURN,
  SINGLE,
  SPACE,
  setOwn,
  TAB,
} from './characters.ts';
import { readEscape } from './escapes.ts';
import { plainKey } from './keys.ts';
import type { Recorder, Style } from './recorder.ts';
import { hintOf, NOT_IN_JSON, resolvePlain, type Scalar } from './scalars.ts';

/** Not an error: this document is for the thorough reader. One instance, for a stack costs more than the scan. */
export const UNUSUAL: { readonly unusual: true } = { unusual: true };

/** Characters that plain text does not begin with, or (`?`) hardly ever. */
const INDICATOR = new Uint8Array(128);
for (const character of '&*!%@`?|>"\'[]{},#') INDICATOR[character.charCodeAt(0)] = 1;

/** YAML's own limit for a key, up to its colon. */
const LONGEST_KEY = 1024;
/** Collections inside each other: deeper ones are left to the other reader, whose business the limit is. */
const DEEP = 64;
/** Keys of one mapping that are compared with each other while nothing is kept. */
const WIDE = 500;

/** What to check and not to keep: most of a CustomResourceDefinition is a schema that is hardly ever asked for. */
export interface Skip {
  /** The mapping below this key is read for mistakes only; an empty one stands for it. */
  readonly below: string;
  /** A key to look out for there. */
  readonly note: string;
}

const SKIPPED: Record<string, unknown> = Object.freeze({});

export class Scanner {
  readonly #text: string;
  readonly #end: number;
  readonly #recorder: Recorder | null;
  readonly #maxDepth: number;
  readonly #omit: Skip | null;
  /** Whether values are made, or what is read is only checked. */
  #keeps = true;
  /** Keys of the mappings that are open while nothing is kept. */
  readonly #seen: string[] = [];
  /** At the first character that was not read yet. */
  #at: number;
  #lineStart: number;
  /** The column of the current content line; -1 at the end. */
  #indent = 0;
  #depth = 0;
  /** End of the content read last, without trailing space: where block collections end. */
  #contentEnd = 0;
  /** Where the key that was read last ends, its quotes included. */
  #keyEnd = 0;
  /** The quoted text that was read last, when it turned out to be no key. */
  #quoted = '';
  hasDuplicates = false;
  /** Whether something was not kept. */
  hasSkipped = false;
  /** Whether the key to look out for stands in what was not kept. */
  hasNoted = false;

  /**
   * @param start the start of a line
   * @param skip only without a recorder
   */
  constructor(
    text: string,
    start: number,
    end: number,
    recorder: Recorder | null,
    maxDepth: number,
    skip: Skip | null = null,
  ) {
    this.#text = text;
    this.#at = start;
    this.#lineStart = start;
    this.#end = end;
    this.#recorder = recorder;
    this.#maxDepth = Math.min(maxDepth, DEEP);
    this.#omit = recorder === null ? skip : null;
  }

  /**
   * The document.
   *
   * @returns undefined where there is nothing but space and comments
   * @throws UNUSUAL
   */
  read(): unknown {
    this.#nextLine();
    if (this.#indent < 0) return undefined;
    const value = this.#block(-1);
    if (this.#indent >= 0) throw UNUSUAL;
    return value;
  }

  /** From the start of a line to the next one with content. */
  #nextLine(): void {
    const text = this.#text;
    let at = this.#at;
    while (at < this.#end) {
      const start = at;
      let code = text.charCodeAt(at);
      while (code === SPACE) code = text.charCodeAt(++at);
      if (code === NEWLINE) at++;
      else if (code === RETURN) at += 2;
      else if (code === HASH) at = this.#lineAfter(at);
      else if (at < this.#end) {
        if (code === TAB) throw UNUSUAL;
        this.#at = at;
        this.#lineStart = start;
        this.#indent = at - start;
        if (at === start && (code === DASH || code === DOT) && this.#isMarker(at)) throw UNUSUAL;
        return;
      }
    }
    this.#at = this.#end;
    this.#indent = -1;
  }

  #lineAfter(at: number): number {
    const newline = this.#text.indexOf('\n', at);
    return newline < 0 ? this.#end : newline + 1;
  }

  #isMarker(at: number): boolean {
    const text = this.#text;
    return (text.startsWith('---', at) || text.startsWith('...', at)) && this.#isSpace(at + 3);
  }

  /** Whether the place holds white space or lies behind the end. */
  #isSpace(at: number): boolean {
    const code = this.#text.charCodeAt(at);
    return code === SPACE || code === NEWLINE || code === RETURN || code === TAB || at >= this.#end;
  }

  /** After a value: only space and a comment may follow on its line. */
  #finishLine(): void {
    const text = this.#text;
    let at = this.#at;
    let code = text.charCodeAt(at);
    while (code === SPACE || code === TAB || code === RETURN) code = text.charCodeAt(++at);
    if (code === NEWLINE) this.#at = at + 1;
    else if (at >= this.#end) this.#at = at;
    else if (code === HASH && this.#isSpace(at - 1)) this.#at = this.#lineAfter(at);
    else throw UNUSUAL;
    this.#nextLine();
  }

  #enter(): void {
    if (++this.#depth > this.#maxDepth) throw UNUSUAL;
  }

  /** A value that begins where only white space, a dash or a colon stands before it on its line. */
  #block(parent: number): unknown {
    const start = this.#at;
    const code = this.#text.charCodeAt(start);
    if (code === DASH && this.#isSpace(start + 1)) return this.#sequence(this.#indent);
    const key = this.#key();
    if (key !== undefined) return this.#mapping(this.#indent, key, start);
    if (code !== DOUBLE && code !== SINGLE) return this.#inline(parent);
    return this.#quotedValue(start, code);
  }

  #quotedValue(start: number, quote: number): string {
    const value = this.#quoted;
    this.#scalar(start, this.#at, quote === DOUBLE ? 'double' : 'single');
    this.#finishLine();
    return value;
  }

  #mapping(column: number, firstKey: string, firstStart: number): Record<string, unknown> {
    this.#enter();
    const text = this.#text;
    const recorder = this.#recorder;
    const result: Record<string, unknown> = this.#keeps ? {} : SKIPPED;
    const known = this.#seen.length;
    let key = firstKey;
    let start = firstStart;
    recorder?.open(start, 'block-map');
    for (;;) {
      recorder?.key(key, start, this.#keyEnd);
      let at = this.#at;
      let code = text.charCodeAt(at);
      while (code === SPACE || code === TAB) code = text.charCodeAt(++at);
      this.#at = at;
      let value: unknown = null;
      if (code === NEWLINE || code === RETURN || code === HASH || at >= this.#end) {
        const colonEnd = recorder === null ? 0 : this.#colonEnd(this.#keyEnd);
        this.#finishLine();
        if (this.#indent > column)
          value = key === this.#omit?.below ? this.#skipped(column) : this.#block(column);
        else if (this.#indent === column && this.#isDash()) value = this.#sequence(column);
        else this.#scalar(colonEnd, colonEnd, 'null');
      } else if (code === DASH && this.#isSpace(at + 1)) throw UNUSUAL;
      else value = this.#inline(column);
      if (this.#keeps) this.#put(result, key, value);
      else this.#note(key, known);
      if (this.#indent !== column) break;
      start = this.#at;
      const next = this.#key();
      if (next === undefined) throw UNUSUAL;
      key = next;
    }
    if (this.#indent > column) throw UNUSUAL;
    this.#seen.length = known;
    this.#depth--;
    recorder?.close(this.#contentEnd);
    return result;
  }

  /** A block whose values nobody keeps. */
  #skipped(parent: number): unknown {
    if (!this.#keeps) return this.#block(parent);
    this.#keeps = false;
    this.hasSkipped = true;
    this.#block(parent);
    this.#keeps = true;
    return SKIPPED;
  }

  /** What is left of `#put` where nothing is kept. A mapping too wide to be compared here is for the usual reader. */
  #note(key: string, from: number): void {
    const seen = this.#seen;
    const { length } = seen;
    for (let i = from; i < length; i++) if (seen[i] === key) this.hasDuplicates = true;
    if (length - from > WIDE) throw UNUSUAL;
    seen.push(key);
    if (key === this.#omit!.note) this.hasNoted = true;
  }

  #isDash(): boolean {
    return this.#text.charCodeAt(this.#at) === DASH && this.#isSpace(this.#at + 1);
  }

  #colonEnd(keyEnd: number): number {
    return this.#text.indexOf(':', keyEnd) + 1;
  }

  /** The last of equal keys counts. */
  #put(result: Record<string, unknown>, key: string, value: unknown): void {
    if (Object.hasOwn(result, key)) this.hasDuplicates = true;
    setOwn(result, key, value);
  }

  #sequence(column: number): unknown[] {
    this.#enter();
    const text = this.#text;
    const recorder = this.#recorder;
    const result: unknown[] = [];
    recorder?.open(this.#at, 'block-seq');
    for (;;) {
      const dash = this.#at;
      recorder?.item(dash);
      let at = dash + 1;
      let code = text.charCodeAt(at);
      while (code === SPACE) code = text.charCodeAt(++at);
      this.#at = at;
      if (code === NEWLINE || code === RETURN || code === HASH || at >= this.#end) {
        this.#finishLine();
        if (this.#indent > column) result.push(this.#block(column));
        else {
          result.push(null);
          this.#scalar(dash + 1, dash + 1, 'null');
        }
      } else if (code === TAB) throw UNUSUAL;
      else {
        this.#indent = at - this.#lineStart;
        result.push(this.#block(column));
      }
      // A key at the column of the dashes ends a list that was not indented below its own key.
      if (this.#indent !== column || !this.#isDash()) break;
    }
    if (this.#indent > column) throw UNUSUAL;
    this.#depth--;
    recorder?.close(this.#contentEnd);
    return result;
  }

  /**
   * A key and its colon.
   *
   * @returns undefined where the line has none: nothing was read then, or a quoted text, which is kept
   */
  #key(): string | undefined {
    const text = this.#text;
    const start = this.#at;
    let code = text.charCodeAt(start);
    if (code === DOUBLE || code === SINGLE) return this.#quotedKey(start, code);
    if (code < 128 && INDICATOR[code] === 1) {
      if (code === OPEN_LIST || code === OPEN_MAP || code === PIPE || code === GREATER) return undefined;
      throw UNUSUAL;
    }
    if (code === DASH && this.#isSpace(start + 1)) throw UNUSUAL;
    let at = start;
    for (;;) {
      // Letters come behind the colon, so most characters need but one look.
      while (code > COLON) code = text.charCodeAt(++at);
      if (code === COLON) {
        if (this.#isSpace(at + 1)) break;
      } else if (code === NEWLINE || at >= this.#end) return undefined;
      else if (code === HASH && this.#isSpace(at - 1)) return undefined;
      code = text.charCodeAt(++at);
    }
    if (at === start || at - start > LONGEST_KEY) throw UNUSUAL;
    this.#at = at + 1;
    let end = at;
    while (text.charCodeAt(end - 1) === SPACE || text.charCodeAt(end - 1) === TAB) end--;
    this.#keyEnd = end;
    const key = plainKey(text, start, end);
    if (key === undefined) throw UNUSUAL;
    return key;
  }

  #quotedKey(start: number, quote: number): string | undefined {
    const text = this.#text;
    const line = this.#lineStart;
    const key = this.#quote(quote);
    let at = this.#at;
    this.#keyEnd = at;
    while (text.charCodeAt(at) === SPACE) at++;
    if (text.charCodeAt(at) !== COLON || !this.#isSpace(at + 1)) {
      this.#quoted = key;
      return undefined;
    }
    if (at - start > LONGEST_KEY || this.#lineStart !== line) throw UNUSUAL;
    this.#at = at + 1;
    return key;
  }

  /** A value that begins on this line behind a key, or that is known to be no block collection. */
  #inline(parent: number): unknown {
    const start = this.#at;
    const code = this.#text.charCodeAt(start);
    if (code < 128 && INDICATOR[code] === 1) {
      if (code === DOUBLE || code === SINGLE) {
        this.#quoted = this.#quote(code);
        return this.#quotedValue(start, code);
      }
      if (code === PIPE || code === GREATER) return this.#blockScalar(parent);
      if (code !== OPEN_LIST && code !== OPEN_MAP) throw UNUSUAL;
      const value = this.#flow();
      this.#contentEnd = this.#at;
      this.#finishLine();
      return value;
    }
    return this.#plain(parent);
  }

  #scalar(start: number, end: number, style: Style): void {
    this.#contentEnd = end;
    this.#recorder?.scalar(start, end, style);
  }

  #plain(parent: number): Scalar {
    const text = this.#text;
    const start = this.#at;
    // What looks like a number may be one that kubectl refuses.
    const keeps = this.#keeps || hintOf(text.charCodeAt(start)) === 2;
    let end = this.#plainLine();
    const isLast = text.charCodeAt(this.#at) === HASH;
    this.#finishLine();
    if (this.#indent <= parent) {
      this.#scalar(start, end, 'plain');
      return keeps ? plainValue(text.slice(start, end)) : null;
    }
    // The text goes on over lines that are indented deeper. A comment would have ended it.
    if (isLast) throw UNUSUAL;
    let value = keeps ? text.slice(start, end) : '';
    while (this.#indent > parent) {
      const breaks = this.#breaksBetween(end, this.#lineStart);
      const from = this.#at;
      end = this.#plainLine();
      if (keeps) value += (breaks > 1 ? '\n'.repeat(breaks - 1) : ' ') + text.slice(from, end);
      this.#finishLine();
    }
    this.#scalar(start, end, 'plain');
    return keeps ? plainValue(value) : null;
  }

  /** Line breaks between two lines of a text; a comment between them is a mistake. */
  #breaksBetween(from: number, to: number): number {
    const text = this.#text;
    let breaks = 0;
    for (let at = from; at < to; at++) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE) breaks++;
      else if (code === HASH) throw UNUSUAL;
    }
    return breaks;
  }

  /** Plain text up to the end of the line or a comment. @returns the offset behind its last character */
  #plainLine(): number {
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      let code = text.charCodeAt(at);
      while (code > COLON) code = text.charCodeAt(++at);
      if (code === NEWLINE || at >= this.#end) break;
      if (code === COLON) {
        if (this.#isSpace(at + 1)) throw UNUSUAL;
      } else if (code === HASH && this.#isSpace(at - 1)) break;
      at++;
    }
    this.#at = at;
    return this.#withoutSpace(at);
  }

  /** The offset behind the last character before an offset that is no white space. */
  #withoutSpace(at: number): number {
    const text = this.#text;
    let end = at;
    let code = text.charCodeAt(end - 1);
    while (code === SPACE || code === RETURN || code === TAB) code = text.charCodeAt(--end - 1);
    return end;
  }

  /** A text in quotes; it ends at the place. */
  #quote(quote: number): string {
    const text = this.#text;
    let at = this.#at + 1;
    let start = at;
    let value = '';
    for (;;) {
      let code = text.charCodeAt(at);
      while (code > BACKSLASH) code = text.charCodeAt(++at);
      if (code === quote) {
        if (quote === DOUBLE || text.charCodeAt(at + 1) !== SINGLE) break;
        value += text.slice(start, ++at);
        start = ++at;
      } else if (code === BACKSLASH && quote === DOUBLE) {
        const { character, length } = readEscape(text, at + 1);
        if (character === undefined) throw UNUSUAL;
        value += text.slice(start, at) + character;
        at += 1 + length;
        start = at;
      } else if (code === NEWLINE) {
        // Blanks that an escape made stay.
        const lineEnd = this.#withoutSpace(at);
        value += text.slice(start, Math.max(lineEnd, start)) + this.#foldedBreaks(at);
        at = this.#at;
        start = at;
      } else if (at >= this.#end) throw UNUSUAL;
      else at++;
    }
    this.#at = at + 1;
    return value === '' ? text.slice(start, at) : value + text.slice(start, at);
  }

  /** The end of a line inside a quoted text, and empty lines behind it. @returns what they are folded to */
  #foldedBreaks(newline: number): string {
    const text = this.#text;
    let breaks = 0;
    let at = newline;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE) {
        breaks++;
        this.#lineStart = at + 1;
        if (this.#isMarker(at + 1)) throw UNUSUAL;
      } else if (code !== SPACE && code !== TAB && code !== RETURN) break;
      at++;
    }
    this.#at = at;
    return breaks === 1 ? ' ' : '\n'.repeat(breaks - 1);
  }

  #blockScalar(parent: number): string {
    const text = this.#text;
    const start = this.#at;
    const folded = text.charCodeAt(start) === GREATER;
    const { chomping, increment } = this.#blockHeader();
    const header = this.#contentEnd;
    let indent = increment > 0 ? Math.max(parent, 0) + increment : 0;
    let at = this.#at;
    if (indent === 0) indent = this.#blockIndent(parent);
    let value = '';
    let breaks = 0;
    let contentEnd = header;
    let folds = false;
    while (at < this.#end) {
      let from = at;
      const limit = at + indent;
      while (from < limit && text.charCodeAt(from) === SPACE) from++;
      let lineEnd = text.indexOf('\n', from);
      if (lineEnd < 0) lineEnd = this.#end;
      const next = lineEnd + 1;
      if (lineEnd > from && text.charCodeAt(lineEnd - 1) === RETURN) lineEnd--;
      if (from < lineEnd) {
        if (from < limit) break;
        if (this.#keeps) {
          const first = text.charCodeAt(from);
          const isText = first !== SPACE && first !== TAB;
          if (folded && folds && isText) value += breaks > 1 ? '\n'.repeat(breaks - 1) : ' ';
          else if (breaks === 1) value += '\n';
          else if (breaks > 0) value += '\n'.repeat(breaks);
          value += text.slice(from, lineEnd);
          folds = isText;
        }
        breaks = 0;
        contentEnd = lineEnd;
      }
      breaks++;
      at = next;
    }
    if (chomping === PLUS) value += '\n'.repeat(breaks);
    else if (chomping !== DASH && contentEnd !== header) value += '\n';
    this.#scalar(start, contentEnd, folded ? 'folded' : 'literal');
    this.#at = Math.min(at, this.#end);
    this.#nextLine();
    return value;
  }

  /** The first line of a block scalar. Its end is where the content ends, if there is none. */
  #blockHeader(): { readonly chomping: number; readonly increment: number } {
    const text = this.#text;
    let at = this.#at + 1;
    let chomping = 0;
    let increment = 0;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if ((code === DASH || code === PLUS) && chomping === 0) chomping = code;
      else if (code > 48 && code <= 57 && increment === 0) increment = code - 48;
      else break;
    }
    this.#contentEnd = at;
    let code = text.charCodeAt(at);
    while (code === SPACE || code === TAB || code === RETURN) code = text.charCodeAt(++at);
    if (code === HASH && this.#isSpace(at - 1)) this.#at = this.#lineAfter(at);
    else if (code === NEWLINE) this.#at = at + 1;
    else if (at >= this.#end) this.#at = at;
    else throw UNUSUAL;
    return { chomping, increment };
  }

  /** How deep the first line of a block scalar stands that has content. */
  #blockIndent(parent: number): number {
    const text = this.#text;
    let at = this.#at;
    let deepest = 0;
    while (at < this.#end) {
      const start = at;
      while (text.charCodeAt(at) === SPACE) at++;
      const indent = at - start;
      const code = text.charCodeAt(at);
      if (code === NEWLINE) at++;
      else if (code === RETURN) at += 2;
      else if (code === TAB) throw UNUSUAL;
      else if (at < this.#end) {
        // An empty line that is deeper than the content sets the indentation; that is for the thorough reader.
        if (deepest > indent && indent > parent) throw UNUSUAL;
        return Math.max(deepest, indent, parent + 1, 1);
      }
      deepest = Math.max(deepest, indent);
    }
    return Math.max(deepest, parent + 1, 1);
  }

  /** Space, line breaks and comments inside flow collections. @returns the code of what follows */
  #skip(): number {
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === SPACE || code === TAB || code === RETURN) at++;
      else if (code === NEWLINE) {
        this.#lineStart = ++at;
        if (this.#isMarker(at)) throw UNUSUAL;
      } else if (code === HASH) {
        if (!this.#isSpace(at - 1)) throw UNUSUAL;
        at = this.#lineAfter(at) - 1;
        if (text.charCodeAt(at) !== NEWLINE) throw UNUSUAL;
      } else if (at >= this.#end) throw UNUSUAL;
      else {
        this.#at = at;
        return code;
      }
    }
  }

  #flow(): unknown {
    this.#enter();
    const value = this.#text.charCodeAt(this.#at) === OPEN_LIST ? this.#flowList() : this.#flowMap();
    this.#depth--;
    return value;
  }

  #flowList(): unknown[] {
    const result: unknown[] = [];
    this.#recorder?.open(this.#at, 'flow-seq');
    this.#at++;
    while (this.#skip() !== CLOSE_LIST) {
      result.push(this.#flowValue());
      const code = this.#skip();
      if (code === COMMA) this.#at++;
      else if (code !== CLOSE_LIST) throw UNUSUAL;
    }
    this.#at++;
    this.#recorder?.close(this.#at);
    return result;
  }

  #flowMap(): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.#recorder?.open(this.#at, 'flow-map');
    this.#at++;
    while (this.#skip() !== CLOSE_MAP) {
      const key = this.#flowKey();
      let value: unknown = null;
      if (this.#skip() === COLON) {
        const colonEnd = ++this.#at;
        const code = this.#skip();
        if (code === COMMA || code === CLOSE_MAP) this.#recorder?.scalar(colonEnd, colonEnd, 'null');
        else value = this.#flowValue();
      } else this.#recorder?.scalar(this.#keyEnd, this.#keyEnd, 'null');
      this.#put(result, key, value);
      if (!this.#keeps && key === this.#omit!.note) this.hasNoted = true;
      const code = this.#skip();
      if (code === COMMA) this.#at++;
      else if (code !== CLOSE_MAP) throw UNUSUAL;
    }
    this.#at++;
    this.#recorder?.close(this.#at);
    return result;
  }

  /** A key; if it has a colon, that stands on the same line. */
  #flowKey(): string {
    const text = this.#text;
    const start = this.#at;
    const line = this.#lineStart;
    const code = text.charCodeAt(start);
    let key: string;
    if (code === DOUBLE || code === SINGLE) {
      key = this.#quote(code);
      this.#keyEnd = this.#at;
    } else {
      this.#keyEnd = this.#flowPlain();
      const plain = plainKey(text, start, this.#keyEnd);
      if (plain === undefined) throw UNUSUAL;
      key = plain;
    }
    this.#recorder?.key(key, start, this.#keyEnd);
    if (this.#skip() === COLON && (this.#lineStart !== line || this.#at - start > LONGEST_KEY)) throw UNUSUAL;
    return key;
  }

  #flowValue(): unknown {
    const text = this.#text;
    const start = this.#at;
    const code = text.charCodeAt(start);
    if (code === OPEN_LIST || code === OPEN_MAP) return this.#flow();
    let value: Scalar;
    if (code === DOUBLE || code === SINGLE) {
      value = this.#quote(code);
      this.#recorder?.scalar(start, this.#at, code === DOUBLE ? 'double' : 'single');
    } else {
      const end = this.#flowPlain();
      this.#recorder?.scalar(start, end, 'plain');
      value = plainValue(text.slice(start, end));
    }
    // Before a colon it would be a key: `[ "a": b ]`.
    if (this.#skip() === COLON) throw UNUSUAL;
    return value;
  }

  /** Plain text inside a flow collection, on one line. @returns the offset behind its last character */
  #flowPlain(): number {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let code = text.charCodeAt(at);
    if ((code < 128 && INDICATOR[code] === 1) || code === COLON) throw UNUSUAL;
    if (code === DASH && this.#isSpace(at + 1)) throw UNUSUAL;
    for (;;) {
      if (code === COMMA || code === CLOSE_LIST || code === CLOSE_MAP) break;
      // As go-yaml v2 has it, a colon ends plain text only before white space: `[2001:db8::]` is one address.
      if (code === COLON && this.#isSpace(at + 1)) break;
      if (code === OPEN_LIST || code === OPEN_MAP || code === QUESTION || code === HASH) throw UNUSUAL;
      if (code === NEWLINE || at >= this.#end) throw UNUSUAL;
      code = text.charCodeAt(++at);
    }
    this.#at = at;
    return this.#withoutSpace(at);
  }
}

function plainValue(text: string): Scalar {
  const value = resolvePlain(text);
  if (value === NOT_IN_JSON) throw UNUSUAL;
  return value;
}
