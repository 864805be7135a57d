import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Report } from '#check/finding.ts';
import { finding, NASTY, options, report } from '#test/contracts/reports.ts';
import csv from './csv.ts';
import { formats } from './formats.ts';
import github from './github.ts';
import gitlab from './gitlab.ts';
import json from './json.ts';
import junit from './junit.ts';
import type { Reporter } from './reporter.ts';

const render = (reporter: Reporter, what: Report): string => reporter.render(what, options);

describe('the formats', () => {
  it('are loaded only when they are asked for', () => {
    const text = readFileSync(new URL('./formats.ts', import.meta.url), 'utf8');
    assert.deepEqual([...text.matchAll(/^import (?!type)/gm)], []);
    assert.equal(new Set(formats.map(({ name }) => name)).size, formats.length);
  });
});

describe('the JSON report', () => {
  it('holds exactly what was found', () => {
    const { checks: _, ...what } = report([finding({ message: NASTY })], [{ reason: NASTY }]);
    assert.deepEqual(JSON.parse(render(json, { ...what, checks: [] })), JSON.parse(JSON.stringify(what)));
  });
});

describe('the GitHub report', () => {
  const severe = (severity: 'critical' | 'high' | 'medium' | 'low') =>
    finding({ severity, message: severity });

  it('has the worst first, and what was not judged before warnings', () => {
    const what = report(
      [severe('low'), severe('medium'), severe('high'), severe('critical')],
      [{ reason: 'unread' }],
    );
    const ends = render(github, what).match(/(?<=^::.*: ?)\w+$/gm);
    assert.deepEqual(ends, ['critical', 'high', 'unread', 'medium', 'low']);
  });

  it('says that GitHub shows few', () => {
    const many = Array.from({ length: 11 }, () => severe('high'));
    assert.match(render(github, report(many)), /^GitHub shows 10 errors/m);
    assert.doesNotMatch(render(github, report(many.slice(1))), /GitHub shows/);
  });

  it('escapes what separates properties', () => {
    const text = render(github, report([finding({ file: 'a,line=9::b%0A:c.yaml', message: '100%' })]));
    assert.match(text, /^::error file=a%2Cline=9%3A%3Ab%250A%3Ac\.yaml,line=12,.*::.*100%25$/m);
  });
});

describe('the GitLab report', () => {
  it('gives each thing that could not be judged a fingerprint that stays when lines move', () => {
    const fingerprints = (...lines: number[]) =>
      (
        JSON.parse(
          render(
            gitlab,
            report(
              [],
              lines.map(line => ({ file: 'a.yaml', line, reason: 'x' })),
            ),
          ),
        ) as { fingerprint: string }[]
      ).map(({ fingerprint }) => fingerprint);
    assert.deepEqual(fingerprints(1, 2), fingerprints(5, 9));
    assert.equal(new Set(fingerprints(1, 2, 3)).size, 3);
  });
});

describe('the CSV report', () => {
  const cell = (message: string) => render(csv, report([finding({ message })])).split(',containers[')[0]!;

  for (const text of ['=1', '+1', '-1', '@x', ' =1', '\t=1', '"=1', "'=1", '＝1', '\u200b=1'])
    it(`runs nothing: ${JSON.stringify(text)}`, () => {
      const line = cell(text).split('\r\n')[1]!;
      assert.match(line, /,"?'[^,]*1|,"?'@x|,\\u200b=1/);
    });

  it('quotes semicolons, which separate cells in half of the world', () => {
    assert.match(cell('a;=1'), /,"a;=1"/);
  });

  it('is a table for a reader of RFC 4180, whatever the input', () => {
    const text = render(csv, report([finding({ message: NASTY })], [{ reason: `${NASTY};"` }]));
    const rows = parse(text);
    assert.equal(rows.length, 3);
    for (const row of rows) assert.equal(row.length, rows[0]!.length);
  });
});

/** A reader of RFC 4180. */
function parse(text: string): string[][] {
  assert.match(text, /^(?:(?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,(?!\r)|,(?=\r)|\r\n))*$/);
  return text
    .replace(/\r\n$/, '')
    .split('\r\n')
    .map(line => line.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^",]*)(?=,|$)/g)!);
}

describe('the JUnit report', () => {
  it('counts what it holds, and is well formed', () => {
    const text = render(
      junit,
      report([finding(), finding({ file: NASTY, message: NASTY })], [{ reason: NASTY }]),
    );
    const open: string[] = [];
    for (const [, slash, name, self] of text.matchAll(/<(\/?)(\w+)(?: \w+="[^"<]*")*(\/?)>/g)) {
      if (slash === '/') assert.equal(open.pop(), name);
      else if (self === '') open.push(name!);
    }
    assert.deepEqual(open, []);
    assert.equal(text.match(/<testcase /g)!.length, 3);
    assert.match(text, /<testsuites name="sallyport" tests="3" failures="2" errors="1">/);
    // XML 1.0 can hold none of these, escaped or not.
    assert.doesNotMatch(text, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/u);
  });

  it('is a passed test where nothing was found', () => {
    assert.match(render(junit, report([])), /tests="1" failures="0" errors="0">/);
  });
});
