/**
 * What a profile of SELinux allows its container: rules of its own, and those of what it inherits.
 *
 * Source: security-profiles-operator internal/pkg/translator/obj2cil.go (every profile inherits the template
 * "container" of the node unless it inherits another profile; `@self` is the profile's own type).
 */

import { nearest } from '#kube/nearest.ts';
import { permissionsOf } from './selinux-classes.ts';

export interface SelinuxRule {
  /** `@self` for the processes of the profile themselves. */
  readonly type: string;
  readonly class: string;
  readonly permissions: readonly string[];
  /** From 1, in the file. */
  readonly line?: number;
}

export interface SelinuxPolicy {
  readonly name: string;
  /** What a pod states as its type: `web.process`. */
  readonly usage: string;
  readonly permissive: boolean;
  /** Templates of the node whose rules are not in the input: `container`, `net_container`. */
  readonly templates: readonly string[];
  /** Profiles that it inherits and that the input does not hold. */
  readonly missing: readonly string[];
  /** Its own rules first, then those of profiles that it inherits. */
  readonly rules: readonly SelinuxRule[];
  /** Attributes that its type joins: their rules are in the policy of the node. */
  readonly attributes: readonly { readonly name: string; readonly line?: number }[];
  /** Statements that were not understood: what they allow is unknown. */
  readonly unread: readonly { readonly text: string; readonly line?: number }[];
}

export interface Access {
  readonly type: string;
  readonly class: string;
  readonly permission: string;
}

export interface SelinuxDecision {
  readonly answer: 'allowed' | 'denied' | 'unknown';
  readonly because: string;
  readonly rule?: SelinuxRule;
}

/**
 * One access as people write it: `shadow_t:file:read`, `@self:process:ptrace`.
 *
 * @returns what is wrong with it where it is none
 */
export function accessOf(word: string): Access | { readonly message: string; readonly hint?: string } {
  const [type = '', name = '', permission = '', more] = word.split(':');
  if (type === '' || name === '' || permission === '' || more !== undefined)
    return {
      message: `"${word}" is not TYPE:CLASS:PERMISSION`,
      hint: 'such as var_log_t:file:write, or @self:process:ptrace',
    };
  const known = permissionsOf(name);
  if (known === undefined) return { message: `"${name}" is no object class`, hint: 'file, dir, process…' };
  if (known.includes(permission)) return { type, class: name, permission };
  const meant = nearest(permission, known);
  return {
    message: `${name} has no permission "${permission}"`,
    hint: meant === undefined ? known.slice(0, 8).join(', ') : `did you mean ${meant}?`,
  };
}

/**
 * @param access `@self`, or the type of the profile, for its own processes
 * @param given templates of the node of which nothing is asked: the answer is what the profile adds to them
 */
export function decideAccess(
  policy: SelinuxPolicy,
  access: Access,
  given: readonly string[] = [],
): SelinuxDecision {
  const rule = policy.rules.find(
    one =>
      one.class === access.class &&
      isSameType(policy, one.type, access.type) &&
      one.permissions.includes(access.permission),
  );
  if (rule !== undefined) return { answer: 'allowed', because: 'a rule of the profile', rule };
  if (policy.permissive)
    return { answer: 'allowed', because: 'the profile is permissive: what no rule allows is only logged' };
  const elsewhere = [
    ...policy.templates
      .filter(name => !given.includes(name))
      .map(name => `the template "${name}" of the node`),
    ...policy.missing.map(name => `the profile "${name}", which is not in the input`),
    ...policy.attributes.map(({ name }) => `the attribute "${name}"`),
    ...policy.unread.map(({ text }) => `"${text}"`),
  ];
  return elsewhere.length === 0
    ? { answer: 'denied', because: 'no rule allows it' }
    : {
        answer: 'unknown',
        because: `no rule of the profile allows it, but ${elsewhere.slice(0, 3).join(', ')} may`,
      };
}

function isSameType(policy: SelinuxPolicy, one: string, other: string): boolean {
  const own = (type: string): string => (type === policy.usage ? '@self' : type);
  return own(one) === own(other);
}

export interface AccessDifference {
  readonly type: string;
  readonly class: string;
  readonly opened: readonly string[];
  readonly closed: readonly string[];
}

export interface PolicyDifference {
  readonly accesses: readonly AccessDifference[];
  /** `permissive`, `inherits container`, `joins spc_domain`. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
}

/** What the second profile allows and the first does not, and the other way round. */
export function policyDifference(before: SelinuxPolicy, after: SelinuxPolicy): PolicyDifference {
  const [left, right] = [tableOf(before), tableOf(after)];
  const accesses = [...new Set([...left.keys(), ...right.keys()])].sort().flatMap(key => {
    const [type = '', name = ''] = key.split(' ');
    const had = left.get(key) ?? new Set<string>();
    const has = right.get(key) ?? new Set<string>();
    const opened = [...has].filter(one => !had.has(one)).sort();
    const closed = [...had].filter(one => !has.has(one)).sort();
    return opened.length + closed.length === 0 ? [] : [{ type, class: name, opened, closed }];
  });
  const [old, now] = [traitsOf(before), traitsOf(after)];
  return {
    accesses,
    opened: now.filter(one => !old.includes(one)),
    closed: old.filter(one => !now.includes(one)),
  };
}

function traitsOf({ permissive, templates, missing, attributes }: SelinuxPolicy): string[] {
  return [
    ...(permissive ? ['permissive'] : []),
    ...[...templates, ...missing].map(name => `inherits ${name}`),
    ...attributes.map(({ name }) => `joins ${name}`),
  ];
}

function tableOf(policy: SelinuxPolicy): Map<string, Set<string>> {
  const table = new Map<string, Set<string>>();
  for (const { type, class: name, permissions } of policy.rules) {
    const key = `${type === policy.usage ? '@self' : type} ${name}`;
    const known = table.get(key) ?? new Set();
    table.set(key, known);
    for (const one of permissions) known.add(one);
  }
  return table;
}
