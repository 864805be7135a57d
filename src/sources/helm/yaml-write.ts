/**
 * YAML as helm's toYaml and toYamlPretty print it: sigs.k8s.io/yaml (through JSON into go-yaml v2) and go-yaml v3's
 * encoder. The rules of style, folding and escapes are those of go-yaml's emitterc.go, encode.go and sorter.go.
 */
import { SHORT_ESCAPES } from '#yaml/escapes.ts';
import { resolvePlain } from '#yaml/scalars.ts';
import { jsonNumber } from './json.ts';
import { formatFloat } from './numbers.ts';
import { placeOr } from './read-values.ts';
import {
  base64,
  bytesOf,
  bytesSlice,
  Complex,
  GoError,
  GoMap,
  GoSlice,
  type GoStruct,
  Int,
  type Place,
  textOfBytes,
  type Value,
  wellFormed,
} from './value.ts';

interface Style {
  /** Sequences below a key stand two columns in: go-yaml v3. */
  readonly indentSequences: boolean;
  /** Where long lines are folded; Infinity for never. */
  readonly width: number;
  /** Whether numbers went through JSON first. */
  readonly throughJson: boolean;
}

const V2: Style = { indentSequences: false, width: 80, throughJson: true };
const V3: Style = { indentSequences: true, width: Number.POSITIVE_INFINITY, throughJson: false };

/** The text, and for each of its lines where the value on it was written. */
export interface WrittenYaml {
  readonly text: string;
  readonly places: readonly (Place | undefined)[];
}

/** toYaml: throws a GoError where sigs.k8s.io/yaml fails. The last line break is left out. */
export function writeYaml(value: Value): WrittenYaml {
  return new Writer(V2).document(value);
}

/** toYamlPretty. */
export function writeYamlPretty(value: Value): WrittenYaml {
  return new Writer(V3).document(value);
}

const MAX_DEPTH = 500;
const BREAK = /[\n\r\x85\u2028\u2029]/;

/** A key of the JSON text that YAML's scanner takes for none: over two lines, or too long (yaml_simple_key_is_valid). */
function checkKey(key: string): void {
  if (key.includes('\x85') || (key.length > 170 && [...JSON.stringify(key)].length > 1024))
    throw new GoError("yaml: did not find expected ',' or '}'");
}

class Writer {
  private readonly style: Style;
  private text = '';
  private column = 0;
  private place: Place | undefined;
  private readonly places: (Place | undefined)[] = [undefined];
  private depth = 0;

  constructor(style: Style) {
    this.style = style;
  }

  document(value: Value): WrittenYaml {
    this.node(value, -1, 'root');
    return { text: this.text, places: this.places };
  }

  private put(text: string): void {
    this.text += text;
    this.column += text.length;
    if (this.places.length > 0 && this.place !== undefined) this.places[this.places.length - 1] = this.place;
  }

  private newline(indent: number): void {
    this.text += `\n${' '.repeat(indent)}`;
    this.column = indent;
    this.places.push(this.place);
  }

  /** Writes a node; `parent` is the indent of the collection around it, -1 at the root. */
  private node(value: Value, parent: number, where: 'root' | 'value' | 'item'): void {
    if (++this.depth > MAX_DEPTH) throw new GoError('yaml: exceeded max depth');
    if (value instanceof GoMap && value.entries.size > 0) {
      const indent = parent < 0 ? 0 : parent + 2;
      this.mapping(value, indent, where === 'value');
    } else if (value instanceof GoSlice && value.items.length > 0 && value.type !== '[]uint8') {
      const indent = parent < 0 ? 0 : where === 'value' && !this.style.indentSequences ? parent : parent + 2;
      this.sequence(value, indent, where === 'value');
    } else {
      if (where === 'value') this.put(' ');
      this.scalar(value, parent < 0 ? 2 : parent + 2, false);
    }
    this.depth--;
  }

  private mapping(map: GoMap, indent: number, ownLine: boolean): void {
    if (this.style.throughJson) for (const key of map.entries.keys()) checkKey(key);
    const keys = [...map.entries.keys()]
      .map(key => this.cleaned(key))
      .sort((a, b) => compareKeys(a, b, this.style));
    const outer = this.place;
    keys.forEach((key, index) => {
      this.place = placeOr(map.places?.get(key), outer);
      if (index > 0 || ownLine) this.newline(indent);
      const given = map.entries.get(key);
      const value = map.type === 'chart.Files' ? bytesSlice(given as string) : given;
      if (BREAK.test(key) || bytesOf(key).length > 128) {
        this.put('? ');
        this.scalar(key, indent + 2, false);
        this.newline(indent);
        this.put(':');
        if (value instanceof GoMap && value.entries.size > 0) {
          this.put(' ');
          this.mapping(value, indent + 2, false);
        } else if (value instanceof GoSlice && value.items.length > 0) {
          this.put(' ');
          this.sequence(value, indent + 2, false);
        } else this.node(value, indent, 'value');
      } else {
        this.scalar(key, indent + 2, true);
        this.put(':');
        this.node(value, indent, 'value');
      }
    });
    this.place = outer;
  }

  private sequence(list: GoSlice, indent: number, ownLine: boolean): void {
    const outer = this.place;
    list.items.forEach((item, index) => {
      this.place = placeOr(list.places?.[index], outer);
      if (index > 0 || ownLine) this.newline(indent);
      this.put('- ');
      this.node(item, indent, 'item');
    });
    this.place = outer;
  }

  /** What the YAML reader makes of the JSON text of a string. */
  private cleaned(text: string): string {
    if (!this.style.throughJson) return text;
    const clean = wellFormed(text);
    if (/[\x7f\x80-\x84\x86-\x9f\ufffe\uffff]/.test(clean))
      throw new GoError('yaml: control characters are not allowed');
    return clean.includes('\x85') ? clean.replace(/ *\x85 */g, ' ') : clean;
  }

  private scalar(value: Value, indent: number, isKey: boolean): void {
    if (value === null || value === undefined) {
      this.put('null');
      return;
    }
    switch (typeof value) {
      case 'boolean': {
        this.put(String(value));
        return;
      }
      case 'number': {
        this.put(this.number(value));
        return;
      }
      case 'string': {
        this.string(this.cleaned(value), indent, isKey);
        return;
      }
      default:
        break;
    }
    if (value instanceof Int) {
      this.put(value.value.toString());
      return;
    }
    if ((value instanceof GoMap || value instanceof GoSlice) && value.isNil && this.style.throughJson) {
      this.put('null');
      return;
    }
    if (value instanceof GoMap) {
      this.put('{}');
      return;
    }
    if (value instanceof GoSlice) {
      if (value.type === '[]uint8') {
        this.string(base64(textOfBytes(value)), indent, isKey);
        return;
      }
      this.put('[]');
      return;
    }
    if (value instanceof Complex) throw new GoError('json: unsupported type: complex128');
    this.struct(value, indent, isKey);
    return;
  }

  private struct(value: GoStruct, indent: number, isKey: boolean): void {
    if (value.text !== undefined) {
      const inner = value.inner as { readonly json?: string } | undefined;
      this.string(inner?.json ?? value.text, indent, isKey);
      return;
    }
    if (value.fields.size === 0) {
      this.put('{}');
      return;
    }
    this.mapping(new GoMap(new Map(value.fields)), Math.max(indent - 2, 0), indent - 2 >= 0);
  }

  private number(value: number): string {
    if (!this.style.throughJson) {
      if (Number.isNaN(value)) return '.nan';
      if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
      return formatFloat(value, 'g', -1);
    }
    const json = jsonNumber(value);
    if (/^-?\d+$/.test(json)) {
      const integer = BigInt(json);
      if (integer >= -(1n << 63n) && integer < 1n << 64n) return json === '-0' ? '0' : json;
    }
    return formatFloat(value, 'g', -1);
  }

  private string(text: string, indent: number, isKey: boolean): void {
    const shape = analyse(text, this.style);
    let style: 'plain' | 'single' | 'double' | 'literal' = text.includes('\n')
      ? 'literal'
      : canBePlain(text, this.style)
        ? 'plain'
        : 'double';
    if (isKey && shape.multiline) style = 'double';
    if (style === 'plain' && (!shape.plain || (text === '' && isKey))) style = 'single';
    if (style === 'single' && !shape.single) style = 'double';
    if (style === 'literal' && (!shape.block || isKey)) style = 'double';
    if (style === 'literal') {
      this.literal(text, indent);
      return;
    }
    if (style === 'double') {
      this.double(text, indent, isKey);
      return;
    }
    this.flowing(
      style === 'single' ? `'${text.replaceAll("'", "''")}'` : text,
      indent,
      isKey,
      style === 'single',
    );
  }

  /** Plain and single-quoted text: a space past the width becomes a line break. */
  private flowing(text: string, indent: number, isKey: boolean, quoted: boolean): void {
    const length = text.length;
    if (isKey || (this.column + length <= this.style.width && !/[\u2028\u2029]/.test(text))) {
      this.put(text);
      return;
    }
    let spaces = false;
    let start = 0;
    let column = this.column;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x2028 || code === 0x2029) {
        this.text += text.slice(start, at + 1);
        start = at + 1;
        column = 0;
        spaces = false;
        const next = text[at + 1];
        if (next !== undefined && next !== "'" && !isBreak(next)) {
          this.text += ' '.repeat(indent);
          column = indent;
        } else if (next === "'" && at + 2 < length) {
          this.text += ' '.repeat(indent);
          column = indent;
        }
      } else if (code === 32) {
        const inside = quoted ? at > 1 && at < length - 2 : true;
        if (!spaces && column > this.style.width && inside && text.charCodeAt(at + 1) !== 32) {
          this.put(text.slice(start, at));
          this.newline(indent);
          column = indent;
          start = at + 1;
        } else column++;
        spaces = true;
      } else {
        if (code < 0xdc00 || code > 0xdfff) column++;
        spaces = false;
      }
    }
    this.put(text.slice(start));
  }

  private double(text: string, indent: number, isKey: boolean): void {
    this.put('"');
    const characters = [...text];
    // is_bom of yamlprivateh.go looks at the start of the text wherever it is asked: all of it is escaped then.
    const marked = text.startsWith('\ufeff');
    let spaces = false;
    characters.forEach((character, at) => {
      if (
        marked ||
        !isPrintable(character) ||
        character === '\n' ||
        character === '\ufeff' ||
        character === '"' ||
        character === '\\' ||
        character === '\x85' ||
        character === '\u2028' ||
        character === '\u2029'
      ) {
        this.put(escaped(character));
        spaces = false;
      } else if (character === ' ') {
        if (!isKey && !spaces && this.column > this.style.width && at > 0 && at < characters.length - 1) {
          this.newline(indent);
          if (characters[at + 1] === ' ') this.put('\\');
        } else this.put(' ');
        spaces = true;
      } else {
        this.text += character;
        this.column++;
        spaces = false;
      }
    });
    this.put('"');
  }

  private literal(text: string, indent: number): void {
    let header = '|';
    if (text[0] === ' ' || isBreak(text[0]!)) header += '2';
    if (!isBreak(text.at(-1)!)) header += '-';
    else if (text.length === 1 || isBreak(text.at(-2)!)) header += '+';
    this.put(header);
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
    for (const line of lines) {
      this.newline(line === '' || isBreak(line[0]!) ? 0 : indent);
      // After a break that is no line feed the line goes on at the indent, without one.
      this.put(line.replace(/[\u2028\u2029](?![\u2028\u2029]|$)/g, one => one + ' '.repeat(indent)));
    }
  }
}

interface Shape {
  readonly multiline: boolean;
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

const FIRST_INDICATORS = '#,[]{}&*!|>\'"%@`';

/** yaml_emitter_analyze_scalar, for block context. */
function analyse(text: string, style: Style): Shape {
  if (text === '') return { multiline: false, plain: true, single: true, block: false };
  if (/^[A-Za-z0-9_./][A-Za-z0-9_./=+-]*$/.test(text) && !text.startsWith('...'))
    return { multiline: false, plain: true, single: true, block: true };
  let indicators = text.startsWith('---') || text.startsWith('...');
  let tab = false;
  let [special, breaks, breakSpace, spaceBreak] = [false, false, false, false];
  let [previousSpace, previousBreak, blankBefore] = [false, false, true];
  const characters = [...text];
  const last = characters.length - 1;
  characters.forEach((character, at) => {
    const next = characters[at + 1];
    const blankAfter = next === undefined || next === ' ' || next === '\t' || isBreak(next);
    if (at === 0) {
      if (FIRST_INDICATORS.includes(character)) indicators = true;
      else if (
        '?:-'.includes(character) &&
        (next === undefined || next === ' ' || next === '\t' || isBreak(next))
      )
        indicators = true;
    } else if (character === ':' && blankAfter) indicators = true;
    else if (character === '#' && blankBefore) indicators = true;
    // go-yaml v3 lets a tab stand in block text.
    if (character === '\t' && !style.throughJson) tab = true;
    else if (!isPrintable(character)) special = true;
    if (character === ' ') {
      if (previousBreak) breakSpace = true;
      previousSpace = true;
      previousBreak = false;
    } else if (isBreak(character)) {
      breaks = true;
      if (previousSpace) spaceBreak = true;
      previousSpace = false;
      previousBreak = true;
    } else {
      previousSpace = false;
      previousBreak = false;
    }
    blankBefore = character === ' ' || character === '\t' || isBreak(character);
  });
  const first = characters[0]!;
  const end = characters[last]!;
  const edges = first === ' ' || isBreak(first) || end === ' ' || isBreak(end);
  return {
    multiline: breaks,
    plain: !edges && !breakSpace && !spaceBreak && !special && !tab && !breaks && !indicators,
    single: !breakSpace && !spaceBreak && !special && !tab,
    block: end !== ' ' && !spaceBreak && !special,
  };
}

const isBreak = (character: string): boolean =>
  character === '\n' ||
  character === '\r' ||
  character === '\x85' ||
  character === '\u2028' ||
  character === '\u2029';

/** is_printable of yamlprivateh.go: what lies outside the basic plane is not. */
function isPrintable(character: string): boolean {
  const code = character.codePointAt(0)!;
  if (code === 10) return true;
  if (code < 0x20 || code === 0x7f) return false;
  if (code < 0x7f) return true;
  if (code < 0xa0) return false;
  if (code >= 0xd800 && code <= 0xdfff) return false;
  if (code === 0xfeff || code === 0xfffe || code === 0xffff) return false;
  return code < 0x10000;
}

function escaped(character: string): string {
  const known = SHORT_ESCAPES[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0)!;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${hex.padStart(4, '0')}`;
  return `\\U${hex.padStart(8, '0')}`;
}

const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}([Tt ]\d{1,2}:\d{1,2}:\d{1,2}(\.\d*)?(Z|[+-]\d\d:\d\d)?)?$/;
const BASE60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const OLD_BOOLEANS = /^(y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;

/** Whether the text, unquoted, is read back as that string. */
function canBePlain(text: string, style: Style): boolean {
  if (text === '' || text === '~') return false;
  const first = text.charCodeAt(0);
  // Letters that no special word begins with, for speed: most texts are names.
  if (!/^[-+.0-9~<nNtTfFyYoO]/.test(text) && first < 0x80) return true;
  if (OLD_BOOLEANS.test(text)) return false;
  if (typeof resolvePlain(text) !== 'string') return false;
  if (!style.throughJson && /^[-+]?0o[0-7_]+$/.test(text)) return false;
  return !(TIMESTAMP.test(text) && isDate(text)) && !BASE60.test(text);
}

function isDate(text: string): boolean {
  const [, , month, day] = /^(\d{4})-(\d{1,2})-(\d{1,2})/.exec(text) as unknown as string[];
  const year = Number(text.slice(0, 4));
  const m = Number(month);
  const d = Number(day);
  if (m < 1 || m > 12 || d < 1) return false;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1]!;
  if (d > days) return false;
  const time = /[Tt ](\d{1,2}):(\d{1,2}):(\d{1,2})/.exec(text);
  return time === null || (Number(time[1]) < 24 && Number(time[2]) < 60 && Number(time[3]) < 60);
}

const LETTER = /\p{L}/u;
const DIGIT = /\p{Nd}/u;

/** One digit more, in an int64 that overflows without a word. */
function int64Next(before: number | bigint, digit: string): number | bigint {
  const value = digit.codePointAt(0)! - 48;
  if (typeof before === 'number' && before < 9e13) return before * 10 + value;
  return BigInt.asIntN(64, BigInt(before) * 10n + BigInt(value));
}

/** keyList.Less: letters after the rest, numbers by their value. */
function compareKeys(a: string, b: string, style: Style): number {
  if (a === b) return 0;
  const x = [...a];
  const y = [...b];
  for (let at = 0; at < x.length && at < y.length; at++) {
    const [p, q] = [x[at]!, y[at]!];
    if (p === q) continue;
    const pLetter = LETTER.test(p);
    const qLetter = LETTER.test(q);
    if (pLetter && qLetter) return p.codePointAt(0)! - q.codePointAt(0)!;
    if (pLetter || qLetter) {
      // go-yaml v3 lets a letter come first behind digits that both have.
      const digits = !style.throughJson && at > 0 && DIGIT.test(x[at - 1]!);
      return qLetter === digits ? 1 : -1;
    }
    let pNumber: number | bigint = 0;
    let qNumber: number | bigint = 0;
    if (p === '0' || q === '0') {
      for (let back = at - 1; back >= 0 && DIGIT.test(x[back]!); back--) {
        if (x[back] !== '0') {
          pNumber = 1;
          qNumber = 1;
          break;
        }
      }
    }
    let pEnd = at;
    let qEnd = at;
    for (; pEnd < x.length && DIGIT.test(x[pEnd]!); pEnd++) pNumber = int64Next(pNumber, x[pEnd]!);
    for (; qEnd < y.length && DIGIT.test(y[qEnd]!); qEnd++) qNumber = int64Next(qNumber, y[qEnd]!);
    if (pNumber !== qNumber) return pNumber < qNumber ? -1 : 1;
    if (pEnd !== qEnd) return pEnd - qEnd;
    return p.codePointAt(0)! - q.codePointAt(0)!;
  }
  return x.length - y.length;
}
