import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isQuantity } from './quantities.ts';

/** Each answer is the API server's own, to a quantity in the resources of a container. */
const GOOD = [
  '1',
  '+1.',
  '-.5Gi',
  '1e3',
  '1E+03',
  '-',
  '+',
  '.',
  '.e3',
  'Ki',
  'n',
  '0.0000000000001',
  ' 1\u00a0',
  '1e99999999999',
];
const BAD = [
  '',
  ' ',
  '1gi',
  '1i',
  '1Zi',
  'e',
  '1e',
  '1Ee5',
  '--1',
  '1.2.3',
  'Inf',
  '1_000',
  '1 Gi',
  'Pi',
  '.e-10',
  '1\n',
  '\t1',
  '1e9999999999999999999',
];

it('knows a quantity as the API server does', () => {
  for (const text of GOOD) assert.equal(isQuantity(text), true, JSON.stringify(text));
  for (const text of BAD) assert.equal(isQuantity(text), false, JSON.stringify(text));
});
