/** `sallyport exceptions`: what somebody takes upon himself, and until when. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Exception } from '#check/exception.ts';
import { daysBetween, type ExceptionState, isDate, recordOf } from '#judge/exceptions.ts';
import { foreignExceptions, foreignTools, type Unturned } from '#judge/foreign-exceptions.ts';
import { type SettingsFile, settingsExceptions, settingsNames } from '#judge/foreign-settings.ts';
import { toJson } from '#kube/json.ts';
import { checks } from '#practices/index.ts';
import { count, safe } from '#report/safe.ts';
import { Locator } from '#yaml/locate.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { judgeManifests, today, wasJudged } from '../judging.ts';
import { print, tell } from '../output.ts';
import { honoredTools, selection } from '../selection.ts';
import { minorOf } from '../version-range.ts';

export async function list(parsed: Parsed): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => checks);
  const within = daysOf(parsed.value('expiring'));
  const honored = honoredTools(parsed);
  // Whether an exception is of use is asked of every check, not only of those that run by default.
  const profile = parsed.value('profile') ?? 'all';
  const selected = selection(withProfile(parsed, profile), config);
  const manifests = await readInput(parsed, parsed.operands, config);
  const minor = minorOf(parsed.value('target-kubernetes') ?? config.targetKubernetes, '--target-kubernetes');
  const judging = await judgeManifests(manifests, selected, config, minor, honored);
  const { exceptions } = judging;
  const day = today();
  const states = exceptions
    .states(wasJudged(judging))
    .filter(
      ({ exception: { until } }) =>
        within === undefined || (until !== undefined && daysBetween(day, until) <= within),
    );
  if (parsed.value('format') === 'json')
    print(
      toJson({
        exceptions: states.map(({ exception, state }) => ({
          ...recordOf(exception),
          scope: exception.scope,
          state,
        })),
        problems: exceptions.problems,
      }),
    );
  else print(text(states, day));
  for (const { file, line, message, hint } of exceptions.problems)
    tell(`${safe(file)}:${line}: ${safe(message)}${hint === undefined ? '' : `: ${safe(hint)}`}\n`);
  return exceptions.problems.length > 0 ? EXIT.findings : EXIT.clean;
}

function withProfile(parsed: Parsed, profile: string): Parsed {
  return { ...parsed, value: option => (option === 'profile' ? profile : parsed.value(option)) };
}

function daysOf(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const days = /^(\d{1,5})d?$/.exec(word)?.[1];
  if (days === undefined)
    throw new UsageError(`--expiring: "${word}" is no number of days`, 'write it like 30d');
  return Number(days);
}

function text(
  states: readonly { readonly exception: Exception; readonly state: ExceptionState }[],
  day: string,
): string {
  const lines = states.flatMap(({ exception, state }) => {
    const { check, file, line, reason, owner, until, ticket } = exception;
    const end =
      until === undefined
        ? 'no end'
        : until < day
          ? `ended ${until}`
          : `until ${until} (${count(daysBetween(day, until), 'day')})`;
    return [
      `${safe(file)}:${line} ${check}: ${state}, ${end}`,
      `  ${safe(owner)}${ticket === undefined ? '' : ` ${safe(ticket)}`}: ${safe(reason)}`,
    ];
  });
  const by = (state: ExceptionState) => states.filter(one => one.state === state).length;
  const counts = (['used', 'unused', 'unknown', 'expired', 'refused'] as const)
    .filter(state => by(state) > 0)
    .map(state => `${by(state)} ${state}`);
  lines.push(`${count(states.length, 'exception')}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`);
  return `${lines.join('\n')}\n`;
}

export async function importForeign(parsed: Parsed): Promise<number> {
  const owner = parsed.value('owner');
  if (owner === undefined)
    throw new UsageError('other tools do not say who answers for an exception', 'add --owner @team');
  const until = parsed.value('until');
  if (until !== undefined && !isDate(until))
    throw new UsageError(`--until: "${until}" is no date`, 'write it like 2027-01-31');
  const named = honoredTools(parsed, 'from');
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => checks);
  const tools = named.length === 0 ? foreignTools : named;
  const manifests = await readInput(parsed, parsed.operands, config);
  const { declared, comments, files } = manifests;
  const left: Unturned[] = [];
  const unturned = (one: Unturned) => void left.push(one);
  const found = foreignExceptions(declared, comments, tools, checks, unturned);
  for (const settings of await foreignFiles(parsed.values('settings')))
    try {
      const options = { checks, tools, files: files.map(({ file }) => file), unturned };
      found.push(...settingsExceptions(settings, options));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new UsageError(`${settings.file}: it makes ${error.message}, which nobody could review`);
    }
  // What excepts nothing would only be a finding of its own; where that is not known, it stays.
  const selected = selection(withProfile(parsed, 'all'), config);
  const minor = minorOf(parsed.value('target-kubernetes') ?? config.targetKubernetes, '--target-kubernetes');
  const judging = await judgeManifests(manifests, selected, { ...config, exceptions: found }, minor);
  const own = new Set(found);
  const needed = judging.exceptions
    .states(wasJudged(judging))
    .flatMap(({ exception, state }) => (own.has(exception) && state !== 'unused' ? exception : []));
  const records = [...new Set(needed.map(one => asYaml(one, owner, until)))];
  print(records.length === 0 ? '' : `exceptions:\n${records.join('')}`);
  if (parsed.has('quiet')) return EXIT.clean;
  for (const { tool, file, line, why } of left)
    tell(`${safe(file)}:${line}: not turned (${tool}): ${safe(why)}\n`);
  if (needed.length < found.length)
    tell(`${count(found.length - needed.length, 'mark')} left out: nothing here that they would except\n`);
  tell(
    records.length === 0
      ? 'No marks of other tools that except a finding of ours.\n'
      : `${count(records.length, 'exception')}: review them, and paste them into sallyport.yaml.\n`,
  );
  return EXIT.clean;
}

const MAX_SETTINGS = 1024 * 1024;

/**
 * The settings of other tools in the working directory, and those that somebody names.
 *
 * @throws UsageError for a named one that is not there, and for YAML that cannot be read
 */
async function foreignFiles(named: readonly string[]): Promise<SettingsFile[]> {
  const found: SettingsFile[] = [];
  for (const file of new Set([...settingsNames.filter(name => existsSync(name)), ...named])) {
    let text: string;
    try {
      const stats = statSync(file);
      if (!stats.isFile()) throw new Error('it is no file');
      if (stats.size > MAX_SETTINGS) throw new Error('it is larger than 1 MiB');
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new UsageError(`${file} could not be read: ${(error as Error).message}`);
    }
    if (!/\.ya?ml$/.test(file)) {
      found.push({ file, text });
      continue;
    }
    const { readDocuments } = await import('#yaml/read.ts');
    for (const document of readDocuments(text)) {
      if (document.is === 'error')
        throw new UsageError(
          `${file}:${document.line}:${document.column}: not valid YAML: ${document.message}`,
        );
      if (document.is !== 'value') continue;
      const locator = new Locator(text, document);
      found.push({
        file,
        data: document.value,
        lineOf: path => {
          const { located } = locator.nearest(path);
          return (located.key ?? located.value).line;
        },
      });
    }
  }
  return found;
}

/** Lines are no scope that outlives an edit, so a comment's exception is confined to its file. */
function asYaml(
  { check, reason, source, file, scope, until: own }: Exception,
  owner: string,
  until?: string,
): string {
  const { lines, file: scoped = lines === undefined ? undefined : file, ...rest } = scope;
  const end = until ?? own;
  const entries = Object.entries({
    check,
    ...(scoped === undefined ? {} : { file: scoped }),
    ...rest,
    reason: reason.startsWith('as said to ') ? reason : `${reason} (from ${source})`,
    owner,
    ...(end === undefined ? {} : { until: end }),
  });
  return entries
    .map(([key, value], i) => `${i === 0 ? '  - ' : '    '}${key}: ${JSON.stringify(value)}\n`)
    .join('');
}
