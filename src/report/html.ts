/** One self-contained page: searchable, in light and dark, with no network and nothing of the input that could run. */
import type { Excepted, Finding, Report, Unknown } from '#check/finding.ts';
import { practices } from '#check/practices.ts';
import { type Severity, severities } from '#check/severity.ts';
import { setAside, whoExcepts } from './excepted.ts';
import { gateOf, gateSentence } from './gate.ts';
import { SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from './html-assets.ts';
import { pageUrl } from './links.ts';
import { xml } from './markup.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { count, objectName, shorten } from './safe.ts';

/** The page loads nothing, sends nothing, and runs and wears only its own, whatever stands in the data. */
const POLICY = `default-src 'none'; style-src '${STYLE_HASH}'; script-src '${SCRIPT_HASH}'; base-uri 'none'; form-action 'none'`;

/** So many findings are shown unfolded, and so many with their source: more are easier to grasp as a list of checks. */
const UNFOLDED = 30;
const UNFOLDED_WHOLE = 10;
const PLACES_SHOWN = 50;
const REASONS_SHOWN = 5;
const LINE_LENGTH = 400;
/** Lines of source before and after the marked one. */
const CONTEXT = 2;

function source(
  { file, line, column, endLine, endColumn, sensitive }: Finding,
  options: ReportOptions,
): string {
  if (sensitive) return '';
  const lines: string[] = [];
  for (let at = Math.max(1, line - CONTEXT); at <= line + CONTEXT; at++) {
    const text = options.source(file, at)?.slice(0, LINE_LENGTH);
    if (text === undefined) continue;
    const number = String(at).padStart(5);
    if (at !== line) lines.push(`${number}  ${xml(text)}`);
    else {
      const end = endLine === line ? endColumn : text.length + 1;
      const [before, marked, after] = [
        text.slice(0, column - 1),
        text.slice(column - 1, end - 1),
        text.slice(end - 1),
      ];
      lines.push(`${number}  ${xml(before)}<mark>${xml(marked)}</mark>${xml(after)}`);
    }
  }
  return lines.length === 0 ? '' : `<pre>${lines.join('\n')}</pre>`;
}

function fixOf(finding: Finding, options: ReportOptions): string {
  const { fix } = finding;
  if (fix === undefined) return '';
  const diff = finding.sensitive ? [] : (options.diff(finding) ?? []);
  const lines = diff.map(line => {
    const text = xml(shorten(line, LINE_LENGTH));
    if (line.startsWith('+')) return `<ins class="add">${text}</ins>`;
    return line.startsWith('-') ? `<del class="del">${text}</del>` : text;
  });
  const shown = lines.length === 0 ? '' : `<pre>${lines.join('\n')}</pre>`;
  return `<p>Fix (${fix.kind}): ${xml(fix.title)}</p>${shown}`;
}

function otherPlaces({ occurrences }: Finding): string {
  const others = occurrences.slice(1);
  if (others.length === 0) return '';
  const items = others
    .slice(0, PLACES_SHOWN)
    .map(({ file, line, path }) => `<li><code>${xml(file)}:${line}</code> ${xml(path)}</li>`);
  if (others.length > PLACES_SHOWN) items.push(`<li>and ${others.length - PLACES_SHOWN} more</li>`);
  return `<p>Also at</p><ul>${items.join('')}</ul>`;
}

function row(finding: Finding, open: boolean, options: ReportOptions): string {
  const { object, message, file, line, column, path } = finding;
  return `<details class="f" data-f="${xml(file)}"${open ? ' open' : ''}><summary><span class="msg"><b>${xml(objectName(object))}</b>: ${xml(message)}</span><span class="where">${xml(file)}:${line}:${column}</span></summary><div class="body"><p><code>${xml(path)}</code></p>${source(finding, options)}${fixOf(finding, options)}${otherPlaces(finding)}</div></details>`;
}

/** Findings of one check and severity: what is said once of all of them, then each. */
function group(findings: readonly Finding[], total: number, options: ReportOptions): string {
  const { severity, practice, check, title, why, remediation, frameworks } = findings[0]!;
  const tags = frameworks.map(framework => `<span class="tag">${xml(framework)}</span>`).join('');
  return `<details class="g" data-s="${severity}" data-p="${practice}" data-c="${xml(check)}"${total <= UNFOLDED ? ' open' : ''}><summary><span class="sev ${severity}">${severity}</span><span class="title">${xml(title)} <span class="id">${xml(check)}</span></span><span class="n">${findings.length}</span></summary>
<div class="about"><p>${xml(why)}</p><p><b>What to do:</b> ${xml(remediation)}</p><p>${tags} <a href="${xml(pageUrl(check))}" rel="noreferrer">about this check</a></p></div>
${findings.map(finding => row(finding, total <= UNFOLDED_WHOLE, options)).join('\n')}</details>`;
}

/** The worst first, then what is found most often. */
function groupsOf(findings: readonly Finding[]): Finding[][] {
  const rank = ([{ severity }]: readonly [Finding, ...Finding[]]) => severities.indexOf(severity);
  return [...Map.groupBy(findings, ({ severity, check }) => `${severity} ${check}`).values()]
    .map(list => list as [Finding, ...Finding[]])
    .sort((a, b) => rank(a) - rank(b) || b.length - a.length);
}

function unknownPlace({ file, line, object, check }: Unknown): string {
  const parts = [
    ...(file === undefined ? [] : [`<code>${xml(file)}${line === undefined ? '' : `:${line}`}</code>`]),
    ...(object === undefined ? [] : [xml(objectName(object))]),
    ...(check === undefined ? [] : [xml(check)]),
  ];
  return parts.length === 0 ? '' : `<li>${parts.join(' · ')}</li>`;
}

function unknownSection(unknowns: readonly Unknown[]): string {
  if (unknowns.length === 0) return '';
  const reasons = [...Map.groupBy(unknowns, ({ reason }) => reason)].map(
    ([reason, list]) =>
      `<details class="u"${list.length === 1 ? ' open' : ''}><summary> ${xml(reason)}${list.length > 1 ? ` <b>(${list.length})</b>` : ''}</summary><ul>${list.map(unknownPlace).join('')}</ul></details>`,
  );
  // Many reasons would push the findings off the first page.
  const rest = reasons.length > REASONS_SHOWN + 1 ? reasons.splice(REASONS_SHOWN) : [];
  const more =
    rest.length === 0
      ? ''
      : `\n<details class="u"><summary> <b>and ${rest.length} other reasons</b></summary>${rest.join('\n')}</details>`;
  return `<section class="unknown"><h2>Could not be judged (${unknowns.length})</h2>${reasons.join('\n')}${more}</section>`;
}

function exceptedSection(excepted: readonly Excepted[]): string {
  if (excepted.length === 0) return '';
  const items = excepted.map(
    ({ finding, exception }) =>
      `<li><code>${xml(finding.file)}:${finding.line}</code> ${xml(finding.check)}: ${xml(objectName(finding.object))} · ${xml(whoExcepts(exception))}</li>`,
  );
  return `<section><details class="u"><summary> Excepted <b>(${excepted.length})</b></summary><ul>${items.join('')}</ul></details></section>`;
}

function select(id: string, label: string, words: readonly string[]): string {
  const choices = words.map(word => `<option value="${xml(word)}">${xml(word)}</option>`).join('');
  return `<select id="${id}" aria-label="${label}"><option value="">${label}: all</option>${choices}</select>`;
}

function bar(findings: readonly Finding[]): string {
  const checks = [...new Set(findings.map(({ check }) => check))].sort();
  const used = new Set(findings.map(({ practice }) => practice));
  const files = [...new Set(findings.map(({ file }) => file))].sort();
  return `<form class="bar" id="bar" role="search"><input type="search" id="q" placeholder="Search names, messages, source…" aria-label="Search" autocomplete="off">
${select('s', 'Severity', severities)}${select(
  'p',
  'Practice',
  practices.filter(practice => used.has(practice)),
)}${select('c', 'Check', checks)}
<input id="f" list="files" placeholder="File" aria-label="File" autocomplete="off"><datalist id="files">${files.map(file => `<option value="${xml(file)}"></option>`).join('')}</datalist>
<div class="state"><span id="n" role="status"></span><button type="button" id="x">Fold / unfold all</button><button type="reset">Clear</button></div></form>`;
}

function tile(severity: Severity, number: number): string {
  const inside = `<b class="${severity}">${number}</b>${severity}`;
  return number === 0
    ? `<div class="tile">${inside}</div>`
    : `<button type="button" class="tile" data-s="${severity}" aria-pressed="false">${inside}</button>`;
}

function body({ findings, unknowns }: Report, options: ReportOptions): string {
  if (findings.length === 0)
    return `<p class="good">${unknowns.length === 0 ? 'Nothing to complain about.' : 'No findings in what could be judged.'}</p>`;
  const groups = groupsOf(findings).map(list => group(list, findings.length, options));
  return `${bar(findings)}
<section aria-label="Findings">
${groups.join('\n')}
</section>`;
}

function render(report: Report, options: ReportOptions): string {
  const { summary, findings, unknowns, version } = report;
  const state = gateOf(summary, options).is === 'open' ? 'open' : 'shut';
  const tiles = severities.map(severity => tile(severity, summary.findings[severity]));
  tiles.push(`<div class="tile"><b>${summary.unknowns}</b>not judged</div>`);
  const read = `${count(summary.objects, 'object')} (${count(summary.workloads, 'workload')}) in ${count(summary.files, 'file')}`;
  const made = options.time.replace(/T(\d\d:\d\d).*/, ' $1 UTC');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Sallyport: ${count(findings.length, 'finding')}</title><style>${STYLE}</style></head>
<body><main><h1>Sallyport</h1><p class="verdict ${state}">${xml(gateSentence(summary, options))}</p>
<p class="soft">${read} · ${xml(made)} · version ${xml(version)}${setAside(report) === '' ? '' : ` · ${xml(setAside(report))}`}</p>
<div class="tiles" role="group" aria-label="Findings by severity">${tiles.join('')}</div>
${unknownSection(unknowns)}
${body(report, options)}
${exceptedSection(report.excepted ?? [])}</main>${findings.length === 0 ? '' : `<script>${SCRIPT}</script>`}</body></html>
`;
}

export default { render } satisfies Reporter;
