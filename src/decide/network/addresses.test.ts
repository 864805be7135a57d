import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type AddressSet,
  addressSet,
  formatAddress,
  formatRange,
  overlap,
  parseAddress,
  parseBlock,
  parseRange,
  podAddresses,
  share,
  without,
} from './addresses.ts';

describe('addresses', () => {
  for (const [text, written] of [
    ['10.0.0.1', '10.0.0.1'],
    ['010.000.000.001', '10.0.0.1'],
    ['::', '::'],
    ['2001:DB8::1', '2001:db8::1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:0:0:4:0:0:0:8', '1:0:0:4::8'],
    ['1::2:0:0', '1::2:0:0'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['64:ff9b::10.1.2.3', '64:ff9b::a01:203'],
  ] as const)
    it(`reads ${text}`, () => assert.equal(formatAddress(parseAddress(text)!), written));

  for (const text of [
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.0.1',
    ' 10.0.0.1',
    'fe80::1%eth0',
    '1::2::3',
    ':1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '::10.0.0.256',
    '10.0.0.1::',
    'g::',
    ':'.repeat(100),
  ])
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), undefined));

  for (const [text, written] of [
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['fd00::5/8', 'fd00::/8'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::/0', '::/0'],
    ['10.0.0.1/32', '10.0.0.1'],
  ] as const)
    it(`reads block ${text}`, () => assert.equal(formatRange(parseBlock(text)!), written));

  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '::/129', '10.0.0.0/8/8', 'x/8'])
    it(`refuses block ${text}`, () => assert.equal(parseBlock(text), undefined));

  it('knows which addresses a pod cannot have', () => {
    const [all, link] = ['0.0.0.0/0', '169.254.169.254/32'].map(text => parseBlock(text)!);
    assert.equal(share(without([all!], [link!]), podAddresses({ ipv4: true, ipv6: false })), 'all');
    assert.equal(share([all!], podAddresses({ ipv4: true, ipv6: true })), 'part');
    assert.equal(share([parseBlock('127.0.0.0/8')!], podAddresses({ ipv4: true, ipv6: true })), 'none');
  });

  const small = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 8 })), { maxLength: 5 })
    .map(ranges => addressSet(ranges.map(([first, size]) => [BigInt(first), BigInt(first + size)])));
  const numbers = (set: AddressSet): number[] => {
    const found: number[] = [];
    for (const [first, last] of set) for (let i = first; i <= last; i++) found.push(Number(i));
    return found;
  };

  it('takes sets apart as sets of numbers', () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        assert.deepEqual(
          numbers(without(a, b)),
          numbers(a).filter(number => !numbers(b).includes(number)),
        );
        assert.deepEqual(
          numbers(overlap(a, b)),
          numbers(a).filter(number => numbers(b).includes(number)),
        );
        const inside = numbers(b).filter(number => numbers(a).includes(number)).length;
        assert.equal(share(a, b), inside === 0 ? 'none' : inside === numbers(b).length ? 'all' : 'part');
      }),
    );
  });

  it('reads the ranges that it writes', () => {
    const address = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
      fc.bigInt({ min: 2n ** 32n + 2n ** 64n, max: 2n ** 32n + 2n ** 128n - 1n }),
    );
    fc.assert(
      fc.property(address, fc.bigInt({ min: 0n, max: 2n ** 20n }), (first, size) => {
        const end = first < 2n ** 32n ? 2n ** 32n - 1n : 2n ** 32n + 2n ** 128n - 1n;
        const last = first + size > end ? end : first + size;
        assert.deepEqual(parseRange(formatRange([first, last])), [first, last]);
      }),
    );
  });
});
