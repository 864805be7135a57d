/** The escapes of double-quoted texts. Source: go-yaml v2 scannerc.go, which follows YAML 1.1. */

const ESCAPES = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['\t', '\t'],
  ['r', '\r'],
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['e', '\x1b'],
  ['f', '\f'],
  ['v', '\v'],
  [' ', ' '],
  ['N', '\x85'],
  ['_', '\xa0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
]);

const ESCAPE_DIGITS = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

/** The escape whose letter stands at an offset, behind its backslash. `\/` came with YAML 1.2: go-yaml has it not. */
export function readEscape(
  text: string,
  at: number,
): { readonly character: string | undefined; readonly length: number } {
  const letter = text[at] ?? '';
  const digits = ESCAPE_DIGITS.get(letter);
  if (digits === undefined) return { character: ESCAPES.get(letter), length: 1 };
  const hex = text.slice(at + 1, at + 1 + digits);
  const code = hex.length === digits && /^[0-9a-fA-F]+$/.test(hex) ? Number.parseInt(hex, 16) : -1;
  const isCharacter = code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return { character: isCharacter ? String.fromCodePoint(code) : undefined, length: digits + 1 };
}

/** What to say of an escape that there is not. */
export function unknownEscape(text: string, at: number): string {
  const letter = String.fromCodePoint(text.codePointAt(at)!);
  const digits = ESCAPE_DIGITS.get(letter);
  if (digits !== undefined) return `"\\${letter}" takes ${digits} hexadecimal digits that name a character`;
  return `"\\${letter}" is no escape; "\\\\" is a backslash`;
}

/** How characters are written in double quotes. Source: go-yaml v2 and v3, emitterc.go (yaml_emitter_write_double_quoted). */
export const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\xa0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};
