/**
 * What a profile of AppArmor says to one access, and what two of them treat differently.
 *
 * Source: apparmor.d(5): what is denied wins over what is allowed, and what no rule names is denied; permissions of all
 * rules that match are joined.
 */
import type { AppArmorProfile, AppArmorRule } from './apparmor.ts';
import { matchesGlob } from './apparmor-glob.ts';

export interface FileAccess {
  readonly path: string;
  /** One of `rwamklx`. */
  readonly letter: string;
}

export interface AppArmorDecision {
  readonly answer: 'allowed' | 'denied' | 'unknown';
  readonly because: string;
  readonly rule?: AppArmorRule;
}

export function decideFile(profile: AppArmorProfile, { path, letter }: FileAccess): AppArmorDecision {
  const matching = profile.rules.filter(
    ({ kind, globs, access = '' }) =>
      kind === 'all' ||
      (kind === 'file' &&
        (access.includes(letter) || (letter === 'a' && access.includes('w'))) &&
        (globs === undefined || globs.some(glob => matchesGlob(glob, path)))),
  );
  return decided(profile, matching);
}

/** @param name without `CAP_`, in small letters */
export function decideCapability(profile: AppArmorProfile, name: string): AppArmorDecision {
  return decided(
    profile,
    profile.rules.filter(
      ({ kind, rest }) =>
        kind === 'all' ||
        (kind === 'capability' && (rest.trim() === '' || rest.split(/[\s,]+/).includes(name))),
    ),
  );
}

/** One access as people write it: `/etc/shadow:r`, `capability:sys_admin`. */
export type AppArmorAccess = FileAccess | { readonly capability: string };

/** @returns undefined for what is no access */
export function accessOf(text: string): AppArmorAccess | undefined {
  const capability = /^capability:(?:CAP_)?([a-z_]+)$/i.exec(text)?.[1];
  if (capability !== undefined) return { capability: capability.toLowerCase() };
  const file = /^(\/.*):([rwamklx])$/.exec(text);
  return file === null ? undefined : { path: file[1]!, letter: file[2]! };
}

export function decideAccess(profile: AppArmorProfile, access: AppArmorAccess): AppArmorDecision {
  return 'capability' in access ? decideCapability(profile, access.capability) : decideFile(profile, access);
}

function decided(profile: AppArmorProfile, matching: readonly AppArmorRule[]): AppArmorDecision {
  const { flags } = profile;
  if (flags.includes('unconfined')) return { answer: 'allowed', because: 'the flag unconfined' };
  const denying = matching.find(({ deny }) => deny);
  if (denying !== undefined) return { answer: 'denied', because: 'a rule that denies', rule: denying };
  const allowing = matching[0];
  if (allowing !== undefined) return { answer: 'allowed', because: 'a rule that allows', rule: allowing };
  if (flags.includes('complain'))
    return { answer: 'allowed', because: 'the flag complain: what no rule allows is only logged' };
  if (flags.includes('default_allow')) return { answer: 'allowed', because: 'the flag default_allow' };
  const [first] = profile.absent;
  return first === undefined
    ? { answer: 'denied', because: 'no rule allows it' }
    : {
        answer: 'unknown',
        because: `no rule of the profile allows it, but ${profile.absent.slice(0, 3).join(', ')} may, which ${profile.absent.length === 1 ? 'is' : 'are'} not at hand`,
      };
}

/** A rule as it is read: `/etc/web/** r`, `deny capability sys_admin`. */
export function formatRule({ kind, deny, rest, access }: AppArmorRule): string {
  const text = kind === 'file' ? (rest === '' ? `file ${access ?? ''}` : rest) : `${kind} ${rest}`;
  return `${deny ? 'deny ' : ''}${text.replace(/\s+/g, ' ')}`.trim();
}

/** Flags, includes and rules that only one of two profiles has. */
export function appArmorDifference(
  before: AppArmorProfile,
  after: AppArmorProfile,
): { readonly added: readonly string[]; readonly removed: readonly string[] } {
  const all = ({ flags, absent, rules }: AppArmorProfile): Set<string> =>
    new Set([
      ...flags.map(flag => `flag ${flag}`),
      ...absent.map(name => `include ${name}`),
      ...rules.map(formatRule),
    ]);
  const [left, right] = [all(before), all(after)];
  return {
    added: [...right].filter(one => !left.has(one)),
    removed: [...left].filter(one => !right.has(one)),
  };
}
