/** Go's quoting and unquoting of strings and characters: strconv.Quote, Unquote, UnquoteChar. */
import { GoError, rejoined } from './value.ts';

const SHORT = new Map([
  [7, '\\a'],
  [8, '\\b'],
  [12, '\\f'],
  [10, '\\n'],
  [13, '\\r'],
  [9, '\\t'],
  [11, '\\v'],
]);

/** strconv.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

export function isPrintable(character: string): boolean {
  return PRINTABLE.test(character);
}

/** strconv.Quote, or QuoteToASCII. */
export function goQuote(text: string, quote = '"', ascii = false): string {
  let result = quote;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === quote || character === '\\') result += `\\${character}`;
    else if (code >= 0x20 && code < 0x7f) result += character;
    else if (code >= 0xdc80 && code <= 0xdcff) result += `\\x${(code - 0xdc00).toString(16)}`;
    else if (SHORT.has(code)) result += SHORT.get(code)!;
    else if (code < 0x20 || code === 0x7f) result += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (!ascii && isPrintable(character)) result += character;
    else if (code < 0x10000) result += `\\u${code.toString(16).padStart(4, '0')}`;
    else result += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return result + quote;
}

const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
};

/** strconv.Unquote of a whole literal in ", ' or `. */
export function unquote(literal: string): string {
  const quote = literal[0];
  if (literal.length < 2 || literal.at(-1) !== quote) throw new GoError('invalid syntax');
  const inner = literal.slice(1, -1);
  if (quote === '`') {
    if (inner.includes('`')) throw new GoError('invalid syntax');
    return inner.replaceAll('\r', '');
  }
  if (quote !== '"' && quote !== "'") throw new GoError('invalid syntax');
  if (inner.includes('\n')) throw new GoError('invalid syntax');
  let result = '';
  let count = 0;
  for (let at = 0; at < inner.length; count++) {
    if (inner[at] === quote) throw new GoError('invalid syntax');
    const { text, next } = unquoteCharacter(inner, at, quote);
    result += text;
    at = next;
  }
  if (quote === "'" && count !== 1) throw new GoError('invalid syntax');
  return rejoined(result);
}

/** strconv.UnquoteChar: one character or escape, and where the next begins. */
export function unquoteCharacter(
  text: string,
  at: number,
  quote: string,
): { text: string; code: number; next: number } {
  if (text[at] === quote) throw new GoError('invalid syntax');
  if (text[at] !== '\\') {
    const code = text.codePointAt(at)!;
    const size = code > 0xffff ? 2 : 1;
    return { text: text.slice(at, at + size), code, next: at + size };
  }
  const letter = text[at + 1];
  if (letter === undefined) throw new GoError('invalid syntax');
  const simple = SIMPLE[letter];
  if (simple !== undefined) return { text: String.fromCharCode(simple), code: simple, next: at + 2 };
  if (letter === 'x' || letter === 'u' || letter === 'U') {
    const digits = letter === 'x' ? 2 : letter === 'u' ? 4 : 8;
    const hex = text.slice(at + 2, at + 2 + digits);
    if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) throw new GoError('invalid syntax');
    const code = Number.parseInt(hex, 16);
    if (letter === 'x') return { text: byteText(code), code, next: at + 4 };
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new GoError('invalid syntax');
    return { text: String.fromCodePoint(code), code, next: at + 2 + digits };
  }
  if (letter >= '0' && letter <= '7') {
    const octal = text.slice(at + 1, at + 4);
    if (!/^[0-7]{3}$/.test(octal)) throw new GoError('invalid syntax');
    const code = Number.parseInt(octal, 8);
    if (code > 255) throw new GoError('invalid syntax');
    return { text: byteText(code), code, next: at + 4 };
  }
  if ((letter === "'" || letter === '"') && letter === quote)
    return { text: letter, code: letter.charCodeAt(0), next: at + 2 };
  throw new GoError('invalid syntax');
}

const byteText = (byte: number): string => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
