import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Severity } from '#check/severity.ts';
import { gateSentence } from './gate.ts';

const NONE = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
const FEW = { ...NONE, high: 1, medium: 2 };
const COULD_NOT = 'The gate is shut: not everything could be judged (--allow-unknown opens it).';

const CASES: readonly (readonly [
  findings: Record<Severity, number>,
  unknowns: number,
  failOn: Severity | 'never',
  allowUnknown: boolean,
  says: string,
])[] = [
  [NONE, 0, 'high', false, 'The gate is open: nothing at or above high.'],
  [FEW, 0, 'critical', false, 'The gate is open: nothing at or above critical.'],
  [FEW, 0, 'high', false, 'The gate is shut: 1 finding at or above high.'],
  [FEW, 1, 'info', false, 'The gate is shut: 3 findings at or above info.'],
  [FEW, 0, 'never', false, 'The gate is open: nothing fails it.'],
  [FEW, 1, 'never', false, COULD_NOT],
  [FEW, 1, 'critical', false, COULD_NOT],
  [FEW, 1, 'critical', true, 'The gate is open: nothing at or above critical.'],
];

describe('the gate', () => {
  for (const [findings, unknowns, failOn, allowUnknown, says] of CASES)
    it(`${JSON.stringify(findings)}, ${unknowns} unknown, fails on ${failOn}, allows unknown: ${allowUnknown}`, () => {
      const summary = { files: 1, documents: 1, objects: 1, workloads: 1, findings, unknowns };
      assert.equal(gateSentence(summary, { failOn, allowUnknown }), says);
    });
});
