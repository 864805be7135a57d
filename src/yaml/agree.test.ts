/** The two readers of YAML agree on everything that the fast one takes, places included; and both on JSON. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Documents, defaultLimits, type OneReader } from './documents.ts';
import { readFastOne, readFastWithout } from './fast.ts';
import { readDocuments } from './read.ts';
import { Recorder } from './recorder.ts';
import { UNUSUAL } from './scanner.ts';
import { readThoroughOne } from './thorough.ts';

const PIECES = [
  ...['a', 'b', '1', 'yes', '~', 'x y', '"q"', "'s'", '"\\n"', '[a, b]', '{a: b}', '[a: b]', '{a, "b":c}'],
  ...[
    ': ',
    ':',
    '- ',
    '-',
    '? ',
    ', ',
    ',',
    '[',
    ']',
    '{',
    '}',
    '# c',
    ' # c',
    '#',
    '|',
    '>',
    '|-',
    '>+',
    '|2',
  ],
  ...['&a ', '*a', '!!str ', '!x ', '<<: ', '%', '@', '"', "'", '\\', '...', '---', '0x1F', '1.5', '.inf'],
  ...[
    '\n',
    '\n',
    '\n',
    '\n  ',
    '\n  ',
    '\n    ',
    '\n- ',
    '\n  - ',
    ' ',
    '  ',
    '\t',
    '\r\n',
    '\r',
    '\u0085',
    'é',
  ],
];

/** Texts that are sometimes YAML. */
const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 24 }).map(pieces => pieces.join(''));

/** Texts in which something often stands below an `a`. */
const nested = fc
  .tuple(
    fc.array(fc.constantFrom('c: d\n', 'e:\n  f: 1\n', 'a: 2\n', ''), { maxLength: 2 }),
    texts,
    fc.array(fc.constantFrom('b: d\n', 'b:\n  - a\n', 'c: [{b: 1}]\n', 'd: .inf\n', 'd: |\n   b: e\n', ''), {
      maxLength: 3,
    }),
  )
  .map(([before, odd, lines]) =>
    [
      ...before,
      'a:\n',
      ...lines.map(line => line.replaceAll(/^(?=.)/gm, '  ')),
      odd.replaceAll('\n', '\n  '),
    ].join(''),
  );

function outcome(read: () => ReturnType<OneReader>): ReturnType<OneReader> | { readonly is: 'unusual' } {
  try {
    return read();
  } catch (error) {
    if (error !== UNUSUAL) throw error;
    return { is: 'unusual' };
  }
}

/** With something else in the place of all that stands below an `a`. */
function withoutA(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutA);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === 'a' ? 'left out' : withoutA(item)]),
  );
}

function hasBBelowA(value: unknown, isBelow: boolean): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, item]) =>
      (isBelow && key === 'b' && !Array.isArray(value)) ||
      hasBBelowA(item, isBelow || (key === 'a' && !Array.isArray(value))),
  );
}

describe('the readers', () => {
  it('agree', () => {
    let fast = 0;
    const both: OneReader = (file, extent, _, limits) => {
      const recorders = [new Recorder(extent.start), new Recorder(extent.start)] as const;
      const thorough = readThoroughOne(file, extent, recorders[0], limits);
      try {
        assert.deepEqual(readFastOne(file, extent, recorders[1], limits), thorough);
        assert.deepEqual(recorders[1].root, recorders[0].root);
        fast++;
      } catch (error) {
        if (error !== UNUSUAL) throw error;
      }
      return thorough;
    };
    fc.assert(
      fc.property(texts, text => {
        new Documents(text, defaultLimits).yaml(0, both);
      }),
      { numRuns: 3000 },
    );
    assert.ok(fast > 100, `the fast reader took ${fast}`);
  });

  it('leave out what is not asked for, and nothing else', () => {
    let left = 0;
    let noted = 0;
    const both: OneReader = (file, extent, _, limits) => {
      let note: boolean | undefined;
      const lean = readFastWithout({ below: 'a', note: 'b' }, (_, hasNoted) => {
        note = hasNoted;
        return false;
      });
      const some = outcome(() => lean(file, extent, null, limits));
      const all = outcome(() => readFastOne(file, extent, null, limits));
      assert.deepEqual(withoutA(some), withoutA(all));
      if (note !== undefined && all.is === 'value' && !all.hasDuplicates) {
        left++;
        if (note) noted++;
        // What lies in brackets behind the key is kept, so a `b` in it need not be told.
        if (note || !/a: ?[[{]/.test(file)) assert.equal(note, hasBBelowA(all.value, false));
      }
      return { is: 'empty' };
    };
    fc.assert(
      fc.property(nested, text => {
        new Documents(text, defaultLimits).yaml(0, both);
      }),
      { numRuns: 5000 },
    );
    assert.ok(left > 100 && noted > 10 && noted < left, `${left} left out, ${noted} with the key`);
  });

  it('never throw', () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.string({ unit: 'binary', maxLength: 40 })), text => {
        for (const document of readDocuments(text)) if (document.is === 'value') document.place();
      }),
      { numRuns: 3000 },
    );
  });

  it('read JSON as JSON, with the way of YAML too', () => {
    const values = fc
      .jsonValue({ maxDepth: 4, noUnicodeString: false })
      .filter(value => !hasNegativeZero(value));
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 6 }), values), value => {
        // Three characters break lines in YAML, also between quotes; escaped they mean the same both ways.
        const text = JSON.stringify(value).replace(
          /[\u0085\u2028\u2029]/g,
          char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
        );
        for (const written of [text, `\n# YAML, for it begins with no brace\n${text}`]) {
          const [document] = readDocuments(written);
          // JSON escapes what YAML refuses, and YAML knows no escaped surrogates; neither is part of this.
          if (document?.is === 'error') assert.match(text, /\\|[\x7f-\x9f\ufffe\uffff]|.{1024}/);
          else assert.deepEqual(document?.is === 'value' ? document.value : undefined, asKept(value));
        }
      }),
      { numRuns: 500 },
    );
  });
});

function hasNegativeZero(value: unknown): boolean {
  if (Object.is(value, -0)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNegativeZero);
}

/** Whole numbers beyond 2^53 that an int64 holds become exact integers. */
function asKept(value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return Math.abs(value) < 2 ** 63 ? BigInt(String(value)) : value;
  if (Array.isArray(value)) return value.map(asKept);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asKept(item)]));
}
