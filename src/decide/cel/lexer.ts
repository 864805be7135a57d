/** Text to tokens. Source of the grammar: cel-spec doc/langdef.md and cel-go parser/gen/CEL.g4. */
import type { Issue } from './issues.ts';
import { utf8 } from './utf8.ts';

export type Token =
  | { readonly is: 'ident' | 'operator' | 'end'; readonly text: string; readonly at: number }
  | { readonly is: 'string'; readonly text: string; readonly at: number }
  | { readonly is: 'bytes'; readonly bytes: Uint8Array; readonly text: string; readonly at: number }
  | { readonly is: 'int' | 'uint' | 'double'; readonly text: string; readonly at: number };

/** Thrown inside the parser only; `compile` turns it into a CelCompileError. */
export class SyntaxIssue extends Error {
  readonly issue: Issue;

  constructor(message: string, at: number) {
    super(message);
    this.issue = { message: `Syntax error: ${message}`, at };
  }
}

const OPERATORS = ['==', '!=', '<=', '>=', '&&', '||', ...'<>+-*/%!?:.,()[]{}'];
const NUMBER =
  /^(?:0x[0-9a-fA-F]+[uU]?|(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)|[0-9]+[uU]?)/;
const IDENT = /^[_a-zA-Z][_a-zA-Z0-9]*/;
const STRING_START = /^(?:[rR][bB]?|[bB][rR]?)?(?:"""|'''|"|')/;
const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  '?': 63,
  '"': 34,
  "'": 39,
  '`': 96,
};

/** @throws SyntaxIssue */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let index = 0;
  let at = 0;
  const advance = (length: number): void => {
    // Positions are counted in code points.
    for (let i = index; i < index + length; i++) {
      const code = source.charCodeAt(i);
      if (code < 0xdc00 || code > 0xdfff) at++;
    }
    index += length;
  };
  while (index < source.length) {
    const character = source[index]!;
    if (
      character === ' ' ||
      character === '\n' ||
      character === '\t' ||
      character === '\r' ||
      character === '\f'
    ) {
      advance(1);
      continue;
    }
    if (character === '/' && source[index + 1] === '/') {
      const end = source.indexOf('\n', index);
      advance((end < 0 ? source.length : end) - index);
      continue;
    }
    const rest = source.slice(index, index + 4096);
    const opening = STRING_START.exec(rest);
    if (opening !== null) {
      const { token, length } = readString(source, index, opening[0], at);
      tokens.push(token);
      advance(length);
      continue;
    }
    const number = NUMBER.exec(rest);
    if (number !== null) {
      const [text] = number;
      const is = /[uU]$/.test(text) ? 'uint' : /^0x/.test(text) || /^[0-9]+$/.test(text) ? 'int' : 'double';
      tokens.push({ is, text: is === 'uint' ? text.slice(0, -1) : text, at });
      advance(text.length);
      continue;
    }
    const ident = IDENT.exec(source.slice(index, index + 4096));
    if (ident !== null) {
      tokens.push({ is: 'ident', text: ident[0], at });
      advance(ident[0].length);
      continue;
    }
    const operator = OPERATORS.find(one => rest.startsWith(one));
    if (operator === undefined)
      throw new SyntaxIssue(
        `token recognition error at: '${String.fromCodePoint(source.codePointAt(index)!)}'`,
        at,
      );
    tokens.push({ is: 'operator', text: operator, at });
    advance(operator.length);
  }
  tokens.push({ is: 'end', text: '<EOF>', at });
  return tokens;
}

function readString(
  source: string,
  start: number,
  opening: string,
  at: number,
): { readonly token: Token; readonly length: number } {
  const quote = opening.replace(/^[rRbB]+/, '');
  const prefix = opening.slice(0, opening.length - quote.length).toLowerCase();
  const raw = prefix.includes('r');
  const bytes = prefix.includes('b');
  const long = quote.length === 3;
  const out: number[] = [];
  let text = '';
  let index = start + opening.length;
  const fail = (message: string): never => {
    throw new SyntaxIssue(message, at);
  };
  const push = (code: number, escaped: boolean): void => {
    if (!bytes) text += String.fromCodePoint(code);
    else if (escaped) out.push(code);
    else out.push(...utf8(code));
  };
  for (;;) {
    if (index >= source.length)
      return fail(`token recognition error at: '${source.slice(start, start + 20)}'`);
    if (source.startsWith(quote, index)) break;
    const code = source.codePointAt(index)!;
    if (!long && (code === 10 || code === 13))
      return fail(`token recognition error at: '${source.slice(start, index)}'`);
    if (code !== 92 || raw) {
      push(code, false);
      index += code > 0xffff ? 2 : 1;
      // A raw string keeps the backslash, and what it protects cannot end the string.
      if (raw && code === 92 && index < source.length && source[index] === quote[0]) {
        push(source.charCodeAt(index), false);
        index++;
      }
      continue;
    }
    const escaped = source[index + 1] ?? '';
    if (Object.hasOwn(ESCAPES, escaped)) {
      push(ESCAPES[escaped]!, true);
      index += 2;
      continue;
    }
    const coded = /^\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/.exec(
      source.slice(index, index + 10),
    );
    if (coded === null) return fail(`invalid escape sequence in a string: '\\${escaped}'`);
    const value = Number.parseInt(
      coded[1] ?? coded[2] ?? coded[3] ?? coded[4]!,
      coded[4] === undefined ? 16 : 8,
    );
    const wide = coded[2] !== undefined || coded[3] !== undefined;
    if (wide && (bytes || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)))
      return fail('invalid unicode code point');
    push(value, true);
    index += coded[0].length;
  }
  index += quote.length;
  const length = index - start;
  const token: Token = bytes
    ? { is: 'bytes', bytes: Uint8Array.from(out), text: source.slice(start, index), at }
    : { is: 'string', text, at };
  return { token, length };
}
