import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { empty, finding, hostile, NASTY, options, report } from '#test/contracts/reports.ts';
import html from './html.ts';
import { SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH, TABLE_STYLE, TABLE_STYLE_HASH } from './html-assets.ts';

const VOID = new Set(['meta', 'input', '!doctype']);

/** The tags of a page that is well formed; an error where one is closed that is not open. */
function tags(page: string): Map<string, number> {
  const open: string[] = [];
  const seen = new Map<string, number>();
  const text = page.replace(/<(style|script)>.*?<\/\1>/gs, '<$1></$1>');
  for (const [, slash, name] of text.matchAll(/<(\/?)([!a-z][a-z0-9]*)[^>]*>/g)) {
    if (slash === '/') assert.equal(open.pop(), name);
    else {
      seen.set(name!, (seen.get(name!) ?? 0) + 1);
      if (!VOID.has(name!)) open.push(name!);
    }
  }
  assert.deepEqual(open, []);
  return seen;
}

describe('the HTML report', () => {
  it('has the hash of the style of tables, which other pages name', () =>
    assert.equal(TABLE_STYLE_HASH, `sha256-${createHash('sha256').update(TABLE_STYLE).digest('base64')}`));

  for (const [name, text, hash] of [
    ['style', STYLE, STYLE_HASH],
    ['script', SCRIPT, SCRIPT_HASH],
  ] as const)
    it(`allows exactly its own ${name}`, () => {
      assert.equal(hash, `sha256-${createHash('sha256').update(text).digest('base64')}`);
      const page = html.render(hostile, options);
      assert.ok(page.includes(`${name}-src '${hash}'`));
      assert.ok(page.includes(`<${name}>${text}</${name}>`));
      assert.ok(!text.includes('</'));
    });

  it('is well formed, and the input adds no tag', () => {
    const how = { ...options, source: () => NASTY, diff: () => [`-${NASTY}`, `+${NASTY}`] };
    const plain = { ...how, source: () => 'plain', diff: () => ['-plain', '+plain'] };
    const one = (text: string) =>
      report(
        [
          finding({
            file: text,
            message: text,
            path: text,
            object: { apiVersion: text, kind: text, namespace: text, name: text },
            fix: { title: text, kind: 'safe', changes: [] },
          }),
        ],
        [{ file: text, reason: text, object: { apiVersion: text, kind: text, name: text } }],
      );
    assert.deepEqual(tags(html.render(one(NASTY), how)), tags(html.render(one('plain'), plain)));
    tags(html.render(empty, options));
  });

  it('has no attribute that the policy forbids', () => {
    assert.doesNotMatch(html.render(hostile, options).replace(/<script>.*/s, ''), /<[^>]* (?:style|on\w+)=/);
  });

  it('groups by check and severity, the worst first', () => {
    const page = html.render(
      report([
        finding({ check: 'mesh/a', severity: 'low' }),
        finding({ check: 'mesh/b', severity: 'high' }),
        finding({ check: 'mesh/a', severity: 'low' }),
        finding({ check: 'mesh/a', severity: 'critical' }),
      ]),
      options,
    );
    const groups = [
      ...page.matchAll(/class="g" data-s="(\w+)" data-p="[\w-]+" data-c="([\w/]+)".*?class="n">(\d+)/gs),
    ];
    assert.deepEqual(
      groups.map(([, ...words]) => words.join(' ')),
      ['critical mesh/a 1', 'high mesh/b 1', 'low mesh/a 2'],
    );
  });

  it('shows nothing of a place that holds a secret', () => {
    const one = finding({ sensitive: true, fix: { title: 'x', kind: 'safe', changes: [] } });
    const page = html.render(report([one]), {
      ...options,
      source: () => 'hunter2',
      diff: () => ['-hunter2'],
    });
    assert.doesNotMatch(page, /hunter2/);
  });

  it('folds many reasons for what could not be judged, and leaves none out', () => {
    const reasons = (length: number) =>
      report(
        [finding()],
        Array.from({ length }, (_, i) => ({ file: `${i}.yaml`, reason: `reason ${i}.` })),
      );
    assert.doesNotMatch(html.render(reasons(6), options), /other reasons/);
    const page = html.render(reasons(12), options);
    assert.match(
      page,
      /reason 4\.[\s\S]*<b>and 7 other reasons<\/b><\/summary>[\s\S]*reason 5\.[\s\S]*reason 11\./,
    );
    tags(page);
  });

  it('stays small with 5,000 findings', () => {
    const many = report(Array.from({ length: 5000 }, (_, i) => finding({ line: i + 1, endLine: i + 1 })));
    assert.ok(html.render(many, options).length < 5_000_000);
  });
});
