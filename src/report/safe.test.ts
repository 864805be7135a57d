import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { count, objectName, safe, shorten } from './safe.ts';

describe('safe', () => {
  for (const [text, shown] of [
    ['plain # text with one hash', 'plain # text with one hash'],
    ['größe 日本語 🚀', 'größe 日本語 🚀'],
    ['a\nb\tc\r', 'a\\nb  c\\u000d'],
    ['\u001b[31m\u0007\u009b', '\\u001b[31m\\u0007\\u009b'],
    ['\u202e\u2066\u200b\u00ad\ufeff', '\\u202e\\u2066\\u200b\\u00ad\\ufeff'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['a\u{e0041}b', 'a\\u{e0041}b'],
    ['\u3164\ufe0f\u034f', '\\u3164\\ufe0f\\u034f'],
    ['half \ud83d of a pair', 'half \\ud83d of a pair'],
    ['\uffff\ufffe', '\\uffff\\ufffe'],
    ['##[add-mask]x', '\\u0023#[add-mask]x'],
    ['a ##VSO[task]x ##teamcity[y', 'a \\u0023#VSO[task]x \\u0023#teamcity[y'],
    ['####[x]', '##\\u0023#[x]'],
    ['## a heading', '## a heading'],
  ] as const)
    it(`shows ${JSON.stringify(text)}`, () => {
      assert.equal(safe(text), shown);
      assert.equal(safe(shown), shown, 'what is safe stays as it is');
    });
});

describe('shorten', () => {
  it('keeps what fits, and cuts no character in half', () => {
    assert.equal(shorten('abc', 3), 'abc');
    assert.equal(shorten('abcd', 3), 'ab…');
    assert.equal(shorten('a🚀bc', 3), 'a…');
  });
});

describe('objectName', () => {
  it('says what is known', () => {
    assert.equal(objectName({ kind: 'Pod', namespace: 'shop', name: 'cart' }), 'Pod shop/cart');
    assert.equal(objectName({ kind: 'Pod', name: '' }), 'Pod (no name)');
    assert.equal(objectName({ kind: 'Pod', name: 'a\n' }), 'Pod a\\n');
  });
});

describe('count', () => {
  it('knows one from many', () => {
    assert.equal(count(1, 'finding'), '1 finding');
    assert.equal(count(0, 'finding'), '0 findings');
    assert.equal(count(2, 'policy', 'policies'), '2 policies');
  });
});
