/** `sallyport scan`: judges what is written. */
import type { Report } from '#check/finding.ts';
import { atLeast, type Severity, severities } from '#check/severity.ts';
import type { Judged } from '#judge/scan.ts';
import { formatPath } from '#kube/objects.ts';
import { checks } from '#practices/index.ts';
import type { ReportOptions } from '#report/reporter.ts';
import { count, safe } from '#report/safe.ts';
import type { Manifests } from '#sources/manifests/manifests.ts';
import { ManifestOrigin } from '#sources/manifests/origin.ts';
import type { Parsed } from '../command.ts';
import { readConfig } from '../config.ts';
import { EXIT } from '../errors.ts';
import { readInput } from '../input.ts';
import { judgeManifests, reportOfRun } from '../judging.ts';
import { tell } from '../output.ts';
import { rendered, type WantedReport, wantedReports, writeWanted } from '../reporting.ts';
import { honoredTools, selection } from '../selection.ts';
import { minorOf } from '../version-range.ts';

export function run(parsed: Parsed): Promise<number> {
  return scanInto(parsed, wantedReports(parsed));
}

/** @param alsoMarkdown is given the report as Markdown too */
export async function scanInto(
  parsed: Parsed,
  wanted: readonly WantedReport[],
  alsoMarkdown?: (text: string) => void,
): Promise<number> {
  const config = await readConfig(parsed.value('config'), process.cwd(), async () => checks);
  const selected = selection(parsed, config);
  const minor = minorOf(parsed.value('target-kubernetes') ?? config.targetKubernetes, '--target-kubernetes');
  const honored = honoredTools(parsed);
  const known = parsed.value('baseline') ?? config.baseline;
  const baselines = known === undefined ? undefined : await import('../baselines.ts');
  const baseline = baselines?.readBaseline(known!);
  const manifests = await readInput(parsed, parsed.operands, config);
  const judging = await judgeManifests(manifests, selected, config, minor, honored);
  const { report, judged, gone } = reportOfRun(judging, baseline, isWhole(parsed));
  const failOn = (parsed.value('fail-on') as Severity | 'never' | undefined) ?? config.failOn ?? 'high';
  const allowUnknown = parsed.has('allow-unknown') || config.allowUnknown === true;
  const gate = {
    failOn,
    allowUnknown,
    diff: await differ(parsed, judged),
    ...(parsed.has('show-rendered') ? { rendered: await renderedLines(judged) } : {}),
  };
  await writeWanted(wanted, parsed, report, gate);
  if (alsoMarkdown !== undefined) alsoMarkdown(await rendered('markdown', parsed, report, gate));
  if (gone.length > 0 && !parsed.has('quiet')) {
    const { isAsked, isJudged } = baselines!.reachOf(judging, parsed);
    const stale = gone.filter(entry => isAsked(entry) && isJudged(entry)).length;
    // What is mended and still accepted could come back unseen.
    if (stale > 0)
      tell(
        `sallyport: ${count(stale, 'line')} of ${safe(known!)} ${stale === 1 ? 'matches' : 'match'} nothing any more: sallyport baseline update takes ${stale === 1 ? 'it' : 'them'} out\n`,
      );
  }
  return exitCode(report, manifests, failOn, allowUnknown, parsed);
}

/** Whether everything below the working directory was read. */
export function isWhole(parsed: Parsed): boolean {
  const { operands } = parsed;
  return !parsed.has('environment') && (operands.length === 0 || operands.includes('.'));
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

/** Around the place of a finding, so many lines before and behind it. */
const CONTEXT = 2;

async function renderedLines({ declared }: Judged): Promise<NonNullable<ReportOptions['rendered']>> {
  const { objectLines } = await import('../object-lines.ts');
  return finding => {
    const one = declared.get(finding);
    if (one === undefined || one.origin instanceof ManifestOrigin) return undefined;
    const lines = objectLines(one);
    const wanted = finding.path;
    // The place itself, or the deepest thing above it that is there.
    let [at, length] = [-1, -1];
    lines.forEach(({ path }, line) => {
      const shown = formatPath(path);
      const isOn = wanted === shown || wanted.startsWith(`${shown}.`) || wanted.startsWith(`${shown}[`);
      if (isOn && shown.length > length) [at, length] = [line, shown.length];
    });
    if (at < 0) return undefined;
    const from = Math.max(0, at - CONTEXT);
    return lines
      .slice(from, at + CONTEXT + 1)
      .map(({ text }, i) => ({ line: from + i + 1, text, marked: from + i === at }));
  };
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
