/** The help texts, made from the definitions of the commands. */
import { type Command, commonOptions, type Option } from './command.ts';

const WIDTH = 80;

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return [
    'sallyport: two gates for Kubernetes, one in the pipeline, one before the cluster',
    '',
    'Usage: sallyport COMMAND [OPTIONS] [ARGUMENTS]',
    '',
    ...commands.flatMap(({ name, summary }) => wrapped(name.padEnd(width), summary)),
    '',
    'sallyport COMMAND --help shows options and examples; sallyport --version the version.',
    'Exit codes: 0 nothing found, 1 findings, 2 something could not be judged, 3 error.',
    '',
  ].join('\n');
}

export function helpOf(command: Command): string {
  const usage = ['[OPTIONS]', command.operands].filter(Boolean).join(' ');
  const options = [...command.options, ...commonOptions];
  const labels = options.map(label);
  const width = Math.min(34, Math.max(...labels.map(({ length }) => length)) + 2);
  return [
    `${command.summary}.`,
    '',
    ...wrapped(`Usage: sallyport ${command.name} `, usage).map(line => line.slice(2)),
    '',
    'Options:',
    ...options.flatMap((option, i) => described(labels[i]!, option, width)),
    ...(command.examples.length === 0 ? [] : ['', 'Examples:']),
    ...command.examples.flatMap(([line, purpose]) => [`  # ${purpose}`, `  ${line}`]),
    '',
  ].join('\n');
}

function label({ name, short, value }: Option): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

function described(name: string, { description, choices }: Option, width: number): string[] {
  const text = choices === undefined ? description : `${description}: ${choices.join(', ')}`;
  return name.length + 2 > width
    ? [`  ${name}`, ...wrapped(' '.repeat(width), text)]
    : wrapped(name.padEnd(width), text);
}

function wrapped(head: string, text: string): string[] {
  const room = WIDTH - head.length - 2;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((part, i) => `  ${i === 0 ? head : ' '.repeat(head.length)}${part}`);
}
