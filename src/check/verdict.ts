/** What a check may answer. A fact that is missing is `unknown`; it is never a pass. */
import type { Path } from '#kube/objects.ts';

export type Verdict<Evidence> =
  | { readonly is: 'pass' }
  | { readonly is: 'not-applicable'; readonly because: string }
  | { readonly is: 'unknown'; readonly because: string }
  | { readonly is: 'fail'; readonly evidence: Evidence; readonly at: readonly Path[] };

export const pass: { readonly is: 'pass' } = { is: 'pass' };

/** The question does not arise for this subject. */
export function notApplicable(because: string): { readonly is: 'not-applicable'; readonly because: string } {
  return { is: 'not-applicable', because };
}

/** The answer depends on something that is not known; `because` says on what, in a few words. */
export function unknown(because: string): { readonly is: 'unknown'; readonly because: string } {
  return { is: 'unknown', because };
}

/**
 * The subject fails.
 *
 * @param evidence what message and fix are read off
 * @param at the offending places, relative to the subject; where a place is an absent field, its path all the same:
 *   the report then points at the nearest field that is there. None means the subject itself.
 */
export function fail<Evidence>(
  evidence: Evidence,
  ...at: readonly Path[]
): { readonly is: 'fail'; readonly evidence: Evidence; readonly at: readonly Path[] } {
  return { is: 'fail', evidence, at };
}
