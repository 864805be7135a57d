/** The two sides of a comparison, and which objects of them are the same. */
import type { SecurityChange } from '#check/comparison.ts';
import type { Severity } from '#check/severity.ts';
import { isEqual } from '#kube/equal.ts';
import { formatPath, nameOf, type Path, referenceOf } from '#kube/objects.ts';
import { type Declared, kindKey, namespaceOf, type World } from '#world/world.ts';
import { type ChangeKind, kindOf } from './change-kinds.ts';

/** An object on both sides, otherwise than it was; or on one side only. */
export interface Pair {
  readonly base: Declared | undefined;
  readonly head: Declared | undefined;
}

export interface Pairs {
  readonly changed: readonly (Pair & { readonly base: Declared; readonly head: Declared })[];
  readonly added: readonly (Pair & { readonly base: undefined; readonly head: Declared })[];
  readonly removed: readonly (Pair & { readonly base: Declared; readonly head: undefined })[];
}

/** Objects are the same by kind, namespace, name and environment; of several copies by their file, then their order. */
export function pairsOf(base: World, head: World): Pairs {
  const before = Map.groupBy(base.declared, keyOf);
  const changed: { base: Declared; head: Declared }[] = [];
  const added: { base: undefined; head: Declared }[] = [];
  const removed: { base: Declared; head: undefined }[] = [];
  for (const [key, now] of Map.groupBy(head.declared, keyOf)) {
    const left = [...(before.get(key) ?? [])];
    before.delete(key);
    const rest: Declared[] = [];
    const match = (one: Declared, at: number) => {
      const [old] = left.splice(at, 1);
      if (old!.object !== one.object && !isEqual(old!.object, one.object))
        changed.push({ base: old!, head: one });
    };
    for (const one of now) {
      const at = left.findIndex(({ origin }) => origin.file === one.origin.file);
      if (at < 0) rest.push(one);
      else match(one, at);
    }
    for (const one of rest)
      if (left.length > 0) match(one, 0);
      else added.push({ base: undefined, head: one });
    for (const one of left) removed.push({ base: one, head: undefined });
  }
  for (const gone of before.values()) for (const one of gone) removed.push({ base: one, head: undefined });
  return { changed, added, removed };
}

function keyOf({ object, origin }: Declared): string {
  return [kindKey(object), namespaceOf(object) ?? '', nameOf(object), origin.environment ?? ''].join('\0');
}

export interface ChangeOptions {
  readonly direction: SecurityChange['direction'];
  readonly severity?: Severity;
  readonly path?: Path;
}

/** A change of one object: placed in the head where it is there, else in the base. */
export function changeOf(
  kind: ChangeKind,
  { base, head }: Pair,
  text: string,
  { direction, severity, path = [] }: ChangeOptions,
): SecurityChange {
  const { practice, severity: usual } = kindOf(kind);
  const { object, origin } = (head ?? base)!;
  return {
    kind,
    practice,
    direction,
    severity: severity ?? usual,
    side: head === undefined ? 'base' : 'head',
    object: referenceOf(object),
    ...origin.positionOf(path),
    path: formatPath(path),
    text,
  };
}
