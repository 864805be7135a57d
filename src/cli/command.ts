/** The form of a command: one definition, from which help, parsing and completions all follow. */
import { parseArgs } from 'node:util';
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

/** @throws UsageError for an unknown option, a missing or forbidden value, or one that is no choice */
export function parse(command: Command, words: readonly string[]): Parsed {
  const options = [...command.options, ...commonOptions];
  const { tokens, positionals } = parseArgs({
    args: words.map(word => (word === '-' ? '-' : word)),
    options: Object.fromEntries(
      options.map(({ name, short, value, many }) => [
        name,
        {
          type: value === undefined ? ('boolean' as const) : ('string' as const),
          ...(short === undefined ? {} : { short }),
          ...(many === true ? { multiple: true } : {}),
        },
      ]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = options.find(({ name }) => name === token.name);
    if (option === undefined) throw unknownOption(command, token.rawName, options);
    const values = given.get(option.name) ?? [];
    given.set(option.name, values);
    if (option.value === undefined) {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    } else {
      if (token.value === undefined || token.value === '')
        throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${option.value}`);
      // `--format --verbose` is a forgotten value, not a format of that name.
      if (token.inlineValue === false && token.value.length > 1 && token.value.startsWith('-'))
        throw new UsageError(
          `${token.rawName} needs a value: ${token.rawName} ${option.value}`,
          `for a value that begins with a dash write ${token.rawName}=${token.value}`,
        );
      check(option, token.rawName, token.value);
      values.push(token.value);
    }
  }
  return {
    operands: positionals,
    has: option => given.has(option),
    value: option => given.get(option)?.at(-1),
    values: option => given.get(option) ?? [],
  };
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
