/** The help texts, made from the definitions of the commands. */
import { type Command, commonOptions, type Option } from './command.ts';
import { wrap } from './wrap.ts';

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

/** Text beside a label, indented by two. */
function wrapped(head: string, text: string): string[] {
  return wrap(text, `  ${head}`, ' '.repeat(head.length + 2));
}
