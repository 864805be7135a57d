/** Fixes as data: changes at paths of an object. Someone else applies them to a file, a cluster or a pull request. */
import { isRecord, type KubeObject, type Path } from '#kube/objects.ts';

export type Change =
  /** Sets the value at the path; mappings on the way that are absent are made. */
  | { readonly op: 'set'; readonly path: Path; readonly value: unknown }
  /** Removes the key or list item at the path; `prune`: what then is empty means the same as none, and may go too. */
  | { readonly op: 'remove'; readonly path: Path; readonly prune?: true }
  /** Adds an item to the end of the list at the path; an absent list is made. */
  | { readonly op: 'append'; readonly path: Path; readonly value: unknown };

/**
 * A copy of the object with the changes made, in order.
 *
 * @throws Error where a path leads through something that is neither a mapping nor a list
 */
export function withChanges(object: KubeObject, changes: readonly Change[]): KubeObject {
  let result: unknown = object;
  // Removals of list items go last and from the end, so that no change shifts the place of another.
  const removals = changes
    .filter(change => change.op === 'remove')
    .toSorted((a, b) => comparePaths(b.path, a.path));
  for (const change of [...changes.filter(change => change.op !== 'remove'), ...removals])
    result = changed(result, change.path, 0, change);
  return result as KubeObject;
}

function changed(value: unknown, path: Path, at: number, change: Change): unknown {
  if (at === path.length) {
    if (change.op === 'set') return change.value;
    if (change.op === 'append') {
      if (value !== undefined && value !== null && !Array.isArray(value))
        throw new Error(`${path.join('.')} is not a list`);
      return [...((value as readonly unknown[] | null | undefined) ?? []), change.value];
    }
    return undefined;
  }
  const step = path[at]!;
  const last = at === path.length - 1 && change.op === 'remove';
  if (typeof step === 'number') {
    if (!Array.isArray(value)) throw new Error(`${path.slice(0, at).join('.')} is not a list`);
    if (last) return value.toSpliced(step, 1);
    return value.with(step, changed(value[step], path, at + 1, change));
  }
  if (value !== undefined && value !== null && !isRecord(value))
    throw new Error(`${path.slice(0, at).join('.')} is not a mapping`);
  const copy: Record<string, unknown> = { ...(value ?? {}) };
  if (last) delete copy[step];
  else copy[step] = changed(Object.hasOwn(copy, step) ? copy[step] : undefined, path, at + 1, change);
  return copy;
}

function comparePaths(a: Path, b: Path): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (x === y) continue;
    if (typeof x === 'number' && typeof y === 'number') return x - y;
    return String(x) < String(y) ? -1 : 1;
  }
  return a.length - b.length;
}
