/** `sallyport authorization matrix`: subjects and resources as a table, as data, or as a page. */
import { createHash } from 'node:crypto';
import { type ApiResource, findResource } from '#kube/api-resources.ts';
import { type Because, nameOf, referenceOf } from '#kube/objects.ts';
import { principalText } from '#paths/escalations.ts';
import { type Cell, type Column, type Level, levelOf, matrixOf, type Row } from '#paths/matrix.ts';
import { cut, cutWithin } from '#report/columns.ts';
import { cell as csvCell } from '#report/csv.ts';
import { xml } from '#report/markup.ts';
import { count, objectName, safe } from '#report/safe.ts';
import type { World } from '#world/world.ts';
import {
  folding,
  namespaceAsked,
  printedAsData,
  questions,
  steps,
  stepsAsData,
  tellMissing,
} from '../authorization.ts';
import type { Parsed } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { print } from '../output.ts';

/** What a table in a terminal has room for. */
const FIRST = [
  'secrets',
  'pods',
  'pods/exec',
  'deployments',
  'serviceaccounts/token',
  'rolebindings',
  'nodes/proxy',
];
const HEADS: Readonly<Record<string, string>> = {
  deployments: 'deploy',
  'serviceaccounts/token': 'token',
  rolebindings: 'bindings',
  'nodes/proxy': 'n/proxy',
};
/** What a row does not say. */
const NOTE =
  'A row is what is granted to that very name: what its groups have (system:authenticated, system:serviceaccounts, those of an identity provider) stands in their rows; users of --groups have it in their own.';
const WIDTH = 80;
/** Of a column: room for `WRITE!`; of the subjects: as much as is left, and never less than this. */
const NARROWEST = 7;
const NARROWEST_SUBJECT = 20;

export async function run(parsed: Parsed): Promise<number> {
  if (parsed.operands.length > 0) throw new UsageError('matrix takes no operands; name paths with -f');
  const asked = await questions(parsed);
  const { world, resources, groups } = asked;
  const format = parsed.value('format') ?? 'text';
  const named = parsed.values('resource');
  const inTerminal = format === 'text' || format === 'wide';
  const columns =
    named.length > 0 || inTerminal
      ? (named.length > 0 ? named : FIRST).map(word => columnOf(word, resources))
      : resources.flatMap(({ group, name, subresources }) =>
          ['', ...subresources].map((subresource): Column => ({ group, resource: name, subresource })),
        );
  const namespace = namespaceAsked(parsed);
  const rows = matrixOf(world, columns, namespace === '' ? undefined : namespace, groups);
  // Columns in which nobody has anything only make a page wide.
  const kept = columns.map((_, at) => named.length > 0 || inTerminal || rows.some(({ cells }) => cells[at]));
  const shown = columns.filter((_, at) => kept[at]);
  const lean = rows.map(row => ({ ...row, cells: row.cells.filter((_, at) => kept[at]) }));
  const printed = printedAsData(parsed, () => ({
    columns: shown,
    rows: lean.map(({ grants, ...row }) => ({
      ...row,
      cells: row.cells.map(one => one ?? null),
      ...(parsed.has('explain') ? { because: stepsAsData(becauseOf(grants), world) } : {}),
    })),
    note: NOTE,
  }));
  const missing = tellMissing(parsed, asked);
  if (printed) return open(rows, missing);
  if (format === 'csv') print(csv(shown, lean));
  else if (format === 'html') print(html(shown, lean));
  else print(text(parsed, shown, lean, world));
  return open(rows, missing);
}

function open(rows: readonly Row[], missing: boolean): number {
  return missing || rows.some(({ open }) => open) ? EXIT.unknown : EXIT.clean;
}

function columnOf(word: string, resources: readonly ApiResource[]): Column {
  const [name = '', subresource = ''] = word.split('/');
  const resource = findResource(name, resources);
  if (resource === undefined) throw new UsageError(`no resource is called "${name}"`);
  return { group: resource.group, resource: resource.name, subresource };
}

function columnName({ group, resource, subresource }: Column): string {
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return group === '' ? full : `${full} (${group})`;
}

/** The farthest that a cell goes, and whether in the whole cluster. */
function reach(cell: Cell | undefined): { readonly level: Level; readonly everywhere: boolean } {
  if (cell === undefined) return { level: 'none', everywhere: false };
  const order: readonly Level[] = ['none', 'read', 'write', 'all'];
  const whole = levelOf(cell.everywhere);
  const most = Object.values(cell.within).reduce<Level>((level, verbs) => {
    const one = levelOf([...new Set([...cell.everywhere, ...verbs])]);
    return order.indexOf(one) > order.indexOf(level) ? one : level;
  }, whole);
  return { level: most, everywhere: most === whole };
}

/** The bindings that give what a row holds, each with its role and the rules that count. */
function becauseOf(grants: Row['grants']): Because[] {
  return grants.flatMap(({ binding, role, rules }): Because[] => [
    { object: binding, path: ['roleRef'], text: objectName(referenceOf(binding)) },
    ...(role === undefined
      ? [{ text: 'by the role that ships with Kubernetes' }]
      : rules.map(index => ({
          object: role,
          path: ['rules', index],
          text: `rule ${index + 1} of ${role.kind} ${nameOf(role)}`,
        }))),
  ]);
}

function text(parsed: Parsed, columns: readonly Column[], rows: readonly Row[], world: World): string {
  const wide = parsed.value('format') === 'wide';
  const pad = (word: string, width: number, shorten = cut): string =>
    (wide ? word : shorten(word, width - 1)).padEnd(width);
  const short = ({ resource, subresource }: Column): string => {
    const full = subresource === '' ? resource : `${resource}/${subresource}`;
    return wide ? full : (HEADS[full] ?? full);
  };
  const name = ({ subject }: Row): string => safe(principalText(subject)).replace(/^service account /, 'sa ');
  const word = (cell: Cell | undefined, open: boolean): string => {
    const { level, everywhere } = reach(cell);
    if (level === 'none') return open ? '?' : '-';
    if (wide) return safe(cellText(cell));
    return `${everywhere ? level.toUpperCase() : level}${cell?.named === true ? '!' : ''}`;
  };
  const table = [
    ['', ...columns.map(short)],
    ...rows.map(row => [name(row), ...row.cells.map(cell => word(cell, row.open))]),
  ];
  const widths = columns.map((column, at) =>
    wide
      ? Math.max(...table.map(line => line[at + 1]!.length)) + 2
      : Math.max(NARROWEST, short(column).length + 1),
  );
  const first = wide
    ? Math.max(...table.map(([subject]) => subject!.length)) + 2
    : Math.max(NARROWEST_SUBJECT, WIDTH - widths.reduce((sum, width) => sum + width, 0));
  const lines = table.map(line =>
    line
      .map((word, at) => (at === 0 ? pad(word, first, cutWithin) : pad(word, widths[at - 1]!)))
      .join('')
      .trimEnd(),
  );
  const fold = folding(parsed);
  if (parsed.has('explain'))
    for (const row of rows) {
      lines.push('', ...fold(name(row), '', '  '));
      if (row.grants.length === 0) lines.push('  nothing of these resources');
      for (const step of steps(becauseOf(row.grants), world)) lines.push(...fold(step, '  ', '    '));
    }
  const marks = [
    ...(wide ? [] : ['CAPITALS: in the whole cluster; small: in some namespaces;']),
    ...(wide ? [] : ['!: only objects of certain names;']),
    '?: a role is not in the input.',
  ];
  lines.push(
    '',
    ...fold(`${count(rows.length, 'subject')}. ${marks.join(' ')}`, '', ''),
    ...fold(NOTE, '', ''),
  );
  return `${lines.join('\n')}\n`;
}

/** `get,list; shop: create`. */
function cellText(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  const parts = [
    ...(cell.everywhere.length === 0 ? [] : [cell.everywhere.join(' ')]),
    ...Object.entries(cell.within).map(
      ([namespace, verbs]) => `in ${namespace || '(no namespace)'}: ${verbs.join(' ')}`,
    ),
  ];
  return `${parts.join('; ')}${cell.named ? ' (by name)' : ''}`;
}

function csv(columns: readonly Column[], rows: readonly Row[]): string {
  const lines = [
    ['subject', 'unknown', 'through groups', ...columns.map(columnName)],
    ...rows.map(({ subject, cells, open, through }) => [
      principalText(subject),
      open ? 'yes' : '',
      through.join(' '),
      ...cells.map(cellText),
    ]),
  ];
  return `${lines.map(line => line.map(csvCell).join(',')).join('\r\n')}\r\n`;
}

const STYLE = `
:root{color-scheme:light dark}body{font:14px/1.4 system-ui,sans-serif;margin:20px}
input{font:inherit;padding:6px 10px;margin:0 8px 12px 0;min-width:220px}
.t{overflow:auto;max-height:85vh}table{border-collapse:collapse}
th,td{border:1px solid #8884;padding:3px 8px;white-space:nowrap;text-align:left}
thead th{position:sticky;top:0;background:Canvas;z-index:1}tbody th{position:sticky;left:0;background:Canvas;font-weight:500}
.read{background:#3b82f633}.write{background:#f59e0b55}.all{background:#dc262677}.e{font-weight:700}.q{color:#888}
[hidden]{display:none!important}`;
const SCRIPT = `
const s=document.getElementById('s'),r=document.getElementById('r'),n=document.getElementById('n');
const heads=[...document.querySelectorAll('thead th')].slice(1),rows=[...document.querySelectorAll('tbody tr')];
const words=e=>e.value.toLowerCase().split(/\\s+/).filter(Boolean);
function go(){const a=words(s),b=words(r);
const keep=heads.map(h=>b.every(w=>h.textContent.toLowerCase().includes(w)));
heads.forEach((h,i)=>{h.hidden=!keep[i]});let k=0;
for(const row of rows){const t=row.cells[0].textContent.toLowerCase(),ok=a.every(w=>t.includes(w));row.hidden=!ok;if(!ok)continue;k++;
keep.forEach((v,i)=>{row.cells[i+1].hidden=!v})}
n.textContent=k+' of '+rows.length+' subjects'}
let timer;const soon=()=>{clearTimeout(timer);timer=setTimeout(go,80)};
s.addEventListener('input',soon);r.addEventListener('input',soon);go();`;

/** One page that loads nothing and runs only its own; texts of the input are never markup. */
function html(columns: readonly Column[], rows: readonly Row[]): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; base-uri 'none'; form-action 'none'`;
  const cell = (one: Cell | undefined, open: boolean): string => {
    const { level, everywhere } = reach(one);
    if (level === 'none') return open ? '<td class="q">?</td>' : '<td></td>';
    return `<td class="${level}${everywhere ? ' e' : ''}" title="${xml(cellText(one))}">${level}${one?.named === true ? '!' : ''}</td>`;
  };
  const body = rows.map(
    ({ subject, cells, open }) =>
      `<tr><th scope="row">${xml(principalText(subject))}</th>${cells.map(one => cell(one, open)).join('')}</tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width"><title>Who may do what</title><style>${STYLE}</style></head>
<body><h1>Who may do what</h1>
<p><input id="s" type="search" placeholder="Subjects" aria-label="Subjects"><input id="r" type="search" placeholder="Resources" aria-label="Resources"><span id="n"></span></p>
<p>Bold: in the whole cluster. !: only objects of certain names. ?: a role is not in the input. Point at a cell for its verbs. ${xml(NOTE)}</p>
<div class="t"><table><thead><tr><th>Subject</th>${columns.map(column => `<th scope="col">${xml(columnName(column))}</th>`).join('')}</tr></thead>
<tbody>
${body.join('\n')}
</tbody></table></div><script>${SCRIPT}</script></body></html>
`;
}
