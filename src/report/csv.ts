/** Comma-separated values after RFC 4180, with nothing in them that a spreadsheet would run. */
import type { Reporter } from './reporter.ts';
import { safe } from './safe.ts';

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

function cell(value: string | number | undefined): string {
  if (typeof value === 'number') return String(value);
  let text = safe(value ?? '');
  // A formula begins with one of these: an apostrophe keeps it text.
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export default {
  name: 'csv',
  description: 'a table for spreadsheets',
  render({ findings, unknowns }) {
    const rows: (string | number | undefined)[][] = [COLUMNS];
    for (const {
      severity,
      check,
      practice,
      file,
      line,
      column,
      object,
      path,
      message,
      remediation,
      fingerprint,
    } of findings)
      rows.push([
        'finding',
        severity,
        check,
        practice,
        file,
        line,
        column,
        object.kind,
        object.namespace,
        object.name,
        path,
        message,
        remediation,
        fingerprint,
      ]);
    for (const { check, file, line, column, object, reason } of unknowns)
      rows.push([
        'unknown',
        '',
        check,
        '',
        file,
        line,
        column,
        object?.kind,
        object?.namespace,
        object?.name,
        '',
        reason,
        '',
        '',
      ]);
    return `${rows.map(row => row.map(cell).join(',')).join('\r\n')}\r\n`;
  },
} satisfies Reporter;
