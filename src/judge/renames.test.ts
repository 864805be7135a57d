import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renamesOf, type SideFiles } from './renames.ts';

const side = (files: Readonly<Record<string, string>>): SideFiles => ({
  names: () => Object.keys(files),
  contentOf: name => files[name] ?? '',
  linesOf: name => (files[name] ?? '').split('\n'),
});
const lines = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}: line ${i}\n`).join('');

function renamed(before: Record<string, string>, after: Record<string, string>): Record<string, string> {
  return Object.fromEntries(renamesOf(side(before), side(after), new Set(Object.keys(after))));
}

describe('files that were renamed', () => {
  const a = lines('a', 10);
  const b = lines('b', 10);

  it('are found by their content, of several by their last name', () => {
    assert.deepEqual(renamed({ 'a.yaml': a, 'b.yaml': b }, { 'c.yaml': b, 'b.yaml': b }), {});
    assert.deepEqual(renamed({ 'x/a.yaml': a, 'x/b.yaml': a }, { 'y/b.yaml': a, 'y/a.yaml': a }), {
      'y/b.yaml': 'x/b.yaml',
      'y/a.yaml': 'x/a.yaml',
    });
  });

  it('are found by half of their lines, the most alike first, each once', () => {
    assert.deepEqual(renamed({ 'a.yaml': a }, { 'c.yaml': `${a}${lines('c', 9)}` }), { 'c.yaml': 'a.yaml' });
    assert.deepEqual(renamed({ 'a.yaml': a }, { 'c.yaml': `${a}${lines('c', 11)}` }), {});
    assert.deepEqual(renamed({ 'a.yaml': a }, { 'c.yaml': b }), {});
    assert.deepEqual(renamed({ 'a.yaml': a }, { 'c.yaml': `${a}${lines('c', 5)}`, 'd.yaml': `${a}d\n` }), {
      'd.yaml': 'a.yaml',
    });
  });

  it('are none where the file is still there, is empty, or nobody asks', () => {
    assert.deepEqual(renamed({ 'a.yaml': a }, { 'a.yaml': b, 'c.yaml': a }), {});
    assert.deepEqual(renamed({ 'a.yaml': '' }, { 'c.yaml': `x\n${a}` }), {});
    assert.equal(renamesOf(side({ 'a.yaml': a }), side({ 'c.yaml': a }), new Set()).size, 0);
  });

  it('are looked for within bounds', () => {
    const many = (name: string) =>
      Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`${name}/${i}.yaml`, `${name} ${i}\n${a}`]));
    const start = process.cpuUsage();
    const found = renamed(many('x'), many('y'));
    assert.ok(Object.keys(found).length <= 1000);
    assert.ok(process.cpuUsage(start).user < 20_000_000);
  });
});
