/**
 * JSON as kubectl reads it: a stream of values, one behind the other, with 64-bit integers kept. Anything that is not
 * strictly JSON is left to the YAML readers, as kubectl does.
 */
import type { OneReader } from './documents.ts';
import type { Recorder } from './recorder.ts';
import { resolvePlain, type Scalar } from './scalars.ts';
import { setOwn } from './scanner.ts';

class NotJson extends Error {}

/** Reads the first JSON object of a text. @returns undefined where it is no JSON */
export function readJsonOne(
  ...[text, recorder, limits]: Parameters<OneReader>
): ReturnType<OneReader> | undefined {
  const reader = new JsonReader(text, recorder, limits.maxDepth);
  try {
    const value = reader.value();
    const next = reader.skip();
    const { hasDuplicates } = reader;
    if (next >= text.length) return { is: 'value', value, hasDuplicates };
    return text.charCodeAt(next) === 123 ? { is: 'more', value, hasDuplicates, next } : undefined;
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    throw error;
  }
}

const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y;
const SPACE = /[ \t\r\n]*/y;

class JsonReader {
  readonly #text: string;
  readonly #recorder: Recorder | null;
  readonly #maxDepth: number;
  #at = 0;
  #depth = 0;
  hasDuplicates = false;

  constructor(text: string, recorder: Recorder | null, maxDepth: number) {
    this.#text = text;
    this.#recorder = recorder;
    this.#maxDepth = maxDepth;
  }

  skip(): number {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
    return this.#at;
  }

  value(): unknown {
    const start = this.skip();
    switch (this.#text[start]) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"': {
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
    if (this.#text[this.skip()] !== '}')
      for (;;) {
        const start = this.skip();
        const key = this.#string();
        this.#recorder?.key(key, start, this.#at);
        this.#expect(':');
        if (Object.hasOwn(result, key)) {
          this.hasDuplicates = true;
          delete result[key];
        }
        setOwn(result, key, this.value());
        if (this.#text[this.skip()] !== ',') break;
        this.#at++;
      }
    this.#expect('}');
    this.#close();
    return result;
  }

  #array(): unknown[] {
    const result: unknown[] = [];
    this.#open('flow-seq');
    if (this.#text[this.skip()] !== ']')
      for (;;) {
        result.push(this.value());
        if (this.#text[this.skip()] !== ',') break;
        this.#at++;
      }
    this.#expect(']');
    this.#close();
    return result;
  }

  #open(style: 'flow-map' | 'flow-seq'): void {
    if (++this.#depth > this.#maxDepth) throw new NotJson();
    this.#recorder?.open(this.#at, style);
    this.#at++;
  }

  #close(): void {
    this.#depth--;
    this.#recorder?.close(this.#at);
  }

  #expect(character: string): void {
    if (this.#text[this.skip()] !== character) throw new NotJson();
    this.#at++;
  }

  #string(): string {
    STRING.lastIndex = this.#at;
    const [match] = STRING.exec(this.#text) ?? [];
    if (match === undefined) throw new NotJson();
    this.#at += match.length;
    return match.includes('\\') ? (JSON.parse(match) as string).toWellFormed() : match.slice(1, -1);
  }

  #literal(): Scalar {
    const start = this.#at;
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const)
      if (this.#text.startsWith(word, start)) {
        this.#at += word.length;
        this.#recorder?.scalar(start, this.#at, 'plain');
        return value;
      }
    NUMBER.lastIndex = start;
    const [match] = NUMBER.exec(this.#text) ?? [];
    if (match === undefined) throw new NotJson();
    this.#at += match.length;
    this.#recorder?.scalar(start, this.#at, 'plain');
    return resolvePlain(match);
  }
}
