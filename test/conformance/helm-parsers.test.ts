/** The quick parser of templates against the thorough one: what it gives is the same tree, and it gives nearly always one. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { isHelmError } from '#sources/helm/door.ts';
import { functionNames } from '#sources/helm/functions.ts';
import { parseThoroughly } from '#sources/helm/parse.ts';
import { parseQuickly } from '#sources/helm/quick-parse.ts';
import { withShared } from '#test/shared.ts';

/** @returns how many of the texts were parsed quickly, and those of which the parsers think otherwise */
function compared(texts: Iterable<string>): { quick: number; different: string[] } {
  let quick = 0;
  const different: string[] = [];
  for (const text of texts) {
    const given = parseQuickly('t', text, functionNames);
    if (given === undefined) continue;
    quick++;
    if (!isDeepStrictEqual(given, thorough(text))) different.push(text);
  }
  return { quick, different };
}

function thorough(text: string) {
  try {
    return parseThoroughly('t', text, functionNames);
  } catch (error) {
    if (!isHelmError(error)) throw error;
    return error.message;
  }
}

withShared('conformance/rendering/go-template.json', path => {
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as {
    cases: { template: string; helpers?: string[] }[];
  };
  const texts = new Set(cases.flatMap(({ template, helpers = [] }) => [template, ...helpers]));

  it('gives the tree of the thorough parser for every template of the suite', () => {
    const { quick, different } = compared(texts);
    assert.deepEqual(different, []);
    assert.ok(quick > texts.size / 2, `${quick} of ${texts.size}`);
  });

  it('gives it, or nothing, for the same templates with a piece cut out or put in twice', () => {
    const changed = new Set<string>();
    let at = 7;
    for (const text of texts) {
      if (text.length > 400) continue;
      for (let turn = 0; turn < 12; turn++) {
        at = (at * 1103515245 + 12345) & 0x7fffffff;
        const from = at % (text.length + 1);
        const length = 1 + ((at >> 8) % 3);
        changed.add(text.slice(0, from) + text.slice(from + length));
        changed.add(text.slice(0, from + length) + text.slice(from));
      }
    }
    const { quick, different } = compared(changed);
    assert.deepEqual(different, []);
    assert.ok(quick > 5000, `${quick}`);
  });
});

withShared('conformance/rendering/helm-charts', folder => {
  it('parses the charts of the suite quickly', () => {
    const texts = globSync('*/**/templates/**/*.{yaml,yml,tpl,txt}', { cwd: folder }).map(name =>
      readFileSync(join(folder, name), 'utf8'),
    );
    const { quick, different } = compared(texts);
    assert.deepEqual(different, []);
    assert.ok(texts.length > 200 && quick > texts.length * 0.95, `${quick} of ${texts.length}`);
  });
});
