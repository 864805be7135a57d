/** The two sides of a comparison, and which objects of them are the same. */
import type { SecurityChange } from '#check/comparison.ts';
import type { Severity } from '#check/severity.ts';
import { isEqual } from '#kube/equal.ts';
import { formatPath, nameOf, type Path, referenceOf } from '#kube/objects.ts';
import { type Declared, kindKey, namespaceOf, type World } from '#world/world.ts';
import { type ChangeKind, kindOf } from './change-kinds.ts';
import type { Accept, Place } from './scan.ts';

/** An object on both sides, otherwise than it was; or on one side only. */
export interface Pair {
  readonly base: Declared | undefined;
  readonly head: Declared | undefined;
  /** What it is built for, where it is built for several: the same place becomes other objects elsewhere. */
  readonly environments?: readonly string[];
  /** Of how many environments these are some. */
  readonly among?: number;
}

export interface Pairs {
  readonly changed: readonly (Pair & { readonly base: Declared; readonly head: Declared })[];
  readonly added: readonly (Pair & { readonly base: undefined; readonly head: Declared })[];
  readonly removed: readonly (Pair & { readonly base: Declared; readonly head: undefined })[];
}

/**
 * Objects are the same by kind, namespace, name and environment; of several copies by their file, then their order. An
 * environment that is new is compared with one that was there, as long as the object has one; so is one that was
 * renamed.
 */
export function pairsOf(base: World, head: World): Pairs {
  const last = known.get(head.declared);
  if (last?.base === base.declared) return last.pairs;
  const pairs = pairsBetween(base, head);
  known.set(head.declared, { base: base.declared, pairs });
  return pairs;
}

/** What was found last, by the objects of the head: a comparison asks several times. */
const known = new WeakMap<
  readonly Declared[],
  { readonly base: readonly Declared[]; readonly pairs: Pairs }
>();

function pairsBetween(base: World, head: World): Pairs {
  const before = groupsOf(base);
  const [were, are] = [base.fact(allEnvironments), head.fact(allEnvironments)];
  const changed = new PairList<Declared, Declared>();
  const added = new PairList<undefined, Declared>();
  const removed = new PairList<Declared, undefined>();
  for (const [key, now] of groupsOf(head)) {
    const all = before.get(key) ?? [];
    before.delete(key);
    const match = (one: InEnvironment, { declared: old }: InEnvironment) => {
      if (old.object !== one.declared.object && !isEqual(old.object, one.declared.object))
        changed.add(old, one.declared, one.environment);
    };
    const { matched, ofOne, ofOther } = paired(now, all, are, were);
    for (const [one, old] of matched) match(one, old);
    for (const one of ofOne)
      if (all.length > 0 && one.environment !== PLAIN && !were.has(one.environment)) match(one, all[0]!);
      else added.add(undefined, one.declared, one.environment);
    // An environment that went takes nothing away from the others.
    for (const one of ofOther)
      if (one.environment === PLAIN || are.has(one.environment))
        removed.add(one.declared, undefined, one.environment);
  }
  for (const gone of before.values())
    for (const one of gone) removed.add(one.declared, undefined, one.environment);
  return { changed: changed.all(), added: added.all(), removed: removed.all() };
}

export interface InEnvironment {
  readonly declared: Declared;
  readonly environment: string;
}

/** The environments of an object; one without a name where it is written as it is applied. */
export function environmentsOf({ chart, environments = [''] }: Declared): readonly string[] {
  // Charts call their environments alike, and are installed one by one.
  return chart === undefined ? environments : environments.map(name => `${chart}\0${name}`);
}

/** A fact: all environments of a world. */
export function allEnvironments(world: World): ReadonlySet<string> {
  return new Set(world.declared.flatMap(environmentsOf));
}

const PLAIN = '';

/** Whether an environment is new against those of the other side, or was renamed; a plain file is in none. */
export function isLoose({ environment }: InEnvironment, others: ReadonlySet<string>): boolean {
  return environment === PLAIN || !others.has(environment);
}

/** What two lists have in common, each item once; what is left over of either comes beside. */
export interface Paired<Item> {
  readonly matched: readonly (readonly [Item, Item])[];
  readonly ofOne: readonly Item[];
  readonly ofOther: readonly Item[];
}

/**
 * Pairs instances of one thing: in the same environment and file, then in the same environment, and last those whose
 * environments only one side has.
 *
 * @param are the environments of the side of the first list
 * @param were those of the other one
 */
export function paired<Item extends InEnvironment>(
  some: readonly Item[],
  others: readonly Item[],
  are: ReadonlySet<string>,
  were: ReadonlySet<string>,
): Paired<Item> {
  const matched: (readonly [Item, Item])[] = [];
  let [ofOne, ofOther] = [some, others];
  const pairBy = (
    sign: (one: Item) => string,
    isMeant: (one: Item) => boolean,
    isMeantToo: (other: Item) => boolean,
  ) => {
    if (ofOne.length === 0 || ofOther.length === 0) return;
    const left = Map.groupBy(ofOther.filter(isMeantToo), sign);
    const next = new Map<string, number>();
    const used = new Set<Item>();
    ofOne = ofOne.filter(one => {
      const key = sign(one);
      const at = next.get(key) ?? 0;
      const other = isMeant(one) ? left.get(key)?.[at] : undefined;
      if (other === undefined) return true;
      next.set(key, at + 1);
      used.add(other);
      matched.push([one, other]);
      return false;
    });
    if (used.size > 0) ofOther = ofOther.filter(other => !used.has(other));
  };
  const any = () => true;
  pairBy(({ declared, environment }) => `${environment}\0${declared.origin.file}`, any, any);
  pairBy(({ environment }) => environment, any, any);
  const looseNow = (one: Item) => isLoose(one, were);
  const looseBefore = (other: Item) => isLoose(other, are);
  pairBy(({ declared }) => declared.origin.file, looseNow, looseBefore);
  pairBy(() => '', looseNow, looseBefore);
  return { matched, ofOne, ofOther };
}

function shownEnvironment(id: string): string {
  const name = id.slice(id.indexOf('\0') + 1);
  return name === '' ? '.' : name;
}

function groupsOf(world: World): Map<string, InEnvironment[]> {
  const groups = new Map<string, InEnvironment[]>();
  for (const declared of world.declared) {
    const { object } = declared;
    const key = [kindKey(object), namespaceOf(object) ?? '', nameOf(object)].join('\0');
    for (const environment of environmentsOf(declared)) {
      const list = groups.get(key);
      if (list === undefined) groups.set(key, [{ declared, environment }]);
      else list.push({ declared, environment });
    }
  }
  return groups;
}

/** Pairs of declarations, each once, with the environments in which they are one. */
class PairList<Base extends Declared | undefined, Head extends Declared | undefined> {
  readonly #pairs = new Map<Base, Map<Head, string[]>>();

  add(base: Base, head: Head, environment: string): void {
    const of = this.#pairs.get(base) ?? new Map<Head, string[]>();
    this.#pairs.set(base, of);
    const environments = of.get(head);
    if (environments === undefined) of.set(head, [environment]);
    else environments.push(environment);
  }

  all(): { readonly base: Base; readonly head: Head; readonly environments?: readonly string[] }[] {
    return [...this.#pairs].flatMap(([base, of]) =>
      [...of].map(([head, environments]) => {
        const { environments: declared, among } = (head ?? base)!;
        return declared === undefined
          ? { base, head }
          : { base, head, environments: environments.map(shownEnvironment), among: among ?? 1 };
      }),
    );
  }
}

const KNOWN = { is: 'known' } as const;

interface PlaceInEnvironment extends InEnvironment {
  readonly place: Place;
}

/**
 * The places of one side of a comparison that the other one has too, environment by environment: what a change of
 * values brings to one of them is new although the others had it all along. An environment that is itself new brings
 * nothing new where another one had it.
 */
export function matchSides(
  places: readonly Place[],
  others: readonly Place[],
  world: World,
  otherWorld: World,
): Accept {
  const [are, were] = [world.fact(allEnvironments), otherWorld.fact(allEnvironments)];
  const before = Map.groupBy(others.flatMap(inEnvironments), ({ place }) => place.identity);
  const fresh = new Set<Place>();
  for (const [identity, now] of Map.groupBy(places.flatMap(inEnvironments), ({ place }) => place.identity)) {
    const all = before.get(identity) ?? [];
    for (const one of paired(now, all, are, were).ofOne)
      if (all.length === 0 || one.environment === '' || were.has(one.environment)) fresh.add(one.place);
  }
  return place => (fresh.has(place) ? undefined : KNOWN);
}

function inEnvironments(place: Place): PlaceInEnvironment[] {
  return environmentsOf(place.declared).map(environment => ({
    place,
    declared: place.declared,
    environment,
  }));
}

export interface ChangeOptions {
  readonly direction: SecurityChange['direction'];
  readonly severity?: Severity;
  readonly path?: Path;
}

/** A change of one object: placed in the head where it is there, else in the base. */
export function changeOf(
  kind: ChangeKind,
  { base, head, environments, among }: Pair,
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
    ...(environments === undefined ? {} : { environments }),
    ...(among === undefined ? {} : { among }),
  };
}
