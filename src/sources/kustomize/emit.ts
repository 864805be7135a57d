/**
 * YAML as kubectl prints it: keys sorted, lists at the column of their key, long texts folded at 80 columns.
 * Source: go-yaml v2 encode.go and emitterc.go, behind sigs.k8s.io/yaml (JSONToYAML).
 */
import { SHORT_ESCAPES } from '#yaml/escapes.ts';
import { NOT_IN_JSON, resolvePlain } from '#yaml/scalars.ts';
import { goFloat, type Json, tagOf } from './scalars.ts';

const WIDTH = 80;

/** One document, with its last line break. */
export function emit(value: Json): string {
  const emitter = new Emitter();
  emitter.node(value, -1, 'root');
  return `${emitter.text}\n`;
}

/** Keys as go-yaml sorts them: numbers in texts by value, letters behind everything else. Source: sorter.go. */
export function compareKeys(a: string, b: string): number {
  const x = [...a];
  const y = [...b];
  let digits = false;
  for (let i = 0; i < x.length && i < y.length; i++) {
    const p = x[i]!;
    const q = y[i]!;
    if (p === q) {
      digits = isDigit(p);
      continue;
    }
    const pLetter = isLetter(p);
    const qLetter = isLetter(q);
    if (pLetter && qLetter) return p.codePointAt(0)! - q.codePointAt(0)!;
    if (pLetter || qLetter) {
      if (digits) return pLetter ? 1 : -1;
      return pLetter ? 1 : -1;
    }
    return compareNumbers(x, y, i);
  }
  return x.length - y.length;
}

function compareNumbers(x: readonly string[], y: readonly string[], i: number): number {
  let p = x[i]!;
  let q = y[i]!;
  let an = 0n;
  let bn = 0n;
  let ai = i;
  let bi = i;
  if (p === '0' || q === '0')
    for (let j = i - 1; j >= 0 && isDigit(x[j]!); j--)
      if (x[j] !== '0') {
        an = 1n;
        bn = 1n;
        break;
      }
  for (; ai < x.length && isDigit(x[ai]!); ai++) an = an * 10n + BigInt(x[ai]!);
  for (; bi < y.length && isDigit(y[bi]!); bi++) bn = bn * 10n + BigInt(y[bi]!);
  if (an !== bn) return an < bn ? -1 : 1;
  if (ai !== bi) return ai - bi;
  p = x[i]!;
  q = y[i]!;
  return p.codePointAt(0)! - q.codePointAt(0)!;
}

function isDigit(character: string): boolean {
  return /\p{Nd}/u.test(character) && /[0-9]/.test(character);
}

function isLetter(character: string): boolean {
  return /\p{L}/u.test(character);
}

type Context = 'root' | 'list' | 'value' | 'key';

class Emitter {
  text = '';
  #column = 0;

  #write(part: string): void {
    this.text += part;
    const newline = part.lastIndexOf('\n');
    this.#column = newline < 0 ? this.#column + [...part].length : [...part.slice(newline + 1)].length;
  }

  #newline(indent: number): void {
    if (this.text !== '') this.#write('\n');
    this.#write(' '.repeat(Math.max(0, indent)));
  }

  /** @param indent of the collection around the node; -1 for none */
  node(value: Json, indent: number, context: Context): void {
    if (Array.isArray(value)) this.#list(value, indent, context);
    else if (typeof value === 'object' && value !== null) this.#map(value, indent, context);
    else {
      if (context !== 'root' && context !== 'key') this.#write(' ');
      this.#scalar(value, indent, context);
    }
  }

  #list(value: readonly Json[], indent: number, context: Context): void {
    if (value.length === 0) {
      this.#write(context === 'root' ? '[]' : ' []');
      return;
    }
    // A list stands at its key's own column.
    const own = context === 'value' ? indent : indent + (context === 'root' ? 1 : 2);
    for (const [i, item] of value.entries()) {
      if (i === 0 && context === 'list') this.#write(' ');
      else this.#newline(own);
      this.#write('-');
      this.node(item, own, 'list');
    }
  }

  #map(value: { readonly [key: string]: Json }, indent: number, context: Context): void {
    const keys = Object.keys(value).sort(compareKeys);
    if (keys.length === 0) {
      this.#write(context === 'root' ? '{}' : ' {}');
      return;
    }
    const own = context === 'root' ? 0 : indent + 2;
    for (const [i, key] of keys.entries()) {
      if (i === 0 && context === 'list') this.#write(' ');
      else if (i > 0 || context !== 'root') this.#newline(own);
      if (isSimpleKey(key)) {
        this.#scalar(key, own, 'key');
        this.#write(':');
        this.node(value[key]!, own, 'value');
      } else {
        this.#write('?');
        this.node(key, own, 'list');
        this.#newline(own);
        this.#write(':');
        this.node(value[key]!, own, 'list');
      }
    }
  }

  #scalar(value: null | boolean | number | bigint | string, indent: number, context: Context): void {
    if (typeof value === 'string') this.#string(value, indent, context);
    else this.#write(typeof value === 'number' ? number(value) : String(value));
  }

  #string(value: string, indent: number, context: Context): void {
    const isKey = context === 'key';
    const facts = analyze(value);
    if (value.includes('\n') && !isKey && facts.block) {
      this.#literal(value, indent);
      return;
    }
    if (!value.includes('\n') && staysText(value) && facts.plain) {
      this.#fold(value, indent, isKey, '', text => text);
      return;
    }
    // What go-yaml wants quoted it wants in double quotes; what only its emitter cannot leave plain, in single ones.
    const wantsDouble = value.includes('\n') ? true : !staysText(value);
    if (!wantsDouble && facts.single)
      this.#fold(value, indent, isKey, "'", text => text.replaceAll("'", "''"));
    else this.#double(value, indent, isKey);
  }

  /** Breaks at single spaces once the line is too long. */
  #fold(
    value: string,
    indent: number,
    isKey: boolean,
    quote: string,
    inside: (text: string) => string,
  ): void {
    const own = indent < 0 ? 2 : indent + 2;
    this.#write(quote);
    const characters = [...value];
    let spaces = false;
    for (const [i, character] of characters.entries()) {
      if (character === ' ') {
        const canBreak =
          !isKey &&
          !spaces &&
          this.#column > WIDTH &&
          (quote === '' || (i > 0 && i < characters.length - 1)) &&
          characters[i + 1] !== ' ';
        if (canBreak) this.#newline(own);
        else this.#write(' ');
        spaces = true;
      } else {
        this.#write(inside(character));
        spaces = false;
      }
    }
    this.#write(quote);
  }

  #double(value: string, indent: number, isKey: boolean): void {
    const own = indent < 0 ? 2 : indent + 2;
    this.#write('"');
    const characters = [...value];
    let spaces = false;
    for (const [i, character] of characters.entries()) {
      const escaped = escapeDouble(character);
      if (escaped !== undefined) {
        this.#write(escaped);
        spaces = false;
      } else if (character === ' ') {
        if (!isKey && !spaces && this.#column > WIDTH && i > 0 && i < characters.length - 1) {
          this.#newline(own);
          if (characters[i + 1] === ' ') this.#write('\\');
        } else this.#write(' ');
        spaces = true;
      } else {
        this.#write(character);
        spaces = false;
      }
    }
    this.#write('"');
  }

  #literal(value: string, indent: number): void {
    const own = indent < 0 ? 2 : indent + 2;
    const first = value[0];
    this.#write('|');
    if (first === ' ' || first === '\n') this.#write('2');
    if (!value.endsWith('\n')) this.#write('-');
    else if (value === '\n' || value.endsWith('\n\n')) this.#write('+');
    const lines = value.split('\n');
    if (lines.at(-1) === '') lines.pop();
    for (const line of lines) this.#write(line === '' ? '\n' : `\n${' '.repeat(own)}${line}`);
  }
}

function number(value: number): string {
  // What an integer of Go holds keeps its digits; anything larger is a float to it.
  return Number.isInteger(value) && Math.abs(value) < 2 ** 64 ? String(value) : goFloat(value);
}

function isSimpleKey(key: string): boolean {
  return Buffer.byteLength(key) <= 128 && !/[\r\n\x85\u2028\u2029]/.test(key);
}

const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** Read again without quotes, is it still this text? */
function staysText(value: string): boolean {
  const resolved = resolvePlain(value);
  if (resolved === NOT_IN_JSON || typeof resolved !== 'string') return false;
  return tagOf(value) !== '!!timestamp' && !BASE_60.test(value);
}

interface Facts {
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

/** Printable, as the emitter sees it: no control characters, no byte order mark, nothing beyond the basic plane. */
const SPECIAL = /[^\n\x20-\x7f\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;

/** Which styles can hold the text. Source: emitterc.go (yaml_emitter_analyze_scalar), for block context. */
function analyze(value: string): Facts {
  if (value === '') return { plain: false, single: true, block: false };
  const special = SPECIAL.test(value);
  const breaks = /[\n\x85\u2028\u2029]/.test(value);
  const leadingSpace = value.startsWith(' ');
  const trailingSpace = value.endsWith(' ');
  const leadingBreak = /^[\n\x85\u2028\u2029]/.test(value);
  const trailingBreak = /[\n\x85\u2028\u2029]$/.test(value);
  const breakSpace = /[\n\x85\u2028\u2029] /.test(value);
  const spaceBreak = / [\n\x85\u2028\u2029]/.test(value);
  const indicators =
    /^(?:---|\.\.\.)/.test(value) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(value) ||
    /^[-?:](?:[\s\x85\u2028\u2029]|$)/.test(value) ||
    /:(?:[\s\x85\u2028\u2029]|$)/.test(value) ||
    /[\s\x85\u2028\u2029]#/.test(value);
  const plain =
    !leadingSpace && !leadingBreak && !trailingSpace && !trailingBreak && !breaks && !special && !indicators;
  const single = !(breakSpace || spaceBreak || special);
  const block = !(trailingSpace || spaceBreak || special);
  return { plain, single, block };
}

function escapeDouble(character: string): string | undefined {
  if (!SPECIAL.test(character) && !/["\\\n\x85\u2028\u2029]/.test(character)) return undefined;
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0)!;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
