/**
 * The fast reader: the YAML that manifests are written in, in one pass from text to values. Anything rare or odd
 * (anchors, tags, complex keys, directives, comments inside plain text) makes it give up with `Unusual`, and the
 * thorough reader takes over; it never guesses.
 */
import type { Recorder, Style } from './recorder.ts';
import { hintOf, keyText, resolvePlain } from './scalars.ts';

/** Not an error: this document is for the thorough reader. One instance, for a stack costs more than the scan. */
export const UNUSUAL: { readonly unusual: true } = { unusual: true };

/** A mistake that needs no second reading, at an offset of the text. */
export class StructureError extends Error {
  override readonly name = 'StructureError';
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const DOUBLE = 34;
const HASH = 35;
const SINGLE = 39;
const COMMA = 44;
const DASH = 45;
const DOT = 46;
const COLON = 58;
const GREATER = 62;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_MAP = 123;
const PIPE = 124;
const CLOSE_MAP = 125;

/** Characters that begin something other than plain text. `<` and `=` begin plain text unless they are `<<` or `=`. */
const INDICATOR = new Uint8Array(128);
for (const character of '&*!%@`?|>"\'[]{},#') INDICATOR[character.charCodeAt(0)] = 1;

/** Control characters that YAML forbids, and the line breaks that only YAML knows. */
const ODD = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;
const LONE_RETURN = /\r(?!\n)/;

/** Keys repeat all over: the same text gives the same string, which also makes objects of the same shape. */
const KEY_SLOTS = 4096;
const keys: string[] = new Array(KEY_SLOTS).fill('');
const LONGEST_SHARED_KEY = 40;
/** YAML's own limit for a key on one line. */
const LONGEST_KEY = 1024;

/** Whether a document may hold something that this reader does not look for while it scans. */
export function isOdd(text: string): boolean {
  return ODD.test(text) || (text.includes('\r') && LONE_RETURN.test(text));
}

export class Scanner {
  readonly #text: string;
  readonly #size: number;
  readonly #recorder: Recorder | null;
  readonly #maxDepth: number;
  /** At the first character that was not read yet. */
  #at = 0;
  #lineStart = 0;
  /** The column of the current content line; meaningless at the end. */
  #indent = 0;
  #atEnd = false;
  #depth = 0;
  /** End of the content read last, without trailing space: where block collections end. */
  #contentEnd = 0;
  hasDuplicates = false;

  constructor(text: string, recorder: Recorder | null, maxDepth: number) {
    this.#text = text;
    this.#size = text.length;
    this.#recorder = recorder;
    this.#maxDepth = maxDepth;
  }

  /**
   * The one document of the text.
   *
   * @returns undefined where there is nothing but space and comments
   * @throws UNUSUAL
   */
  read(): unknown {
    this.#nextLine();
    if (this.#atEnd) {
      if (this.#at < this.#size) throw UNUSUAL;
      return undefined;
    }
    const value = this.#block(-1);
    if (!this.#atEnd || this.#at < this.#size) throw UNUSUAL;
    return value;
  }

  /** From the start of a line to the next one with content. */
  #nextLine(): void {
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      if (at >= this.#size) {
        this.#at = at;
        this.#atEnd = true;
        this.#indent = -1;
        return;
      }
      const start = at;
      let code = text.charCodeAt(at);
      while (code === SPACE) code = text.charCodeAt(++at);
      if (code === NEWLINE) {
        at++;
        continue;
      }
      if (code === RETURN) {
        at += 2;
        continue;
      }
      if (code === HASH) {
        at = this.#lineAfter(at);
        continue;
      }
      if (at >= this.#size) continue;
      if (code === TAB) {
        this.#blankWithTabs(at);
      }
      this.#at = at;
      this.#lineStart = start;
      this.#indent = at - start;
      if (this.#indent === 0 && (code === DASH || code === DOT) && this.#isMarker(at)) throw UNUSUAL;
      return;
    }
  }

  #lineAfter(at: number): number {
    const newline = this.#text.indexOf('\n', at);
    return newline < 0 ? this.#size : newline + 1;
  }

  #blankWithTabs(at: number): never {
    let code = this.#text.charCodeAt(at);
    while (code === TAB || code === SPACE || code === RETURN) code = this.#text.charCodeAt(++at);
    // Tabs never indent, and kubectl is strict about it even on lines that hold nothing else.
    if (code === NEWLINE || at >= this.#size)
      throw new StructureError('a tab stands where only spaces may indent', at - 1);
    throw UNUSUAL;
  }

  #isMarker(at: number): boolean {
    return (this.#text.startsWith('---', at) || this.#text.startsWith('...', at)) && this.#isSpace(at + 3);
  }

  /** Whether the place holds white space or lies behind the end. */
  #isSpace(at: number): boolean {
    if (at >= this.#size) return true;
    const code = this.#text.charCodeAt(at);
    return code === SPACE || code === NEWLINE || code === RETURN || code === TAB;
  }

  /** After a value: only space and a comment may follow on its line. */
  #finishLine(): void {
    const text = this.#text;
    let at = this.#at;
    let code = text.charCodeAt(at);
    const before = at;
    while (code === SPACE || code === TAB || code === RETURN) code = text.charCodeAt(++at);
    if (code === NEWLINE) this.#at = at + 1;
    else if (at >= this.#size) this.#at = at;
    else if (code === HASH && (at > before || this.#isSpace(at - 1))) this.#at = this.#lineAfter(at);
    else throw UNUSUAL;
    this.#nextLine();
  }

  #block(parent: number): unknown {
    if (++this.#depth > this.#maxDepth) throw UNUSUAL;
    let value: unknown;
    const code = this.#text.charCodeAt(this.#at);
    if (code === DASH && this.#isSpace(this.#at + 1)) value = this.#sequence(this.#indent);
    else {
      const start = this.#at;
      const lineStart = this.#lineStart;
      const key = this.#key();
      if (key === undefined) {
        this.#at = start;
        this.#lineStart = lineStart;
        value = this.#inline(parent);
      } else value = this.#mapping(this.#indent, key, start);
    }
    this.#depth--;
    return value;
  }

  #mapping(column: number, key: string, keyStart: number): Record<string, unknown> {
    const text = this.#text;
    const result: Record<string, unknown> = {};
    this.#recorder?.open(keyStart, 'block-map');
    for (;;) {
      this.#recorder?.key(key, keyStart, this.#keyEnd);
      let code = text.charCodeAt(this.#at);
      while (code === SPACE || code === TAB) code = text.charCodeAt(++this.#at);
      let value: unknown = null;
      if (code === NEWLINE || code === RETURN || code === HASH || this.#at >= this.#size) {
        const after = this.#at;
        this.#finishLine();
        if (!this.#atEnd && this.#indent > column) value = this.#block(column);
        else if (!this.#atEnd && this.#indent === column && this.#isDash()) value = this.#sequence(column);
        else this.#null(this.#keyEnd, after);
      } else if (code === DASH && this.#isSpace(this.#at + 1)) throw UNUSUAL;
      else value = this.#inline(column);
      put(result, key, value, this);
      if (this.#atEnd || this.#indent < column) break;
      if (this.#indent > column) throw UNUSUAL;
      keyStart = this.#at;
      const next = this.#key();
      if (next === undefined) throw UNUSUAL;
      key = next;
    }
    this.#recorder?.close(this.#contentEnd);
    return result;
  }

  #isDash(): boolean {
    return this.#text.charCodeAt(this.#at) === DASH && this.#isSpace(this.#at + 1);
  }

  /** An absent value: it stands right behind its colon or dash. */
  #null(keyEnd: number, after: number): void {
    if (this.#recorder === null) return;
    let at = keyEnd;
    while (at < after && this.#text.charCodeAt(at) !== COLON) at++;
    this.#contentEnd = at + 1;
    this.#recorder.scalar(at + 1, at + 1, 'null');
  }

  #sequence(column: number): unknown[] {
    const text = this.#text;
    const result: unknown[] = [];
    this.#recorder?.open(this.#at, 'block-seq');
    for (;;) {
      this.#recorder?.item(this.#at);
      const dash = this.#at;
      let code = text.charCodeAt(++this.#at);
      while (code === SPACE) code = text.charCodeAt(++this.#at);
      if (code === NEWLINE || code === RETURN || code === HASH || this.#at >= this.#size) {
        this.#finishLine();
        if (this.#atEnd || this.#indent <= column) {
          result.push(null);
          this.#contentEnd = dash + 1;
          this.#recorder?.scalar(dash + 1, dash + 1, 'null');
        } else result.push(this.#block(column));
      } else if (code === TAB) throw UNUSUAL;
      else {
        this.#indent = this.#at - this.#lineStart;
        result.push(this.#block(column));
      }
      if (this.#atEnd || this.#indent < column) break;
      if (this.#indent > column) throw UNUSUAL;
      // A key at the column of the dashes ends a list that was not indented below its own key.
      if (!this.#isDash()) break;
    }
    this.#recorder?.close(this.#contentEnd);
    return result;
  }

  /** Where the key that was read last ends, its quotes included. */
  #keyEnd = 0;

  /** A key and its colon; undefined, with nothing moved that the caller cannot put back, where the line has none. */
  #key(): string | undefined {
    const text = this.#text;
    const start = this.#at;
    let code = text.charCodeAt(start);
    if (code === DOUBLE || code === SINGLE) {
      const line = this.#lineStart;
      const key = code === DOUBLE ? this.#double() : this.#single();
      this.#keyEnd = this.#at;
      let at = this.#at;
      while (text.charCodeAt(at) === SPACE) at++;
      if (text.charCodeAt(at) !== COLON || !this.#isSpace(at + 1) || this.#lineStart !== line)
        return undefined;
      this.#at = at + 1;
      return key;
    }
    if (code < 128 && INDICATOR[code] === 1) {
      if (code === OPEN_LIST || code === OPEN_MAP || code === PIPE || code === GREATER) return undefined;
      throw UNUSUAL;
    }
    if (code === DASH && this.#isSpace(start + 1)) throw UNUSUAL;
    let hash = 0;
    let at = start;
    for (;;) {
      if (code === COLON) {
        if (this.#isSpace(at + 1)) break;
      } else if (code === NEWLINE || at >= this.#size) return undefined;
      else if (code === HASH && at > start && text.charCodeAt(at - 1) === SPACE) return undefined;
      hash = (Math.imul(hash, 31) + code) | 0;
      code = text.charCodeAt(++at);
    }
    if (at === start || at - start > LONGEST_KEY) throw UNUSUAL;
    this.#at = at + 1;
    let end = at;
    while (end > start && (text.charCodeAt(end - 1) === SPACE || text.charCodeAt(end - 1) === TAB)) end--;
    this.#keyEnd = end;
    const slot = (hash ^ (hash >>> 12)) & (KEY_SLOTS - 1);
    const known = keys[slot]!;
    if (known.length === end - start && text.startsWith(known, start)) return known;
    const key = plainKey(text.slice(start, end));
    if (key.length === end - start && key.length < LONGEST_SHARED_KEY) keys[slot] = flat(key);
    return key;
  }

  /** A value that begins on this line, behind a key, a dash, or alone. */
  #inline(parent: number): unknown {
    const start = this.#at;
    const code = this.#text.charCodeAt(start);
    if (code === DOUBLE || code === SINGLE) {
      const value = code === DOUBLE ? this.#double() : this.#single();
      this.#scalar(start, this.#at, code === DOUBLE ? 'double' : 'single');
      this.#finishLine();
      return value;
    }
    if (code === PIPE || code === GREATER) return this.#blockScalar(parent);
    if (code === OPEN_LIST || code === OPEN_MAP) {
      const value = this.#flow();
      this.#contentEnd = this.#at;
      // A flow collection may be a key; that is for the thorough reader.
      this.#finishLine();
      return value;
    }
    if (code < 128 && INDICATOR[code] === 1) throw UNUSUAL;
    return this.#plain(parent);
  }

  #scalar(start: number, end: number, style: Style): void {
    this.#contentEnd = end;
    this.#recorder?.scalar(start, end, style);
  }

  #plain(parent: number): unknown {
    const text = this.#text;
    const start = this.#at;
    let end = this.#plainLine();
    let commented = text.charCodeAt(this.#at) === HASH;
    this.#finishLine();
    if (this.#atEnd || this.#indent <= parent) {
      this.#scalar(start, end, 'plain');
      return resolvePlain(text.slice(start, end));
    }
    // The scalar goes on over lines that are indented deeper; a comment would end it.
    let value = text.slice(start, end);
    let lastEnd = end;
    while (!this.#atEnd && this.#indent > parent) {
      if (commented) throw UNUSUAL;
      const breaks = this.#breaksBetween(lastEnd, this.#lineStart);
      const from = this.#at;
      if (text.charCodeAt(from) === HASH) throw UNUSUAL;
      end = this.#plainLine();
      commented = text.charCodeAt(this.#at) === HASH;
      value += (breaks > 1 ? '\n'.repeat(breaks - 1) : ' ') + text.slice(from, end);
      lastEnd = end;
      this.#finishLine();
    }
    this.#scalar(start, end, 'plain');
    return resolvePlain(value);
  }

  /** Line breaks between two places; a comment between them is for the thorough reader. */
  #breaksBetween(from: number, to: number): number {
    let breaks = 0;
    for (let at = from; at < to; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === NEWLINE) breaks++;
      else if (code === HASH) throw UNUSUAL;
    }
    return breaks;
  }

  /** Plain text up to the end of the line or a comment. @returns the offset behind its last character */
  #plainLine(): number {
    const text = this.#text;
    let at = this.#at;
    let end = at;
    let before = 0;
    let code = text.charCodeAt(at);
    for (;;) {
      if (code === NEWLINE || at >= this.#size) break;
      if (code === COLON) {
        if (this.#isSpace(at + 1)) throw UNUSUAL;
        end = at + 1;
      } else if (code === HASH && (before === SPACE || before === TAB)) break;
      else if (code !== SPACE && code !== TAB && code !== RETURN) end = at + 1;
      before = code;
      code = text.charCodeAt(++at);
    }
    this.#at = at;
    return end;
  }

  #single(): string {
    const text = this.#text;
    let at = this.#at + 1;
    let start = at;
    let value = '';
    for (;;) {
      const quote = text.indexOf("'", at);
      if (quote < 0) throw UNUSUAL;
      const newline = text.indexOf('\n', at);
      if (newline >= 0 && newline < quote) {
        value += text.slice(start, this.#trimmed(start, newline));
        at = this.#fold(newline);
        value += this.#folded;
        start = at;
      } else if (text.charCodeAt(quote + 1) === SINGLE) {
        value += text.slice(start, quote + 1);
        at = quote + 2;
        start = at;
      } else {
        this.#at = quote + 1;
        return value === '' ? text.slice(start, quote) : value + text.slice(start, quote);
      }
    }
  }

  /** The end of a line's text inside quotes: white space before a line break does not count. */
  #trimmed(start: number, end: number): number {
    for (; end > start; end--) {
      const code = this.#text.charCodeAt(end - 1);
      if (code !== SPACE && code !== TAB && code !== RETURN) break;
    }
    return end;
  }

  /** What the line breaks that were folded last stand for. */
  #folded = '';

  /** Goes over line breaks inside quotes. @returns the offset of the text behind them */
  #fold(newline: number): number {
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
    if (at >= this.#size) throw UNUSUAL;
    this.#folded = breaks > 1 ? '\n'.repeat(breaks - 1) : ' ';
    return at;
  }

  #double(): string {
    const text = this.#text;
    let at = this.#at + 1;
    const start = at;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === DOUBLE) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === BACKSLASH || code === NEWLINE) break;
      if (at >= this.#size) throw UNUSUAL;
      at++;
    }
    return this.#doubleSlowly(start, at);
  }

  /** From the first escape or line break on. */
  #doubleSlowly(start: number, at: number): string {
    const text = this.#text;
    let value = '';
    for (;;) {
      const code = text.charCodeAt(at);
      if (at >= this.#size) throw UNUSUAL;
      if (code === DOUBLE) {
        this.#at = at + 1;
        return value + text.slice(start, at);
      }
      if (code === NEWLINE) {
        value += text.slice(start, this.#trimmed(start, at));
        at = this.#fold(at);
        value += this.#folded;
        start = at;
      } else if (code === BACKSLASH) {
        value += text.slice(start, at);
        const simple = ESCAPES[text[at + 1] ?? ''];
        if (simple !== undefined) {
          value += simple;
          at += 2;
        } else {
          const { character, length } = numericEscape(text, at + 1);
          value += character;
          at += 1 + length;
        }
        start = at;
      } else at++;
    }
  }

  #blockScalar(parent: number): string {
    const text = this.#text;
    const start = this.#at;
    const folded = text.charCodeAt(start) === GREATER;
    let at = start + 1;
    let chomping = 0;
    let explicit = 0;
    for (; ; at++) {
      const code = text.charCodeAt(at);
      if (code === DASH && chomping === 0) chomping = -1;
      else if (code === 43 && chomping === 0) chomping = 1;
      else if (code >= 49 && code <= 57 && explicit === 0) explicit = code - 48;
      else break;
    }
    const header = at;
    while (text.charCodeAt(at) === SPACE || text.charCodeAt(at) === TAB || text.charCodeAt(at) === RETURN)
      at++;
    if (text.charCodeAt(at) === HASH && at > header) at = this.#lineAfter(at);
    else if (text.charCodeAt(at) === NEWLINE) at++;
    else if (at < this.#size) throw UNUSUAL;
    let indent = explicit > 0 ? Math.max(parent, 0) + explicit : -1;
    const lines: string[] = [];
    let blanks = 0;
    let contentEnd = header;
    let lastFolds = false;
    let value = '';
    while (at < this.#size) {
      const lineStart = at;
      let code = text.charCodeAt(at);
      const limit = indent < 0 ? this.#size : lineStart + indent;
      while (code === SPACE && at < limit) code = text.charCodeAt(++at);
      let lineEnd = text.indexOf('\n', at);
      const next = lineEnd < 0 ? this.#size : lineEnd + 1;
      if (lineEnd < 0) lineEnd = this.#size;
      let end = lineEnd;
      if (end > at && text.charCodeAt(end - 1) === RETURN) end--;
      if (at >= end) {
        // A blank line deeper than the first line of content is for the thorough reader to judge.
        blanks++;
        if (indent < 0 && at - lineStart > Math.max(parent, 0) + 1) lines.push('');
        at = next;
        continue;
      }
      const column = at - lineStart;
      if (indent < 0) {
        if (column <= parent || (parent < 0 && column === 0)) break;
        if (code === TAB) throw UNUSUAL;
        indent = column;
      }
      if (column < indent) break;
      const line = text.slice(at, end);
      const folds = code !== SPACE && code !== TAB;
      if (contentEnd === header && value === '') value = '\n'.repeat(blanks) + line;
      else if (folded && lastFolds && folds) value += (blanks > 0 ? '\n'.repeat(blanks) : ' ') + line;
      else value += '\n'.repeat(blanks + 1) + line;
      lastFolds = folds;
      blanks = 0;
      contentEnd = end;
      at = next;
    }
    // Leading blank lines with more spaces than the content are an error to YAML.
    if (lines.length > 0) throw UNUSUAL;
    const hasContent = contentEnd !== header;
    // kubectl ends every line with a line break, also the last one of a file that has none.
    if (!hasContent) value = chomping === 1 ? '\n'.repeat(blanks) : '';
    else if (chomping === 0) value += '\n';
    else if (chomping === 1) value += '\n'.repeat(blanks + 1);
    this.#scalar(start, contentEnd, folded ? 'folded' : 'literal');
    // Back to the start of the line that ended it.
    this.#at = Math.min(this.#rewind(at), this.#size);
    this.#nextLine();
    return value;
  }

  /** The start of the line that the place is in. */
  #rewind(at: number): number {
    if (at >= this.#size) return at;
    return this.#text.lastIndexOf('\n', at - 1) + 1;
  }

  /** Space, line breaks and comments inside flow collections. @returns the code of what follows */
  #skip(): number {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === SPACE || code === TAB || code === RETURN) this.#at++;
      else if (code === NEWLINE) {
        this.#at++;
        this.#lineStart = this.#at;
        if (this.#isMarker(this.#at)) throw UNUSUAL;
      } else if (code === HASH) {
        const before = text.charCodeAt(this.#at - 1);
        if (before !== SPACE && before !== NEWLINE && before !== TAB) throw UNUSUAL;
        this.#at = this.#lineAfter(this.#at) - 1;
        if (text.charCodeAt(this.#at) !== NEWLINE) throw UNUSUAL;
      } else if (this.#at >= this.#size) throw UNUSUAL;
      else return code;
    }
  }

  #flow(): unknown {
    if (++this.#depth > this.#maxDepth) throw UNUSUAL;
    const value = this.#text.charCodeAt(this.#at) === OPEN_LIST ? this.#flowList() : this.#flowMap();
    this.#depth--;
    return value;
  }

  #flowList(): unknown[] {
    const result: unknown[] = [];
    this.#recorder?.open(this.#at, 'flow-seq');
    this.#at++;
    for (;;) {
      let code = this.#skip();
      if (code === CLOSE_LIST) break;
      result.push(this.#flowValue());
      code = this.#skip();
      if (code === COMMA) this.#at++;
      else if (code !== CLOSE_LIST) throw UNUSUAL;
    }
    this.#at++;
    this.#recorder?.close(this.#at);
    return result;
  }

  #flowMap(): Record<string, unknown> {
    const text = this.#text;
    const result: Record<string, unknown> = {};
    this.#recorder?.open(this.#at, 'flow-map');
    this.#at++;
    for (;;) {
      let code = this.#skip();
      if (code === CLOSE_MAP) break;
      const start = this.#at;
      const quoted = code === DOUBLE || code === SINGLE;
      let key: string;
      if (code === DOUBLE) key = this.#double();
      else if (code === SINGLE) key = this.#single();
      else if (code === OPEN_LIST || code === OPEN_MAP) throw UNUSUAL;
      else key = plainKey(text.slice(start, this.#flowPlain()));
      const end = quoted ? this.#at : trimmedEnd(text, start, this.#at);
      this.#recorder?.key(key, start, end);
      code = this.#skip();
      let value: unknown = null;
      if (code === COLON) {
        this.#at++;
        const colonEnd = this.#at;
        code = this.#skip();
        if (code === COMMA || code === CLOSE_MAP) this.#recorder?.scalar(colonEnd, colonEnd, 'null');
        else value = this.#flowValue();
      } else this.#recorder?.scalar(end, end, 'null');
      put(result, key, value, this);
      code = this.#skip();
      if (code === COMMA) this.#at++;
      else if (code !== CLOSE_MAP) throw UNUSUAL;
    }
    this.#at++;
    this.#recorder?.close(this.#at);
    return result;
  }

  #flowValue(): unknown {
    const start = this.#at;
    const code = this.#text.charCodeAt(start);
    if (code === OPEN_LIST || code === OPEN_MAP) return this.#flow();
    if (code === DOUBLE || code === SINGLE) {
      const value = code === DOUBLE ? this.#double() : this.#single();
      this.#recorder?.scalar(start, this.#at, code === DOUBLE ? 'double' : 'single');
      // A quoted text before a colon would be a key: `[ "a": b ]`.
      if (this.#skip() === COLON) throw UNUSUAL;
      return value;
    }
    const end = this.#flowPlain();
    this.#recorder?.scalar(start, end, 'plain');
    if (this.#skip() === COLON) throw UNUSUAL;
    return resolvePlain(this.#text.slice(start, end));
  }

  /** Plain text inside a flow collection. @returns the offset behind its last character */
  #flowPlain(): number {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let end = start;
    let code = text.charCodeAt(at);
    if (code < 128 && INDICATOR[code] === 1) throw UNUSUAL;
    if (code === DASH && this.#isSpace(at + 1)) throw UNUSUAL;
    for (;;) {
      if (
        code === COMMA ||
        code === CLOSE_LIST ||
        code === CLOSE_MAP ||
        code === OPEN_LIST ||
        code === OPEN_MAP
      )
        break;
      // As go-yaml v2 has it, a colon ends plain text only before white space: `[2001:db8::]` is one address.
      if (code === COLON && this.#isSpace(at + 1)) break;
      // Over several lines, with a comment, or with a question mark: rare enough to be left to the other reader.
      if (code === NEWLINE || code === HASH || code === 63 || at >= this.#size) throw UNUSUAL;
      at++;
      if (code !== SPACE && code !== TAB && code !== RETURN) end = at;
      code = text.charCodeAt(at);
    }
    if (end === start) throw UNUSUAL;
    this.#at = at;
    return end;
  }
}

function trimmedEnd(text: string, start: number, end: number): number {
  while (end > start && (text.charCodeAt(end - 1) === SPACE || text.charCodeAt(end - 1) === TAB)) end--;
  return end;
}

function plainKey(text: string): string {
  if (text === '<<') throw UNUSUAL;
  if (hintOf(text.charCodeAt(0)) === 0 && text !== '') return text;
  const value = resolvePlain(text);
  if (value === null) throw UNUSUAL;
  return keyText(value, text);
}

/** The last of equal keys counts. A key named `__proto__` is a key like any other. */
function put(result: Record<string, unknown>, key: string, value: unknown, scanner: Scanner): void {
  if (Object.hasOwn(result, key)) {
    scanner.hasDuplicates = true;
    delete result[key];
  }
  setOwn(result, key, value);
}

/** Sets an own property, also where the name would reach the prototype. */
export function setOwn(result: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true });
  else result[key] = value;
}

/** A copy that does not keep the file's whole text alive, as a cut-out would. */
function flat(text: string): string {
  return text.split('').join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  '\t': '\t',
  r: '\r',
  '"': '"',
  '\\': '\\',
  '0': '\0',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  v: '\v',
  ' ': ' ',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

const ESCAPE_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** `\x41`, `\u0041`, `\U00000041` from the letter on. @throws UNUSUAL for anything else */
function numericEscape(text: string, at: number): { readonly character: string; readonly length: number } {
  const digits = ESCAPE_DIGITS[text[at] ?? ''];
  if (digits === undefined) throw UNUSUAL;
  const hex = text.slice(at + 1, at + 1 + digits);
  if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex)) throw UNUSUAL;
  const code = Number.parseInt(hex, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw UNUSUAL;
  return { character: String.fromCodePoint(code), length: digits + 1 };
}
