/** The fewest choices, beside trying all sets. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fewest } from './hitting-set.ts';

let state = 3;
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >>> 8) % below;
}

/** The size of a smallest set that meets all demands, found by trying every one. */
function tried(demands: readonly ReadonlySet<number>[], choices: number): number {
  let best = choices;
  for (let mask = 0; mask < 1 << choices; mask++) {
    const size = mask.toString(2).replaceAll('0', '').length;
    if (size < best && demands.every(demand => [...demand].some(one => (mask >> one) & 1))) best = size;
  }
  return best;
}

describe('the fewest choices', () => {
  it('are none where nothing is asked, and leave out what nothing meets', () => {
    assert.deepEqual([...fewest([]).chosen], []);
    assert.deepEqual([...fewest([new Set<string>()]).chosen], []);
  });
  it('are the one that meets all, not the first of each', () => {
    const demands = [new Set(['a', 'x']), new Set(['b', 'x']), new Set(['c', 'x'])];
    assert.deepEqual([...fewest(demands).chosen], ['x']);
  });
  it('are as few as trying every set finds, in 400 random cases', () => {
    for (let round = 0; round < 400; round++) {
      const choices = 2 + random(9);
      const demands = Array.from(
        { length: 1 + random(12) },
        () => new Set(Array.from({ length: 1 + random(4) }, () => random(choices))),
      );
      const { chosen, exact } = fewest(demands);
      assert.ok(exact);
      assert.ok(demands.every(demand => [...demand].some(one => chosen.has(one))));
      assert.equal(chosen.size, tried(demands, choices));
    }
  });
  it('are still enough, and said not to be proven, where the search is cut short', () => {
    const demands = Array.from({ length: 200 }, () => new Set(Array.from({ length: 3 }, () => random(60))));
    const { chosen, exact } = fewest(demands, 1);
    assert.equal(exact, false);
    assert.ok(demands.every(demand => [...demand].some(one => chosen.has(one))));
  });
});
