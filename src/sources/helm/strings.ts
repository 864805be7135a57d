/** sprig's functions of text: strings.go, Masterminds/goutils and huandu/xstrings, which count bytes where Go does. */
import { strval } from './convert.ts';
import { define } from './define.ts';
import type { Fn } from './exec.ts';
import { sprint } from './format.ts';
import { goQuote } from './quote.ts';
import {
  byteLength,
  bytesOf,
  GoError,
  GoMap,
  GoSlice,
  type Int,
  isAscii,
  rejoined,
  sliceBytes,
  stringOf,
  type Value,
} from './value.ts';

const n = (value: Value): number => Number((value as Int).value);
const t = (value: Value): string => value as string;

const OUT_OF_RANGE = 'runtime error: slice bounds out of range';

function substr(start: number, end: number, text: string): string {
  const length = byteLength(text);
  if (start < 0) {
    if (end < 0 || end > length)
      throw new GoError(`${OUT_OF_RANGE} [:${end}]${end > length ? ` with length ${length}` : ''}`);
    return sliceBytes(text, 0, end);
  }
  if (end < 0 || end > length) {
    if (start > length) throw new GoError(`${OUT_OF_RANGE} [${start}:${length}]`);
    return sliceBytes(text, start, length);
  }
  if (start > end) throw new GoError(`${OUT_OF_RANGE} [${start}:${end}]`);
  return sliceBytes(text, start, end);
}

function trunc(count: number, text: string): string {
  const length = byteLength(text);
  if (count < 0 && length + count > 0) return sliceBytes(text, length + count, length);
  if (count >= 0 && length > count) return sliceBytes(text, 0, count);
  return text;
}

function abbreviate(text: string, offset: number, width: number): string {
  const length = byteLength(text);
  if (text === '' || width < 4) return '';
  if (length <= width) return text;
  let from = Math.min(offset, length);
  if (length - from < width - 3) from = length - (width - 3);
  if (from <= 4) return `${sliceBytes(text, 0, width - 3)}...`;
  if (width < 7) return '';
  if (from + width - 3 < length) return `...${abbreviate(sliceBytes(text, from, length), 0, width - 3)}`;
  return `...${sliceBytes(text, length - (width - 3), length)}`;
}

function wrap(text: string, width: number, separator: string, long: boolean): string {
  if (text === '') return '';
  const line = separator === '' ? '\n' : separator;
  const length = Math.max(1, width);
  const bytes = isAscii(text) ? text : String.fromCharCode(...bytesOf(text));
  const parts: string[] = [];
  let offset = 0;
  while (bytes.length - offset > length) {
    if (bytes[offset] === ' ') {
      offset++;
      continue;
    }
    const space = bytes.slice(offset, length + offset + 1).lastIndexOf(' ') + offset;
    if (space >= offset && bytes[space] === ' ') {
      parts.push(bytes.slice(offset, space), line);
      offset = space + 1;
    } else if (long) {
      parts.push(bytes.slice(offset, offset + length), line);
      offset += length;
    } else {
      const next = bytes.indexOf(' ', offset + length);
      if (next < 0) {
        parts.push(bytes.slice(offset));
        offset = bytes.length;
      } else {
        parts.push(bytes.slice(offset, next), line);
        offset = next + 1;
      }
    }
  }
  parts.push(bytes.slice(offset));
  const joined = parts.join('');
  return isAscii(text) ? joined : stringOf(Uint8Array.from(joined, character => character.charCodeAt(0)));
}

/** unicode.IsSpace. */
const isSpace = (character: string): boolean =>
  /[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/.test(character);
const SPACE_CLASS = '[\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const TRIM = new RegExp(`^${SPACE_CLASS}+|${SPACE_CLASS}+$`, 'g');

function trimSet(text: string, set: string): string {
  const characters = [...text];
  const cut = new Set(set);
  let [from, to] = [0, characters.length];
  while (from < to && cut.has(characters[from]!)) from++;
  while (to > from && cut.has(characters[to - 1]!)) to--;
  return characters.slice(from, to).join('');
}

/** strings.Title: the first letter of each word. */
function title(text: string): string {
  let before = ' ';
  let result = '';
  for (const character of text) {
    const separates = /[\p{L}\p{Nd}_]/u.test(before)
      ? false
      : before.codePointAt(0)! <= 0x7f
        ? true
        : isSpace(before);
    result += separates ? oneUpper(character) : character;
    before = character;
  }
  return result;
}

const oneUpper = (character: string): string => {
  const upper = character.toUpperCase();
  return [...upper].length === 1 ? upper : character;
};
const oneLower = (character: string): string => {
  const lower = character.toLowerCase();
  return [...lower].length === 1 ? lower : lower[0] === 'i' ? 'i' : character;
};

const isUpper = (character: string): boolean => /\p{Lu}/u.test(character);

function swapcase(text: string): string {
  let result = '';
  for (const character of text) {
    if (/[\p{Lu}\p{Lt}]/u.test(character)) {
      result += oneLower(character);
    } else if (/\p{Ll}/u.test(character)) {
      result += oneUpper(character);
    } else {
      result += character;
    }
  }
  return result;
}

const isConnector = (character: string): boolean =>
  character === '-' || character === '_' || isSpace(character);

/** xstrings.ToPascalCase. */
function camelcase(text: string): string {
  const characters = [...text];
  if (characters.length === 0) return '';
  let result = '';
  let at = 0;
  let current = '';
  let upperFirst = false;
  while (at < characters.length) {
    current = characters[at++]!;
    if (!isConnector(current)) {
      upperFirst = isUpper(current);
      current = oneUpper(current);
      break;
    }
    result += current;
  }
  if (at >= characters.length) return result + current;
  let previous = '';
  while (at < characters.length) {
    previous = current;
    current = characters[at++]!;
    if (isConnector(current) && isConnector(previous)) {
      result += previous;
      continue;
    }
    if (isConnector(previous)) {
      upperFirst = isUpper(current);
      current = oneUpper(current);
    } else {
      if (upperFirst) {
        if (isUpper(current)) current = oneLower(current);
        else upperFirst = false;
      }
      result += previous;
    }
  }
  return result + current;
}

type Word = 'invalid' | 'number' | 'upper' | 'alphabet' | 'connector' | 'punct' | 'other';

const isAlphabet = (character: string): boolean => /\p{L}/u.test(character);
const isNumber = (character: string): boolean => /\p{N}/u.test(character);
const isPunct = (character: string): boolean => /\p{P}/u.test(character);

function nextWord(characters: readonly string[], from: number): { kind: Word; end: number } {
  if (from >= characters.length) return { kind: 'invalid', end: from };
  const run = (start: number, test: (character: string) => boolean): number => {
    let end = start;
    while (end < characters.length && test(characters[end]!)) end++;
    return end;
  };
  const first = characters[from]!;
  if (isConnector(first)) return { kind: 'connector', end: run(from, isConnector) };
  if (isPunct(first)) return { kind: 'punct', end: run(from, isPunct) };
  if (isUpper(first)) {
    const second = characters[from + 1];
    if (second === undefined) return { kind: 'upper', end: from + 1 };
    if (isUpper(second)) {
      const end = run(from + 1, isUpper);
      const after = characters[end];
      // In "HTTPStatus" the S belongs to the next word.
      return { kind: 'upper', end: after !== undefined && isAlphabet(after) ? end - 1 : end };
    }
    if (isAlphabet(second)) {
      return {
        kind: 'upper',
        end: run(from + 1, character => isAlphabet(character) && !isUpper(character)),
      };
    }
    return { kind: 'upper', end: from + 1 };
  }
  if (isAlphabet(first))
    return { kind: 'alphabet', end: run(from, character => isAlphabet(character) && !isUpper(character)) };
  if (isNumber(first)) return { kind: 'number', end: run(from, isNumber) };
  return {
    kind: 'other',
    end: run(from, c => !isConnector(c) && !isPunct(c) && !isAlphabet(c) && !isNumber(c)),
  };
}

/** xstrings.ToSnakeCase and ToKebabCase. */
function joinedLower(text: string, connector: string): string {
  const characters = [...text];
  if (characters.length === 0) return '';
  let result = '';
  let at = 0;
  let kind = 'invalid' as Word;
  let word = '';
  const next = (): void => {
    const found = nextWord(characters, at);
    kind = found.kind;
    word = characters.slice(at, found.end).join('');
    at = found.end;
  };
  const lower = (which: Word, piece: string): void => {
    if (which === 'connector') result += [...piece].map(() => connector).join('');
    else result += [...piece].map(one => (isUpper(one) ? oneLower(one) : one)).join('');
  };
  const isKind = (...kinds: Word[]): boolean => kinds.includes(kind);
  next();
  while (at < characters.length) {
    if (!isKind('connector')) lower(kind, word);
    const previous = kind as Word;
    const last = word;
    next();
    if (previous === 'number') {
      while (isKind('alphabet', 'number')) {
        lower(kind, word);
        next();
      }
      if (!isKind('invalid', 'punct', 'connector')) result += connector;
    } else if (previous === 'connector') lower(previous, last);
    else if (previous !== 'punct') {
      if (!isKind('number')) {
        if (!isKind('connector', 'punct')) result += connector;
        continue;
      }
      if (at >= characters.length) continue;
      const digits = word;
      next();
      if (!isKind('alphabet')) {
        lower('number', digits);
        if (!isKind('connector', 'punct')) result += connector;
        continue;
      }
      result += connector;
      lower('number', digits);
      while (isKind('alphabet', 'number')) {
        lower(kind, word);
        next();
      }
      if (!isKind('invalid', 'connector', 'punct')) result += connector;
    }
  }
  lower(kind, word);
  return result;
}

const numbered = (parts: string[]): GoMap =>
  new GoMap(new Map(parts.map((part, at) => [`_${at}`, part])), 'map[string]string');

/** strings.Split: an empty separator cuts between characters. */
const split = (text: string, separator: string): string[] =>
  separator === '' ? [...text] : text.split(separator);

function splitN(text: string, separator: string, count: number): string[] {
  if (count === 0) return [];
  const parts = split(text, separator);
  if (count < 0 || parts.length <= count) return parts;
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32(text: string): string {
  let bits = '';
  for (const byte of bytesOf(text)) bits += byte.toString(2).padStart(8, '0');
  let result = '';
  for (let at = 0; at < bits.length; at += 5)
    result += BASE32[Number.parseInt(bits.slice(at, at + 5).padEnd(5, '0'), 2)]!;
  return result.padEnd(Math.ceil(result.length / 8) * 8, '=');
}

function fromBase(
  text: string,
  alphabet: RegExp,
  group: number,
  name: string,
  decode: (clean: string) => Uint8Array,
): string {
  const clean = text.replace(/[\r\n]/g, '');
  const fail = (at: number): string => `illegal ${name} data at input byte ${at}`;
  const data = clean.replace(/=+$/, '');
  const position = (index: number): number => {
    let seen = -1;
    for (let at = 0; at < text.length; at++) {
      if (text[at] !== '\r' && text[at] !== '\n') seen++;
      if (seen === index) return byteLength(text.slice(0, at));
    }
    return byteLength(text);
  };
  const bad = [...data].findIndex(character => !alphabet.test(character));
  if (bad >= 0) return fail(position([...data].slice(0, bad).join('').length));
  const padding = clean.length - data.length;
  const rest = data.length % group;
  const legal = name === 'base64' ? [0, 2, 3] : [0, 2, 4, 5, 7];
  if (!legal.includes(rest) || padding !== (group - rest) % group) {
    if (clean.length % group !== 0 && padding <= (group - rest) % group && name === 'base64')
      return fail(padding > 0 ? position(clean.length) : Math.max(0, clean.length - rest));
    return fail(position(data.length));
  }
  return stringOf(decode(data));
}

const bits = (data: string, alphabet: string, width: number): Uint8Array => {
  const bytes: number[] = [];
  let [buffer, count] = [0, 0];
  for (const character of data) {
    buffer = ((buffer << width) | alphabet.indexOf(character)) & 0xffff;
    count += width;
    if (count >= 8) {
      count -= 8;
      bytes.push((buffer >> count) & 0xff);
    }
  }
  return Uint8Array.from(bytes);
};

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function toBase64(text: string): string {
  return btoa(isAscii(text) ? text : Array.from(bytesOf(text), byte => String.fromCharCode(byte)).join(''));
}

function indent(spaces: number, text: string): string {
  if (spaces < 0) throw new GoError('strings: negative Repeat count');
  const pad = ' '.repeat(spaces);
  return pad + text.replaceAll('\n', `\n${pad}`);
}

const made = (text: string): string => rejoined(text);

export const stringFunctions: Readonly<Record<string, Fn>> = {
  abbrev: define('int, string', ([width, text]) =>
    n(width!) < 4 ? t(text) : abbreviate(t(text), 0, n(width!)),
  ),
  abbrevboth: define('int, int, string', ([left, right, text]) => {
    if (n(right!) < 4 || (n(left!) > 0 && n(right!) < 7)) return t(text);
    return abbreviate(t(text), n(left!), n(right!));
  }),
  trunc: define('int, string', ([count, text]) => trunc(n(count!), t(text))),
  trim: define('string', ([text]) => t(text).replace(TRIM, '')),
  upper: define('string', ([text]) =>
    isAscii(t(text)) ? t(text).toUpperCase() : [...t(text)].map(oneUpper).join(''),
  ),
  lower: define('string', ([text]) =>
    isAscii(t(text)) ? t(text).toLowerCase() : [...t(text)].map(oneLower).join(''),
  ),
  title: define('string', ([text]) => title(t(text))),
  untitle: define('string', ([text]) =>
    t(text).replace(/\S+/gu, word => oneLower([...word][0]!) + [...word].slice(1).join('')),
  ),
  substr: define('int, int, string', ([start, end, text]) => substr(n(start!), n(end!), t(text))),
  repeat: define('int, string', ([count, text], context) => {
    if (n(count!) < 0) throw new GoError('strings: negative Repeat count');
    context.budget.make(n(count!) * t(text).length);
    return t(text).repeat(n(count!));
  }),
  trimall: define('string, string', ([set, text]) => trimSet(t(text), t(set))),
  trimAll: define('string, string', ([set, text]) => trimSet(t(text), t(set))),
  trimSuffix: define('string, string', ([suffix, text]) =>
    t(suffix) !== '' && t(text).endsWith(t(suffix)) ? t(text).slice(0, -t(suffix).length) : t(text),
  ),
  trimPrefix: define('string, string', ([prefix, text]) =>
    t(text).startsWith(t(prefix)) ? t(text).slice(t(prefix).length) : t(text),
  ),
  nospace: define('string', ([text]) =>
    byteWise(t(text), character => (isSpace(character) ? '' : character)),
  ),
  initials: define('string', ([text]) => {
    let gap = true;
    return byteWise(t(text), character => {
      if (isSpace(character)) {
        gap = true;
        return '';
      }
      if (!gap) return '';
      gap = false;
      return character;
    });
  }),
  swapcase: define('string', ([text]) => swapcase(t(text))),
  snakecase: define('string', ([text]) => joinedLower(t(text), '_')),
  kebabcase: define('string', ([text]) => joinedLower(t(text), '-')),
  camelcase: define('string', ([text]) => camelcase(t(text))),
  wrap: define('int, string', ([width, text]) => wrap(t(text), n(width!), '\n', false)),
  wrapWith: define('int, string, string', ([width, separator, text]) =>
    wrap(t(text), n(width!), t(separator), true),
  ),
  contains: define('string, string', ([part, text]) => t(text).includes(t(part))),
  hasPrefix: define('string, string', ([part, text]) => t(text).startsWith(t(part))),
  hasSuffix: define('string, string', ([part, text]) => t(text).endsWith(t(part))),
  quote: define('...any', args =>
    args
      .filter(arg => arg !== null && arg !== undefined)
      .map(arg => goQuote(strval(arg)))
      .join(' '),
  ),
  squote: define('...any', args =>
    args
      .filter(arg => arg !== null && arg !== undefined)
      .map(arg => `'${sprint([arg])}'`)
      .join(' '),
  ),
  cat: define('...any', args =>
    args
      .filter(arg => arg !== null && arg !== undefined)
      .map(arg => sprint([arg]))
      .join(' '),
  ),
  indent: define('int, string', ([spaces, text], context) => {
    context.budget.make(Math.max(0, n(spaces!)) + t(text).length);
    return indent(n(spaces!), t(text));
  }),
  nindent: define('int, string', ([spaces, text], context) => {
    context.budget.make(Math.max(0, n(spaces!)) + t(text).length);
    return `\n${indent(n(spaces!), t(text))}`;
  }),
  replace: define('string, string, string', ([from, to, text]) => {
    if (t(from) !== '') return made(t(text).replaceAll(t(from), () => t(to)));
    return made(t(to) + [...t(text)].map(character => character + t(to)).join(''));
  }),
  plural: define('string, string, int', ([one, many, count]) => (n(count!) === 1 ? t(one) : t(many))),
  split: define('string, string', ([separator, text]) => numbered(split(t(text), t(separator)))),
  splitn: define('string, int, string', ([separator, count, text]) =>
    numbered(splitN(t(text), t(separator), n(count!))),
  ),
  splitList: define(
    'string, string',
    ([separator, text]) => new GoSlice(split(t(text), t(separator)), '[]string'),
  ),
  b64enc: define('string', ([text]) => toBase64(t(text))),
  b64dec: define('string', ([text]) =>
    fromBase(t(text), /[A-Za-z0-9+/]/, 4, 'base64', data => bits(data, BASE64, 6)),
  ),
  b32enc: define('string', ([text]) => base32(t(text))),
  b32dec: define('string', ([text]) =>
    fromBase(t(text), /[A-Z2-7]/, 8, 'base32', data => bits(data, BASE32, 5)),
  ),
};

/** goutils takes each byte for a character. */
function byteWise(text: string, map: (character: string) => string): string {
  if (isAscii(text)) return [...text].map(map).join('');
  let changed = false;
  const mapped = Array.from(bytesOf(text), byte => {
    const character = String.fromCharCode(byte);
    const result = map(character);
    if (result !== character) changed = true;
    return result;
  }).join('');
  return changed ? mapped : text;
}
