/** The comment on a pull request: a verdict in one line, the few lines that matter, the rest folded. */
import type { Comparison, SecurityChange } from '#check/comparison.ts';
import type { Finding, Unknown } from '#check/finding.ts';
import { severities } from '#check/severity.ts';
import { isQuiet } from './comparison-text.ts';
import { whoExcepts } from './excepted.ts';
import { gateOf } from './gate.ts';
import { pageUrl } from './links.ts';
import { Comment, cell } from './markdown-comment.ts';
import type { ReportOptions } from './reporter.ts';
import { count, objectName } from './safe.ts';

/** A bot finds its own comment by this line and replaces it. */
const MARKER = '<!-- sallyport-diff -->';
const SHOWN = 10;
const REST_SHOWN = 400;
/** What could not be judged shuts the gate: it is said before what is only more of the same. */
const UNKNOWNS_SHOWN = 20;

export function comparisonMarkdown(comparison: Comparison, options: ReportOptions): string {
  const { changes, base, head, objects, unknowns, fixed, excepted } = comparison;
  const comment = new Comment(
    `Compared: ${cell(base.name)} → ${cell(head.name)}: ${objects.added} added, ${objects.removed} removed, ${objects.changed} changed; ${comparison.unchanged} findings unchanged`,
  );
  comment.add(MARKER, verdict(comparison, options), '');
  const worse = changes.filter(({ direction }) => direction === 'worse');
  const matter = [
    ...worse.map(change => ({
      severity: change.severity,
      guard: isGuard(change),
      line: () => changeLine(change),
    })),
    ...comparison.new.map(finding => ({
      severity: finding.severity,
      guard: false,
      line: () => findingLine(finding),
    })),
  ].toSorted(
    (a, b) =>
      Number(b.guard) - Number(a.guard) || severities.indexOf(a.severity) - severities.indexOf(b.severity),
  );
  const first = comment.addWhatFits(matter.slice(0, SHOWN).map(({ line }) => line()));
  const fold = <Item>(
    title: string,
    items: readonly Item[],
    line: (item: Item) => string,
    most = REST_SHOWN,
  ) => {
    if (items.length === 0) return;
    comment.fold(title);
    const shown = comment.addWhatFits(items.slice(0, most).map(line));
    if (shown < items.length) comment.add(`- and ${items.length - shown} more: they did not fit`);
    comment.unfold();
  };
  fold(`${unknowns.length} could not be judged`, unknowns, unknownLine, UNKNOWNS_SHOWN);
  fold(`${matter.length - first} more for the worse`, matter.slice(first), ({ line }) => line());
  fold(
    `${excepted.length} newly excepted`,
    excepted,
    ({ finding, exception }) =>
      `- ${cell(finding.check)} at ${cell(finding.file)}:${finding.line}: ${cell(whoExcepts(exception))}`,
  );
  const better = [
    ...changes.filter(({ direction }) => direction === 'better').map(change => () => changeLine(change)),
    ...fixed.map(finding => () => findingLine(finding)),
  ];
  fold(`${better.length} for the better`, better, line => line());
  const neutral = changes.filter(({ direction }) => direction === 'neutral');
  fold(`${neutral.length} also changed`, neutral, changeLine);
  return comment.text();
}

function unknownLine({ file, line, object, reason }: Unknown): string {
  const place = file === undefined ? '' : `${cell(file)}:${line ?? 1} `;
  return `- ${place}${object === undefined ? '' : `${cell(objectName(object))}: `}${cell(reason)}`;
}

function isGuard({ kind }: SecurityChange): boolean {
  return kind === 'cicd/weakened-guard';
}

function verdict(comparison: Comparison, options: ReportOptions): string {
  const gate = gateOf(comparison.report.summary, options);
  const fixed = comparison.fixed.length > 0 ? `, ${comparison.fixed.length} fixed` : '';
  if (isQuiet(comparison)) return '✅ **Sallyport: no security-relevant change**';
  if (gate.is === 'shut by findings')
    return `❌ **Sallyport: this change makes ${count(gate.count, 'thing')} worse at or above ${gate.least}**${fixed}`;
  if (gate.is === 'shut by unknowns')
    return `⚠️ **Sallyport: ${gate.count} of this change could not be judged**${fixed}`;
  const below = comparison.report.findings.length;
  return below === 0
    ? `✅ **Sallyport: nothing gets worse**${fixed}`
    : `✅ **Sallyport: nothing that fails the gate** (${below} below it)${fixed}`;
}

function changeLine({ direction, severity, kind, object, text, file, line }: SecurityChange): string {
  const level = direction === 'worse' ? `**${severity}** ` : '';
  return `- ${level}${cell(kind)}: ${cell(objectName(object))}: ${cell(text)} (${cell(file)}:${line})`;
}

function findingLine({ severity, check, object, message, file, line }: Finding): string {
  return `- **${severity}** [${check}](${pageUrl(check)}): ${cell(objectName(object))}: ${cell(message)} (${cell(file)}:${line})`;
}
