import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { finding, NASTY, options, report } from '#test/contracts/reports.ts';
import markdown from './markdown.ts';

function shown(message: string): string {
  const text = markdown.render(report([finding({ message })]), options);
  return /^\| critical \| [^|]* \| [^|]* \| (.*) \| [^|]* \|$/m.exec(text)![1]!;
}

describe('the Markdown report', () => {
  for (const [what, text, cell] of [
    ['a mention', '@everyone', '@\u2060everyone'],
    ['a reference', '#1 and GH-12', '\\#\u20601 and GH-\u206012'],
    ['an address', 'https://x www.x', 'https:\u2060//x www\u2060.x'],
    ['a link', '![a](b)', '\\!\\[a\\]\\(b\\)'],
    ['markup', '<b>&amp;', '&lt;b&gt;&amp;amp;'],
    ['a cell', 'a|b', 'a\\|b'],
    ['code', '`a`', '\\`a\\`'],
    ['mathematics', '$(VAR)', '<span>$</span>\\(VAR\\)'],
    ['a line break', 'a\nb', 'a\\\\nb'],
  ] as const)
    it(`does not let the input make ${what}`, () => assert.equal(shown(text), cell));

  it('says what could not be judged however many findings there are', () => {
    const many = Array.from({ length: 5000 }, (_, i) => finding({ line: i + 1, message: NASTY }));
    const text = markdown.render(report(many, [{ file: 'a.yaml', reason: 'not read' }]), options);
    assert.match(text, /1 could not be judged<\/summary>\n\n- a\.yaml not read\n/);
    assert.ok(text.length < 60_000);
    const [, left] = /and (\d+) more: they did not fit/.exec(text) ?? [];
    assert.equal(text.match(/^\| critical/gm)!.length + Number(left), 5000);
  });

  it('has rows of five cells, whatever the input', () => {
    const text = markdown.render(report([finding({ message: NASTY, file: NASTY })]), options);
    const row = text.split('\n').find(line => line.startsWith('| critical'))!;
    assert.equal(row.match(/(?<!\\)(?:\\\\)*\|/g)!.length, 6);
  });
});
