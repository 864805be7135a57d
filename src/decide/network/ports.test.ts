import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatPorts, hasPort, PortAlgebra, type PortRange, type PortSet } from './ports.ts';

describe('port sets', () => {
  const algebra = new PortAlgebra();
  const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 })), {
    maxLength: 4,
  });
  const sets = fc.record({ TCP: ranges, UDP: ranges, SCTP: ranges });
  const sample = (set: PortSet) =>
    (['TCP', 'UDP', 'SCTP'] as const).flatMap(protocol =>
      Array.from({ length: 62 }, (_, i) => hasPort(set, protocol, i + 1)),
    );

  it('is one object for equal sets, however they are written', () => {
    const parts: PortRange[] = [
      [3, 4],
      [1, 2],
      [9, 8],
      [2, 3],
    ];
    assert.equal(algebra.of({ TCP: parts }), algebra.of({ TCP: [[1, 4]] }));
    assert.notEqual(algebra.of({ TCP: [[1, 4]] }), algebra.of({ UDP: [[1, 4]] }));
    assert.equal(algebra.of({}), algebra.none);
  });

  it('joins, meets and subtracts port by port', () => {
    fc.assert(
      fc.property(sets, sets, (left, right) => {
        const [a, b] = [algebra.of(left), algebra.of(right)];
        const [inA, inB] = [sample(a), sample(b)];
        assert.deepEqual(
          sample(algebra.union(a, b)),
          inA.map((has, i) => has || inB[i]!),
        );
        assert.deepEqual(
          sample(algebra.intersection(a, b)),
          inA.map((has, i) => has && inB[i]!),
        );
        assert.deepEqual(
          sample(algebra.difference(a, b)),
          inA.map((has, i) => has && !inB[i]!),
        );
      }),
    );
  });

  for (const [set, text] of [
    [algebra.all, 'all ports'],
    [algebra.none, 'no port'],
    [
      algebra.of({
        UDP: [[53, 53]],
        TCP: [
          [80, 90],
          [443, 443],
        ],
      }),
      'TCP 80-90, 443, UDP 53',
    ],
    [algebra.of({ TCP: [[1, 65535]] }), 'TCP 1-65535'],
    [algebra.difference(algebra.all, algebra.one('TCP', 1)), 'TCP 2-65535, UDP 1-65535, SCTP 1-65535'],
  ] as const)
    it(`writes ${text}`, () => assert.equal(formatPorts(set), text));
});
