import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseRfc3339 } from './go-time.ts';

/** Each answer is Go's own: time.Parse(time.RFC3339, …). */
const READ: Readonly<Record<string, number>> = {
  '1970-01-01T00:00:00Z': 0,
  '1970-01-01T1:00:00Z': 3600,
  '1970-01-01T00:00:01,5Z': 1,
  '1970-01-01T01:00:00+01:00': 0,
  '1970-01-02T00:00:00+24:00': 0,
  '1970-01-01T00:00:00-23:60': 86_400,
  '2024-02-29T00:00:00Z': 1_709_164_800,
};
const REFUSED = [
  '',
  '1970-01-01',
  '1970-01-01t00:00:00Z',
  '1970-01-01T00:00:00z',
  '1970-01-01T24:00:00Z',
  '1970-01-01T00:00:60Z',
  '1970-01-01T00:00:00.Z',
  '1970-01-01T00:00:00+25:00',
  '1970-01-01T00:00:00+23:61',
  '1970-01-01T00:00:00+0100',
  '1970-00-01T00:00:00Z',
  '2023-02-29T00:00:00Z',
];

it('reads points in time as Go does', () => {
  for (const [text, seconds] of Object.entries(READ))
    assert.equal(parseRfc3339(text)?.seconds, seconds, text);
  for (const text of REFUSED) assert.equal(parseRfc3339(text), undefined, text);
});
