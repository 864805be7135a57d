/**
 * What each format makes of one report, to be read by people when it changes. `SALLYPORT_GOLDEN=update npm test` writes
 * the files again.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Report } from '#check/finding.ts';
import { formats } from '#report/formats.ts';
import type { ReportOptions } from '#report/reporter.ts';
import { clean, golden, options } from './fixture.ts';

const update = process.env['SALLYPORT_GOLDEN'] === 'update';

const cases: readonly (readonly [file: string, format: string, report: Report, options: ReportOptions])[] = [
  ...formats.map(({ name }) => [`${name}.expected.txt`, name, golden, options] as const),
  ['text-verbose.expected.txt', 'text', golden, { ...options, verbose: true }],
  ['text-color.expected.txt', 'text', golden, { ...options, color: true, milliseconds: 42 }],
  ['text-clean.expected.txt', 'text', clean, options],
  ['markdown-clean.expected.txt', 'markdown', clean, options],
  ['html-clean.expected.txt', 'html', clean, options],
  ['junit-clean.expected.txt', 'junit', clean, options],
];

describe('golden reports', () => {
  for (const [file, format, report, how] of cases)
    it(file, async () => {
      const { render } = await formats.find(({ name }) => name === format)!.load();
      const text = render(report, how);
      const path = join(import.meta.dirname, file);
      if (update) writeFileSync(path, text);
      assert.equal(text, readFileSync(path, 'utf8'));
    });
});
