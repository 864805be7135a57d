/** `sallyport scan`: judges what is written. */
import { readFileSync } from 'node:fs';
import type { Report } from '#check/finding.ts';
import { atLeast, type Severity, severities } from '#check/severity.ts';
import { reportOf } from '#judge/report.ts';
import { type Judged, scan } from '#judge/scan.ts';
import { checks } from '#practices/index.ts';
import { formats } from '#report/formats.ts';
import type { ReportOptions } from '#report/reporter.ts';
import type { Manifests } from '#sources/manifests/manifests.ts';
import { World } from '#world/world.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT, UsageError } from '../errors.ts';
import { readInput } from '../input.ts';
import { isTerminal, print, tell, writeWhole } from '../output.ts';
import { selection } from '../selection.ts';
import { minorOf } from '../version-range.ts';

export async function run(parsed: Parsed): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => checks);
  const selected = selection(parsed, config);
  const manifests = await readInput(parsed, parsed.operands, config.ignore);
  const world = new World({
    declared: manifests.declared,
    gaps: manifests.gaps,
    kubernetesMinor: minorOf(
      parsed.value('target-kubernetes') ?? config.targetKubernetes,
      '--target-kubernetes',
    ),
  });
  const judged = scan(world, selected);
  const report = reportOf({
    ...judged,
    files: manifests.files.length,
    documents: manifests.files.reduce((sum, { documents }) => sum + documents, 0),
    objects: manifests.declared.length,
    selected,
  });
  const failOn = (parsed.value('fail-on') as Severity | 'never' | undefined) ?? config.failOn ?? 'high';
  const allowUnknown = parsed.has('allow-unknown') || config.allowUnknown === true;
  await write(parsed, report, { failOn, allowUnknown, diff: await differ(parsed, judged) });
  return exitCode(report, manifests, failOn, allowUnknown, parsed);
}

/** Diffs are worked out for the findings that a report shows, and a page need not show them for thousands. */
const MAX_DIFFS = 500;

/** Loads the editor only where there is something to mend, and a report that shows it. */
async function differ(parsed: Parsed, { findings, declared }: Judged): Promise<ReportOptions['diff']> {
  const formats = parsed.values('format').map(word => word.split('=', 1)[0]);
  const shows = formats.length === 0 || formats.includes('text') || formats.includes('html');
  if (!shows || !findings.some(({ fix }) => fix !== undefined)) return () => undefined;
  const { fixDiff } = await import('../fixes.ts');
  let left = MAX_DIFFS;
  return finding => (left-- > 0 ? fixDiff(finding, declared.get(finding)) : undefined);
}

async function write(
  parsed: Parsed,
  report: Report,
  gate: Pick<ReportOptions, 'failOn' | 'allowUnknown' | 'diff'>,
): Promise<void> {
  const terminal = isTerminal();
  const output = parsed.value('output');
  const wanted = parsed.values('format').map(word => {
    const equals = word.indexOf('=');
    return equals < 0
      ? { format: word, file: output }
      : { format: word.slice(0, equals), file: word.slice(equals + 1) };
  });
  if (wanted.length === 0) wanted.push({ format: 'text', file: output });
  if (wanted.filter(({ file }) => file === undefined).length > 1)
    throw new UsageError(
      'only one report can go to standard output',
      'give the others a file: --format sarif=out.sarif',
    );
  const texts = await Promise.all(
    wanted.map(async ({ format, file }) => {
      const { load } = formats.find(({ name }) => name === format)!;
      const reporter = await load();
      const color = file === undefined && terminal && !parsed.has('no-color') && !process.env['NO_COLOR'];
      const text = reporter.render(report, {
        color,
        width: terminal ? Math.min(process.stdout.columns || 80, 120) : 80,
        verbose: parsed.has('verbose'),
        ...gate,
        time: new Date().toISOString(),
        source: sourceLines(report),
        ...(terminal ? { milliseconds: Math.round(performance.now()) } : {}),
      });
      return { file, text };
    }),
  );
  for (const { file, text } of texts) if (file !== undefined) writeWhole(file, text);
  for (const { file, text } of texts) if (file === undefined) print(text);
}

/**
 * Lines of the files that findings are in: each file is read again only when a report shows a line of it. Lines that
 * hold a secret are never shown, not even beside another finding.
 */
function sourceLines({ findings }: Report): ReportOptions['source'] {
  const secrets = Map.groupBy(
    findings.filter(({ sensitive }) => sensitive === true).flatMap(({ occurrences }) => occurrences),
    ({ file }) => file,
  );
  const files = new Map<string, readonly (string | undefined)[]>();
  return (file, line) => {
    let lines = files.get(file);
    if (lines === undefined) {
      lines = readLines(file);
      for (const secret of secrets.get(file) ?? []) lines = withoutBlock(lines, secret.line - 1);
      files.set(file, lines);
    }
    return lines[line - 1];
  };
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
}

/** Without a line and all that is indented deeper below it: a secret may go on over a block. */
function withoutBlock(lines: readonly (string | undefined)[], at: number): readonly (string | undefined)[] {
  const indent = lines[at]?.search(/\S/) ?? 0;
  let end = at + 1;
  while (
    end < lines.length &&
    (lines[end] === undefined || lines[end]!.trim() === '' || lines[end]!.search(/\S/) > indent)
  )
    end++;
  return lines.map((line, index) => (index >= at && index < end ? undefined : line));
}

function exitCode(
  report: Report,
  manifests: Manifests,
  failOn: Severity | 'never',
  allowUnknown: boolean,
  parsed: Parsed,
): number {
  if (
    failOn !== 'never' &&
    severities.some(severity => atLeast(severity, failOn) && report.summary.findings[severity] > 0)
  )
    return EXIT.findings;
  if (manifests.declared.length === 0 && manifests.gaps.length === 0) {
    if (!parsed.has('quiet')) tell('sallyport: no Kubernetes objects found, so nothing was judged\n');
    return allowUnknown ? EXIT.clean : EXIT.unknown;
  }
  return report.summary.unknowns > 0 && !allowUnknown ? EXIT.unknown : EXIT.clean;
}
