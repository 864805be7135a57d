/** Lines and columns of offsets. Only line feeds end lines here, as in editors and reports. */

interface LineAndColumn {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
}

/** Counts lines while offsets mostly grow, so that a file of many documents is counted once. */
export class LineCounter {
  readonly #text: string;
  #line = 1;
  #start = 0;
  /** The line feed that ends the line, or the end of the text. */
  #end: number;

  constructor(text: string) {
    this.#text = text;
    this.#end = this.#lineEnd(0);
  }

  /** Where the line begins that was asked for last. */
  get lineStart(): number {
    return this.#start;
  }

  /** The line of an offset, from 1. */
  at(offset: number): number {
    while (this.#start > offset) {
      this.#end = this.#start - 1;
      this.#start = this.#end === 0 ? 0 : this.#text.lastIndexOf('\n', this.#end - 1) + 1;
      this.#line--;
    }
    while (this.#end < offset) {
      this.#start = this.#end + 1;
      this.#end = this.#lineEnd(this.#start);
      this.#line++;
    }
    return this.#line;
  }

  #lineEnd(from: number): number {
    const newline = this.#text.indexOf('\n', from);
    return newline < 0 ? this.#text.length : newline;
  }
}

/** A part of a text, as far as its lines are concerned. */
export interface Part {
  readonly start: number;
  readonly end: number;
  /** The line of `start`, from 1. */
  readonly startLine: number;
  /** Where that line begins, unless at `start`. */
  readonly lineStart?: number;
}

/** The lines of a part of a text, for many questions about it. */
export class LineIndex {
  readonly #firstLine: number;
  /** Where the lines begin. */
  readonly #starts: number[];

  constructor(text: string, { start, end, startLine, lineStart = start }: Part) {
    this.#firstLine = startLine;
    this.#starts = [lineStart];
    // Cut out, for a search in the whole text would not stop at the end of the part.
    const part = text.slice(start, end);
    for (let at = part.indexOf('\n'); at >= 0; at = part.indexOf('\n', at + 1))
      this.#starts.push(start + at + 1);
  }

  position(offset: number): LineAndColumn {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: this.#firstLine + low, column: offset - this.#starts[low]! + 1 };
  }
}
