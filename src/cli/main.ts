/** The command line's door: finds the command, runs it, and turns whatever happens into an exit code. */
import { version } from '#judge/report.ts';
import { nearest } from '#kube/nearest.ts';
import { type Command, parse } from './command.ts';
import { commands } from './commands.ts';
import { EXIT, UsageError } from './errors.ts';
import { ClosedPipe, print, tell } from './output.ts';

/**
 * Runs one command line.
 *
 * @param words the arguments behind the program's name
 * @returns the exit code
 */
export async function main(words: readonly string[]): Promise<number> {
  try {
    return await dispatch(words);
  } catch (error) {
    if (error instanceof ClosedPipe) return EXIT.clean;
    if (process.env['SALLYPORT_DEBUG']) throw error;
    if (error instanceof UsageError) {
      tell(`sallyport: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`);
      return EXIT.error;
    }
    tell(
      `sallyport: something went wrong here, and it is not your fault: ${(error as Error).message}\n` +
        '  SALLYPORT_DEBUG=1 shows where; please report it with the input that caused it\n',
    );
    return EXIT.error;
  }
}

async function dispatch(words: readonly string[]): Promise<number> {
  const [first] = words;
  if (first === '--version' || first === '-V' || first === 'version') {
    print(`${version}\n`);
    return EXIT.clean;
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const named = find(words.slice(1));
    const { helpOf, overview } = await import('./help.ts');
    print(named === undefined ? overview(commands) : helpOf(named.command));
    return EXIT.clean;
  }
  const found = find(words);
  if (found === undefined) throw unknownCommand(words);
  const { command, rest } = found;
  if (rest.includes('--help') || rest.includes('-h')) {
    const { helpOf } = await import('./help.ts');
    print(helpOf(command));
    return EXIT.clean;
  }
  const parsed = parse(command, rest);
  const { run } = await command.load();
  return run(parsed);
}

function find(
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  for (const command of commands) {
    const name = command.name.split(' ');
    if (name.every((word, i) => words[i] === word)) return { command, rest: words.slice(name.length) };
  }
  return undefined;
}

function unknownCommand(words: readonly string[]): UsageError {
  const group = commands.filter(({ name }) => name.startsWith(`${words[0]} `));
  if (group.length > 0)
    return new UsageError(
      `${words[0]} needs one of: ${group.map(({ name }) => name.slice(words[0]!.length + 1)).join(', ')}`,
      `for example: ${group[0]!.examples[0]?.[0] ?? ''}`,
    );
  const meant = nearest(
    words[0]!,
    commands.flatMap(({ name }) => [name, name.split(' ')[0]!]),
  );
  return new UsageError(
    `"${words[0]}" is no command`,
    meant === undefined ? 'sallyport --help lists them' : `did you mean ${meant}?`,
  );
}
