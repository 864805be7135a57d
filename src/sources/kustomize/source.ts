/** Texts that nodes were read from, and where their offsets lie in files: a patch may stand inside another file. */
import type { Position } from '#world/origin.ts';
import { LineIndex } from '#yaml/lines.ts';

/** A piece of a source. Offsets are the text's; the end is exclusive. */
export interface Place {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** A text, or a piece of one that stands in another file: a patch in a kustomization, say. */
export class Source {
  readonly file: string;
  readonly #text: string;
  /** Where each of the text's lines begins in the file, for a piece. */
  readonly #inside: { readonly line: number; readonly indent: number } | undefined;
  /** The place that stands for all of it, where its lines are not those of the file: a quoted text. */
  readonly #whole: Place | undefined;
  #lines: LineIndex | undefined;

  /** @param inside the file's line on which the text begins, and by how much it is indented there */
  constructor(
    file: string,
    text: string,
    inside?: { readonly line: number; readonly indent: number } | Place,
  ) {
    this.file = file;
    this.#text = text;
    if (inside !== undefined && 'source' in inside) this.#whole = inside;
    else this.#inside = inside;
  }

  position(start: number, end: number): Position {
    if (this.#whole !== undefined) return positionOf(this.#whole);
    this.#lines ??= new LineIndex(this.#text, { start: 0, end: this.#text.length, startLine: 1 });
    const from = this.#lines.position(start);
    const to = this.#lines.position(Math.max(start, end));
    const { line, indent } = this.#inside ?? { line: 1, indent: 0 };
    return {
      file: this.file,
      line: from.line + line - 1,
      column: from.column + indent,
      endLine: to.line + line - 1,
      endColumn: to.column + indent,
    };
  }

  /** The line of an offset in the text, from 1. */
  lineOf(offset: number): number {
    this.#lines ??= new LineIndex(this.#text, { start: 0, end: this.#text.length, startLine: 1 });
    return this.#lines.position(offset).line;
  }

  get text(): string {
    return this.#text;
  }
}

export function positionOf({ source, start, end }: Place): Position {
  return source.position(start, end);
}

/** A source whose places are worked out by someone else: a chart knows where its values come from. */
export class OriginSource extends Source {
  readonly #position: () => Position;

  constructor(file: string, position: () => Position) {
    super(file, '');
    this.#position = position;
  }

  override position(): Position {
    return this.#position();
  }
}
