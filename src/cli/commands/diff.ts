/** `sallyport diff`: what a change does to security. */
import type { Severity } from '#check/severity.ts';
import { comparisonReporter } from '#report/comparison.ts';
import { gateOf } from '#report/gate.ts';
import type { Parsed } from '../command.ts';
import { type Compared, compared } from '../compared.ts';
import { EXIT, UsageError } from '../errors.ts';
import { rendered, type WantedReport, wantedReports, writeWanted } from '../reporting.ts';

export async function run(parsed: Parsed): Promise<number> {
  const wanted = wantedReports(parsed);
  const { base, head, paths } = await named(parsed.operands);
  return report(parsed, await compared(parsed, base, head, paths), wanted);
}

/** Writes a comparison, and says whether it shuts the gate. */
export async function report(
  parsed: Parsed,
  { comparison, config, linesOf }: Compared,
  wanted: readonly WantedReport[],
  alsoMarkdown?: (text: string) => void,
): Promise<number> {
  const failOn = (parsed.value('fail-on') as Severity | 'never' | undefined) ?? config.failOn ?? 'high';
  const allowUnknown = parsed.has('allow-unknown') || config.allowUnknown === true;
  const gate = { failOn, allowUnknown, diff: () => undefined };
  const reporterOf = (format: string) => comparisonReporter(comparison, format);
  await writeWanted(wanted, parsed, comparison.report, gate, reporterOf, linesOf);
  if (alsoMarkdown !== undefined)
    alsoMarkdown(await rendered('markdown', parsed, comparison.report, gate, reporterOf, linesOf));
  switch (gateOf(comparison.report.summary, { failOn, allowUnknown }).is) {
    case 'shut by findings':
      return EXIT.findings;
    case 'shut by unknowns':
      return EXIT.unknown;
    default:
      return EXIT.clean;
  }
}

interface Named {
  readonly base: string;
  readonly head: string;
  readonly paths: readonly string[];
}

/** `BASE HEAD`, `BASE..HEAD`, or `BASE...HEAD`: from where the two parted. */
async function named([first, ...rest]: readonly string[]): Promise<Named> {
  const dots = /^(.*?)(\.{2,3})(?![./])(.*)$/.exec(first ?? '');
  if (dots !== null && dots[1] !== '' && !dots[1]!.endsWith('/')) {
    const [, a, kind, b] = dots as unknown as [string, string, string, string];
    const head = b === '' ? 'HEAD' : b;
    return { base: kind === '...' ? await parting(a, head) : a, head, paths: rest };
  }
  const [second, ...paths] = rest;
  if (first === undefined || second === undefined)
    throw new UsageError(
      'diff compares two things',
      'for example: sallyport diff main HEAD, sallyport diff origin/main...HEAD, sallyport diff old/ new/',
    );
  return { base: first, head: second, paths };
}

async function parting(a: string, b: string): Promise<string> {
  const { GitError, Repository } = await import('#sources/git/repository.ts');
  const repository = Repository.find(process.cwd());
  if (repository === undefined)
    throw new UsageError(`${a}...${b} asks for commits, and here is no Git repository`);
  try {
    return repository.mergeBase(repository.commit(a), repository.commit(b)).slice(0, 12);
  } catch (error) {
    if (error instanceof GitError) throw new UsageError(error.message);
    throw error;
  }
}
