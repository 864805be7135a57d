/** Texts as go-yaml v2 scans them (scannerc.go): plain, quoted and block scalars, with their folding and escapes. */
import {
  BACKSLASH,
  CLOSE_LIST,
  CLOSE_MAP,
  COLON,
  COMMA,
  DASH,
  DOUBLE,
  GREATER,
  HASH,
  OPEN_LIST,
  OPEN_MAP,
  PLUS,
  QUESTION,
  SINGLE,
  SPACE,
  TAB,
} from './characters.ts';
import { type Cursor, isBlank, isBlankOrEnd, isBreakOrEnd } from './cursor.ts';
import { readEscape, unknownEscape } from './escapes.ts';
import type { Style } from './recorder.ts';
import { StructureError } from './structure.ts';

export interface ScannedText {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly style: Style;
}

/** Line breaks that were read and are not yet text: whether they fold is clear at the next character. */
class Breaks {
  #breaks: string[] = [];
  /** The first line break was escaped, so it is no text and the others do not fold. */
  escaped = false;

  get any(): boolean {
    return this.#breaks.length > 0;
  }

  add(text: string): void {
    this.#breaks.push(text);
  }

  /** What they are in a flow scalar: one folds to a space, of several the first goes. */
  fold(): string {
    const first = this.#breaks[0];
    const all = this.#breaks.join('');
    const folds = first === '\n' && !this.escaped;
    const text = folds ? all.slice(1) || ' ' : all;
    this.#breaks = [];
    this.escaped = false;
    return text;
  }
}

/**
 * A plain scalar, over as many lines as it goes on.
 *
 * @param indent the column of the block around it
 */
export function scanPlain(
  cursor: Cursor,
  indent: number,
  inFlow: boolean,
): ScannedText & { readonly overLines: boolean } {
  const { text } = cursor;
  const start = cursor.at;
  const parts: string[] = [];
  const breaks = new Breaks();
  let end = start;
  while (!cursor.isAtMarker() && cursor.code !== HASH) {
    const from = cursor.at;
    cursor.at = plainRunEnd(text, from, inFlow);
    if (cursor.at > from) {
      if (breaks.any) parts.push(breaks.fold());
      else parts.push(text.slice(end, from));
      parts.push(text.slice(from, cursor.at));
      end = cursor.at;
      squeeze(parts);
    }
    if (!isBlank(cursor.code) && !cursor.isBreak()) break;
    skipBlanksAndBreaks(cursor, breaks, indent);
    if (!inFlow && cursor.column <= indent) break;
  }
  return { start, end, text: parts.join(''), style: 'plain', overLines: breaks.any };
}

const MANY_PARTS = 8192;

/** Makes one text of many: each part of a hostile one is a word of its own, and takes twenty times its size. */
function squeeze(parts: string[]): void {
  if (parts.length < MANY_PARTS) return;
  const [first = '', ...rest] = parts;
  parts.length = 0;
  parts.push(first + rest.join(''));
}

/** The end of the characters that a plain scalar takes without a look at what follows. */
function plainRunEnd(text: string, from: number, inFlow: boolean): number {
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    if (isBlankOrEnd(code)) return at;
    if (code === COLON && isBlankOrEnd(text.charCodeAt(at + 1))) return at;
    if (inFlow && endsFlowPlain(code)) return at;
  }
}

function endsFlowPlain(code: number): boolean {
  return (
    code === COMMA ||
    code === QUESTION ||
    code === OPEN_LIST ||
    code === CLOSE_LIST ||
    code === OPEN_MAP ||
    code === CLOSE_MAP
  );
}

function skipBlanksAndBreaks(cursor: Cursor, breaks: Breaks, indent: number): void {
  for (;;) {
    if (cursor.isBreak()) breaks.add(cursor.takeBreak());
    else if (isBlank(cursor.code)) {
      if (breaks.any && cursor.column <= indent && cursor.code === TAB)
        throw new StructureError('a tab stands where only spaces may indent', cursor.at);
      cursor.at++;
    } else return;
  }
}

/** A text in single or double quotes. */
export function scanQuoted(cursor: Cursor): ScannedText {
  const start = cursor.at;
  const quote = cursor.code;
  const parts: string[] = [];
  const breaks = new Breaks();
  cursor.at++;
  for (;;) {
    if (cursor.isAtMarker())
      throw new StructureError(
        'a line that begins with "---" or "..." stands inside a quoted text',
        cursor.at,
      );
    if (cursor.atEnd)
      throw new StructureError(`this quote (${String.fromCharCode(quote)}) is never closed`, start);
    breaks.escaped = quote === SINGLE ? singleRun(cursor, parts) : doubleRun(cursor, parts);
    if (cursor.code === quote) break;
    const from = cursor.at;
    for (;;) {
      if (cursor.isBreak()) breaks.add(cursor.takeBreak());
      else if (isBlank(cursor.code)) cursor.at++;
      else break;
    }
    // Blanks count only where no line ends.
    parts.push(breaks.any || breaks.escaped ? breaks.fold() : cursor.text.slice(from, cursor.at));
    squeeze(parts);
  }
  cursor.at++;
  return { start, end: cursor.at, text: parts.join(''), style: quote === SINGLE ? 'single' : 'double' };
}

/** Up to a blank, a break or the closing quote; two quotes are one. @returns false: nothing in it folds a line */
function singleRun(cursor: Cursor, parts: string[]): boolean {
  const { text } = cursor;
  let from = cursor.at;
  for (;;) {
    const { code } = cursor;
    if (isBlankOrEnd(code)) break;
    if (code === SINGLE) {
      if (cursor.codeAt(1) !== SINGLE) break;
      parts.push(text.slice(from, cursor.at + 1));
      cursor.at++;
      from = cursor.at + 1;
    }
    cursor.at++;
  }
  parts.push(text.slice(from, cursor.at));
  return false;
}

/** Up to a blank, a break or the closing quote. @returns whether it ended at an escaped line break */
function doubleRun(cursor: Cursor, parts: string[]): boolean {
  const { text } = cursor;
  let from = cursor.at;
  for (;;) {
    const { code } = cursor;
    if (isBlankOrEnd(code) || code === DOUBLE) break;
    if (code !== BACKSLASH) {
      cursor.at++;
      continue;
    }
    parts.push(text.slice(from, cursor.at));
    const at = cursor.at++;
    if (cursor.isBreak()) {
      cursor.takeBreak();
      return true;
    }
    const { character, length } = readEscape(text, cursor.at);
    if (character === undefined) throw new StructureError(unknownEscape(text, cursor.at), at);
    parts.push(character);
    cursor.at += length;
    from = cursor.at;
  }
  parts.push(text.slice(from, cursor.at));
  return false;
}

/**
 * A literal or folded block scalar.
 *
 * @param parent the column of the block around it
 */
export function scanBlockScalar(cursor: Cursor, parent: number): ScannedText {
  const { text } = cursor;
  const start = cursor.at;
  const folded = cursor.code === GREATER;
  const { chomping, increment, end: header } = scanBlockHeader(cursor);
  const block: Block = {
    indent: increment === 0 ? 0 : Math.max(parent, 0) + increment,
    parent,
    breaks: [],
  };
  const parts: string[] = [];
  let end = header;
  let lineBreak = '';
  let wasBlank = false;
  skipBlockBreaks(cursor, block);
  while (cursor.column === block.indent && !cursor.atEnd) {
    const isSpaced = isBlank(cursor.code);
    if (folded && !wasBlank && !isSpaced && lineBreak === '\n') {
      if (block.breaks.length === 0) parts.push(' ');
    } else parts.push(lineBreak);
    parts.push(block.breaks.join(''));
    block.breaks = [];
    wasBlank = isSpaced;
    const from = cursor.at;
    cursor.at = lineEnd(text, from);
    parts.push(text.slice(from, cursor.at));
    end = cursor.at;
    lineBreak = cursor.takeBreak();
    skipBlockBreaks(cursor, block);
  }
  if (chomping !== '-') parts.push(lineBreak);
  if (chomping === '+') parts.push(block.breaks.join(''));
  return { start, end, text: parts.join(''), style: folded ? 'folded' : 'literal' };
}

interface Block {
  /** 0 until the first line with content has shown it. */
  indent: number;
  readonly parent: number;
  breaks: string[];
}

function lineEnd(text: string, from: number): number {
  let at = from;
  while (!isBreakOrEnd(text.charCodeAt(at))) at++;
  return at;
}

function scanBlockHeader(cursor: Cursor): {
  readonly chomping: string;
  readonly increment: number;
  readonly end: number;
} {
  const start = cursor.at++;
  const { text } = cursor;
  let chomping = '';
  let increment = 0;
  for (let i = 0; i < 2; i++) {
    const { code } = cursor;
    if ((code === PLUS || code === DASH) && chomping === '') chomping = text[cursor.at]!;
    else if (code >= 48 && code <= 57 && increment === 0) {
      increment = code - 48;
      if (increment === 0)
        throw new StructureError('the indentation of a block text is a digit from 1 to 9', start);
    } else break;
    cursor.at++;
  }
  const end = cursor.at;
  cursor.finishLine(`"${text.slice(start, end)}"`);
  return { chomping, increment, end };
}

/** Indentation and empty lines in front of a line with content. */
function skipBlockBreaks(cursor: Cursor, block: Block): void {
  let deepest = 0;
  for (;;) {
    while ((block.indent === 0 || cursor.column < block.indent) && cursor.code === SPACE) cursor.at++;
    deepest = Math.max(deepest, cursor.column);
    if ((block.indent === 0 || cursor.column < block.indent) && cursor.code === TAB)
      throw new StructureError('a tab stands where only spaces may indent', cursor.at);
    if (!cursor.isBreak()) break;
    block.breaks.push(cursor.takeBreak());
  }
  if (block.indent === 0) block.indent = Math.max(deepest, block.parent + 1, 1);
}
