import assert from 'node:assert/strict';
import { it } from 'node:test';
import { pathAt } from './path-at.ts';
import { readDocuments } from './read.ts';

const TEXT = `a: 1
b:
  - name: x
    c: {d: [1, 2]}
---
"e": &e {f: 1}
g: *e
`;

it('finds the path of what begins at a place, and nothing where nothing begins', () => {
  const at = (line: number, column: number) => pathAt(TEXT, readDocuments(TEXT), line, column);
  assert.deepEqual(at(1, 1), { document: 0, path: ['a'] });
  assert.deepEqual(at(2, 1), { document: 0, path: ['b'] });
  assert.deepEqual(at(3, 3), { document: 0, path: ['b', 0] });
  assert.deepEqual(at(3, 5), { document: 0, path: ['b', 0, 'name'] });
  assert.deepEqual(at(4, 9), { document: 0, path: ['b', 0, 'c', 'd'] });
  assert.deepEqual(at(4, 16), { document: 0, path: ['b', 0, 'c', 'd', 1] });
  assert.deepEqual(at(6, 1), { document: 1, path: ['e'] });
  assert.deepEqual(at(7, 1), { document: 1, path: ['g'] });
  assert.equal(at(1, 2), undefined);
  assert.equal(at(9, 1), undefined);
  assert.equal(at(99, 1), undefined);
});
