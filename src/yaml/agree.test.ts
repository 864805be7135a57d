/** The two readers of YAML agree on everything that the fast one takes, places included; and both on JSON. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Documents, defaultLimits, type OneReader } from './documents.ts';
import { readFastOne } from './fast.ts';
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
