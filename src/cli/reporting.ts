/** Reports made and written: each format into its file, or one of them to standard output. */
import { readFileSync } from 'node:fs';
import type { Report } from '#check/finding.ts';
import { formats } from '#report/formats.ts';
import type { RenderedLine, Reporter, ReportOptions } from '#report/reporter.ts';
import type { Parsed } from './command.ts';
import { UsageError } from './errors.ts';
import { isTerminal, print, writeWhole } from './output.ts';

export type Gate = Pick<ReportOptions, 'failOn' | 'allowUnknown' | 'diff' | 'rendered'>;

/** A line of a file; undefined where it cannot be read, or must not be shown. */
type Source = ReportOptions['source'];

export interface WantedReport {
  readonly format: string;
  readonly file: string | undefined;
}

/** @throws UsageError where two reports would go to standard output */
export function wantedReports(parsed: Parsed): WantedReport[] {
  const output = parsed.value('output');
  const wanted = parsed.values('format').map(word => {
    const equals = word.indexOf('=');
    return equals < 0
      ? { format: word, file: output }
      : { format: word.slice(0, equals), file: word.slice(equals + 1) };
  });
  if (wanted.length === 0) wanted.push({ format: 'text', file: output });
  if (wanted.filter(({ file }) => file === undefined).length > 1)
    throw new UsageError(
      'only one report can go to standard output',
      'give the others a file: --format sarif=out.sarif',
    );
  return wanted;
}

export async function writeWanted(
  wanted: readonly WantedReport[],
  parsed: Parsed,
  report: Report,
  gate: Gate,
  reporterOf?: (format: string) => Reporter | undefined,
  linesOf: (file: string) => readonly string[] = readLines,
): Promise<void> {
  const texts: { file: string | undefined; text: string }[] = [];
  for (const { format, file } of wanted)
    texts.push({ file, text: await rendered(format, parsed, report, gate, reporterOf, linesOf, file) });
  for (const { file, text } of texts) if (file !== undefined) writeWhole(file, text);
  for (const { file, text } of texts) if (file === undefined) print(text);
}

/** @param file where it goes; standard output alone has colours */
export async function rendered(
  format: string,
  parsed: Parsed,
  report: Report,
  gate: Gate,
  reporterOf?: (format: string) => Reporter | undefined,
  linesOf: (file: string) => readonly string[] = readLines,
  file?: string,
): Promise<string> {
  const terminal = isTerminal();
  const veil =
    report.findings.length === 0 ? undefined : (await import('#practices/cicd/veil.ts')).veiledLine;
  const { diff, rendered: renderedOf } = gate;
  const reporter = reporterOf?.(format) ?? (await formats.find(({ name }) => name === format)!.load());
  return reporter.render(report, {
    color: file === undefined && terminal && !parsed.has('no-color') && !process.env['NO_COLOR'],
    width: terminal ? Math.min(process.stdout.columns || 80, 120) : 80,
    verbose: parsed.has('verbose'),
    ...gate,
    diff: finding => veiledDiff(diff(finding), veil),
    ...(renderedOf === undefined ? {} : { rendered: finding => veiledRows(renderedOf(finding), veil) }),
    time: new Date().toISOString(),
    source: sourceLines(report, linesOf, veil),
    ...(terminal ? { milliseconds: Math.round(performance.now()) } : {}),
  });
}

/**
 * Lines of the files that findings are in: each file is read again only when a report shows a line of it. Lines that
 * hold a secret are never shown, not even beside another finding.
 */
function sourceLines(
  { findings, excepted = [] }: Report,
  linesOf: (file: string) => readonly string[],
  veil: Veil | undefined,
): Source {
  const secrets = Map.groupBy(
    [...findings, ...excepted.map(({ finding }) => finding)]
      .filter(({ sensitive }) => sensitive === true)
      .flatMap(({ occurrences }) => occurrences),
    ({ file }) => file,
  );
  const files = new Map<string, readonly (string | undefined)[]>();
  return (file, line) => {
    let lines = files.get(file);
    if (lines === undefined) {
      lines = linesOf(file);
      for (const secret of secrets.get(file) ?? []) lines = withoutBlock(lines, secret.line - 1);
      files.set(file, lines);
    }
    return veil === undefined ? lines[line - 1] : veil(lines, line - 1);
  };
}

type Veil = (lines: readonly (string | undefined)[], at: number) => string | undefined;

const COVERED = '…';

function veiledDiff(
  diff: readonly string[] | undefined,
  veil: Veil | undefined,
): readonly string[] | undefined {
  if (diff === undefined || veil === undefined) return diff;
  const bare = diff.map(line => line.slice(2));
  return diff.map((line, at) => `${line.slice(0, 2)}${veil(bare, at) ?? COVERED}`);
}

function veiledRows(
  rows: readonly RenderedLine[] | undefined,
  veil: Veil | undefined,
): readonly RenderedLine[] | undefined {
  if (rows === undefined || veil === undefined) return rows;
  const bare = rows.map(({ text }) => text);
  return rows.map((row, at) => ({ ...row, text: veil(bare, at) ?? COVERED }));
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
}

/** Without a line and all that is indented deeper below it: a secret may go on over a block. */
function withoutBlock(lines: readonly (string | undefined)[], at: number): readonly (string | undefined)[] {
  const indent = lines[at]?.search(/\S/) ?? 0;
  let end = at + 1;
  while (
    end < lines.length &&
    (lines[end] === undefined || lines[end]!.trim() === '' || lines[end]!.search(/\S/) > indent)
  )
    end++;
  return lines.map((line, index) => (index >= at && index < end ? undefined : line));
}
