/** What is wrong with an expression, in the words and the layout of the API server's compiler (cel-go common/error.go). */

export interface Issue {
  readonly message: string;
  /** An offset in code points. */
  readonly at: number;
}

/** An expression that the API server refuses when the object that carries it is written. */
export class CelCompileError extends Error {
  override readonly name = 'CelCompileError';
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[], source: string) {
    super(formatIssues(issues, source));
    this.issues = issues;
  }
}

/** An expression that compiles, but of which no program can be made: a constant of it is wrong. */
export class CelProgramError extends CelCompileError {
  constructor(reason: string) {
    super([], '');
    this.message = `program instantiation failed: ${reason}`;
  }
}

function formatIssues(issues: readonly Issue[], source: string): string {
  const lines = source.split('\n').map(line => [...line]);
  return issues
    .toSorted((a, b) => a.at - b.at)
    .map(({ message, at }) => {
      let row = 0;
      let column = at;
      while (row < lines.length - 1 && column > lines[row]!.length) {
        column -= lines[row]!.length + 1;
        row++;
      }
      const characters = lines[row]!;
      const line = characters.join('').replaceAll('\t', ' ');
      // Below what takes more than one byte stand wide marks.
      const isWide = (character: string | undefined) => character !== undefined && character > '\x7f';
      const dots = Array.from({ length: column }, (_, at) => (isWide(characters[at]) ? '．' : '.')).slice(
        0,
        characters.length,
      );
      const mark = isWide(characters[column]) ? '＾' : '^';
      return `ERROR: <input>:${row + 1}:${column + 1}: ${message}\n | ${line}\n | ${dots.join('')}${mark}`;
    })
    .join('\n');
}
