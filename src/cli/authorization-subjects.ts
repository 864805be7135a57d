/** Whom `--as` and `--as-group` mean, where an answer is narrowed to one subject or to one namespace. */
import type { KubeObject } from '#kube/objects.ts';
import { keyOf, type Principal } from '#paths/escalations.ts';
import { subjectsOf } from '#paths/grants.ts';
import { namespaceOf } from '#world/world.ts';
import { namespaceAsked, userOf } from './authorization.ts';
import type { Parsed } from './command.ts';

export interface Narrowed {
  /** Whether it is the subject that is asked about, or a group that it is in; true where none is. */
  readonly isMeant: (subject: Principal) => boolean;
  /** Whether a binding names somebody who is meant. */
  readonly names: (binding: KubeObject) => boolean;
  /** Empty for all of them. */
  readonly namespace: string;
}

/**
 * @param groups who is in which groups beyond what `--as-group` says
 * @throws UsageError for `-n` and `-A` at once
 */
export function narrowed(parsed: Parsed, groups: Readonly<Record<string, readonly string[]>> = {}): Narrowed {
  const namespace = namespaceAsked(parsed);
  const name = parsed.value('as');
  const stated = parsed.values('as-group');
  if (name === undefined && stated.length === 0) return { isMeant: () => true, names: () => true, namespace };
  const keys = new Set(stated.map(group => keyOf({ kind: 'Group', name: group })));
  const add = (principal: Principal): unknown => keys.add(keyOf(principal));
  if (name?.startsWith('group:') === true) add({ kind: 'Group', name: name.slice('group:'.length) });
  else if (name !== undefined) {
    add({ kind: 'User', name });
    const [system, kind, home, account] = name.split(':');
    if (system === 'system' && kind === 'serviceaccount' && account !== undefined)
      add({ kind: 'ServiceAccount', namespace: home ?? '', name: account });
    const own = Object.hasOwn(groups, name) ? groups[name]! : [];
    for (const group of userOf(name, own).groups ?? []) add({ kind: 'Group', name: group });
  }
  const isMeant = (subject: Principal): boolean => keys.has(keyOf(subject));
  return { isMeant, names: binding => subjectsOf(binding).some(one => isMeant(one as Principal)), namespace };
}

/** Whether what a binding grants counts in a namespace; empty for any. */
export function countsIn(binding: KubeObject, namespace: string): boolean {
  return namespace === '' || binding.kind !== 'RoleBinding' || namespaceOf(binding) === namespace;
}
