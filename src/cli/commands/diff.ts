/** `sallyport diff`: what a change does to security. */
import type { Severity } from '#check/severity.ts';
import { comparisonReporter } from '#report/comparison.ts';
import { gateOf } from '#report/gate.ts';
import type { Parsed } from '../command.ts';
import { type Compared, compared } from '../compared.ts';
import { EXIT } from '../errors.ts';
import { rendered, type WantedReport, wantedReports, writeWanted } from '../reporting.ts';
import { twoSides } from '../two-sides.ts';

export async function run(parsed: Parsed): Promise<number> {
  const wanted = wantedReports(parsed);
  const { base, head, paths } = await twoSides(parsed.operands, 'diff');
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
