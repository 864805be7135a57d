/** A place in a document's text, with what go-yaml's reader knows about it: lines, columns, blanks and breaks. */
import {
  DASH,
  DOT,
  HASH,
  LINE_SEPARATOR,
  NEWLINE,
  NEXT_LINE,
  PARAGRAPH_SEPARATOR,
  RETURN,
  SPACE,
  TAB,
} from './characters.ts';
import { StructureError } from './structure.ts';

export class Cursor {
  /** With a NUL behind its end: no text holds one, so a look at the end needs no comparison of offsets. */
  readonly text: string;
  at = 0;
  lineStart = 0;

  constructor(text: string) {
    this.text = `${text}\0\0\0\0`;
  }

  get column(): number {
    return this.at - this.lineStart;
  }

  get code(): number {
    return this.text.charCodeAt(this.at);
  }

  get atEnd(): boolean {
    return this.code === 0;
  }

  codeAt(ahead: number): number {
    return this.text.charCodeAt(this.at + ahead);
  }

  isBreak(): boolean {
    return isBreak(this.code);
  }

  isBlankOrEnd(ahead: number): boolean {
    return isBlankOrEnd(this.codeAt(ahead));
  }

  /** Three dashes, or three dots, and behind them space: the caller knows that a line begins here. */
  isMarker(mark: number): boolean {
    return this.code === mark && this.codeAt(1) === mark && this.codeAt(2) === mark && this.isBlankOrEnd(3);
  }

  /** A marker of either kind at the start of a line. */
  isAtMarker(): boolean {
    return this.at === this.lineStart && (this.isMarker(DASH) || this.isMarker(DOT));
  }

  /** Goes on behind the line break. @returns what it is in a text: a line feed, or itself for the Unicode separators */
  takeBreak(): string {
    const { code } = this;
    this.at += this.#breakLength();
    this.lineStart = this.at;
    return code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR ? String.fromCharCode(code) : '\n';
  }

  /** kubectl's line reader takes one carriage return from before each line feed, before the YAML is read. */
  #breakLength(): number {
    if (this.code !== RETURN) return 1;
    if (this.codeAt(1) === NEWLINE) return 2;
    return this.codeAt(1) === RETURN && this.codeAt(2) === NEWLINE ? 3 : 1;
  }

  /** The end of the line. */
  skipComment(): void {
    while (!isBreakOrEnd(this.code)) this.at++;
  }

  /**
   * Space, comments and line breaks in front of a token. Tabs count as space inside flow collections, and where no
   * key can begin.
   *
   * @returns whether a new line was begun
   */
  skipToToken(inFlow: boolean, keyAllowed: boolean): boolean {
    let tabs = inFlow || !keyAllowed;
    let newLine = false;
    for (;;) {
      while (this.code === SPACE || (tabs && this.code === TAB)) this.at++;
      if (this.code === HASH) this.skipComment();
      if (!this.isBreak()) return newLine;
      this.takeBreak();
      newLine = true;
      tabs = inFlow;
    }
  }

  /** What may stand behind the first line of a directive or block scalar: a comment, and the line's end. */
  finishLine(what: string): void {
    while (this.code === SPACE || this.code === TAB) this.at++;
    if (this.code === HASH) this.skipComment();
    if (this.atEnd) return;
    if (!this.isBreak()) throw new StructureError(`only a comment may follow ${what} on its line`, this.at);
    this.takeBreak();
  }

  /** Takes what a sticky expression matches here. */
  match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text);
    if (found !== null) this.at += found[0].length;
    return found;
  }

  /** Whether more than so many characters, counted as Unicode does, lie between two offsets. */
  isFurther(from: number, to: number, distance: number): boolean {
    if (to - from <= distance) return false;
    if (to - from > distance * 2) return true;
    let characters = 0;
    for (let at = from; at < to; at++) if ((this.text.charCodeAt(at) & 0xfc00) !== 0xdc00) characters++;
    return characters > distance;
  }
}

export function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function isBreak(code: number): boolean {
  return (
    code === NEWLINE ||
    code === RETURN ||
    code === NEXT_LINE ||
    code === LINE_SEPARATOR ||
    code === PARAGRAPH_SEPARATOR
  );
}

export function isBreakOrEnd(code: number): boolean {
  return isBreak(code) || code === 0;
}

export function isBlankOrEnd(code: number): boolean {
  return isBlank(code) || isBreakOrEnd(code);
}
