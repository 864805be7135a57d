/** The report for people: grouped by file, each finding with its line of source, then a short summary. */
import type { Finding, Report, Unknown } from '#check/finding.ts';
import { practices } from '#check/practices.ts';
import { type Severity, severities } from '#check/severity.ts';
import { columns, cut } from './columns.ts';
import { setAside, whoExcepts } from './excepted.ts';
import { gateSentence } from './gate.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { count, objectName, safe, shorten } from './safe.ts';
import { type Style, styled, wrapped } from './style.ts';

/** A check that found the same in many places is shown so often, and then only counted. */
const REPEATS_SHOWN = 5;
/** A report of no more findings shows all that is grave. */
const FINDINGS_SHOWN = 30;
const UNKNOWNS_SHOWN = 10;
const EXCEPTED_SHOWN = 10;
const LINES_SHOWN = 8;
/** A message holds names from the input, which may be of any length. */
const MESSAGE_LENGTH = 600;
const INDENT = '    ';

const SEVERITY_STYLES: Readonly<Record<Severity, Style>> = {
  critical: 'magenta',
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  info: 'dim',
};

class TextReport {
  readonly #report: Report;
  readonly #options: ReportOptions;
  readonly #lines: string[] = [];
  readonly #seen = new Map<string, number>();
  readonly #folded = new Map<string, number>();

  constructor(report: Report, options: ReportOptions) {
    this.#report = report;
    this.#options = options;
  }

  render(): string {
    for (const [file, list] of Map.groupBy(this.#report.findings, finding => finding.file))
      this.#file(file, list);
    this.#foldedChecks();
    this.#excepted();
    this.#unknowns(this.#report.unknowns);
    this.#summary();
    return `${this.#lines.map(withoutCommand).join('\n')}\n`;
  }

  #file(file: string, findings: readonly Finding[]): void {
    const shown = findings.filter(finding => this.#isShown(finding));
    if (shown.length === 0) return;
    this.#push(this.#style('bold', safe(file)));
    for (const finding of shown) this.#finding(finding);
    this.#push('');
  }

  #isShown({ check, severity }: Finding): boolean {
    const isGrave = severity === 'critical' || severity === 'high';
    if (this.#options.verbose || (isGrave && this.#report.findings.length <= FINDINGS_SHOWN)) return true;
    const times = (this.#seen.get(check) ?? 0) + 1;
    this.#seen.set(check, times);
    if (times <= REPEATS_SHOWN) return true;
    this.#folded.set(check, (this.#folded.get(check) ?? 0) + 1);
    return false;
  }

  #finding(finding: Finding): void {
    const { severity, check, line, column, object } = finding;
    const place = `${line}:${column}`.padEnd(8);
    const level = this.#style(SEVERITY_STYLES[severity], severity.padEnd(8));
    this.#push(`  ${place} ${level} ${this.#style('bold', check)}`);
    this.#wrap(`${objectName(object)}: ${this.#shortened(finding.message)}`, INDENT);
    this.#source(finding);
    this.#rendered(finding);
    this.#otherPlaces(finding);
    this.#fix(finding);
  }

  #shortened(text: string): string {
    return safe(this.#options.verbose ? text : shorten(text, MESSAGE_LENGTH));
  }

  #source({ file, line, column, endLine, endColumn, sensitive }: Finding): void {
    if (sensitive === true) return;
    const source = this.#options.source(file, line);
    if (source === undefined) return;
    const gutter = `${INDENT}${line} | `;
    const room = this.#options.width - gutter.length;
    // The margin that all lines of a deep manifest share says nothing: keep what is left of it.
    const margin = Math.max(0, Math.min(source.search(/\S|$/), column - 1) - 2);
    const start = column - 1 - margin > room - 10 ? Math.max(0, column - 1 - Math.floor(room / 2)) : margin;
    const before = safe(source.slice(start, column - 1));
    const end = endLine === line ? Math.max(endColumn, column + 1) : column + 1;
    const marked = safe(source.slice(column - 1, Math.min(end - 1, column + room)));
    const after = safe(source.slice(end - 1, end - 1 + room));
    // What was made visible takes more room than it had: at worst the mark stands at the margin.
    const lead = columns(before) > room - 10 ? '' : before;
    const indent = columns(lead);
    const length = Math.max(1, Math.min(columns(marked), room - indent));
    this.#push(`${this.#style('dim', gutter)}${cut(lead + marked + after, room)}`);
    this.#push(
      `${this.#style('dim', `${' '.repeat(gutter.length - 2)}| `)}${' '.repeat(indent)}${this.#style('red', '^'.repeat(length))}`,
    );
  }

  /** What was rendered from the line above. */
  #rendered(finding: Finding): void {
    const lines = finding.sensitive === true ? undefined : this.#options.rendered?.(finding);
    if (lines === undefined) return;
    this.#push(`${INDENT}${this.#style('dim', 'rendered:')}`);
    for (const { line, text, marked } of lines) {
      const gutter = `${INDENT}${marked ? '>' : ' '} ${line} | `;
      const row = `${gutter}${cut(safe(text), this.#options.width - gutter.length)}`;
      this.#push(marked ? row : this.#style('dim', row));
    }
  }

  #otherPlaces({ file, line, occurrences }: Finding): void {
    const places = new Set(
      occurrences
        .filter(other => other.file !== file || other.line !== line)
        .map(other => (other.file === file ? `${other.line}` : `${safe(other.file)}:${other.line}`)),
    );
    if (places.size === 0) return;
    const shown = this.#options.verbose ? [...places] : [...places].slice(0, LINES_SHOWN);
    const more = shown.length < places.size ? ', …' : '';
    const which = places.size === 1 ? 'line' : `${places.size} lines:`;
    this.#wrap(`also on ${which} ${shown.join(', ')}${more}`, INDENT, 'dim');
  }

  #fix(finding: Finding): void {
    const { fix, remediation } = finding;
    const diff = fix === undefined || finding.sensitive === true ? undefined : this.#options.diff(finding);
    if (fix === undefined || diff === undefined) {
      if (this.#options.verbose) this.#wrap(`do: ${safe(remediation)}`, INDENT);
      return;
    }
    this.#wrap(`fix (${fix.kind}): ${safe(fix.title)}`, INDENT, 'dim');
    for (const line of diff) {
      const style = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : 'dim';
      this.#push(`${INDENT}${this.#style(style, cut(safe(line), this.#options.width - INDENT.length))}`);
    }
  }

  #foldedChecks(): void {
    if (this.#folded.size === 0) return;
    this.#push(this.#style('bold', 'More of the same'));
    for (const [check, times] of [...this.#folded].sort((a, b) => b[1] - a[1]))
      this.#push(`  ${check}: ${times} more`);
    this.#push(this.#style('dim', '  --verbose shows them all'));
    this.#push('');
  }

  #excepted(): void {
    const { excepted = [] } = this.#report;
    if (excepted.length === 0) return;
    this.#push(this.#style('bold', `Excepted (${excepted.length})`));
    const shown = this.#options.verbose ? excepted : excepted.slice(0, EXCEPTED_SHOWN);
    for (const { finding, exception } of shown) {
      this.#push(`  ${safe(finding.file)}:${finding.line} ${finding.check}`);
      this.#wrap(this.#shortened(`${objectName(finding.object)}: ${whoExcepts(exception)}`), INDENT, 'dim');
    }
    if (shown.length < excepted.length)
      this.#push(
        this.#style('dim', `  and ${excepted.length - shown.length} more; --verbose shows them all`),
      );
    this.#push('');
  }

  #unknowns(unknowns: readonly Unknown[]): void {
    if (unknowns.length === 0) return;
    this.#push(this.#style('bold', this.#style('yellow', `Could not be judged (${unknowns.length})`)));
    if (this.#options.verbose) {
      for (const unknown of unknowns) this.#unknown(unknown, 1);
      this.#push('');
      return;
    }
    const all = [...Map.groupBy(unknowns, ({ reason }) => reason).values()];
    const shown = all.slice(0, UNKNOWNS_SHOWN);
    for (const list of shown) this.#unknown(list[0]!, list.length);
    if (shown.length < all.length)
      this.#push(
        this.#style(
          'dim',
          `  and ${count(all.length - shown.length, 'other reason')}; --verbose shows them all`,
        ),
      );
    this.#push('');
  }

  /** The first unknown of a reason stands for all that have it. */
  #unknown({ file, line, object, check, reason }: Unknown, times: number): void {
    const more = times > 1 ? ` (and ${times - 1} more)` : '';
    const who = object === undefined ? '' : `${objectName(object)}: `;
    const which = check === undefined ? '' : `${safe(check)}: `;
    const text = `${who}${which}${this.#shortened(reason)}`;
    if (file === undefined) {
      this.#wrap(`${text}${more}`, '  ');
      return;
    }
    this.#push(`  ${safe(file)}${line === undefined ? '' : `:${line}`}${more}`);
    this.#wrap(text, INDENT);
  }

  #summary(): void {
    const { summary, findings } = this.#report;
    const total = findings.length;
    const read = `${count(summary.objects, 'object')} (${count(summary.workloads, 'workload')}) in ${count(summary.files, 'file')}`;
    const time = this.#options.milliseconds === undefined ? '' : ` in ${this.#options.milliseconds} ms`;
    if (total === 0 && summary.unknowns === 0) {
      this.#push(
        summary.objects === 0
          ? `No Kubernetes objects found in ${count(summary.files, 'file')}.`
          : this.#style('green', `Nothing to complain about: ${read}${time}.`),
      );
      if (setAside(this.#report) !== '') this.#wrap(`Set aside: ${setAside(this.#report)}.`, '');
      return;
    }
    const bySeverity = severities
      .filter(severity => summary.findings[severity] > 0)
      .map(severity => this.#style(SEVERITY_STYLES[severity], `${summary.findings[severity]} ${severity}`));
    const unknown = summary.unknowns > 0 ? `, ${summary.unknowns} could not be judged` : '';
    this.#wrap(
      `${this.#style('bold', count(total, 'finding'))}${bySeverity.length > 0 ? ` (${bySeverity.join(', ')})` : ''}${unknown}: ${read}${time}.`,
      '',
    );
    const byPractice = Map.groupBy(findings, ({ practice }) => practice);
    const counts = practices
      .filter(practice => byPractice.has(practice))
      .map(practice => `${practice} ${byPractice.get(practice)!.length}`);
    if (counts.length > 0) this.#wrap(`By practice: ${counts.join(', ')}.`, '');
    if (setAside(this.#report) !== '') this.#wrap(`Set aside: ${setAside(this.#report)}.`, '');
    this.#wrap(gateSentence(summary, this.#options), '');
  }

  #push(line: string): void {
    this.#lines.push(line);
  }

  /** Breaks at spaces, and within a word only where it is longer than a line. */
  #wrap(text: string, indent: string, style?: Style): void {
    for (const line of wrapped(text, this.#options.width - indent.length))
      this.#push(`${indent}${style === undefined ? line : this.#style(style, line)}`);
  }

  #style(style: Style, text: string): string {
    return this.#options.color ? styled(style, text) : text;
  }
}

/**
 * A line of a log that begins with `::error::` and the like is a command to GitHub's runner, spaces before it or not,
 * and a message may break anywhere. A colon that looks the same and is as wide makes it text. Source: actions/runner,
 * ActionCommand.cs (TryParseV2).
 */
function withoutCommand(line: string): string {
  return line.replace(/^((?:\s|\u001b\[\d+m)*):(?=:[a-z])/i, '$1\ua789');
}

export default {
  render: (report, options) => new TextReport(report, options).render(),
} satisfies Reporter;
