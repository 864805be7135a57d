import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { finding, NASTY, options, report } from '#test/contracts/reports.ts';
import { columns } from './columns.ts';
import text from './text.ts';

/** The line of source and the marks below it. */
function marked(source: string, column: number, endColumn: number, width = 80): [string, string] {
  const one = finding({ line: 3, column, endLine: 3, endColumn });
  const lines = text.render(report([one]), { ...options, width, source: () => source }).split('\n');
  const at = lines.findIndex(line => line.startsWith('    3 | '));
  return [lines[at]!.slice(8), lines[at + 1]!.slice(8)];
}

/** What stands above the marks. */
function underlined([source, marks]: [string, string]): string {
  let shown = '';
  let at = 0;
  for (const character of source) {
    if (marks[at] === '^') shown += character;
    at += columns(character);
  }
  return shown;
}

describe('the text report', () => {
  for (const [what, source, column, endColumn, under] of [
    ['plain text', '      image: shop:1', 7, 13, 'image:'],
    ['after a tab', '\thostPID: true', 2, 15, 'hostPID: true'],
    ['after wide characters', 'a: 日本語, image: x', 9, 14, 'image'],
    ['wide characters', 'a: 日本語, image: x', 4, 7, '日本語'],
    ['after an escape sequence', 'a: \u001b[31m, image: x', 11, 16, 'image'],
    ['after what is two units long', 'a: 🚀, image: x', 8, 13, 'image'],
    ['after characters that combine', 'a: e\u0301, image: x', 8, 13, 'image'],
  ] as const)
    it(`marks ${what}`, () => assert.equal(underlined(marked(source, column, endColumn)), under));

  it('shows the marked part of a long line, and that there is more', () => {
    const source = `${'x'.repeat(500)}image: shop${'y'.repeat(500)}`;
    const shown = marked(source, 501, 512);
    assert.equal(underlined(shown), 'image: shop');
    assert.ok(shown[0].endsWith('…'));
    const whole = marked(source, 1, 1000);
    assert.equal(columns(whole[0]), 72);
    assert.equal(whole[1], '^'.repeat(72));
  });

  it('marks at least one character, even past the end of a line that changed', () => {
    assert.match(marked('a', 1, 1)[1], /^\^$/);
    assert.match(marked('a', 50, 60)[1], /\^$/);
  });

  it('is as wide as asked, whatever the input', () => {
    const what = report(
      [
        finding({ message: NASTY, file: 'a.yaml', fix: { title: NASTY, kind: 'safe', changes: [] } }),
        finding({ message: 'x'.repeat(900), file: 'a.yaml' }),
      ],
      [{ reason: NASTY }, { reason: '日'.repeat(500) }],
    );
    for (const width of [60, 80, 120])
      for (const verbose of [false, true]) {
        const how = { ...options, width, verbose, source: () => NASTY.repeat(3), diff: () => [`+${NASTY}`] };
        for (const line of text.render(what, how).split('\n')) assert.ok(columns(line) <= width, line);
      }
  });

  it('says the same with and without colour', () => {
    const what = report([finding(), finding({ severity: 'low' })], [{ reason: 'broken' }]);
    const colored = text.render(what, { ...options, color: true });
    assert.equal(colored.replaceAll(/\u001b\[\d+m/g, ''), text.render(what, options));
    assert.notEqual(colored, text.render(what, options));
  });

  it('shows nothing of a place that holds a secret', () => {
    const one = finding({ sensitive: true, fix: { title: 'x', kind: 'safe', changes: [] } });
    const shown = text.render(report([one]), {
      ...options,
      source: () => 'hunter2',
      diff: () => ['-hunter2'],
    });
    assert.doesNotMatch(shown, /hunter2/);
  });

  it('names the file of a place in another one', () => {
    const { occurrences } = finding();
    const more = [...occurrences, { ...occurrences[0]!, line: 40 }, { ...occurrences[0]!, file: 'b.yaml' }];
    assert.match(
      text.render(report([finding({ occurrences: more })]), options),
      /also on 2 lines: 40, b\.yaml:12\n/,
    );
  });

  it('groups what could not be judged by its reason', () => {
    const what = report(
      [],
      [
        { file: 'a', reason: 'x' },
        { file: 'b', reason: 'y' },
        { file: 'c', line: 3, reason: 'x' },
      ],
    );
    assert.match(
      text.render(what, options),
      /Could not be judged \(3\)\n {2}a \(and 1 more\)\n {4}x\n {2}b\n/,
    );
    assert.match(text.render(what, { ...options, verbose: true }), / {2}c:3\n {4}x\n/);
  });
});
