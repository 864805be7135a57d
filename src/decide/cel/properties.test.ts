import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compile } from './cel.ts';
import { CelCompileError } from './issues.ts';
import { BOOL, DYN, INT } from './types.ts';
import { CelError, fromJson } from './values.ts';

const WORDS = [
  'object',
  'x',
  'true',
  'null',
  '1',
  '1u',
  '2.5',
  "'a'",
  "b'a'",
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '.',
  ',',
  ':',
  '?',
  '+',
  '-',
  '*',
  '/',
  '%',
  '==',
  '<',
  '&&',
  '||',
  '!',
  'in',
  'has',
  '.all',
  '.map',
  '.filter',
  '.size()',
  '.matches',
  '.exists',
  'optional.of',
  '.orValue',
  '.format',
  'type',
  'int',
  'string',
  'quantity',
  'ip',
  'semver',
  '.sort()',
  '[?',
];

describe('any text', () => {
  it('is refused with its mistakes, or evaluated to a value', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...WORDS), { maxLength: 14 }),
        fc.jsonValue({ maxDepth: 3 }),
        (words, json) => {
          const text = words.join(' ');
          try {
            const { value } = compile(text, { variables: { object: DYN, x: INT } }).evaluate({
              object: fromJson(json),
              x: 3n,
            });
            assert.notEqual(value, undefined);
          } catch (error) {
            assert.ok(error instanceof CelCompileError, `${text}: ${String(error)}`);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('of any characters, too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), text => {
        try {
          compile(text, { variables: {} });
        } catch (error) {
          assert.ok(error instanceof CelCompileError, `${text}: ${String(error)}`);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('arithmetic', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

  it('is exact to 64 bits, and an error beyond', () => {
    fc.assert(
      fc.property(int64, int64, fc.constantFrom('+', '-', '*'), (a, b, operator) => {
        const exact = operator === '+' ? a + b : operator === '-' ? a - b : a * b;
        const { value } = compile(`a ${operator} b`, { variables: { a: INT, b: INT } }).evaluate({ a, b });
        if (exact === BigInt.asIntN(64, exact)) assert.equal(value, exact);
        else assert.ok(value instanceof CelError);
      }),
    );
  });
});

describe('and, or', () => {
  const SIDES = ['true', 'false', '1 / 0 == 1'];

  it('do not mind the order of their sides', () => {
    for (const operator of ['&&', '||'])
      for (const a of SIDES)
        for (const b of SIDES) {
          const one = compile(`${a} ${operator} ${b}`, { variables: {} });
          const other = compile(`${b} ${operator} ${a}`, { variables: {} });
          assert.equal(one.output.kind, BOOL.kind);
          assert.deepEqual(one.evaluate({}).value, other.evaluate({}).value);
        }
  });
});
