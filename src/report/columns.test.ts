import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columns, cut, cutWithin } from './columns.ts';

describe('columns', () => {
  for (const [text, width] of [
    ['', 0],
    ['abc', 3],
    ['größe', 5],
    ['日本語', 6],
    ['한글', 4],
    ['🚀', 2],
    ['e\u0301', 1],
    ['ﾊﾝｶｸ', 4],
  ] as const)
    it(`of ${text} are ${width}`, () => assert.equal(columns(text), width));
});

describe('cut', () => {
  for (const [text, width, shown] of [
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['日本語', 6, '日本語'],
    ['日本語', 5, '日本…'],
    ['日本語', 4, '日…'],
    ['🚀🚀', 3, '🚀…'],
  ] as const)
    it(`of ${text} at ${width}`, () => {
      assert.equal(cut(text, width), shown);
      assert.ok(columns(cut(text, width)) <= width);
    });
});

describe('cutWithin', () => {
  it('keeps the end, and never takes more columns than there are', () => {
    assert.equal(cutWithin('sa argo/server', 14), 'sa argo/server');
    assert.equal(cutWithin('sa argo-workflows/argo-server', 15), 'sa argo…-server');
    assert.equal(cutWithin('sa argo-workflows/argo-server', 14), 'sa argo…server');
    for (const text of ['日本語日本語日本語日本語', 'a日b本c語d日e本f語g', 'x'.repeat(40)])
      for (let width = 3; width < 14; width++) {
        const shown = cutWithin(text, width);
        assert.ok(columns(shown) <= width, `${shown} in ${width}`);
        assert.equal(shown.split('…').length, 2);
      }
  });
});
