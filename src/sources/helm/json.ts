/** JSON as Go's encoding/json reads and writes it. */
import { formatFloat } from './numbers.ts';
import {
  base64,
  Complex,
  GoError,
  GoMap,
  GoSlice,
  GoStruct,
  grownSlice,
  Int,
  sortedKeys,
  textOfBytes,
  type Value,
  wellFormed,
} from './value.ts';

/** json.Marshal: keys sorted, `<`, `>` and `&` escaped unless told otherwise. */
export function writeJson(value: Value, escapeHtml = true): string {
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'string':
      return quoteJson(value, escapeHtml);
    case 'boolean':
      return String(value);
    case 'number':
      return jsonNumber(value);
    default:
      break;
  }
  if (value instanceof Int) return value.value.toString();
  if ((value instanceof GoMap || value instanceof GoSlice) && value.isNil) return 'null';
  if (value instanceof GoMap) {
    const isFiles = value.type === 'chart.Files';
    const keys = sortedKeys(value);
    return `{${keys.map(key => `${quoteJson(key, escapeHtml)}:${isFiles ? `"${base64(value.entries.get(key) as string)}"` : writeJson(value.entries.get(key), escapeHtml)}`).join(',')}}`;
  }
  if (value instanceof GoSlice) {
    if (value.type === '[]uint8') return `"${base64(textOfBytes(value))}"`;
    return `[${value.items.map(item => writeJson(item, escapeHtml)).join(',')}]`;
  }
  if (value instanceof Complex) throw new GoError('json: unsupported type: complex128');
  return structJson(value, escapeHtml);
}

function structJson(value: GoStruct, escapeHtml: boolean): string {
  if (value.text !== undefined) return quoteJson(jsonText(value), escapeHtml);
  return `{${[...value.fields].map(([name, field]) => `${quoteJson(name, escapeHtml)}:${writeJson(field, escapeHtml)}`).join(',')}}`;
}

function jsonText(value: GoStruct): string {
  const inner = value.inner as { readonly json?: string } | undefined;
  return inner?.json ?? value.text ?? '';
}

export function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) throw new GoError(`json: unsupported value: ${formatFloat(value, 'g', -1)}`);
  const absolute = Math.abs(value);
  if (absolute !== 0 && (absolute < 1e-6 || absolute >= 1e21)) {
    // Go cleans e-09 to e-9.
    return formatFloat(value, 'e', -1).replace(/e-0(\d)$/, 'e-$1');
  }
  return formatFloat(value, 'f', -1);
}

export function quoteJson(text: string, escapeHtml: boolean): string {
  let result = JSON.stringify(wellFormed(text));
  // JSON.stringify escapes lone surrogates; those that stand for bytes are U+FFFD by now.
  result = result.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  if (escapeHtml && /[<>&]/.test(result))
    result = result.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
  return result;
}

/** json.MarshalIndent(value, "", "  "). */
export function writePrettyJson(value: Value): string {
  return pretty(value, '');
}

function pretty(value: Value, indent: string): string {
  const inner = `${indent}  `;
  if (value instanceof GoMap) {
    if (value.entries.size === 0) return '{}';
    const keys = sortedKeys(value);
    return `{\n${keys.map(key => `${inner}${quoteJson(key, true)}: ${pretty(value.entries.get(key), inner)}`).join(',\n')}\n${indent}}`;
  }
  if (value instanceof GoSlice) {
    if (value.items.length === 0) return '[]';
    return `[\n${value.items.map(item => inner + pretty(item, inner)).join(',\n')}\n${indent}]`;
  }
  if (value instanceof GoStruct && value.text === undefined) {
    if (value.fields.size === 0) return '{}';
    return `{\n${[...value.fields].map(([name, field]) => `${inner}${quoteJson(name, true)}: ${pretty(field, inner)}`).join(',\n')}\n${indent}}`;
  }
  return writeJson(value);
}

/** How deep values may nest: encoding/json's own bound. */
const MAX_DEPTH = 10_000;

/** json.Unmarshal into an interface: every number is a float64. */
export function readJson(text: string): Value {
  return new JsonReader(text).document();
}

class JsonReader {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): Value {
    this.space();
    const value = this.value('looking for beginning of value');
    this.space();
    if (this.at < this.text.length) this.unexpected('after top-level value');
    return value;
  }

  private unexpected(context: string): never {
    if (this.at >= this.text.length) throw new GoError('unexpected end of JSON input');
    const character = String.fromCodePoint(this.text.codePointAt(this.at)!);
    const shown =
      character === "'"
        ? `'\\''`
        : character === '"'
          ? `'"'`
          : `'${JSON.stringify(character).slice(1, -1).replace('\\"', '"')}'`;
    throw new GoError(`invalid character ${shown} ${context}`);
  }

  private space(): void {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.text[this.at]!)) this.at++;
  }

  private value(context: string): Value {
    const character = this.text[this.at];
    if (character === '{') return this.object();
    if (character === '[') return this.array();
    if (character === '"') return this.string();
    if (character === 't') return this.word('true', true);
    if (character === 'f') return this.word('false', false);
    if (character === 'n') return this.word('null', null);
    if (character !== undefined && (character === '-' || (character >= '0' && character <= '9')))
      return this.number();
    return this.unexpected(context);
  }

  private word<T extends Value>(word: string, value: T): T {
    for (let index = 0; index < word.length; index++, this.at++) {
      if (this.text[this.at] !== word[index])
        this.unexpected(`in literal ${word} (expecting '${word[index]}')`);
    }
    return value;
  }

  private number(): number {
    const start = this.at;
    if (this.text[this.at] === '-') {
      this.at++;
      if (!/\d/.test(this.text[this.at] ?? '')) this.unexpected('in numeric literal');
    }
    if (this.text[this.at] === '0') this.at++;
    else this.digits();
    if (this.text[this.at] === '.') {
      this.at++;
      if (!/\d/.test(this.text[this.at] ?? '')) this.unexpected('after decimal point in numeric literal');
      this.digits();
    }
    if (this.text[this.at] === 'e' || this.text[this.at] === 'E') {
      this.at++;
      if (this.text[this.at] === '+' || this.text[this.at] === '-') this.at++;
      if (!/\d/.test(this.text[this.at] ?? '')) this.unexpected('in exponent of numeric literal');
      this.digits();
    }
    const literal = this.text.slice(start, this.at);
    const value = Number(literal);
    if (!Number.isFinite(value))
      throw new GoError(`json: cannot unmarshal number ${literal} into Go value of type float64`);
    return value;
  }

  private digits(): void {
    while (/\d/.test(this.text[this.at] ?? '')) this.at++;
  }

  private string(): string {
    const start = this.at++;
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined) throw new GoError('unexpected end of JSON input');
      if (character === '"') break;
      if (character < ' ') this.unexpected('in string literal');
      this.at++;
      if (character !== '\\') continue;
      const letter = this.text[this.at];
      if (letter === undefined) throw new GoError('unexpected end of JSON input');
      if (letter === 'u') {
        this.at++;
        for (let index = 0; index < 4; index++, this.at++) {
          if (!/[0-9a-fA-F]/.test(this.text[this.at] ?? ''))
            this.unexpected('in \\u hexadecimal character escape');
        }
      } else {
        if (!'bfnrt\\/"'.includes(letter)) this.unexpected('in string escape code');
        this.at++;
      }
    }
    this.at++;
    const text = JSON.parse(this.text.slice(start, this.at)) as string;
    return text.isWellFormed() ? text : text.toWellFormed();
  }

  private enter(): void {
    if (++this.depth > MAX_DEPTH) throw new GoError('exceeded max depth');
  }

  private array(): GoSlice {
    this.enter();
    this.at++;
    const items: Value[] = [];
    this.space();
    if (this.text[this.at] === ']') this.at++;
    else
      for (;;) {
        this.space();
        items.push(this.value('looking for beginning of value'));
        this.space();
        if (this.text[this.at] === ']') {
          this.at++;
          break;
        }
        if (this.text[this.at] !== ',') this.unexpected('after array element');
        this.at++;
      }
    this.depth--;
    return grownSlice(items);
  }

  private object(): GoMap {
    this.enter();
    this.at++;
    const entries = new Map<string, Value>();
    this.space();
    if (this.text[this.at] === '}') this.at++;
    else
      for (;;) {
        this.space();
        if (this.text[this.at] !== '"') this.unexpected('looking for beginning of object key string');
        const key = this.string();
        this.space();
        if (this.text[this.at] !== ':') this.unexpected('after object key');
        this.at++;
        this.space();
        entries.set(key, this.value('looking for beginning of value'));
        this.space();
        if (this.text[this.at] === '}') {
          this.at++;
          break;
        }
        if (this.text[this.at] !== ',') this.unexpected('after object key:value pair');
        this.at++;
      }
    this.depth--;
    return new GoMap(entries);
  }
}
