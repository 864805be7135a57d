import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync, inflateSync } from 'node:zlib';
import { inflateSmall } from './inflate.ts';

describe('small objects are unpacked', () => {
  const texts = [
    '',
    'a',
    'kind: Pod\n'.repeat(500),
    Array.from({ length: 9000 }, (_, i) => (i * i) % 251).join(),
  ];

  it('as zlib does it, whatever follows', () => {
    for (const text of texts)
      for (const level of [0, 1, 6, 9]) {
        const packed = Buffer.concat([deflateSync(text, { level }), Buffer.from('next')]);
        assert.equal(inflateSmall(packed, Buffer.byteLength(text))?.toString(), text);
      }
  });

  it('and none that is of another size, cut off or broken', () => {
    const text = texts[2]!;
    const packed = deflateSync(text);
    for (const size of [0, 1, text.length - 1, text.length + 1])
      assert.equal(inflateSmall(packed, size), undefined);
    for (let end = 0; end < packed.length; end++)
      assert.equal(inflateSmall(packed.subarray(0, end), text.length), undefined, `cut at ${end}`);
    for (let at = 0; at < packed.length; at++)
      for (const bit of [1, 16, 128]) {
        const broken = Buffer.from(packed);
        broken[at]! ^= bit;
        let expected: string | undefined;
        try {
          const whole = inflateSync(broken, { maxOutputLength: 1 << 20 });
          expected = whole.length === text.length ? whole.toString() : undefined;
        } catch {
          expected = undefined;
        }
        assert.equal(inflateSmall(broken, text.length)?.toString(), expected, `bit ${bit} at ${at}`);
      }
    assert.equal(inflateSmall(packed, text.length)?.toString(), text);
  });
});
