/** A comment for a pull request: the verdict in one line, the worst few, the rest folded. Never over GitHub's limit. */
import type { Finding, Report } from '#check/finding.ts';
import { atLeast, severities } from '#check/severity.ts';
import { pageUrl } from './links.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { count, objectName, safe } from './safe.ts';

/** A bot finds its own comment by this line and replaces it. */
const MARKER = '<!-- sallyport -->';
const LIMIT = 60_000;
const SHOWN = 10;

/** Text in a table cell: nothing of it may become markup, a link or a mention. */
function cell(text: string): string {
  return safe(text)
    .replace(/[\\`*_{}[\]()#+!|~]/g, character => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u2060');
}

function row({ severity, check, object, message, file, line }: Finding): string {
  return `| ${severity} | [${check}](${pageUrl(check)}) | ${cell(objectName(object))} | ${cell(message)} | ${cell(file)}:${line} |`;
}

const HEAD = ['| Severity | Check | Object | What | Where |', '|---|---|---|---|---|'];

function verdict({ summary, findings }: Report, { failOn, allowUnknown }: ReportOptions): string {
  const failing = failOn === 'never' ? [] : findings.filter(({ severity }) => atLeast(severity, failOn));
  const unknown = summary.unknowns > 0 ? `, ${summary.unknowns} could not be judged` : '';
  if (failing.length > 0)
    return `❌ **Sallyport: ${count(failing.length, 'finding')} at or above ${failOn}**${unknown}`;
  if (summary.unknowns > 0 && !allowUnknown)
    return `⚠️ **Sallyport: ${summary.unknowns} could not be judged**`;
  if (findings.length > 0)
    return `✅ **Sallyport: nothing that fails the gate** (${count(findings.length, 'finding')} below it${unknown})`;
  return `✅ **Sallyport: nothing found**${unknown}`;
}

function render(report: Report, options: ReportOptions): string {
  const { summary, findings, unknowns } = report;
  const sorted = findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const counts = severities
    .filter(severity => summary.findings[severity] > 0)
    .map(severity => `${summary.findings[severity]} ${severity}`);
  const lines = [
    MARKER,
    verdict(report, options),
    '',
    `${count(summary.objects, 'object')} in ${count(summary.files, 'file')}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`,
  ];
  let size = lines.join('\n').length;
  const room = (text: string) => {
    size += text.length + 1;
    return size < LIMIT - 500;
  };
  const table = (list: readonly Finding[]): number => {
    let shown = 0;
    for (const finding of list) {
      const text = row(finding);
      if (!room(text)) break;
      lines.push(text);
      shown++;
    }
    return shown;
  };
  if (sorted.length > 0) {
    lines.push('', ...HEAD);
    table(sorted.slice(0, SHOWN));
  }
  const rest = sorted.slice(SHOWN);
  if (rest.length > 0) {
    lines.push('', `<details><summary>${count(rest.length, 'more finding')}</summary>`, '', ...HEAD);
    const shown = table(rest);
    if (shown < rest.length) lines.push('', `and ${rest.length - shown} more: they did not fit.`);
    lines.push('', '</details>');
  }
  if (unknowns.length > 0) {
    lines.push('', `<details><summary>${unknowns.length} could not be judged</summary>`, '');
    let shown = 0;
    for (const { file, line, object, reason } of unknowns) {
      const place = `${cell(file ?? '')}${line === undefined ? '' : `:${line}`}`;
      const text = `- ${place} ${object === undefined ? '' : `${cell(objectName(object))}: `}${cell(reason)}`;
      if (!room(text)) break;
      lines.push(text);
      shown++;
    }
    if (shown < unknowns.length) lines.push(`- and ${unknowns.length - shown} more`);
    lines.push('', '</details>');
  }
  return `${lines.join('\n')}\n`;
}

export default { name: 'markdown', description: 'a comment for a pull request', render } satisfies Reporter;
