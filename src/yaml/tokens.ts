/**
 * YAML's tokens, one after the other, exactly as go-yaml v2 finds them (scannerc.go): which texts are keys, where
 * blocks begin and end, and what cannot stand where it stands. It looks ahead no further than go-yaml does, for what
 * it never looks at cannot be wrong.
 */
import {
  AMPERSAND,
  BANG,
  CLOSE_LIST,
  CLOSE_MAP,
  COLON,
  COMMA,
  DASH,
  DOT,
  DOUBLE,
  GREATER,
  HASH,
  LESS,
  NEWLINE,
  OPEN_LIST,
  OPEN_MAP,
  PERCENT,
  PIPE,
  QUESTION,
  SINGLE,
  SPACE,
  STAR,
  TAB,
} from './characters.ts';
import { Cursor } from './cursor.ts';
import type { Style } from './recorder.ts';
import { StructureError } from './structure.ts';
import { scanBlockScalar, scanPlain, scanQuoted } from './token-scalars.ts';

export type TokenKind =
  | 'end'
  | 'version'
  | 'tag directive'
  | 'document start'
  | 'document end'
  | 'block list'
  | 'block map'
  | 'block end'
  | 'flow list'
  | 'flow list end'
  | 'flow map'
  | 'flow map end'
  | 'flow entry'
  | 'block entry'
  | 'key'
  | 'value'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'scalar';

/** Offsets are the document's. */
export interface Token {
  readonly kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** A scalar's value, an anchor's name, a tag's or a tag directive's handle, a version. */
  readonly text: string;
  /** What stands behind a tag's handle; a tag directive's prefix. */
  readonly suffix: string;
  readonly style: Style;
}

/** A place where a key may have begun; only the colon behind it will tell. */
interface PossibleKey {
  possible: boolean;
  /** In block context at the column of the mapping: if it is no key, the document is broken. */
  required: boolean;
  token: number;
  at: number;
  lineStart: number;
}

/** Characters between a key's begin and its colon. */
const LONGEST_KEY = 1024;
/** go-yaml's own limit for flow collections in each other. */
const MAX_FLOW_LEVEL = 10_000;
/** Tokens that were taken stay in the queue until this many can be dropped at once. */
const QUEUE_SLACK = 1024;

const BLANKS = /[ \t]+/y;
const DIRECTIVE = /%([-0-9A-Za-z_]+)(?=[ \t\r\n\x85\u2028\u2029\0])/y;
const VERSION = /[ \t]*([0-9]{1,2}\.[0-9]{1,2})/y;
const DIRECTIVE_HANDLE = /[ \t]*(!(?:[-0-9A-Za-z_]*!)?)(?=[ \t])/y;
const HANDLE = /![-0-9A-Za-z_]*!?/y;
const URI = /[-0-9A-Za-z_;/?:@&=+$,.!~*'()[\]]*(?:%[0-9A-Fa-f]{2}[-0-9A-Za-z_;/?:@&=+$,.!~*'()[\]]*)*/y;
const ANCHOR = /[-0-9A-Za-z_]+(?=[ \t\r\n\x85\u2028\u2029\0?:,\]}%@`])/y;

export class Tokens {
  readonly #cursor: Cursor;
  readonly #queue: Token[] = [];
  #head = 0;
  /** How many tokens were taken: the number of the one at the head. */
  #taken = 0;
  #indent = -1;
  readonly #indents: number[] = [];
  #flowLevel = 0;
  #keyAllowed = true;
  /** One for each flow level. */
  readonly #keys: PossibleKey[] = [newKey(-1)];
  /** Token numbers of possible keys, with their level. */
  readonly #levelOfToken = new Map<number, number>();

  /** @param text the document's text, each line closed by a line break */
  constructor(text: string) {
    this.#cursor = new Cursor(text);
  }

  /** The next token, without taking it. @throws StructureError */
  peek(): Token {
    for (;;) {
      if (this.#head < this.#queue.length) {
        const level = this.#levelOfToken.get(this.#taken);
        if (level === undefined || !this.#isValid(this.#keys[level]!)) return this.#queue[this.#head]!;
      }
      this.#fetch();
    }
  }

  /** Takes the next token. @throws StructureError */
  take(): Token {
    const token = this.peek();
    this.#head++;
    this.#taken++;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head > QUEUE_SLACK) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return token;
  }

  #push(kind: TokenKind, start: number, end: number, text = '', suffix = '', style: Style = 'null'): void {
    this.#queue.push({ kind, start, end, text, suffix, style });
  }

  #fetch(): void {
    const cursor = this.#cursor;
    if (cursor.skipToToken(this.#flowLevel > 0, this.#keyAllowed) && this.#flowLevel === 0)
      this.#keyAllowed = true;
    this.#unroll(cursor.column);
    const code = cursor.code;
    if (cursor.atEnd) {
      this.#unroll(-1);
      this.#removeKey();
      this.#keyAllowed = false;
      this.#push('end', cursor.at, cursor.at);
    } else if (cursor.column === 0 && code === PERCENT) this.#directive();
    else if (cursor.column === 0 && cursor.isMarker(DASH)) this.#marker('document start');
    else if (cursor.column === 0 && cursor.isMarker(DOT)) this.#marker('document end');
    else this.#fetchContent(code);
  }

  #fetchContent(code: number): void {
    const spaced = this.#cursor.isBlankOrEnd(1);
    const inFlow = this.#flowLevel > 0;
    if (code === OPEN_LIST) this.#openFlow('flow list');
    else if (code === OPEN_MAP) this.#openFlow('flow map');
    else if (code === CLOSE_LIST) this.#closeFlow('flow list end');
    else if (code === CLOSE_MAP) this.#closeFlow('flow map end');
    else if (code === COMMA) this.#flowEntry();
    else if (code === DASH && spaced) this.#blockEntry();
    else if (code === QUESTION && (inFlow || spaced)) this.#key();
    else if (code === COLON && (inFlow || spaced)) this.#value();
    else if (code === STAR) this.#anchor('alias');
    else if (code === AMPERSAND) this.#anchor('anchor');
    else if (code === BANG) this.#tag();
    else if ((code === PIPE || code === GREATER) && !inFlow) this.#blockScalar();
    else if (code === SINGLE || code === DOUBLE) this.#quoted();
    else if (this.#beginsPlain(code)) this.#plain();
    else throw new StructureError(strayCharacter(code), this.#cursor.at);
  }

  #beginsPlain(code: number): boolean {
    if (code === DASH) return true;
    if (code === QUESTION || code === COLON) return this.#flowLevel === 0;
    return code >= 128 || !NEVER_PLAIN.has(code);
  }

  #directive(): void {
    this.#unroll(-1);
    this.#removeKey();
    this.#keyAllowed = false;
    const cursor = this.#cursor;
    const start = cursor.at;
    const name = cursor.match(DIRECTIVE)?.[1];
    if (name === 'YAML') {
      const version = cursor.match(VERSION)?.[1];
      if (version === undefined) throw new StructureError('a version such as "1.1" was expected', start);
      this.#push('version', start, cursor.at, version);
    } else if (name === 'TAG') {
      const handle = cursor.match(DIRECTIVE_HANDLE)?.[1];
      if (handle === undefined) throw new StructureError('a tag handle such as "!e!" was expected', start);
      cursor.match(BLANKS);
      const prefix = this.#uri('', start);
      if (!cursor.isBlankOrEnd(0)) throw new StructureError('a tag prefix ends with a space', cursor.at);
      this.#push('tag directive', start, cursor.at, handle, prefix);
    } else
      throw new StructureError(
        'a line that begins with "%" is a directive, and only %YAML and %TAG are known',
        start,
      );
    cursor.finishLine('a directive');
  }

  #marker(kind: 'document start' | 'document end'): void {
    this.#unroll(-1);
    this.#removeKey();
    this.#keyAllowed = false;
    this.#single(kind, 3);
  }

  #single(kind: TokenKind, length = 1): void {
    const start = this.#cursor.at;
    this.#cursor.at += length;
    this.#push(kind, start, start + length);
  }

  #openFlow(kind: 'flow list' | 'flow map'): void {
    this.#saveKey();
    // As in go-yaml: a level that closes without a key of its own takes back that its bracket may begin one.
    this.#keys.push(newKey(this.#taken + this.#queue.length - this.#head));
    if (++this.#flowLevel > MAX_FLOW_LEVEL)
      throw new StructureError(`more than ${MAX_FLOW_LEVEL} brackets inside each other`, this.#cursor.at);
    this.#keyAllowed = true;
    this.#single(kind);
  }

  #closeFlow(kind: 'flow list end' | 'flow map end'): void {
    this.#removeKey();
    if (this.#flowLevel > 0) {
      this.#flowLevel--;
      this.#levelOfToken.delete(this.#keys.pop()!.token);
    }
    this.#keyAllowed = false;
    this.#single(kind);
  }

  #flowEntry(): void {
    this.#removeKey();
    this.#keyAllowed = true;
    this.#single('flow entry');
  }

  #blockEntry(): void {
    if (this.#flowLevel === 0) {
      if (!this.#keyAllowed)
        throw new StructureError('a list item ("- ") must begin on a line of its own', this.#cursor.at);
      this.#roll(this.#cursor.column, -1, 'block list', this.#cursor.at);
    }
    this.#removeKey();
    this.#keyAllowed = true;
    this.#single('block entry');
  }

  #key(): void {
    if (this.#flowLevel === 0) {
      if (!this.#keyAllowed) throw new StructureError('a key ("? ") cannot begin here', this.#cursor.at);
      this.#roll(this.#cursor.column, -1, 'block map', this.#cursor.at);
    }
    this.#removeKey();
    this.#keyAllowed = this.#flowLevel === 0;
    this.#single('key');
  }

  /** A colon: only now is it clear whether what stood before it was a key. */
  #value(): void {
    const key = this.#keys.at(-1)!;
    if (this.#isValid(key)) {
      const token: Token = { kind: 'key', start: key.at, end: key.at, text: '', suffix: '', style: 'null' };
      this.#insert(key.token, token);
      this.#roll(key.at - key.lineStart, key.token, 'block map', key.at);
      key.possible = false;
      this.#levelOfToken.delete(key.token);
      this.#keyAllowed = false;
    } else {
      if (this.#flowLevel === 0) {
        if (!this.#keyAllowed)
          throw new StructureError(
            'a ":" with a key before it was not expected here: a text that holds ": " must be quoted',
            this.#cursor.at,
          );
        this.#roll(this.#cursor.column, -1, 'block map', this.#cursor.at);
      }
      this.#keyAllowed = this.#flowLevel === 0;
    }
    this.#single('value');
  }

  #insert(number: number, token: Token): void {
    // A token that was taken already can have nothing put in front of it.
    if (number < this.#taken) this.#queue.push(token);
    else this.#queue.splice(number - this.#taken + this.#head, 0, token);
  }

  #anchor(kind: 'alias' | 'anchor'): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const cursor = this.#cursor;
    const start = cursor.at++;
    const name = cursor.match(ANCHOR)?.[0];
    if (name === undefined)
      throw new StructureError(
        kind === 'alias'
          ? '"*" begins an alias, and its name may hold only letters, digits, "-" and "_"; quote the text if it is none'
          : '"&" begins an anchor, and its name may hold only letters, digits, "-" and "_"; quote the text if it is none',
        start,
      );
    this.#push(kind, start, cursor.at, name);
  }

  #tag(): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const cursor = this.#cursor;
    const start = cursor.at;
    let handle = '';
    let suffix: string;
    if (cursor.codeAt(1) === LESS) {
      cursor.at += 2;
      suffix = this.#uri('', start);
      if (cursor.code !== GREATER) throw new StructureError('a tag that begins "!<" ends with ">"', start);
      cursor.at++;
    } else {
      const head = cursor.match(HANDLE)![0];
      if (head.length > 1 && head.endsWith('!')) {
        handle = head;
        suffix = this.#uri('', start);
      } else {
        suffix = this.#uri(head, start);
        if (suffix === '') suffix = '!';
        else handle = '!';
      }
    }
    if (!cursor.isBlankOrEnd(0)) throw new StructureError('a tag ends with a space', cursor.at);
    this.#push('tag', start, cursor.at, handle, suffix);
  }

  /** @param head the beginning that was taken for a handle, with its exclamation mark */
  #uri(head: string, start: number): string {
    const cursor = this.#cursor;
    const rest = cursor.match(URI)![0];
    if (cursor.code === PERCENT) throw new StructureError('"%" in a tag takes two hexadecimal digits', start);
    if (head === '' && rest === '') throw new StructureError('a tag was expected', start);
    return head.slice(1) + unescaped(rest, start);
  }

  #blockScalar(): void {
    this.#removeKey();
    this.#keyAllowed = true;
    const { start, end, text, style } = scanBlockScalar(this.#cursor, this.#indent);
    this.#push('scalar', start, end, text, '', style);
  }

  #quoted(): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const { start, end, text, style } = scanQuoted(this.#cursor);
    this.#push('scalar', start, end, text, '', style);
  }

  #plain(): void {
    this.#saveKey();
    this.#keyAllowed = false;
    const { start, end, text, style, overLines } = scanPlain(this.#cursor, this.#indent, this.#flowLevel > 0);
    this.#push('scalar', start, end, text, '', style);
    if (overLines) this.#keyAllowed = true;
  }

  #isValid(key: PossibleKey): boolean {
    if (!key.possible) return false;
    const { at, lineStart } = this.#cursor;
    if (key.lineStart === lineStart && !this.#cursor.isFurther(key.at, at, LONGEST_KEY)) return true;
    if (key.required) throw missingColon(key);
    key.possible = false;
    return false;
  }

  #saveKey(): void {
    if (!this.#keyAllowed) return;
    const cursor = this.#cursor;
    this.#removeKey();
    const key = this.#keys.at(-1)!;
    key.possible = true;
    key.required = this.#flowLevel === 0 && this.#indent === cursor.column;
    key.token = this.#taken + this.#queue.length - this.#head;
    key.at = cursor.at;
    key.lineStart = cursor.lineStart;
    this.#levelOfToken.set(key.token, this.#keys.length - 1);
  }

  #removeKey(): void {
    const key = this.#keys.at(-1)!;
    if (!key.possible) return;
    if (key.required) throw missingColon(key);
    key.possible = false;
    this.#levelOfToken.delete(key.token);
  }

  /** Opens a block where the column is deeper than the blocks that are open. */
  #roll(column: number, number: number, kind: 'block list' | 'block map', at: number): void {
    if (this.#flowLevel > 0 || this.#indent >= column) return;
    this.#indents.push(this.#indent);
    this.#indent = column;
    const token: Token = { kind, start: at, end: at, text: '', suffix: '', style: 'null' };
    if (number < 0) this.#queue.push(token);
    else this.#insert(number, token);
  }

  /** Closes the blocks that are deeper than a column. */
  #unroll(column: number): void {
    if (this.#flowLevel > 0) return;
    while (this.#indent > column) {
      this.#push('block end', this.#cursor.at, this.#cursor.at);
      this.#indent = this.#indents.pop()!;
    }
  }
}

function newKey(token: number): PossibleKey {
  return { possible: false, required: false, token, at: 0, lineStart: 0 };
}

function missingColon(key: PossibleKey): StructureError {
  return new StructureError('a key with a ":" behind it was expected', key.at);
}

/** What no plain text begins with. */
const NEVER_PLAIN = new Set([
  ...[TAB, NEWLINE, SPACE, HASH],
  ...Array.from('-?:,[]{}&*!|>\'"%@`', character => character.charCodeAt(0)),
]);

function strayCharacter(code: number): string {
  if (code === TAB) return 'a tab stands where only spaces may indent';
  return `a text cannot begin with "${String.fromCharCode(code)}" unless it is quoted`;
}

/** Percent escapes in tags; what they spell must be UTF-8. */
function unescaped(text: string, start: number): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new StructureError('the escapes in a tag spell no character', start);
  }
}
