/** Values given on the command line: `--set` and its kin, as helm's pkg/strvals/parser.go reads them. */
import { readJson } from './json.ts';
import { goQuote } from './quote.ts';
import { GoError, GoMap, GoSlice, int64, type Value } from './value.ts';

const MAX_INDEX = 65536;
const MAX_NESTING = 30;

export type SetKind = 'set' | 'string' | 'json' | 'file' | 'literal';

/** Reads `a.b=c,d[0]=e` into the values; `read` gives a file's text for --set-file. */
export function setValues(
  text: string,
  into: GoMap,
  kind: SetKind = 'set',
  read?: (path: string) => string,
): void {
  new SetReader(text, kind, read).into(into);
}

const END = Symbol('end');

class SetReader {
  private readonly characters: readonly string[];
  private at = 0;
  private readonly kind: SetKind;
  private readonly read: ((path: string) => string) | undefined;

  constructor(text: string, kind: SetKind, read: ((path: string) => string) | undefined) {
    this.characters = [...text];
    this.kind = kind;
    this.read = read;
  }

  into(data: GoMap): void {
    while (this.key(data, 0) !== END) {
      // one assignment after the other
    }
  }

  private until(stop: string): { text: string; last: string | undefined } {
    let text = '';
    for (;;) {
      const character = this.characters[this.at++];
      if (character === undefined) return { text, last: undefined };
      if (stop.includes(character)) return { text, last: character };
      if (character === '\\') {
        const next = this.characters[this.at++];
        if (next === undefined) return { text, last: undefined };
        text += next;
      } else text += character;
    }
  }

  private typed(text: string): Value {
    if (this.kind === 'file') return this.read!(text);
    if (this.kind === 'string') return text;
    if (/^true$/i.test(text)) return true;
    if (/^false$/i.test(text)) return false;
    if (/^null$/i.test(text)) return null;
    if (text === '0') return int64(0);
    if (/^[+-]?\d+$/.test(text) && !text.startsWith('0')) {
      const value = BigInt(text.replace('+', ''));
      if (value >= -(1n << 63n) && value < 1n << 63n) return int64(value);
    }
    return text;
  }

  /** Whether anything follows: END where the text is over, as io.EOF. */
  private key(data: GoMap, nesting: number): typeof END | undefined {
    const { text, last } = this.until(this.kind === 'literal' ? '=[.' : '=[,.');
    switch (last) {
      case undefined:
        if (text === '') return END;
        throw new GoError(`key ${goQuote(text)} has no value`);
      case '[': {
        const index = this.keyIndex();
        const before = data.entries.get(text);
        if (data.entries.has(text) && !(before instanceof GoSlice))
          throw new GoError(
            `unable to parse key: interface conversion: interface {} is ${typeName(before)}, not []interface {}`,
          );
        const list = before instanceof GoSlice ? before.items.slice() : [];
        const end = this.listItem(list, index, nesting);
        assign(data, text, new GoSlice(list));
        return end;
      }
      case '=':
        if (this.kind === 'json') {
          if (this.emptyValue()) {
            assign(data, text, null);
            return undefined;
          }
          assign(data, text, this.json());
          this.emptyValue();
          return undefined;
        }
        return this.value(value => assign(data, text, value));
      case ',':
        assign(data, text, '');
        throw new GoError(`key ${goQuote(text)} has no value (cannot end with ,)`);
      default: {
        if (nesting + 1 > MAX_NESTING)
          throw new GoError(
            `value name nested level is greater than maximum supported nested level of ${MAX_NESTING}`,
          );
        const before = data.entries.get(text);
        if (data.entries.has(text) && !(before instanceof GoMap))
          throw new GoError(
            `unable to parse key: interface conversion: interface {} is ${typeName(before)}, not map[string]interface {}`,
          );
        const inner = before instanceof GoMap ? before : new GoMap();
        const end = this.key(inner, nesting + 1);
        if (end === undefined && inner.entries.size === 0)
          throw new GoError(`key map ${goQuote(text)} has no value`);
        if (inner.entries.size > 0) assign(data, text, inner);
        return end;
      }
    }
  }

  private keyIndex(): number {
    const { text, last } = this.until(']');
    if (last === undefined) throw new GoError('error parsing index: EOF');
    if (!/^[+-]?\d+$/.test(text))
      throw new GoError(`error parsing index: strconv.Atoi: parsing ${goQuote(text)}: invalid syntax`);
    return Number(text);
  }

  private setIndex(list: Value[], index: number, value: Value): void {
    if (index < 0) throw new GoError(`negative ${index} index not allowed`);
    if (index > MAX_INDEX)
      throw new GoError(`index of ${index} is greater than maximum supported index of ${MAX_INDEX}`);
    while (list.length < index) list.push(null);
    list[index] = value;
  }

  private listItem(list: Value[], index: number, nesting: number): typeof END | undefined {
    if (index < 0) throw new GoError(`negative ${index} index not allowed`);
    const { text, last } = this.until('[.=');
    if (text !== '') throw new GoError(`unexpected data at end of array index: ${goQuote(text)}`);
    if (last === undefined) return END;
    if (last === '=') {
      if (this.kind === 'json') {
        if (this.emptyValue()) this.setIndex(list, index, null);
        else {
          this.setIndex(list, index, this.json());
          this.emptyValue();
        }
        return undefined;
      }
      let end: typeof END | undefined;
      end = this.value(value => this.setIndex(list, index, value));
      // A value at the end of a list item is no end for the list's own key.
      return end;
    }
    if (last === '[') {
      const next = this.keyIndex();
      const before = list[index];
      if (before !== null && before !== undefined && !(before instanceof GoSlice))
        throw new GoError(
          `unable to parse key: interface conversion: interface {} is ${typeName(before)}, not []interface {}`,
        );
      const inner = before instanceof GoSlice ? before.items : [];
      const end = this.listItem(inner, next, nesting);
      this.setIndex(list, index, new GoSlice(inner));
      return end;
    }
    const before = list[index];
    const inner = before instanceof GoMap ? before : new GoMap();
    const end = this.key(inner, nesting);
    this.setIndex(list, index, inner);
    return end;
  }

  private value(put: (value: Value) => void): typeof END | undefined {
    const first = this.characters[this.at];
    if (first === undefined) {
      put('');
      return END;
    }
    if (this.kind === 'literal') {
      put(this.characters.slice(this.at).join(''));
      this.at = this.characters.length;
      return END;
    }
    if (first !== '{') {
      const { text, last } = this.until(',');
      put(this.typed(text));
      return last === undefined ? END : undefined;
    }
    this.at++;
    const items: Value[] = [];
    for (;;) {
      const { text, last } = this.until(',}');
      if (last === undefined) throw new GoError("list must terminate with '}'");
      items.push(this.typed(text));
      if (last === '}') {
        if (this.characters[this.at] === ',') this.at++;
        put(new GoSlice(items));
        return undefined;
      }
    }
  }

  private emptyValue(): boolean {
    for (;;) {
      const character = this.characters[this.at];
      if (character === undefined) return true;
      this.at++;
      if (character === ',') return true;
      if (!/\s/.test(character)) {
        this.at--;
        return false;
      }
    }
  }

  /** One JSON value out of what is left: the longest text that is one. */
  private json(): Value {
    const rest = this.characters.slice(this.at).join('');
    const end = jsonEnd(rest);
    const value = readJson(rest.slice(0, end));
    this.at += [...rest.slice(0, end)].length;
    return value;
  }
}

function jsonEnd(text: string): number {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quoted) {
      if (character === '\\') at++;
      else if (character === '"') {
        quoted = false;
        if (depth === 0) return at + 1;
      }
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      depth--;
      if (depth <= 0) return at + 1;
    } else if (depth === 0 && (character === ',' || /\s/.test(character))) return at;
  }
  return text.length;
}

function assign(data: GoMap, key: string, value: Value): void {
  if (key === '') return;
  data.entries.set(key, value);
  data.places?.delete(key);
}

function typeName(value: Value): string {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof GoMap) return 'map[string]interface {}';
  if (value instanceof GoSlice) return '[]interface {}';
  return 'int64';
}
