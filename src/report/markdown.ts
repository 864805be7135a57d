/** A comment for a pull request: the verdict in one line, the worst few, the rest folded. Never over GitHub's limit. */
import type { Excepted, Finding, Report, Unknown } from '#check/finding.ts';
import { severities } from '#check/severity.ts';
import { setAside, whoExcepts } from './excepted.ts';
import { gateOf } from './gate.ts';
import { pageUrl } from './links.ts';
import { Comment, cell } from './markdown-comment.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { count, objectName } from './safe.ts';

/** A bot finds its own comment by this line and replaces it. */
const MARKER = '<!-- sallyport -->';
const SHOWN = 10;
const UNKNOWNS_SHOWN = 20;
function row({ severity, check, object, message, file, line }: Finding): string {
  return `| ${severity} | [${check}](${pageUrl(check)}) | ${cell(objectName(object))} | ${cell(message)} | ${cell(file)}:${line} |`;
}

const HEAD = ['| Severity | Check | Object | What | Where |', '|---|---|---|---|---|'];

function unknownItem({ file, line, object, check, reason }: Unknown, times: number): string {
  const place = file === undefined ? '' : `${cell(file)}${line === undefined ? '' : `:${line}`} `;
  const who = object === undefined ? '' : `${cell(objectName(object))}: `;
  const which = check === undefined ? '' : `${cell(check)}: `;
  return `- ${place}${who}${which}${cell(reason)}${times > 1 ? ` (and ${times - 1} more)` : ''}`;
}

function verdict({ summary, findings }: Report, options: ReportOptions): string {
  const unknown = summary.unknowns > 0 ? `, ${summary.unknowns} could not be judged` : '';
  const gate = gateOf(summary, options);
  if (gate.is === 'shut by findings')
    return `❌ **Sallyport: ${count(gate.count, 'finding')} at or above ${gate.least}**${unknown}`;
  if (gate.is === 'shut by unknowns') return `⚠️ **Sallyport: ${gate.count} could not be judged**`;
  if (findings.length > 0)
    return `✅ **Sallyport: nothing that fails the gate** (${count(findings.length, 'finding')} below it${unknown})`;
  return `✅ **Sallyport: nothing found**${unknown}`;
}

function addUnknowns(comment: Comment, unknowns: readonly Unknown[]): void {
  if (unknowns.length === 0) return;
  const groups = [...Map.groupBy(unknowns, ({ reason }) => reason).values()];
  comment.fold(`${unknowns.length} could not be judged`);
  const shown = comment.addWhatFits(
    groups.slice(0, UNKNOWNS_SHOWN).map(list => unknownItem(list[0]!, list.length)),
  );
  if (shown < groups.length) comment.add(`- and ${count(groups.length - shown, 'other reason')}`);
  comment.unfold();
}

function addExcepted(comment: Comment, excepted: readonly Excepted[]): void {
  if (excepted.length === 0) return;
  comment.fold(`${excepted.length} excepted`);
  const shown = comment.addWhatFits(
    excepted.map(
      ({ finding, exception }) =>
        `- ${cell(finding.file)}:${finding.line} ${cell(finding.check)}, ${cell(objectName(finding.object))}: ${cell(whoExcepts(exception))}`,
    ),
  );
  if (shown < excepted.length) comment.add(`- and ${excepted.length - shown} more`);
  comment.unfold();
}

function addFindings(comment: Comment, sorted: readonly Finding[], start: number): void {
  const rest = sorted.slice(start);
  if (rest.length === 0) return;
  comment.fold(count(rest.length, 'more finding'));
  comment.add(...HEAD);
  const shown = comment.addWhatFits(rows(rest));
  if (shown < rest.length) comment.add('', `and ${rest.length - shown} more: they did not fit.`);
  comment.unfold();
}

function* rows(findings: readonly Finding[]): Generator<string> {
  for (const finding of findings) yield row(finding);
}

function render(report: Report, options: ReportOptions): string {
  const { summary, findings, unknowns } = report;
  const sorted = findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const counts = severities
    .filter(severity => summary.findings[severity] > 0)
    .map(severity => `${summary.findings[severity]} ${severity}`);
  const read = `${count(summary.objects, 'object')} in ${count(summary.files, 'file')}`;
  const comment = new Comment();
  comment.add(MARKER, verdict(report, options), '');
  const aside = setAside(report);
  comment.add(
    `${counts.length === 0 ? read : `${read}: ${counts.join(', ')}`}${aside === '' ? '' : `; set aside: ${aside}`}`,
  );
  let shown = 0;
  if (sorted.length > 0) {
    comment.add('', ...HEAD);
    shown = comment.addWhatFits(rows(sorted.slice(0, SHOWN)));
  }
  addUnknowns(comment, unknowns);
  addExcepted(comment, report.excepted ?? []);
  addFindings(comment, sorted, shown);
  return comment.text();
}

export default { render } satisfies Reporter;
