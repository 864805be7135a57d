/**
 * Environments: one source (a chart, a base) becomes several sets of objects, of which a cluster gets one. What stands in
 * two of them is never applied together, so nothing of one may be found from the other.
 *
 * Which environments of two sources belong together, nobody states; their names tell: `overlays/prod` of one goes with
 * the values of `prod` of the other.
 */
import type { KubeObject } from '#kube/objects.ts';

/** By environment of one source: those of the same source that are never applied together with it. */
export type Apart = ReadonlyMap<string, ReadonlySet<string>>;

/** What this file asks of an object and how it was declared. */
export interface Placed {
  readonly object: KubeObject;
  readonly environments?: readonly string[];
  readonly apart?: Apart;
}

/** A chart with nothing but its own values: what is installed where no environment of another source is meant. */
export const DEFAULT_ENVIRONMENT = 'default values';

/** One way in which a source is applied. */
export interface Applied {
  readonly environment: string;
  /** Where it is deployed, if that is stated. */
  readonly cluster?: string | undefined;
}

/**
 * Which environments exclude each other: those of one source, but for two that somebody deploys to the same cluster and
 * that have no object in common.
 *
 * @param placed the objects of all of them
 * @param areOne whether two of them are of one source; they are where it is absent
 */
export function apartOf<One extends Applied>(
  applied: readonly One[],
  placed: readonly Placed[],
  identityOf: (object: KubeObject) => string,
  areOne: (a: One, b: One) => boolean = () => true,
): Apart {
  const clusters = applied.flatMap(({ cluster }) => cluster ?? []);
  // Who is where matters only where two are deployed to one cluster.
  const identities =
    new Set(clusters).size < clusters.length ? identitiesOf(placed, identityOf) : new Map<string, never>();
  const coexist = (a: Applied, b: Applied): boolean => {
    if (a.cluster === undefined || a.cluster !== b.cluster) return false;
    const others = identities.get(b.environment);
    return ![...(identities.get(a.environment) ?? [])].some(one => others?.has(one) === true);
  };
  const apart = new Map<string, Set<string>>();
  for (const [i, a] of applied.entries())
    for (const b of applied.slice(i + 1))
      if (a.environment !== b.environment && areOne(a, b) && !coexist(a, b))
        exclude(apart, a.environment, b.environment);
  return apart;
}

/** Says of two environments that they are never applied together. */
export function exclude(apart: Map<string, Set<string>>, a: string, b: string): void {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const set = apart.get(one);
    if (set === undefined) apart.set(one, new Set([other]));
    else set.add(other);
  }
}

function identitiesOf(
  placed: readonly Placed[],
  identityOf: (object: KubeObject) => string,
): ReadonlyMap<string, ReadonlySet<string>> {
  const identities = new Map<string, Set<string>>();
  for (const { object, environments = [] } of placed)
    for (const one of environments) {
      const set = identities.get(one) ?? new Set();
      identities.set(one, set.add(identityOf(object)));
    }
  return identities;
}

/**
 * Whether an object is out of sight of an environment: all that it was built for is.
 *
 * @param apart what is known of the environments of the source that this one is of; undefined for one of no source
 */
export function hiddenFrom(environment: string, apart: Apart | undefined): (one: Placed) => boolean {
  const seen = seenFrom(environment, apart);
  return one => one.environments !== undefined && seen(one)?.length === 0;
}

/** The environments of an object that an environment sees; undefined where it has none, or none that exclude others. */
export function seenFrom(environment: string, apart?: Apart): (one: Placed) => readonly string[] | undefined {
  const known = new Map<Apart, Map<string, boolean>>();
  const sees = (other: string, of: Apart): boolean => {
    const beside = of.get(other);
    if (beside === undefined || beside.size === 0) return true;
    if (of === apart && (other === environment || beside.has(environment))) return other === environment;
    return companionsOf(environment, [other, ...beside]).includes(other);
  };
  return ({ environments, apart: of }) => {
    if (of === undefined || environments === undefined) return undefined;
    const answers = known.get(of) ?? new Map<string, boolean>();
    known.set(of, answers);
    return environments.filter(one => {
      const answer = answers.get(one) ?? sees(one, of);
      answers.set(one, answer);
      return answer;
    });
  };
}

/** Whether a name could mean an environment: they have a word in common. */
export function isMeant(name: string, environment: string): boolean {
  const words = wordsOf(name);
  return name === environment || [...wordsOf(environment)].some(word => words.has(word));
}

/** The environments of another source that go with one: those whose names have most in common with its own. */
export function companionsOf(environment: string, others: readonly string[]): readonly string[] {
  const own = wordsOf(environment);
  const shared = others.map(other => [...wordsOf(other)].filter(word => own.has(word)).length);
  const most = Math.max(...shared);
  if (most === 0) {
    const plain = others.filter(other => other === DEFAULT_ENVIRONMENT);
    return plain.length > 0 ? plain : others;
  }
  return others.filter((_, i) => shared[i] === most);
}

function wordsOf(environment: string): ReadonlySet<string> {
  return new Set(environment.toLowerCase().match(/[\p{L}\p{N}]+/gu));
}
