/** The manual page, made from the definitions of the commands. Source: man-pages(7), groff_man(7). */
import { version } from '#judge/report.ts';
import { type Command, commonOptions, type Option } from './command.ts';

/** Text in which nothing is a request: a backslash, a hyphen that is to be copied, a dot or quote that begins a line. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
}

const optionLines = (options: readonly Option[]): string[] =>
  options.flatMap(({ name, short, value, choices, description }) => [
    '.TP',
    `${short === undefined ? '' : `\\fB\\-${short}\\fR, `}\\fB\\-\\-${roff(name)}\\fR${value === undefined ? '' : ` \\fI${roff(value)}\\fR`}`,
    roff(choices === undefined ? `${description}.` : `${description}: ${choices.join(', ')}.`),
  ]);

export function manPage(commands: readonly Command[]): string {
  return `${[
    `.TH SALLYPORT 1 "" "sallyport ${version}"`,
    '.SH NAME',
    'sallyport \\- two gates for Kubernetes, one in the pipeline, one before the cluster',
    '.SH SYNOPSIS',
    '\\fBsallyport\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]',
    '.SH COMMANDS',
    ...commands.flatMap(({ name, summary, operands, options, examples }) => [
      `.SS sallyport ${roff(name)}${operands === undefined ? '' : ` ${roff(operands)}`}`,
      roff(`${summary}.`),
      ...optionLines(options),
      ...examples.flatMap(([line, purpose], i) => [
        ...(i === 0 ? ['.P', 'Examples:'] : []),
        '.P',
        roff(`${purpose}:`),
        '.EX',
        roff(line),
        '.EE',
      ]),
    ]),
    '.SH OPTIONS OF EVERY COMMAND',
    ...optionLines(commonOptions),
    '.SH EXIT STATUS',
    ...[
      ['0', 'Nothing found.'],
      ['1', 'Findings.'],
      ['2', 'Something could not be judged.'],
      ['3', 'Error.'],
    ].flatMap(([code, meaning]) => ['.TP', `\\fB${code}\\fR`, meaning!]),
    '.SH FILES',
    '.TP',
    '\\fIsallyport.yaml\\fR',
    'The configuration, read from the working directory.',
  ].join('\n')}\n`;
}
