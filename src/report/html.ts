/** One self-contained page: searchable, in light and dark, with no network and nothing of the input that could run. */
import type { Finding, Report, Unknown } from '#check/finding.ts';
import { practices } from '#check/practices.ts';
import { severities } from '#check/severity.ts';
import { xml } from './junit.ts';
import { pageUrl } from './links.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { count, objectName } from './safe.ts';

const STYLE = `
:root{color-scheme:light dark;--bg:#f7f7f5;--card:#fff;--ink:#1d2126;--soft:#5d6670;--line:#e2e3e0;--code:#f1f2ef;
--critical:#8b1a6b;--high:#c2271e;--medium:#a8650a;--low:#1d6b8f;--info:#66707a;--good:#2c7a3f;--mark:#fff0b3}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2024;--ink:#e6e8ea;--soft:#98a2ad;--line:#2d3339;--code:#23282d;
--critical:#e57cc6;--high:#ff7b72;--medium:#e3a94b;--low:#6cb9dd;--info:#98a2ad;--good:#6fcf87;--mark:#554a1e}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 20px 60px}h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:28px 0 10px}
.soft{color:var(--soft)}.tiles{display:flex;flex-wrap:wrap;gap:10px;margin:18px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px 16px;min-width:96px}
.tile b{display:block;font-size:24px;line-height:1.2}
.critical{color:var(--critical)}.high{color:var(--high)}.medium{color:var(--medium)}.low{color:var(--low)}.info{color:var(--info)}.good{color:var(--good)}
.bar{display:flex;flex-wrap:wrap;gap:8px;position:sticky;top:0;background:var(--bg);padding:10px 0;z-index:1}
input,select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:7px 10px}
input[type=search]{flex:1 1 240px}
details{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:8px 0}
summary{cursor:pointer;padding:10px 14px;display:grid;grid-template-columns:76px 1fr;gap:4px 12px;list-style:none}
summary::-webkit-details-marker{display:none}summary:hover{background:var(--code);border-radius:10px}
.sev{font-weight:650;font-size:13px;text-transform:uppercase;letter-spacing:.03em;padding-top:1px}
.msg{overflow-wrap:anywhere}.where{grid-column:2;font:12.5px ui-monospace,Menlo,Consolas,monospace;color:var(--soft);overflow-wrap:anywhere}
.body{padding:2px 14px 14px 102px}.body p{margin:8px 0}pre{background:var(--code);border-radius:8px;padding:10px 12px;overflow:auto;font:12.5px/1.5 ui-monospace,Menlo,Consolas,monospace;margin:8px 0}
mark{background:var(--mark);color:inherit;border-radius:3px}.add{color:var(--good)}.del{color:var(--high)}
a{color:var(--low)}code{font:13px ui-monospace,Menlo,Consolas,monospace}ul{padding-left:20px}li{overflow-wrap:anywhere}
.tag{display:inline-block;border:1px solid var(--line);border-radius:6px;padding:0 6px;margin:0 4px 4px 0;font-size:12px;color:var(--soft)}
[hidden]{display:none!important}@media(max-width:640px){.body{padding-left:14px}summary{grid-template-columns:1fr}.where{grid-column:1}}
@media print{.bar{display:none}details{break-inside:avoid}body{background:#fff}}`;

const SCRIPT = `
const rows=[...document.querySelectorAll('details.f')],q=document.getElementById('q'),s=document.getElementById('s'),p=document.getElementById('p'),c=document.getElementById('c'),n=document.getElementById('n');
const text=rows.map(r=>r.textContent.toLowerCase());
function go(){const w=q.value.toLowerCase().split(/\\s+/).filter(Boolean);let k=0;rows.forEach((r,i)=>{const d=r.dataset;
const ok=(!s.value||d.s===s.value)&&(!p.value||d.p===p.value)&&(!c.value||d.c===c.value)&&w.every(x=>text[i].includes(x));r.hidden=!ok;if(ok)k++});n.textContent=k+' of '+rows.length+' shown'}
let t;q.addEventListener('input',()=>{clearTimeout(t);t=setTimeout(go,80)});[s,p,c].forEach(x=>x.addEventListener('change',go));go();`;

/** The page loads nothing and sends nothing, whatever stands in the data. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

function source(
  { file, line, column, endLine, endColumn, sensitive }: Finding,
  options: ReportOptions,
): string {
  if (sensitive === true) return '';
  const lines: string[] = [];
  for (let at = Math.max(1, line - 2); at <= line + 2; at++) {
    const text = options.source(file, at)?.slice(0, 400);
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

function diff(one: Finding, options: ReportOptions): string {
  const { fix } = one;
  if (fix === undefined) return '';
  const lines = (options.diff(one) ?? []).map(line => {
    const kind = line.startsWith('+') ? 'add' : line.startsWith('-') ? 'del' : '';
    return `<span class="${kind}">${xml(line)}</span>`;
  });
  return `<p>Fix (${fix.kind}): ${xml(fix.title)}</p>${lines.length === 0 ? '' : `<pre>${lines.join('\n')}</pre>`}`;
}

function finding(one: Finding, options: ReportOptions): string {
  const {
    severity,
    practice,
    check,
    object,
    message,
    file,
    line,
    column,
    why,
    remediation,
    frameworks,
    occurrences,
  } = one;
  const others = occurrences
    .slice(1, 50)
    .map(other => `<li><code>${xml(other.file)}:${other.line}</code> ${xml(other.path)}</li>`);
  return `<details class="f" data-s="${severity}" data-p="${practice}" data-c="${xml(check)}"><summary><span class="sev ${severity}">${severity}</span><span class="msg">${xml(message)}</span><span class="where">${xml(objectName(object))} · ${xml(file)}:${line}:${column} · ${xml(check)}</span></summary><div class="body">${source(one, options)}<p>${xml(why)}</p><p><b>What to do:</b> ${xml(remediation)}</p>${diff(one, options)}${others.length === 0 ? '' : `<p>Also at</p><ul>${others.join('')}</ul>`}<p>${frameworks.map(framework => `<span class="tag">${xml(framework)}</span>`).join('')} <a href="${xml(pageUrl(check))}" rel="noreferrer">about this check</a></p></div></details>`;
}

function unknownItem({ file, line, object, check, reason }: Unknown): string {
  const place = file === undefined ? '' : `<code>${xml(file)}${line === undefined ? '' : `:${line}`}</code> `;
  return `<li>${place}${object === undefined ? '' : `${xml(objectName(object))}: `}${check === undefined ? '' : `${xml(check)}: `}${xml(reason)}</li>`;
}

function select(id: string, label: string, words: readonly string[]): string {
  return `<select id="${id}" aria-label="${label}"><option value="">${label}</option>${words.map(word => `<option>${xml(word)}</option>`).join('')}</select>`;
}

function render(report: Report, options: ReportOptions): string {
  const { summary, findings, unknowns, version } = report;
  const sorted = findings.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const tiles = severities.map(
    severity => `<div class="tile"><b class="${severity}">${summary.findings[severity]}</b>${severity}</div>`,
  );
  tiles.push(`<div class="tile"><b>${summary.unknowns}</b>not judged</div>`);
  const used = [...new Set(findings.map(({ check }) => check))].sort();
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>Sallyport report</title><style>${STYLE}</style></head>
<body><main><h1>Sallyport report</h1><p class="soft">${xml(options.time)} · version ${xml(version)} · ${count(summary.objects, 'object')} (${count(summary.workloads, 'workload')}) in ${count(summary.files, 'file')}</p>
<div class="tiles">${tiles.join('')}</div>
${
  findings.length === 0
    ? `<p class="good">${unknowns.length === 0 ? 'Nothing to complain about.' : 'No findings in what could be judged.'}</p>`
    : `<div class="bar"><input type="search" id="q" placeholder="Search: name, file, text…" aria-label="Search">${select('s', 'Severity', severities)}${select('p', 'Practice', practices)}${select('c', 'Check', used)}<span class="soft" id="n" role="status"></span></div>
${sorted.map(one => finding(one, options)).join('\n')}`
}
${unknowns.length === 0 ? '' : `<h2>Could not be judged</h2><ul>${unknowns.map(unknownItem).join('')}</ul>`}
</main>${findings.length === 0 ? '' : `<script>${SCRIPT}</script>`}</body></html>
`;
}

export default { name: 'html', description: 'one self-contained page', render } satisfies Reporter;
