/** What the checks of the Pod Security Standards share: the decision is the API server's, they only say why it matters. */

import type { Context } from '#check/check.ts';
import { fail, pass, type Verdict } from '#check/verdict.ts';
import { breachOf } from '#decide/pod-security/pods.ts';
import type { Violation } from '#decide/pod-security/standards/check.ts';
import type { SecurityContext } from '#kube/pods.ts';
import type { PodSubject } from '#world/subjects.ts';

export interface Broken {
  /** The API server's own words. */
  readonly detail: string;
  readonly violations: readonly Violation[];
  /** Setting one of the places right would make a pod that nobody accepts or starts: something else has to go first. */
  readonly blocked?: true;
}

/**
 * The decision of one control of the newest standards.
 *
 * @param isBlocked whether a place cannot be set right by itself
 */
export function standard(
  pod: PodSubject,
  level: 'baseline' | 'restricted',
  id: string,
  isBlocked: (violation: Violation) => boolean = () => false,
): Verdict<Broken> {
  const breach = breachOf(pod, level, id);
  if (breach === undefined) return pass;
  const { detail, violations } = breach;
  return fail(
    { detail, violations, ...(violations.some(isBlocked) ? { blocked: true as const } : {}) },
    ...violations.map(({ path }) => path),
  );
}

/** Whether another check of this practice is asked in this run: what it says of the same field is said once. */
export function isAsked({ runs }: Pick<Context, 'runs'>, name: string): boolean {
  return runs === undefined || runs(`pod-security/${name}`);
}

export function detailOf({ detail }: Broken): string {
  return detail;
}

/** Sets every offending field to one value, where that can be done. */
export function setAll(
  value: unknown,
): (broken: Broken) => { op: 'set'; path: Violation['path']; value: unknown }[] {
  return ({ violations, blocked }) =>
    blocked ? [] : violations.map(({ path }) => ({ op: 'set' as const, path, value }));
}

/** Removes every offending field. */
export function removeAll({ violations }: Broken): { op: 'remove'; path: Violation['path'] }[] {
  return violations.map(({ path }) => ({ op: 'remove' as const, path }));
}

/** Removes every offending field where what is left empty says as much as nothing: capabilities, security contexts. */
export function removeAllAndEmpty(broken: Broken): { op: 'remove'; path: Violation['path']; prune: true }[] {
  return removeAll(broken).map(change => ({ ...change, prune: true as const }));
}

/** The security context of the container that a place of a breach lies in; undefined for one of the pod itself. */
export function contextAt(pod: PodSubject, { path }: Violation): SecurityContext | undefined {
  const [, list, index] = path;
  const one = pod.containers.find(({ path: at }) => at[1] === list && at[2] === index);
  return one?.container.securityContext;
}
