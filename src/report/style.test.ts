import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columns } from './columns.ts';
import { styled, wrapped } from './style.ts';

describe('wrapped', () => {
  it('breaks at spaces, and loses nothing', () => {
    assert.deepEqual(wrapped('one two three', 7), ['one two', 'three']);
    assert.deepEqual(wrapped('', 7), ['']);
  });

  it('breaks a word only where it is longer than a line', () => {
    assert.deepEqual(wrapped('a 1234567890 b', 4), ['a', '1234', '5678', '90 b']);
  });

  it('counts columns, and not codes of colours', () => {
    assert.deepEqual(wrapped('日本 日本', 5), ['日本', '日本']);
    const red = styled('red', 'abc');
    assert.deepEqual(wrapped(`${red} ${red}`, 7), [`${red} ${red}`]);
  });

  it('is never wider than asked', () => {
    for (let width = 2; width < 30; width++)
      for (const line of wrapped('a 日本語日本語日本語 and-a-very-long-word 🚀🚀🚀', width))
        assert.ok(columns(line) <= width, line);
  });
});
