/** Workflow commands of GitHub Actions: annotations on the lines of a pull request. */
import type { Severity } from '#check/severity.ts';
import type { Reporter } from './reporter.ts';
import { count, objectName, safe } from './safe.ts';

const COMMANDS: Readonly<Record<Severity, 'error' | 'warning' | 'notice'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'notice',
  info: 'notice',
};

/** Source: @actions/core, command.ts (escapeData). Line breaks would begin a command of the input's own. */
function data(text: string): string {
  return safe(text).replaceAll('%', '%25');
}

/** Source: @actions/core, command.ts (escapeProperty). */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

export default {
  name: 'github',
  description: 'annotations in GitHub Actions',
  render({ findings, unknowns }) {
    const lines = findings.map(
      ({ severity, file, line, column, endLine, endColumn, check, object, message }) => {
        const place = `file=${property(file)},line=${line},endLine=${endLine},col=${column},endColumn=${endColumn}`;
        return `::${COMMANDS[severity]} ${place},title=${property(check)}::${data(`${objectName(object)}: ${message}`)}`;
      },
    );
    for (const { file, line, reason, object } of unknowns) {
      const place = file === undefined ? '' : `file=${property(file)},line=${line ?? 1},`;
      const who = object === undefined ? '' : `${objectName(object)}: `;
      lines.push(`::warning ${place}title=could not be judged::${data(who + reason)}`);
    }
    lines.push(`${count(findings.length, 'finding')}, ${unknowns.length} could not be judged`, '');
    return lines.join('\n');
  },
} satisfies Reporter;
