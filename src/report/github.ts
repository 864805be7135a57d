/** Workflow commands of GitHub Actions: annotations on the lines of a pull request. */
import type { Excepted, Finding, Unknown } from '#check/finding.ts';
import { type Severity, severities } from '#check/severity.ts';
import { whoExcepts } from './excepted.ts';
import type { Reporter } from './reporter.ts';
import { count, objectName, safe } from './safe.ts';

type Command = 'error' | 'warning' | 'notice';

const COMMANDS: Readonly<Record<Severity, Command>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'notice',
  info: 'notice',
};

/** GitHub shows so many annotations of each command and step, and drops the others without a word. */
const SHOWN = 10;

/** Source: @actions/core, command.ts (escapeData). Line breaks would begin a command of the input's own. */
function data(text: string): string {
  return safe(text).replaceAll('%', '%25');
}

/** Source: @actions/core, command.ts (escapeProperty). */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function annotation({
  severity,
  file,
  line,
  column,
  endLine,
  endColumn,
  check,
  object,
  message,
}: Finding): string {
  const place = `file=${property(file)},line=${line},endLine=${endLine},col=${column},endColumn=${endColumn}`;
  return `::${COMMANDS[severity]} ${place},title=${property(check)}::${data(`${objectName(object)}: ${message}`)}`;
}

function unknownAnnotation({ file, line, reason, object, check }: Unknown): string {
  const place = file === undefined ? '' : `file=${property(file)},line=${line ?? 1},`;
  const who = object === undefined ? '' : `${objectName(object)}: `;
  const which = check === undefined ? '' : `${check}: `;
  return `::warning ${place}title=could not be judged::${data(who + which + reason)}`;
}

/** A line of the log, no annotation: nobody has to do anything about it. */
function exceptedLine({ finding: { check, file, line, object }, exception }: Excepted): string {
  return `excepted: ${safe(file)}:${line} ${check}: ${objectName(object)} (${whoExcepts(exception)})`;
}

export default {
  /** The worst first, as only the first are shown; what was not judged fails a run sooner than a warning does. */
  render({ findings, unknowns, excepted = [] }) {
    const of = (command: Command) =>
      findings
        .filter(({ severity }) => COMMANDS[severity] === command)
        .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))
        .map(annotation);
    const errors = of('error');
    const warnings = [...unknowns.map(unknownAnnotation), ...of('warning')];
    const notices = of('notice');
    const lines = [...errors, ...warnings, ...notices];
    lines.push(...excepted.map(exceptedLine));
    lines.push(`${count(findings.length, 'finding')}, ${unknowns.length} could not be judged`);
    if ([errors, warnings, notices].some(list => list.length > SHOWN))
      lines.push(
        `GitHub shows ${SHOWN} errors, ${SHOWN} warnings and ${SHOWN} notices of a step: --format sarif has room for all`,
      );
    return `${lines.join('\n')}\n`;
  },
} satisfies Reporter;
