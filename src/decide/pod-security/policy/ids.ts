/** The rules of a policy on user and group ids; what they object to is added to a list. Source: pkg/security/podsecuritypolicy/{user,group}, factory.go. */
import { goIds, type Id, type Objections } from './errors.ts';
import type { IdStrategy, Range } from './policy.ts';

export interface GroupRule {
  /** The group of pods that name none. */
  readonly preset: Id | undefined;
  /** The same as a list. */
  readonly presets: readonly Id[] | undefined;
  /** @param groups what the pod says; undefined and empty are told apart in messages only */
  object(field: string, groups: readonly Id[] | undefined, errors: Objections): void;
}

export interface UserRule {
  readonly preset: Id | undefined;
  readonly marksNonRoot: boolean;
  /** @param field the path of the security context */
  object(
    field: string,
    runAsNonRoot: boolean | undefined,
    runAsUser: Id | undefined,
    errors: Objections,
  ): void;
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

const ANY_GROUP: GroupRule = { preset: undefined, presets: undefined, object: () => {} };

/** @param strategy absent (only `runAsGroup` may be): any group */
export function groupRule(name: string, strategy: IdStrategy | undefined): GroupRule {
  const { rule, ranges } = strategy ?? { rule: 'RunAsAny', ranges: [] };
  if (rule === 'RunAsAny') return ANY_GROUP;
  if (rule !== 'MustRunAs' && rule !== 'MayRunAs')
    throw new UnusablePolicyError(`Unrecognized ${name} strategy type ${rule}`);
  if (ranges.length === 0) throw new UnusablePolicyError(`ranges must be supplied for ${rule}`);
  const shown = show(ranges);
  const object: GroupRule['object'] = (field, groups, errors) => {
    for (const group of groups ?? [])
      if (!isWithin(group, ranges))
        errors.invalid(field, groups, goIds, `group ${group} must be in the ranges: ${shown}`);
  };
  if (rule === 'MayRunAs') return { preset: undefined, presets: undefined, object };
  return {
    preset: ranges[0]!.min,
    presets: [ranges[0]!.min],
    object(field, groups, errors) {
      if (groups === undefined || groups.length === 0)
        errors.invalid(field, groups, goIds, 'unable to validate empty groups against required ranges');
      else object(field, groups, errors);
    },
  };
}

const root: UserRule['object'] = (field, runAsNonRoot, runAsUser, errors) => {
  if (runAsNonRoot === false) errors.invalid(`${field}.runAsNonRoot`, false, String, 'must be true');
  else if (runAsUser === 0 || runAsUser === 0n)
    errors.invalid(`${field}.runAsUser`, 0, String, 'running with the root UID is forbidden');
};

export function userRule({ rule, ranges }: IdStrategy): UserRule {
  switch (rule) {
    case 'RunAsAny':
      return { preset: undefined, marksNonRoot: false, object: () => {} };
    case 'MustRunAsNonRoot':
      return { preset: undefined, marksNonRoot: true, object: root };
    case 'MustRunAs': {
      if (ranges.length === 0) throw new UnusablePolicyError('MustRunAs requires at least one range');
      const detail = `must be in the ranges: ${show(ranges)}`;
      return {
        preset: ranges[0]!.min,
        marksNonRoot: false,
        // The preset has been given to whoever named no user.
        object(field, _, user, errors) {
          if (!isWithin(user!, ranges)) errors.invalid(`${field}.runAsUser`, user, String, detail);
        },
      };
    }
    default:
      throw new UnusablePolicyError(`Unrecognized RunAsUser strategy type ${rule}`);
  }
}
