/** The rules of a policy on user and group ids. Source: pkg/security/podsecuritypolicy/{user,group}, factory.go. */
import { type FieldError, goList, type Id, invalid } from './errors.ts';
import type { IdStrategy, Range } from './policy.ts';

export interface GroupRule {
  /** The group of pods that name none. */
  readonly preset: Id | undefined;
  /** @param groups what the pod says; undefined and empty are told apart in messages only */
  objections(field: string, groups: readonly Id[] | undefined): FieldError[];
}

export interface UserRule {
  readonly preset: Id | undefined;
  readonly marksNonRoot: boolean;
  /** @param field the path of the security context */
  objections(field: string, runAsNonRoot: boolean | undefined, runAsUser: Id | undefined): FieldError[];
}

/** A policy of which no provider can be made; the admission plugin passes over it. */
export class UnusablePolicyError extends Error {
  override readonly name = 'UnusablePolicyError';
  /** The policy's name; empty while only one of its rules is known. */
  readonly policy: string;

  constructor(reason: string, policy = '') {
    super(reason);
    this.policy = policy;
  }
}

export function isWithin(id: Id, ranges: readonly Range[]): boolean {
  return ranges.some(({ min, max }) => id >= min && id <= max);
}

/** As Go's %v prints the ranges. */
function show(ranges: readonly Range[]): string {
  return `[${ranges.map(({ min, max }) => `{${min} ${max}}`).join(' ')}]`;
}

const ANY_GROUP: GroupRule = { preset: undefined, objections: () => [] };

function outside(field: string, ranges: readonly Range[], groups: readonly Id[]): FieldError[] {
  return groups
    .filter(group => !isWithin(group, ranges))
    .map(group =>
      invalid(field, goList('int64', groups), `group ${group} must be in the ranges: ${show(ranges)}`),
    );
}

/** @param strategy absent (only `runAsGroup` may be): any group */
export function groupRule(name: string, strategy: IdStrategy | undefined): GroupRule {
  const { rule, ranges } = strategy ?? { rule: 'RunAsAny', ranges: [] };
  if (rule === 'RunAsAny') return ANY_GROUP;
  if (rule !== 'MustRunAs' && rule !== 'MayRunAs')
    throw new UnusablePolicyError(`Unrecognized ${name} strategy type ${rule}`);
  if (ranges.length === 0) throw new UnusablePolicyError(`ranges must be supplied for ${rule}`);
  if (rule === 'MayRunAs')
    return {
      preset: undefined,
      objections: (field, groups) => outside(field, ranges, groups ?? []),
    };
  return {
    preset: ranges[0]!.min,
    objections: (field, groups) =>
      groups === undefined || groups.length === 0
        ? [invalid(field, goList('int64', groups), 'unable to validate empty groups against required ranges')]
        : outside(field, ranges, groups),
  };
}

export function userRule({ rule, ranges }: IdStrategy): UserRule {
  switch (rule) {
    case 'RunAsAny':
      return { preset: undefined, marksNonRoot: false, objections: () => [] };
    case 'MustRunAsNonRoot':
      return { preset: undefined, marksNonRoot: true, objections: root };
    case 'MustRunAs': {
      if (ranges.length === 0) throw new UnusablePolicyError('MustRunAs requires at least one range');
      return {
        preset: ranges[0]!.min,
        marksNonRoot: false,
        // The preset has been given to whoever named no user.
        objections: (field, _, user) =>
          isWithin(user!, ranges)
            ? []
            : [invalid(`${field}.runAsUser`, String(user), `must be in the ranges: ${show(ranges)}`)],
      };
    }
    default:
      throw new UnusablePolicyError(`Unrecognized RunAsUser strategy type ${rule}`);
  }
}

function root(field: string, runAsNonRoot: boolean | undefined, runAsUser: Id | undefined): FieldError[] {
  if (runAsNonRoot === false) return [invalid(`${field}.runAsNonRoot`, 'false', 'must be true')];
  if (runAsUser !== undefined && BigInt(runAsUser) === 0n)
    return [invalid(`${field}.runAsUser`, '0', 'running with the root UID is forbidden')];
  return [];
}
