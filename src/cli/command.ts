/** The form of a command: one definition, from which help, parsing and completions all follow. */
import { nearest } from '#kube/nearest.ts';
import { UsageError } from './errors.ts';

export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What its value is called in help; a flag has none. */
  readonly value?: string;
  /** May be given more than once. */
  readonly many?: boolean;
  readonly choices?: readonly string[];
  readonly description: string;
}

export interface Command {
  /** The words that call it: `scan`, `pod-security levels`. */
  readonly name: string;
  readonly summary: string;
  /** What stands after the options: `[PATH…]`. */
  readonly operands?: string;
  readonly options: readonly Option[];
  /** Command lines that work, with what they are for. */
  readonly examples: readonly (readonly [command: string, purpose: string])[];
  /** Loads the code, so that a command costs nothing until it is called. */
  load(): Promise<{ run(input: Parsed): number | Promise<number> }>;
}

export interface Parsed {
  readonly operands: readonly string[];
  has(option: string): boolean;
  /** The value of an option, the last one where it was given several times. */
  value(option: string): string | undefined;
  values(option: string): readonly string[];
}

/** Options that every command has. */
export const commonOptions: readonly Option[] = [
  { name: 'help', short: 'h', description: 'Show this help' },
  { name: 'no-color', description: 'No colours, also where the terminal has them (NO_COLOR does the same)' },
  { name: 'quiet', short: 'q', description: 'Only results; no progress and no hints on standard error' },
];

/**
 * Takes a command line apart: `--name value`, `--name=value`, `-n value`, `-nvalue`, flags bundled as `-qv`, and
 * `--` before operands that begin with a dash. Its own few lines, for `util.parseArgs` costs 6 ms of every start.
 *
 * @throws UsageError for an unknown option, a missing or forbidden value, or one that is no choice
 */
export function parse(command: Command, words: readonly string[]): Parsed {
  const options = [...command.options, ...commonOptions];
  const given = new Map<string, string[]>();
  const operands: string[] = [];
  const set = (option: Option, rawName: string, value?: string): void => {
    const values = given.get(option.name) ?? [];
    given.set(option.name, values);
    if (value === undefined) return;
    check(option, rawName, value);
    values.push(value);
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--') {
      operands.push(...words.slice(i + 1));
      break;
    }
    if (word === '-' || !word.startsWith('-')) {
      operands.push(word);
      continue;
    }
    const { option, rawName, inline, rest } = split(command, word, options);
    if (option.value === undefined) {
      if (inline !== undefined) throw new UsageError(`${rawName} takes no value`);
      set(option, rawName);
      // Of a bundle of flags the others come next.
      if (rest !== undefined) words = words.toSpliced(i + 1, 0, `-${rest}`);
    } else {
      const value = inline ?? rest ?? words[++i];
      if (value === undefined || value === '')
        throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}`);
      // `--format --verbose` is a forgotten value, not a format of that name.
      if (inline === undefined && rest === undefined && value.length > 1 && value.startsWith('-'))
        throw new UsageError(
          `${rawName} needs a value: ${rawName} ${option.value}`,
          `for a value that begins with a dash write ${rawName}=${value}`,
        );
      set(option, rawName, value);
    }
  }
  return {
    operands,
    has: option => given.has(option),
    value: option => given.get(option)?.at(-1),
    values: option => given.get(option) ?? [],
  };
}

interface Split {
  readonly option: Option;
  readonly rawName: string;
  /** What stands behind an equals sign. */
  readonly inline?: string;
  /** What stands behind the letter of a short option. */
  readonly rest?: string;
}

function split(command: Command, word: string, options: readonly Option[]): Split {
  const equals = word.indexOf('=');
  const inline = equals < 0 ? {} : { inline: word.slice(equals + 1) };
  const rawName = equals < 0 ? word : word.slice(0, equals);
  if (word.startsWith('--')) {
    const option = options.find(({ name }) => name === rawName.slice(2));
    if (option === undefined) throw unknownOption(command, rawName, options);
    return { option, rawName, ...inline };
  }
  const option = options.find(({ short }) => short === word[1]);
  if (option === undefined) throw unknownOption(command, rawName, options);
  const rest = word.slice(2);
  if (rest.startsWith('=')) return { option, rawName: `-${word[1]}`, inline: rest.slice(1) };
  return { option, rawName: `-${word[1]}`, ...(rest === '' ? {} : { rest }) };
}

function check({ choices, many }: Option, rawName: string, value: string): void {
  if (choices === undefined) return;
  // Formats may name a file: `sarif=out.sarif`.
  const word = many === true ? value.split('=', 1)[0]! : value;
  if (choices.includes(word)) return;
  const meant = nearest(word, choices);
  throw new UsageError(
    `${rawName}: "${word}" is none of ${choices.join(', ')}`,
    meant === undefined ? undefined : `did you mean ${meant}?`,
  );
}

function unknownOption(command: Command, rawName: string, options: readonly Option[]): UsageError {
  const meant = nearest(
    rawName.replace(/^-+/, ''),
    options.map(({ name }) => name),
  );
  return new UsageError(
    `${command.name}: unknown option ${rawName}`,
    meant === undefined ? `sallyport ${command.name} --help lists them` : `did you mean --${meant}?`,
  );
}
