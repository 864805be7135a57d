/** Printing as Go's fmt does: Sprintf, Sprint and Sprintln over the values of templates (fmt/print.go, format.go). */
import { formatFloat, showFloat } from './numbers.ts';
import { goQuote, isPrintable } from './quote.ts';
import {
  bytesOf,
  Complex,
  GoMap,
  GoStruct,
  Int,
  rejoined,
  sortedKeys,
  textOfBytes,
  typeOf,
  type Value,
} from './value.ts';

interface Flags {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number | undefined;
  precision: number | undefined;
  plusV: boolean;
  sharpV: boolean;
}

/** Widths and precisions beyond this are refused, as Go refuses them (fmt.tooLarge). */
const TOO_LARGE = 1e6;

const plain = (): Flags => ({
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
  plusV: false,
  sharpV: false,
});

export function format(pattern: string, args: readonly Value[]): string {
  if (pattern === '%v' && args.length === 1) return printArg(args[0], 'v', plain());
  return new Printer(args).run(pattern);
}

/** fmt.Sprint: a space stands between operands when neither is a string. */
export function sprint(args: readonly Value[]): string {
  let text = '';
  let before = false;
  args.forEach((arg, at) => {
    const isString = typeof arg === 'string';
    if (at > 0 && !isString && !before) text += ' ';
    text += printArg(arg, 'v', plain());
    before = isString;
  });
  return text;
}

/**
 * The number written at a place of the pattern, undefined for none, and the place behind it. One that is too large
 * before its last digit ends the pattern there: what follows of it is not printed.
 * Source: fmt/print.go (parsenum).
 */
function numberAt(pattern: string, start: number): readonly [number: number | undefined, after: number] {
  let number: number | undefined;
  let at = start;
  for (; at < pattern.length; at++) {
    const digit = pattern.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    if ((number ?? 0) > TOO_LARGE) return [undefined, pattern.length];
    number = (number ?? 0) * 10 + digit;
  }
  return [number, at];
}

export const sprintln = (args: readonly Value[]): string =>
  `${args.map(arg => printArg(arg, 'v', plain())).join(' ')}\n`;

class Printer {
  private readonly args: readonly Value[];
  private argument = 0;
  private reordered = false;
  private goodIndex = true;

  constructor(args: readonly Value[]) {
    this.args = args;
  }

  run(pattern: string): string {
    let text = '';
    let at = 0;
    let afterIndex = false;
    const end = pattern.length;
    const index = (): void => {
      if (pattern[at] !== '[') return;
      this.reordered = true;
      const close = pattern.indexOf(']', at);
      if (close < 0) {
        this.goodIndex = false;
        at++;
        return;
      }
      const inner = pattern.slice(at + 1, close);
      at = close + 1;
      const number = /^\d+$/.test(inner) ? Number(inner) : 0;
      if (number < 1 || number > this.args.length) {
        this.goodIndex = false;
        return;
      }
      this.argument = number - 1;
      afterIndex = true;
    };
    while (at < end) {
      this.goodIndex = true;
      const percent = pattern.indexOf('%', at);
      if (percent < 0) return text + pattern.slice(at) + this.extra();
      text += pattern.slice(at, percent);
      at = percent + 1;
      const flags = plain();
      for (; at < end; at++) {
        const character = pattern[at];
        if (character === '#') flags.sharp = true;
        else if (character === '0') flags.zero = true;
        else if (character === '+') flags.plus = true;
        else if (character === '-') flags.minus = true;
        else if (character === ' ') flags.space = true;
        else break;
      }
      afterIndex = false;
      index();
      if (pattern[at] === '*') {
        at++;
        const width = this.star();
        if (width === undefined) text += '%!(BADWIDTH)';
        else {
          flags.width = width;
          if (width < 0) {
            flags.width = -width;
            flags.minus = true;
            flags.zero = false;
          }
        }
        afterIndex = false;
      } else {
        const [width, after] = numberAt(pattern, at);
        if (afterIndex && width !== undefined) this.goodIndex = false;
        flags.width = width;
        at = after;
      }
      if (pattern[at] === '.') {
        at++;
        if (afterIndex) this.goodIndex = false;
        afterIndex = false;
        index();
        if (pattern[at] === '*') {
          at++;
          const precision = this.star();
          if (precision === undefined) text += '%!(BADPREC)';
          else if (precision >= 0) flags.precision = precision;
          afterIndex = false;
        } else {
          const [precision, after] = numberAt(pattern, at);
          flags.precision = precision ?? 0;
          at = after;
        }
      }
      if (!afterIndex) index();
      if (at >= end) {
        text += '%!(NOVERB)';
        break;
      }
      const verb = String.fromCodePoint(pattern.codePointAt(at)!);
      at += verb.length;
      if (verb === '%') text += '%';
      else if (!this.goodIndex) text += `%!${verb}(BADINDEX)`;
      else if (this.argument >= this.args.length) text += `%!${verb}(MISSING)`;
      else {
        if (verb === 'w') {
          text += badVerb(this.args[this.argument++], verb, flags);
          continue;
        }
        if (verb === 'v') {
          flags.sharpV = flags.sharp;
          flags.sharp = false;
          flags.plusV = flags.plus;
          flags.plus = false;
        }
        text += printArg(this.args[this.argument++], verb, flags);
      }
    }
    return rejoined(text) + this.extra();
  }

  private star(): number | undefined {
    const value = this.args[this.argument];
    if (this.argument < this.args.length) this.argument++;
    if (!(value instanceof Int)) return undefined;
    const number = Number(value.value);
    return Math.abs(number) > TOO_LARGE ? undefined : number;
  }

  private extra(): string {
    if (this.reordered || this.argument >= this.args.length) return '';
    const rest = this.args
      .slice(this.argument)
      .map(arg =>
        arg === null || arg === undefined ? '<nil>' : `${typeOf(arg)}=${printArg(arg, 'v', plain())}`,
      );
    return `%!(EXTRA ${rest.join(', ')})`;
  }
}

function pad(text: string, flags: Flags): string {
  const { width } = flags;
  if (width === undefined) return text;
  const length = /[\ud800-\udfff]/.test(text) ? [...text].length : text.length;
  if (length >= width) return text;
  if (flags.minus) return text + ' '.repeat(width - length);
  return (flags.zero ? '0' : ' ').repeat(width - length) + text;
}

function badVerb(value: Value, verb: string, flags: Flags): string {
  if (value === null || value === undefined) return `%!${verb}(<nil>)`;
  return `%!${verb}(${typeOf(value)}=${printArg(value, 'v', flags)})`;
}

function printArg(value: Value, verb: string, flags: Flags, depth = 0): string {
  if (value === null || value === undefined) {
    if (depth > 0) return flags.sharpV ? 'interface {}(nil)' : pad('<nil>', { ...flags, width: undefined });
    if (verb === 'T' || verb === 'v') return pad('<nil>', flags);
    return badVerb(value, verb, flags);
  }
  if (verb === 'T') return formatString(typeOf(value), 's', flags, value);
  if (verb === 'p') return badVerb(value, verb, flags);
  switch (typeof value) {
    case 'boolean':
      return verb === 't' || verb === 'v' ? pad(String(value), flags) : badVerb(value, verb, flags);
    case 'number':
      return formatNumber(value, verb, flags, value);
    case 'string':
      return formatString(value, verb, flags, value);
    default:
      break;
  }
  if (value instanceof Int) {
    if (value.named !== undefined && 'vsxXq'.includes(verb) && !flags.sharpV)
      return formatString(value.named.text, verb === 'v' ? 's' : verb, flags, value);
    return formatInteger(value, verb, flags);
  }
  if (value instanceof Complex) {
    if (!'vbgGxXfFeE'.includes(verb)) return badVerb(value, verb, flags);
    const part = verb === 'v' ? 'g' : verb;
    const im = formatNumber(value.im, part, { ...flags, plus: true }, value);
    return `(${formatNumber(value.re, part, flags, value)}${im}i)`;
  }
  if (value instanceof GoStruct) {
    if (value.text !== undefined && 'vsxXq'.includes(verb) && !flags.sharpV)
      return formatString(value.text, verb === 'v' ? 's' : verb, flags, value);
    const fields = [...value.fields].map(
      ([name, field]) =>
        (flags.plusV || flags.sharpV ? `${name}:` : '') + printArg(field, verb, flags, depth + 1),
    );
    if (flags.sharpV) return `${value.type.replace('*', '&')}{${fields.join(', ')}}`;
    return `${value.isPointer && depth === 0 ? '&' : ''}{${fields.join(' ')}}`;
  }
  if (value instanceof GoMap) {
    const entries = sortedKeys(value).map(
      key =>
        `${printArg(key, verb, flags, depth + 1)}:${printArg(value.entries.get(key), verb, flags, depth + 1)}`,
    );
    return flags.sharpV ? `${value.type}{${entries.join(', ')}}` : `map[${entries.join(' ')}]`;
  }
  if (value.type === '[]uint8' && 'sqxX'.includes(verb)) {
    return formatString(textOfBytes(value), verb, flags, value);
  }
  const items = value.items.map(item => printArg(item, verb, flags, depth + 1));
  return flags.sharpV ? `${value.type}{${items.join(', ')}}` : `[${items.join(' ')}]`;
}

function formatString(text: string, verb: string, flags: Flags, value: Value): string {
  switch (verb) {
    case 'v':
      if (flags.sharpV) return formatString(text, 'q', flags, value);
      return pad(cut(text, flags), flags);
    case 's':
      return pad(cut(text, flags), flags);
    case 'q': {
      const limited = cut(text, flags);
      if (flags.sharp && !limited.includes('`') && !/[\x00-\x08\x0a-\x1f\x7f\ufeff]/.test(limited))
        return pad(`\`${limited}\``, flags);
      return pad(goQuote(limited, '"', flags.plus), flags);
    }
    case 'x':
    case 'X': {
      let bytes = bytesOf(text);
      if (flags.precision !== undefined) bytes = bytes.slice(0, flags.precision);
      let hex = Array.from(bytes, byte => byte.toString(16).padStart(2, '0'));
      if (flags.space && flags.sharp) hex = hex.map(digits => `0x${digits}`);
      const joined =
        (flags.sharp && !flags.space && hex.length > 0 ? '0x' : '') + hex.join(flags.space ? ' ' : '');
      return pad(verb === 'X' ? joined.toUpperCase() : joined, flags);
    }
    default:
      return badVerb(value, verb, flags);
  }
}

/** The precision of a string counts its characters. */
function cut(text: string, flags: Flags): string {
  if (flags.precision === undefined || text.length <= flags.precision) return text;
  return [...text].slice(0, flags.precision).join('');
}

function formatInteger(value: Int, verb: string, flags: Flags): string {
  const number = value.value;
  const signed = !value.kind.startsWith('u');
  switch (verb) {
    case 'v':
      if (flags.sharpV && !signed) return digits(number, 16, 'v', { ...flags, sharp: true }, false);
      return digits(number, 10, verb, flags, signed);
    case 'd':
      return digits(number, 10, verb, flags, signed);
    case 'b':
      return digits(number, 2, verb, flags, signed);
    case 'o':
    case 'O':
      return digits(number, 8, verb, flags, signed);
    case 'x':
    case 'X':
      return digits(number, 16, verb, flags, signed);
    case 'c':
      return pad(character(number), flags);
    case 'q':
      return pad(goQuote(character(number), "'", flags.plus), flags);
    case 'U': {
      const text = character(number);
      const hex = `U+${BigInt.asUintN(64, number)
        .toString(16)
        .toUpperCase()
        .padStart(Math.max(4, flags.precision ?? 0), '0')}`;
      return pad(flags.sharp && number <= 0x10ffffn && isPrintable(text) ? `${hex} '${text}'` : hex, {
        ...flags,
        zero: false,
      });
    }
    default:
      return badVerb(value, verb, flags);
  }
}

const character = (code: bigint): string =>
  code < 0n || code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn)
    ? '\ufffd'
    : String.fromCodePoint(Number(code));

function digits(number: bigint, base: number, verb: string, flags: Flags, signed: boolean): string {
  const negative = signed && number < 0n;
  let text = (negative ? -number : number).toString(base);
  if (flags.precision === 0 && number === 0n) return pad('', { ...flags, zero: false });
  let minimum = flags.precision ?? 0;
  if (flags.precision === undefined && flags.zero && !flags.minus && flags.width !== undefined) {
    minimum = flags.width;
    if (negative || flags.plus || flags.space) minimum--;
  }
  text = text.padStart(minimum, '0');
  if (flags.sharp) {
    if (base === 2) text = `0b${text}`;
    else if (base === 8 && !text.startsWith('0')) text = `0${text}`;
    else if (base === 16) text = `0x${text}`;
  }
  if (verb === 'O') text = `0o${text}`;
  if (verb === 'X') text = text.toUpperCase();
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  return pad(sign + text, { ...flags, zero: false });
}

function formatNumber(number: number, verb: string, flags: Flags, value: Value): string {
  let text: string;
  switch (verb) {
    case 'v':
      text = formatFloat(number, 'g', flags.precision ?? -1);
      break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
      text = formatFloat(number, verb, flags.precision ?? 6);
      break;
    case 'g':
    case 'G':
      text = formatFloat(number, verb, flags.precision ?? -1);
      break;
    case 'b':
      text = binaryExponent(number);
      break;
    case 'x':
    case 'X':
      text = hexFloat(number, flags.precision, verb === 'X');
      break;
    default:
      return badVerb(value, verb, flags);
  }
  if (flags.sharp && verb !== 'b') text = withPoint(text, verb, flags.precision);
  if (!text.startsWith('-') && !text.startsWith('+')) {
    if (flags.plus) text = `+${text}`;
    else if (flags.space) text = ` ${text}`;
  } else if (text.startsWith('+') && !flags.plus) text = (flags.space ? ' ' : '') + text.slice(1);
  if (number === Infinity && !flags.plus && verb !== 'b' && flags.width === undefined)
    text = `+${text.trim()}`;
  const special = !Number.isFinite(number);
  if (flags.zero && !special && !flags.minus && flags.width !== undefined && /^[+\- ]/.test(text)) {
    return text[0] + text.slice(1).padStart(flags.width - 1, '0');
  }
  return pad(text, special ? { ...flags, zero: false } : flags);
}

/** `#` keeps the point and, for %g, the zeros after it. */
function withPoint(text: string, verb: string, precision: number | undefined): string {
  const hex = verb === 'x' || verb === 'X';
  const match = (hex ? /^([+-]?)(0[xX][\da-fA-F.]+)([pP][+-]\d+)$/ : /^([+-]?)([\d.]+)([eE][+-]\d+|)$/).exec(
    text,
  );
  if (match === null) return text;
  let [, sign, body, tail] = match as unknown as [string, string, string, string];
  let missing = 'vgGx'.includes(verb) ? (precision ?? 6) : 0;
  // What is counted is every character from the first that is no zero: the x of 0x is one of them.
  missing -= body.replace('.', '').replace(/^0+/, '').length;
  if (!body.includes('.')) {
    if (body === '0') missing--;
    body += '.';
  }
  return sign + body + '0'.repeat(Math.max(0, missing)) + tail;
}

function parts(number: number): { negative: boolean; mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  const bits = view.getBigUint64(0);
  const raw = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  return {
    negative: bits >> 63n === 1n,
    mantissa: raw === 0 ? fraction : fraction | 0x10000000000000n,
    exponent: (raw === 0 ? 1 : raw) - 1075,
  };
}

function binaryExponent(number: number): string {
  if (!Number.isFinite(number)) return showFloat(number);
  const { negative, mantissa, exponent } = parts(number);
  return `${negative ? '-' : ''}${mantissa}p${exponent >= 0 ? '+' : ''}${exponent}`;
}

function hexFloat(number: number, precision: number | undefined, upper: boolean): string {
  if (!Number.isFinite(number)) return showFloat(number);
  let { negative, mantissa, exponent } = parts(number);
  if (mantissa === 0n) exponent = 0;
  else {
    while (mantissa < 1n << 60n) {
      mantissa <<= 1n;
      exponent--;
    }
    exponent += 60;
    if (precision !== undefined && precision < 15) {
      const shift = BigInt((15 - precision) * 4);
      const half = 1n << (shift - 1n);
      const rest = mantissa & ((1n << shift) - 1n);
      mantissa >>= shift;
      if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa++;
      mantissa <<= shift;
      if (mantissa >= 1n << 61n) {
        mantissa >>= 1n;
        exponent++;
      }
    }
  }
  const hex = (mantissa & ((1n << 60n) - 1n)).toString(16).padStart(15, '0');
  const fraction =
    precision === undefined ? hex.replace(/0+$/, '') : hex.slice(0, precision).padEnd(precision, '0');
  const text = `${negative ? '-' : ''}0x${mantissa === 0n ? 0 : 1}${fraction === '' ? '' : `.${fraction}`}p${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return upper ? text.toUpperCase() : text;
}
