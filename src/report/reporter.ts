/** The form of a reporter: a report and how to show it go in, text comes out. A reporter writes nothing and judges nothing. */
import type { Finding, Report } from '#check/finding.ts';
import type { Severity } from '#check/severity.ts';

export interface ReportOptions {
  /** Colours and styles are allowed (a terminal, and not forbidden). */
  readonly color: boolean;
  /** Columns of the terminal; 80 where it is none. */
  readonly width: number;
  /** Show everything that is otherwise folded. */
  readonly verbose: boolean;
  /** The least severity that fails the run, and whether unknowns do. */
  readonly failOn: Severity | 'never';
  readonly allowUnknown: boolean;
  /** When the report was made (ISO 8601, UTC). An input, so that the same report gives the same text. */
  readonly time: string;
  /** The lines of a file that a report may show, counted from 1; undefined where the file cannot be read. */
  readonly source: (file: string, line: number) => string | undefined;
  /** The lines that a finding's fix would change, each led by `-` or `+`; undefined where it has none that is safe to show. */
  readonly diff: (finding: Finding) => readonly string[] | undefined;
  /** What a chart or overlay makes of the place of a finding, in lines; undefined where nothing was rendered. */
  readonly rendered?: (finding: Finding) => readonly RenderedLine[] | undefined;
  /** How long the run took, in milliseconds; absent where it should not be said. */
  readonly milliseconds?: number;
}

/** A line of an object that was rendered. */
export interface RenderedLine {
  /** In the object, from 1. */
  readonly line: number;
  readonly text: string;
  /** The finding is about this line. */
  readonly marked: boolean;
}

export interface Reporter {
  render(report: Report, options: ReportOptions): string;
}
