/** Whether a report fails the run that made it, in the words that reports share. */
import type { Summary } from '#check/finding.ts';
import { atLeast, type Severity, severities } from '#check/severity.ts';
import { count } from './safe.ts';

interface Demand {
  readonly failOn: Severity | 'never';
  readonly allowUnknown: boolean;
}

export type Gate =
  | { readonly is: 'open' }
  /** So many findings are as bad as `least`, or worse. */
  | { readonly is: 'shut by findings'; readonly count: number; readonly least: Severity }
  | { readonly is: 'shut by unknowns'; readonly count: number };

/** Findings speak first: an unknown shuts the gate only where no finding does. */
export function gateOf({ findings, unknowns }: Summary, { failOn, allowUnknown }: Demand): Gate {
  if (failOn !== 'never') {
    const failing = severities
      .filter(severity => atLeast(severity, failOn))
      .reduce((sum, severity) => sum + findings[severity], 0);
    if (failing > 0) return { is: 'shut by findings', count: failing, least: failOn };
  }
  return unknowns > 0 && !allowUnknown ? { is: 'shut by unknowns', count: unknowns } : { is: 'open' };
}

/** The verdict in one sentence. */
export function gateSentence(summary: Summary, demand: Demand): string {
  const gate = gateOf(summary, demand);
  if (gate.is === 'shut by findings')
    return `The gate is shut: ${count(gate.count, 'finding')} at or above ${gate.least}.`;
  if (gate.is === 'shut by unknowns')
    return 'The gate is shut: not everything could be judged (--allow-unknown opens it).';
  return demand.failOn === 'never'
    ? 'The gate is open: nothing fails it.'
    : `The gate is open: nothing at or above ${demand.failOn}.`;
}
