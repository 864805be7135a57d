/** Positions in a text, counted as editors count them: lines and UTF-16 code units from 0. */

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** A place beyond the end of a line or of the text is that end, as the protocol asks. */
export function offsetOf(text: string, { line, character }: Position): number {
  let at = 0;
  for (let i = 0; i < line; i++) {
    const next = text.indexOf('\n', at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  const newline = text.indexOf('\n', at);
  const end = newline < 0 ? text.length : newline;
  return Math.min(at + character, end);
}

export function positionOf(text: string, offset: number): Position {
  let line = 0;
  let start = 0;
  for (let next = text.indexOf('\n'); next >= 0 && next < offset; next = text.indexOf('\n', next + 1)) {
    line++;
    start = next + 1;
  }
  return { line, character: offset - start };
}

/** The one replacement that makes a text of another, without what both have at their beginnings and ends. */
export function replacement(
  before: string,
  after: string,
): { readonly range: Range; readonly newText: string } {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  return {
    range: { start: positionOf(before, head), end: positionOf(before, before.length - tail) },
    newText: after.slice(head, after.length - tail),
  };
}
