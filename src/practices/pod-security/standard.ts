/** What the checks of the Pod Security Standards share: the decision is the API server's, they only say why it matters. */

import type { Context } from '#check/check.ts';
import { fail, pass, type Verdict } from '#check/verdict.ts';
import { breachOf } from '#decide/pod-security/pods.ts';
import type { Violation } from '#decide/pod-security/standards/check.ts';
import type { PodSubject } from '#world/subjects.ts';

export interface Broken {
  /** The API server's own words. */
  readonly detail: string;
  readonly violations: readonly Violation[];
}

/** The decision of one control of the newest standards. */
export function standard(pod: PodSubject, level: 'baseline' | 'restricted', id: string): Verdict<Broken> {
  const breach = breachOf(pod, level, id);
  if (breach === undefined) return pass;
  const { detail, violations } = breach;
  return fail({ detail, violations }, ...violations.map(({ path }) => path));
}

/** Whether another check of this practice is asked in this run: what it says of the same field is said once. */
export function isAsked({ runs }: Pick<Context, 'runs'>, name: string): boolean {
  return runs === undefined || runs(`pod-security/${name}`);
}

export function detailOf({ detail }: Broken): string {
  return detail;
}

/** Sets every offending field to one value. */
export function setAll(
  value: unknown,
): (broken: Broken) => { op: 'set'; path: Violation['path']; value: unknown }[] {
  return ({ violations }) => violations.map(({ path }) => ({ op: 'set' as const, path, value }));
}

/** Removes every offending field. */
export function removeAll({ violations }: Broken): { op: 'remove'; path: Violation['path'] }[] {
  return violations.map(({ path }) => ({ op: 'remove' as const, path }));
}
