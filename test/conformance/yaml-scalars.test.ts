/** Scalars as kubectl reads them, by its own table. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { withShared } from '#test/shared.ts';
import { readDocuments } from '#yaml/read.ts';

withShared('conformance/yaml-scalars/kubectl.txt', path => {
  const rows = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(row => {
      const bar = row.lastIndexOf(' | ');
      return { input: row.slice(0, bar), expected: row.slice(bar + 3) };
    });
  it(`reads ${rows.length} scalars as kubectl does`, () => {
    assert.ok(rows.length > 50);
    for (const { input, expected } of rows) {
      const [document] = readDocuments(`a: ${input}\n`);
      if (expected.startsWith('ERR')) assert.equal(document?.is, 'error', input);
      else {
        assert.ok(document?.is === 'value', input);
        const { a } = document.value as { a: unknown };
        // Go's JSON escapes what HTML would take for markup.
        const text = typeof a === 'bigint' ? String(a) : JSON.stringify(a).replaceAll('<', '\\u003c');
        assert.equal(text, expected, input);
      }
    }
  });
});
