/** The readers: what they make of odd input, where things stand, and that nothing in them grows out of bounds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Path } from '#kube/objects.ts';
import { Locator } from './locate.ts';
import { readDocuments } from './read.ts';

function values(text: string): unknown[] {
  return readDocuments(text).map(document =>
    document.is === 'value' ? document.value : document.is === 'error' ? `error ${document.line}` : 'empty',
  );
}

describe('documents', () => {
  const cases: readonly (readonly [name: string, text: string, expected: readonly unknown[]])[] = [
    ['one', 'a: 1', [{ a: 1 }]],
    ['several', 'a: 1\n---\nb: 2\n--- # note\nc: 3\n', [{ a: 1 }, { b: 2 }, { c: 3 }]],
    ['a licence before the first', '# Copyright\n---\na: 1\n', [{ a: 1 }]],
    ['directives, which kubectl takes for a document', '%YAML 1.1\n---\na: 1\n', ['error 1', { a: 1 }]],
    ['only comments', '# nothing\n', ['empty']],
    ['nothing between separators', 'a: 1\n---\n---\nb: 2\n', [{ a: 1 }, 'empty', { b: 2 }]],
    ['a broken one among others', 'a: 1\n---\na: [\n---\nb: 2\n', [{ a: 1 }, 'error 4', { b: 2 }]],
    ['text behind a separator', 'a: 1\n--- {b: 2}\n---\nc: 3\n', ['error 2', { c: 3 }]],
    ['a document end', 'a: 1\n...\n', [{ a: 1 }]],
    ['text that kubectl does not see', 'a: 1\n...\nb: 2\n---\nc: 3\n', [{ a: 1 }, 'error 3', { c: 3 }]],
    ['more of that', '  a: 1\nb: 2\n', [{ a: 1 }, 'error 2']],
    ['Windows line ends', 'a: 1\r\nb:\r\n- x\r\n---\r\nc: |\r\n  t\r\n', [{ a: 1, b: ['x'] }, { c: 't\n' }]],
    [
      'JSON',
      '{"a": 12345678901234567, "b": [1, 2.5e3, "\\u00e9"]}',
      [{ a: 12345678901234567n, b: [1, 2500, 'é'] }],
    ],
    ['a stream of JSON', '{"a":1}\n{"b":2} {"c":3}', [{ a: 1 }, { b: 2 }, { c: 3 }]],
    ['JSON with comments is YAML', '{"a": 1, # one\n "b": 2}', [{ a: 1, b: 2 }]],
    [
      'anchors, aliases and merges',
      'x: &x {a: 1, b: 2}\nw: *x\nz: {b: 3, <<: *x}\n',
      [{ x: { a: 1, b: 2 }, w: { a: 1, b: 2 }, z: { b: 2, a: 1 } }],
    ],
    [
      'tags',
      'a: !!str 1\nb: !!int "3"\nc: !custom x\nd: !!binary aGVsbG8=\n',
      [{ a: '1', b: 3, c: 'x', d: 'hello' }],
    ],
    ['keys that are no strings', 'yes: 1\n1: 2\n1.5: 3\n1e10: 4\n', [{ true: 1, 1: 2, 1.5: 3, '1e+10': 4 }]],
    ['an address in a flow list', 'a: [2001:db8::, 10.0.0.0/8]\n', [{ a: ['2001:db8::', '10.0.0.0/8'] }]],
    ['a list below its key', 'a:\n- 1\n- b: 2\n  c: 3\n', [{ a: [1, { b: 2, c: 3 }] }]],
    ['no line break at the end of a block', 'a: |\n  text', [{ a: 'text\n' }]],
    ['plain text over lines', 'a: one\n  two\n\n  three # not text\n', [{ a: 'one two\nthree' }]],
    ['a key that is a list', '? [a]\n: b\n', ['error 1']],
    ['infinity', 'a: .inf\n', ['error 1']],
    ['a tab that indents', 'a:\n\tb: 1\n', ['error 2']],
    ['an anchor that holds itself', 'a: &a [*a]\n', ['error 1']],
    ['an escape of another YAML', 'a: "\\/"\n', ['error 1']],
  ];
  for (const [name, text, expected] of cases)
    it(name, () => {
      assert.deepEqual(values(text), expected);
    });

  it('keeps __proto__ an ordinary key', () => {
    for (const text of [
      '__proto__: {polluted: yes}\n',
      '{"__proto__": {"polluted": true}}',
      'a: &a\n  __proto__: {polluted: yes}\n',
    ]) {
      const [document] = readDocuments(text);
      assert.ok(document?.is === 'value');
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
      const holder = (document.value as Record<string, unknown>)['a'] ?? document.value;
      assert.ok(Object.hasOwn(holder as object, '__proto__'));
    }
  });

  it('reports duplicate keys; the last one counts', () => {
    const [document] = readDocuments('a:\n  b: 1\n  c: 2\n  b: 3\n');
    assert.ok(document?.is === 'value');
    assert.deepEqual(document.value, { a: { b: 3, c: 2 } });
    assert.deepEqual(document.duplicateKeys, [{ path: ['a', 'b'], key: 'b', line: 4, column: 3 }]);
  });

  it('numbers documents as people count them', () => {
    const indexes = (text: string) => readDocuments(text).map(({ is, index }) => `${is} ${index}`);
    assert.deepEqual(indexes('# c\n---\na: 1\n---\n---\nb: 2\n'), ['value 0', 'empty 1', 'value 2']);
    assert.deepEqual(indexes('a: 1\n...\nb: 2\n---\nc: 3\n'), ['value 0', 'error 0', 'value 1']);
    assert.deepEqual(indexes('%YAML 1.1\n---\na: 1\n'), ['error 0', 'value 0']);
  });

  it('says line and column of a mistake in a later document', () => {
    const [, document] = readDocuments('a: 1\n---\nb: 1\nc: d: e\n');
    assert.ok(document?.is === 'error');
    assert.deepEqual([document.line, document.index], [4, 1]);
  });
});

describe('places', () => {
  const text =
    '# top\nspec:\n  containers: # all\n  - name: "web"\n    ports: [80, {a: 1}]\n    text: |\n      x\n  last: y # z\n';
  const cut = (path: Path): string | undefined => {
    const [document] = readDocuments(text);
    const located = new Locator(text, document!).at(path);
    return located === undefined ? undefined : text.slice(located.value.start, located.value.end);
  };
  const cases: readonly (readonly [Path, string | undefined])[] = [
    [['spec', 'containers', 0, 'name'], '"web"'],
    [['spec', 'containers', 0, 'ports', 1], '{a: 1}'],
    [['spec', 'containers', 0, 'ports', 1, 'a'], '1'],
    [['spec', 'containers', 0, 'text'], '|\n      x'],
    [['spec', 'last'], 'y'],
    [['spec', 'containers', 1], undefined],
    [['nothing'], undefined],
  ];
  for (const [path, expected] of cases)
    it(path.join('.'), () => {
      assert.equal(cut(path), expected);
    });

  it('counts lines from the file, not from the document', () => {
    const second = `a: 1\n---\n\n${text}`;
    const document = readDocuments(second)[1]!;
    assert.equal(document.line, 5);
    assert.equal(new Locator(second, document).at(['spec', 'last'])!.value.line, 11);
  });

  it('are byte-exact in odd texts', () => {
    const odd =
      '? "a b"\n: !!str 12 # c\n"q" : &x [1, \'two\', {k: , l}]\nz: *x\ne:\nf: >-\r\n  text\r\n\r\n';
    const [document] = readDocuments(odd);
    const locator = new Locator(odd, document!);
    const shown = (path: Path): readonly (string | undefined)[] => {
      const { key, value, entry } = locator.at(path)!;
      return [key, value, entry].map(span => span && odd.slice(span.start, span.end));
    };
    assert.deepEqual(shown(['a b']), ['"a b"', '!!str 12', '? "a b"\n: !!str 12']);
    assert.deepEqual(shown(['q']), ['"q"', "[1, 'two', {k: , l}]", '"q" : &x [1, \'two\', {k: , l}]']);
    assert.deepEqual(shown(['q', 1]), [undefined, "'two'", "'two'"]);
    assert.deepEqual(shown(['q', 2, 'k']), ['k', '', 'k:']);
    assert.deepEqual(shown(['q', 2, 'l']), ['l', '', 'l']);
    assert.deepEqual(shown(['z']), ['z', "[1, 'two', {k: , l}]", 'z: *x']);
    assert.deepEqual(shown(['e']), ['e', '', 'e:']);
    assert.deepEqual(shown(['f']), ['f', '>-\r\n  text', 'f: >-\r\n  text']);
    const { alias } = locator.at(['z'])!;
    assert.equal(odd.slice(alias!.start, alias!.end), '*x');
  });

  it('list what is below', () => {
    const [document] = readDocuments(text);
    const locator = new Locator(text, document!);
    const steps = (path: Path) => locator.children(path).map(({ step }) => step);
    assert.deepEqual(steps(['spec']), ['containers', 'last']);
    assert.deepEqual(steps(['spec', 'containers', 0, 'ports']), [0, 1]);
    assert.deepEqual(steps(['spec', 'last']), []);
    assert.deepEqual(steps(['spec', 'nothing']), []);
  });

  it('are right in JSON behind other JSON on its line', () => {
    const json = '{"a": 1}\n {"b": 1} {"b": 2,\n"c": [3]}';
    const document = readDocuments(json)[2]!;
    const { value, entry } = new Locator(json, document).at(['b'])!;
    assert.deepEqual([value.line, value.column, json.slice(entry.start, entry.end)], [2, 17, '"b": 2']);
    assert.equal(new Locator(json, document).at(['c', 0])!.value.line, 3);
    assert.deepEqual([document.index, document.line, document.startLine], [2, 2, 2]);
  });

  it('lead to the original of an alias, and say so', () => {
    const source = 'a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n  e: 2\n';
    const document = readDocuments(source)[0]!;
    const locator = new Locator(source, document);
    for (const path of [
      ['c', 'b'],
      ['d', 'b'],
    ]) {
      const located = locator.at(path)!;
      assert.deepEqual([located.value.line, located.anchor], [2, true]);
    }
    assert.equal(locator.at(['d', 'e'])!.anchor, undefined);
  });
});

describe('hostile text', () => {
  const expectQuick = (name: string, text: string, is: 'value' | 'error') =>
    it(name, () => {
      const documents = readDocuments(text);
      assert.equal(documents[0]!.is, is);
    });
  expectQuick('deep flow', '['.repeat(100_000), 'error');
  expectQuick('deep flow in JSON', '{"a":'.repeat(100_000), 'error');
  expectQuick(
    'deep blocks',
    Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    'error',
  );
  expectQuick('deep dashes', `${'- '.repeat(50_000)}x`, 'error');
  expectQuick('many comment lines', `a: 1\n${'# x\n'.repeat(300_000)}b: 2\n`, 'value');
  expectQuick('a long list', `a: [${'1, '.repeat(300_000)}]`, 'value');
  expectQuick('many equal keys', 'a: 1\n'.repeat(50_000), 'value');
  expectQuick('an unclosed quote', `a: "${'x\n'.repeat(200_000)}`, 'error');
  expectQuick('JSON documents on one line', '{"a":1,"a":2}'.repeat(100_000), 'value');
  expectQuick('broken documents', 'a: b: c\n---\n'.repeat(100_000), 'error');
  expectQuick('unclosed quotes in many documents', "a: 'x\n---\n".repeat(50_000), 'error');
  expectQuick('empty lines in a plain text', `a: b\n${'\n'.repeat(1_000_000)}  c\n`, 'value');
  expectQuick('anchors', '- &a x\n'.repeat(100_000), 'value');
  expectQuick('merges', `a: &a {x: 1}\nb:\n${'  <<: *a\n'.repeat(100_000)}`, 'value');
  expectQuick('complex keys', '? a\n: b\n'.repeat(50_000), 'value');
  expectQuick('open brackets and braces', '[{a: '.repeat(100_000), 'error');
  expectQuick('a number of a million digits', `a: .${'1_'.repeat(500_000)}1\n`, 'value');
  expectQuick('a long line', `a: ${'x'.repeat(5_000_000)}\n`, 'value');

  it('a billion laughs', () => {
    const levels = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++) {
      const name = String.fromCharCode(97 + i);
      const below = String.fromCharCode(96 + i);
      levels.push(`${name}: &${name} [${Array(10).fill(`*${below}`).join(', ')}]`);
    }
    const [document] = readDocuments(levels.join('\n'));
    assert.ok(document?.is === 'error');
    assert.match(document.message, /aliases bring in more than/);
  });

  it('a hundred thousand documents, and no more', () => {
    assert.equal(
      readDocuments('a: 1\n---\n'.repeat(100_000)).filter(({ is }) => is === 'value').length,
      100_000,
    );
    const last = readDocuments('a: 1\n---\n'.repeat(100_100)).at(-1)!;
    assert.ok(last.is === 'error');
    assert.match(last.message, /more than 100000 documents/);
  });

  it('does not read a file of more values than there may be', () => {
    for (const text of [
      'x: [{}, {}, {}, {}, {}]\n',
      '{"x": [1, 2, 3, 4, 5, 6]}',
      '- a\n- b\n- c\n- d\n- e\n- f\n',
      'x: "\\x41\\x41\\x41\\x41\\x41\\x41"',
    ]) {
      const [document, ...others] = readDocuments(text, { maxValues: 5 });
      assert.equal(document?.is, 'error', text);
      assert.match(document!.is === 'error' ? document!.message : '', /more than 5 values in one file/);
      assert.deepEqual(others, []);
      assert.equal(readDocuments(text, { maxValues: 12 })[0]?.is, 'value', text);
    }
  });

  it('reads texts of many words as they are', () => {
    const words = 'ab '.repeat(30_000).trim();
    for (const text of [`x: ${words}\n`, `x: &a "${words}"\n`, `x: &a ${words}\n`, `x: &a '${words}'\n`]) {
      const [document] = readDocuments(text);
      assert.deepEqual(document?.is === 'value' ? document.value : document, { x: words });
    }
  });
});
