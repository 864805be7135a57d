/** The report for people: grouped by file, each finding with its line of source, then a short summary. */
import type { Finding, Report, Unknown } from '#check/finding.ts';
import { practices } from '#check/practices.ts';
import { atLeast, type Severity, severities } from '#check/severity.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { count, objectName, safe } from './safe.ts';

/** A check that found the same in many places is shown so often, and then only counted. */
const REPEATS_SHOWN = 5;
const UNKNOWNS_SHOWN = 10;

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan' | 'magenta';

const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  magenta: [35, 39],
  cyan: [36, 39],
};

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
    const { findings } = this.#report;
    const byFile = new Map<string, Finding[]>();
    for (const finding of findings) {
      const list = byFile.get(finding.file);
      if (list === undefined) byFile.set(finding.file, [finding]);
      else list.push(finding);
    }
    for (const [file, list] of byFile) this.#file(file, list);
    this.#foldedChecks();
    this.#unknowns(this.#report.unknowns);
    this.#summary();
    return `${this.#lines.join('\n')}\n`;
  }

  #file(file: string, findings: readonly Finding[]): void {
    const shown = findings.filter(finding => this.#isShown(finding));
    if (shown.length === 0) return;
    this.#lines.push(this.#style('bold', safe(file)));
    for (const finding of shown) this.#finding(finding);
    this.#lines.push('');
  }

  #isShown({ check }: Finding): boolean {
    if (this.#options.verbose) return true;
    const times = (this.#seen.get(check) ?? 0) + 1;
    this.#seen.set(check, times);
    if (times <= REPEATS_SHOWN) return true;
    this.#folded.set(check, (this.#folded.get(check) ?? 0) + 1);
    return false;
  }

  #finding(finding: Finding): void {
    const { severity, check, line, column, object, message } = finding;
    const place = `${line}:${column}`;
    this.#lines.push(
      `  ${place.padEnd(8)} ${this.#style(SEVERITY_STYLES[severity], severity.padEnd(8))} ${this.#style('bold', check)}`,
    );
    this.#wrap(`${objectName(object)}: ${safe(message)}`, '    ');
    this.#source(finding);
    const others = finding.occurrences.slice(1).filter(({ line: other }) => other !== line);
    if (others.length > 0) {
      const places = [...new Set(others.map(({ line: other }) => other))];
      const cut = places.length > 8 && !this.#options.verbose;
      this.#lines.push(
        this.#style(
          'dim',
          `    also on ${count(places.length, 'line')} ${(cut ? places.slice(0, 8) : places).join(', ')}${cut ? ', …' : ''}`,
        ),
      );
    }
    this.#fix(finding);
  }

  #source({ file, line, column, endLine, endColumn, sensitive }: Finding): void {
    if (sensitive === true) return;
    const source = this.#options.source(file, line);
    if (source === undefined) return;
    const gutter = `    ${line} | `;
    const room = this.#options.width - gutter.length;
    // The margin that all lines of a deep manifest share says nothing: keep what is left of it.
    const margin = Math.max(0, Math.min(source.search(/\S|$/), column - 1) - 2);
    const start = column - 1 - margin > room - 10 ? Math.max(0, column - 1 - Math.floor(room / 2)) : margin;
    const text = safe(source.slice(start, start + room));
    const end = endLine === line ? endColumn : column + 1;
    const length = Math.max(1, Math.min(end - column, room - (column - 1 - start)));
    this.#lines.push(`${this.#style('dim', gutter)}${text}`);
    this.#lines.push(
      `${this.#style('dim', `${' '.repeat(gutter.length - 2)}| `)}${' '.repeat(Math.max(0, column - 1 - start))}${this.#style('red', '^'.repeat(length))}`,
    );
  }

  #fix(finding: Finding): void {
    const { fix, remediation } = finding;
    const diff = fix === undefined || finding.sensitive === true ? undefined : this.#options.diff(finding);
    if (fix === undefined || diff === undefined) {
      if (this.#options.verbose) this.#wrap(`do: ${remediation}`, '    ');
      return;
    }
    this.#lines.push(this.#style('dim', `    fix (${fix.kind}): ${fix.title}`));
    for (const line of diff) {
      const style = line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : 'dim';
      this.#lines.push(`    ${this.#style(style, safe(line))}`);
    }
  }

  #foldedChecks(): void {
    if (this.#folded.size === 0) return;
    this.#lines.push(this.#style('bold', 'More of the same'));
    for (const [check, times] of [...this.#folded].sort((a, b) => b[1] - a[1]))
      this.#lines.push(`  ${check}: ${times} more`);
    this.#lines.push(this.#style('dim', '  --verbose shows them all'), '');
  }

  #unknowns(unknowns: readonly Unknown[]): void {
    if (unknowns.length === 0) return;
    this.#lines.push(this.#style('bold', this.#style('yellow', 'Could not be judged')));
    const groups = new Map<string, Unknown[]>();
    for (const unknown of unknowns) {
      const list = groups.get(unknown.reason);
      if (list === undefined) groups.set(unknown.reason, [unknown]);
      else list.push(unknown);
    }
    const all = [...groups];
    const shown = this.#options.verbose ? all : all.slice(0, UNKNOWNS_SHOWN);
    for (const [reason, list] of shown) {
      const [first] = list;
      const place =
        first!.file === undefined
          ? ''
          : `${safe(first!.file)}${first!.line === undefined ? '' : `:${first!.line}`}`;
      const more = list.length > 1 ? ` (and ${list.length - 1} more)` : '';
      const who = first!.object === undefined ? '' : `${objectName(first!.object)}: `;
      this.#lines.push(`  ${place}${more}`);
      this.#wrap(`${who}${first!.check === undefined ? '' : `${first!.check}: `}${safe(reason)}`, '    ');
    }
    if (shown.length < all.length)
      this.#lines.push(
        this.#style('dim', `  and ${all.length - shown.length} other reasons; --verbose shows them all`),
      );
    this.#lines.push('');
  }

  #summary(): void {
    const { summary, findings } = this.#report;
    const total = findings.length;
    const read = `${count(summary.objects, 'object')} (${count(summary.workloads, 'workload')}) in ${count(summary.files, 'file')}`;
    const time = this.#options.milliseconds === undefined ? '' : ` in ${this.#options.milliseconds} ms`;
    if (total === 0 && summary.unknowns === 0) {
      this.#lines.push(
        summary.objects === 0
          ? `No Kubernetes objects found in ${count(summary.files, 'file')}.`
          : this.#style('green', `Nothing to complain about: ${read}${time}.`),
      );
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
    const byPractice = practices
      .map(practice => [practice, findings.filter(finding => finding.practice === practice).length] as const)
      .filter(([, number]) => number > 0);
    if (byPractice.length > 0)
      this.#lines.push(
        `By practice: ${byPractice.map(([practice, number]) => `${practice} ${number}`).join(', ')}.`,
      );
    this.#verdict();
  }

  #verdict(): void {
    const { failOn, allowUnknown } = this.#options;
    const { summary } = this.#report;
    const failing =
      failOn === 'never'
        ? 0
        : severities
            .filter(severity => atLeast(severity, failOn))
            .reduce((sum, severity) => sum + summary.findings[severity], 0);
    if (failing > 0)
      this.#lines.push(`The gate is shut: ${count(failing, 'finding')} at or above ${failOn}.`);
    else if (summary.unknowns > 0 && !allowUnknown)
      this.#lines.push('The gate is shut: not everything could be judged (--allow-unknown opens it).');
    else
      this.#lines.push(
        failOn === 'never'
          ? 'The gate is open: nothing fails it.'
          : `The gate is open: nothing at or above ${failOn}.`,
      );
  }

  #wrap(text: string, indent: string): void {
    let line = indent;
    let width = indent.length;
    for (const word of text.split(' ')) {
      const length = visible(word);
      if (width + 1 + length > this.#options.width && line !== indent) {
        this.#lines.push(line);
        line = indent;
        width = indent.length;
      }
      width += line === indent ? length : length + 1;
      line = line === indent ? `${indent}${word}` : `${line} ${word}`;
    }
    this.#lines.push(line);
  }

  #style(style: Style, text: string): string {
    if (!this.#options.color) return text;
    const [on, off] = CODES[style];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  }
}

/** The columns that a word takes, without the codes that colour it. */
function visible(word: string): number {
  return word.includes('\u001b') ? word.replaceAll(/\u001b\[\d+m/g, '').length : word.length;
}

export default {
  name: 'text',
  description: 'for people, grouped by file',
  render: (report, options) => new TextReport(report, options).render(),
} satisfies Reporter;
