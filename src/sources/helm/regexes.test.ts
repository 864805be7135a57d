/** Patterns that JavaScript decides give what RE2 gives. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderTemplate } from './door.ts';
import { isPlain } from './regexes.ts';

let state = 11;
const random = (below: number): number => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >> 8) % below;
};
const oneOf = <Item>(list: readonly Item[]): Item => list[random(list.length)]!;

const ITEMS = [
  'a',
  '-',
  'r',
  '0',
  ' ',
  ':',
  '\\d',
  '\\W',
  '\\w',
  '\\.',
  '[^A-Za-z0-9]',
  '[a-z-]',
  '[0-9.]',
  '[^a]',
];

function pattern(): string {
  let repeats = random(2);
  const alternative = (): string => {
    let text = random(5) === 0 ? '^' : '';
    for (let items = 1 + random(3); items > 0; items--) {
      text += oneOf(ITEMS);
      if (repeats > 0 && random(2) === 0) {
        repeats--;
        text += oneOf(['+', '*', '?']);
      }
    }
    return text + (random(5) === 0 ? '$' : '');
  };
  return Array.from({ length: 1 + random(2) }, alternative).join('|');
}

const text = (): string => Array.from({ length: random(14) }, () => oneOf([...'ar0-. :Z\n'])).join('');

describe('regular expressions', () => {
  it('are the same, plain or in a group that leaves them to RE2', () => {
    const template = [
      '{{ range .Values.all }}{{ $p := index . 0 }}{{ $t := index . 1 }}',
      '{{ regexMatch $p $t }}~{{ regexFind $p $t }}~{{ regexFindAll $p $t -1 }}~{{ regexFindAll $p $t 2 }}',
      '~{{ regexReplaceAll $p $t "<${0}>" }}~{{ regexReplaceAllLiteral $p $t "$" }}~{{ regexSplit $p $t -1 }}|{{ end }}',
    ].join('');
    const all = Array.from({ length: 3000 }, () => [pattern(), text()] as const);
    for (const [source] of all) assert.ok(isPlain(source), source);
    const render = (group: (source: string) => string): string[] =>
      renderTemplate({ template, values: { all: all.map(([p, t]) => [group(p), t]) } }).text.split('|');
    const plain = render(source => source);
    const grouped = render(source => `(?:${source})`);
    for (const [at, [source, of]] of all.entries())
      assert.equal(plain[at], grouped[at], JSON.stringify([source, of]));
  });

  it('are left to RE2 where they are not plain', () => {
    for (const source of [
      '(a)',
      'a.b',
      'a{2}',
      '\\s',
      'a+?',
      'a+b+',
      '[z-a]',
      'a||b',
      '[[:alpha:]]',
      'é',
      '\\pL',
      '(?i)a',
    ])
      assert.equal(isPlain(source), false, source);
    const { text: rendered } = renderTemplate({
      template: '{{ regexReplaceAll "\\\\W" .Values.a "_" }} {{ regexMatch "x$" (repeat 3000 "x") }}',
      values: { a: 'é-ñ' },
    });
    assert.equal(rendered, '___ true');
  });
});
