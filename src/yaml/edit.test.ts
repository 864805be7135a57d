/** Edits keep what a person wrote: comments, quotes, order, indentation, line ends. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EditRefused, type EditRequest, editsFor, withEdits } from './edit.ts';
import { readDocuments } from './read.ts';

function edited(text: string, ...requests: EditRequest[]): string {
  return withEdits(text, editsFor(text, readDocuments(text).find(({ is }) => is === 'value')!, requests));
}

const set = (path: EditRequest['path'], value: unknown): EditRequest => ({ op: 'set', path, value });
const remove = (path: EditRequest['path']): EditRequest => ({ op: 'remove', path });
const append = (path: EditRequest['path'], value: unknown): EditRequest => ({ op: 'append', path, value });

const cases: readonly (readonly [
  name: string,
  before: string,
  request: EditRequest | readonly EditRequest[],
  after: string,
])[] = [
  ['a value, with its comment', 'a: 1 # one\nb: 2\n', set(['a'], 3), 'a: 3 # one\nb: 2\n'],
  ['a value in double quotes', 'a: "x"\n', set(['a'], 'y z'), 'a: "y z"\n'],
  ['a value in single quotes', "a: 'x'\n", set(['a'], "it's"), "a: 'it''s'\n"],
  ['text that would read as something else', 'a: x\n', set(['a'], 'yes'), 'a: "yes"\n'],
  [
    'a new key, as its neighbours are indented',
    'a:\n    b: 1 # one\nc: 2\n',
    set(['a', 'd'], true),
    'a:\n    b: 1 # one\n    d: true\nc: 2\n',
  ],
  ['new keys on the way', 'a:\n  b: 1\n', set(['a', 'c', 'd'], 'x'), 'a:\n  b: 1\n  c:\n    d: x\n'],
  [
    'two new keys in one new mapping',
    'a:\n  b: 1\n',
    [set(['a', 'c', 'd'], 1), set(['a', 'c', 'e'], 2)],
    'a:\n  b: 1\n  c:\n    d: 1\n    e: 2\n',
  ],
  [
    'a new list, below its key as the others are',
    'a:\n- 1\nb:\n  c: 1\n',
    set(['b', 'd'], ['X', 'Z']),
    'a:\n- 1\nb:\n  c: 1\n  d:\n  - X\n  - Z\n',
  ],
  [
    'a new key in a list item',
    'a:\n  - b: 1\n    c: 2\n  - b: 3\n',
    set(['a', 0, 'd'], 4),
    'a:\n  - b: 1\n    c: 2\n    d: 4\n  - b: 3\n',
  ],
  [
    'a new key behind a block of text',
    'a:\n  b: |\n    text\n\nc: 1\n',
    set(['a', 'd'], 1),
    'a:\n  b: |\n    text\n  d: 1\n\nc: 1\n',
  ],
  [
    'a key with nothing behind it',
    'a:\n  b:\n  c: 1\n',
    set(['a', 'b', 'd'], 1),
    'a:\n  b:\n    d: 1\n  c: 1\n',
  ],
  ['flow style stays flow style', 'a: { b: 1 }\n', set(['a', 'c'], ['x']), 'a: { b: 1, c: [x] }\n'],
  ['an empty mapping', 'a: {}\n', set(['a', 'b'], 1), 'a:\n  b: 1\n'],
  [
    'an empty mapping with a comment',
    'a:\n  b: {} # c\n  # d\n',
    set(['a', 'b', 'e'], 1),
    'a:\n  b: # c\n    e: 1\n  # d\n',
  ],
  ['an empty mapping in a flow', 'a: { b: {} }\n', set(['a', 'b', 'c'], 1), 'a: { b: { c: 1 } }\n'],
  ['an empty mapping of JSON', '{"a": {}}\n', set(['a', 'b'], 1), '{"a": {"b": 1}}\n'],
  [
    'a mapping as an item',
    'a:\n  - x: 1\n',
    append(['a'], { k: 1, z: { w: 2 } }),
    'a:\n  - x: 1\n  - k: 1\n    z:\n      w: 2\n',
  ],
  ['a mapping as a first item', 'b: 1\n', append(['a'], { k: 1 }), 'b: 1\na:\n  - k: 1\n'],
  [
    'JSON stays JSON',
    '{\n  "a": {"b": 1}\n}\n',
    set(['a', 'c'], { d: 'e' }),
    '{\n  "a": {"b": 1, "c": {"d": "e"}}\n}\n',
  ],
  ['Windows line ends', 'a:\r\n  b: 1\r\nc: 2\r\n', set(['a', 'd'], 3), 'a:\r\n  b: 1\r\n  d: 3\r\nc: 2\r\n'],
  ['no line break at the end', 'a:\n  b: 1', set(['a', 'c'], 2), 'a:\n  b: 1\n  c: 2'],
  ['a mapping in place of a value', 'a: 1\nb: 2\n', set(['a'], { c: 3 }), 'a: {c: 3}\nb: 2\n'],
  ['a list in place of a list', 'a:\n  - 1\n  - 2\nb: 2\n', set(['a'], ['ALL']), 'a: [ALL]\nb: 2\n'],
  ['a key goes with its line', 'a: 1 # one\n# two\nb: 2\n', remove(['a']), '# two\nb: 2\n'],
  [
    'a key goes with what is below it',
    'a:\n  b: 1\n  c: [\n    2 ]\nd: 3\n',
    remove(['a', 'c']),
    'a:\n  b: 1\nd: 3\n',
  ],
  ['the only key goes', 'a:\n  b: 1\nc: 2\n', remove(['a', 'b']), 'a: {}\nc: 2\n'],
  ['the first key behind a dash', 'a:\n- b: 1\n  c: 2\n', remove(['a', 0, 'b']), 'a:\n- c: 2\n'],
  ['an item goes', 'a:\n- 1\n- 2 # two\n- 3\n', remove(['a', 1]), 'a:\n- 1\n- 3\n'],
  ['all items go', 'a:\n  - 1\n  - 2\nb: 1\n', [remove(['a', 0]), remove(['a', 1])], 'a: []\nb: 1\n'],
  ['an item of a flow list', 'a: [1, 2, 3]\n', remove(['a', 2]), 'a: [1, 2]\n'],
  ['a key of a flow mapping', 'a: {b: 1, c: 2}\n', remove(['a', 'b']), 'a: {c: 2}\n'],
  ['the last line of a text without an end', 'a: 1\nb: 2', remove(['b']), 'a: 1'],
  ['another item', 'a:\n  - x # one\nb: 1\n', append(['a'], 'z'), 'a:\n  - x # one\n  - z\nb: 1\n'],
  ['another item of a flow list', 'a: ["x"]\n', append(['a'], 'y'), 'a: ["x", "y"]\n'],
  ['a first item', 'a:\n  b: 1\n', append(['a', 'c'], 'z'), 'a:\n  b: 1\n  c:\n    - z\n'],
  ['what is not there need not go', 'a: 1\n', remove(['b']), 'a: 1\n'],
  ['only its own document', '# top\n---\na: 1\n---\na: 2\n', set(['a'], 3), '# top\n---\na: 3\n---\na: 2\n'],
];

describe('an edit', () => {
  for (const [name, before, request, after] of cases)
    it(name, () => {
      assert.equal(edited(before, ...[request].flat()), after);
    });

  it('twice is the same as once', () => {
    const once = edited('a:\n  b: 1\n', set(['a', 'c'], true));
    assert.equal(edited(once, set(['a', 'c'], true)), once);
  });
});

describe('what is refused', () => {
  const refused: readonly (readonly [name: string, before: string, request: EditRequest])[] = [
    ['a value that comes from an anchor', 'a: &x { b: 1 }\nc: *x\n', set(['c', 'b'], 2)],
    ['a block of text', 'a: |\n  text\n', set(['a'], 'x')],
    ['a comment that would be lost', 'a: # why\n  b: 1\n', set(['a'], 2)],
    ['an item that is not there', 'a: []\n', set(['a', 3, 'b'], 1)],
    ['a mapping inside of text', 'a: text\n', set(['a', 'b'], 1)],
  ];
  for (const [name, before, request] of refused)
    it(name, () => {
      assert.throws(() => edited(before, request), EditRefused);
    });
});
