/**
 * JSON as kubectl reads it: a stream of values, one behind the other, with 64-bit integers kept. Anything that is not
 * strictly JSON is left to the YAML readers, as kubectl does.
 */
import {
  BACKSLASH,
  CLOSE_LIST,
  CLOSE_MAP,
  COLON,
  COMMA,
  DOUBLE,
  NEWLINE,
  OPEN_LIST,
  OPEN_MAP,
  RETURN,
  SPACE,
  setOwn,
  TAB,
} from './characters.ts';
import type { JsonReader, Limits } from './documents.ts';
import type { Recorder } from './recorder.ts';
import { resolveJsonNumber, type Scalar } from './scalars.ts';
import { StructureError } from './structure.ts';

export const readJson: JsonReader = (file, at, recorder, limits) => {
  recorder?.begin(0);
  const scanner = new JsonScanner(file, at, recorder, limits);
  const start = scanner.skip();
  if (start >= file.length) return 'end';
  try {
    const value = scanner.value();
    const { end, tooLarge } = scanner;
    if (tooLarge !== undefined)
      return { is: 'mistake', message: 'this number is out of range', at: tooLarge, final: true, end };
    return { value, hasDuplicates: scanner.hasDuplicates, start, end };
  } catch (error) {
    if (error instanceof StructureError)
      return { is: 'mistake', message: error.message, at: error.at, final: false, end: error.at };
    throw error;
  }
};

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const INCOMPLETE = /^[^.eE]*\.$|^[^eE]*[eE]$/;
const WORDS: readonly (readonly [string, Scalar])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class JsonScanner {
  readonly #text: string;
  readonly #recorder: Recorder | null;
  readonly #limits: Limits;
  #at: number;
  #depth = 0;
  hasDuplicates = false;
  /** Where a number stands that no float64 can hold: kubectl finds that out when the text has been read. */
  tooLarge: number | undefined;

  constructor(text: string, at: number, recorder: Recorder | null, limits: Limits) {
    this.#text = text;
    this.#at = at;
    this.#recorder = recorder;
    this.#limits = limits;
  }

  get end(): number {
    return this.#at;
  }

  /** White space. @returns the offset of what follows */
  skip(): number {
    const text = this.#text;
    let at = this.#at;
    let code = text.charCodeAt(at);
    while (code === SPACE || code === NEWLINE || code === RETURN || code === TAB)
      code = text.charCodeAt(++at);
    this.#at = at;
    return at;
  }

  value(): unknown {
    const start = this.skip();
    switch (this.#text.charCodeAt(start)) {
      case OPEN_MAP:
        return this.#object();
      case OPEN_LIST:
        return this.#array();
      case DOUBLE: {
        const value = this.#string();
        this.#recorder?.scalar(start, this.#at, 'double');
        return value;
      }
      default:
        return this.#literal();
    }
  }

  #object(): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.#open('flow-map');
    if (!this.#is(CLOSE_MAP))
      do {
        const start = this.skip();
        const key = this.#string();
        this.#recorder?.key(key, start, this.#at);
        this.#expect(COLON);
        const value = this.value();
        if (Object.hasOwn(result, key)) this.hasDuplicates = true;
        setOwn(result, key, value);
      } while (this.#take(COMMA));
    this.#expect(CLOSE_MAP);
    this.#close();
    return result;
  }

  #array(): unknown[] {
    const result: unknown[] = [];
    this.#open('flow-seq');
    if (!this.#is(CLOSE_LIST))
      do result.push(this.value());
      while (this.#take(COMMA));
    this.#expect(CLOSE_LIST);
    this.#close();
    return result;
  }

  #open(style: 'flow-map' | 'flow-seq'): void {
    const { maxDepth } = this.#limits;
    if (++this.#depth > maxDepth)
      throw new StructureError(`more than ${maxDepth} mappings and lists inside each other`, this.#at);
    this.#recorder?.open(this.#at, style);
    this.#at++;
  }

  #close(): void {
    this.#depth--;
    this.#recorder?.close(this.#at);
  }

  #is(code: number): boolean {
    return this.#text.charCodeAt(this.skip()) === code;
  }

  #take(code: number): boolean {
    if (!this.#is(code)) return false;
    this.#at++;
    return true;
  }

  #expect(code: number): void {
    if (!this.#take(code)) throw new StructureError(`"${String.fromCharCode(code)}" was expected`, this.#at);
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at;
    if (text.charCodeAt(start) !== DOUBLE)
      throw new StructureError('a text in double quotes was expected', start);
    let at = start + 1;
    let escaped = false;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === DOUBLE) break;
      if (code === BACKSLASH) {
        escaped = true;
        ESCAPE.lastIndex = at;
        if (!ESCAPE.test(text)) throw new StructureError('an unknown escape', at);
        at = ESCAPE.lastIndex;
      } else if (code >= SPACE) at++;
      else throw new StructureError('this quote (") is never closed on its line', start);
    }
    this.#at = at + 1;
    // Half of a surrogate pair is no character: Go puts a replacement character in its place.
    return escaped
      ? (JSON.parse(text.slice(start, this.#at)) as string).toWellFormed()
      : text.slice(start + 1, at);
  }

  #literal(): Scalar {
    const start = this.#at;
    const known = WORDS.find(([word]) => this.#text.startsWith(word, start));
    let value: Scalar;
    if (known !== undefined) {
      this.#at += known[0].length;
      value = known[1];
    } else value = this.#number();
    this.#recorder?.scalar(start, this.#at, 'plain');
    return value;
  }

  #number(): Scalar {
    NUMBER.lastIndex = this.#at;
    const [match] = NUMBER.exec(this.#text) ?? [];
    if (match === undefined || INCOMPLETE.test(match + (this.#text[NUMBER.lastIndex] ?? '')))
      throw new StructureError('a value was expected', this.#at);
    const value = resolveJsonNumber(match);
    if (value === undefined) this.tooLarge ??= this.#at;
    this.#at += match.length;
    return value ?? null;
  }
}
