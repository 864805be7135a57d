/** The characters that mean something to YAML, by their codes. */

export const TAB = 9;
export const NEWLINE = 10;
export const RETURN = 13;
export const SPACE = 32;
export const DOUBLE = 34;
export const HASH = 35;
export const PERCENT = 37;
export const AMPERSAND = 38;
export const SINGLE = 39;
export const STAR = 42;
export const PLUS = 43;
export const COMMA = 44;
export const DASH = 45;
export const DOT = 46;
export const COLON = 58;
export const GREATER = 62;
export const QUESTION = 63;
export const OPEN_LIST = 91;
export const BACKSLASH = 92;
export const CLOSE_LIST = 93;
export const BANG = 33;
export const LESS = 60;
export const OPEN_MAP = 123;
export const PIPE = 124;
export const CLOSE_MAP = 125;
/** Line breaks that only YAML knows: next line, line separator, paragraph separator. */
export const NEXT_LINE = 0x85;
export const LINE_SEPARATOR = 0x2028;
export const PARAGRAPH_SEPARATOR = 0x2029;

/** What nearly no file holds. */
const UNCOMMON = /[^\n\t -~]/;
/** Characters that YAML forbids, and line breaks of other kinds. */
const ODD = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)/;

/** Whether a text holds what only the thorough reader looks for. */
export function isOdd(text: string): boolean {
  return ODD.test(text);
}

/** Whether a text holds nothing but ASCII with line feeds, which is the quickest to find out: none of it is odd. */
export function isCommon(text: string): boolean {
  return !UNCOMMON.test(text);
}

/** Sets an own property, also where the name would reach the prototype: `__proto__` is a key like any other. */
export function setOwn(result: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true });
  else result[key] = value;
}
