/** Comma-separated values after RFC 4180, with nothing in them that a spreadsheet would run. */
import type { Excepted, Finding, Unknown } from '#check/finding.ts';
import { whoExcepts } from './excepted.ts';
import type { Reporter } from './reporter.ts';
import { safe } from './safe.ts';

type Cell = string | number | undefined;

const COLUMNS = [
  'status',
  'severity',
  'check',
  'practice',
  'file',
  'line',
  'column',
  'kind',
  'namespace',
  'name',
  'path',
  'message',
  'remediation',
  'fingerprint',
];

/**
 * What a spreadsheet takes for the beginning of a formula, after spaces or quotes too, and in the full-width forms that
 * some of them fold. Source: OWASP, "CSV Injection".
 */
const FORMULA = /^[\s'"]*[=+\-@\uff1d\uff0b\uff0d\uff20]/;

/** One cell, quoted where it must be. */
export function cell(value: Cell): string {
  if (typeof value === 'number') return String(value);
  let text = safe(value ?? '');
  // An apostrophe keeps it text.
  if (FORMULA.test(text)) text = `'${text}`;
  // Semicolons separate where the comma is the decimal mark: quoted, they cannot begin a cell of their own.
  return /[",;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function findingRow(finding: Finding): Cell[] {
  const { severity, check, practice, file, line, column, object } = finding;
  const { path, message, remediation, fingerprint } = finding;
  const { kind, namespace, name } = object;
  return [
    'finding',
    severity,
    check,
    practice,
    file,
    line,
    column,
    kind,
    namespace,
    name,
    path,
    message,
    remediation,
    fingerprint,
  ];
}

function unknownRow({ check, file, line, column, object, reason }: Unknown): Cell[] {
  const { kind, namespace, name } = object ?? {};
  return ['unknown', '', check, '', file, line, column, kind, namespace, name, '', reason, '', ''];
}

function exceptedRow({ finding, exception }: Excepted): Cell[] {
  const row = findingRow(finding);
  return ['excepted', ...row.slice(1, -2), whoExcepts(exception), row.at(-1)];
}

export default {
  render({ findings, unknowns, excepted = [] }) {
    const rows = [
      COLUMNS,
      ...findings.map(findingRow),
      ...unknowns.map(unknownRow),
      ...excepted.map(exceptedRow),
    ];
    return `${rows.map(row => row.map(cell).join(',')).join('\r\n')}\r\n`;
  },
} satisfies Reporter;
