/** Whether what is rendered after an edit differs only as intended: the same objects, with wanted changes and no others. */
import { type Change, withChanges } from '#check/change.ts';
import { isEqual } from '#kube/equal.ts';
import { formatPath, isRecord, type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { Made } from '#sources/manifests/rendering.ts';
import { type Declared, kindKey, namespaceOf } from '#world/world.ts';

/** Who an object is, in whatever environment. */
function identityOf(object: KubeObject): string {
  return `${kindKey(object)}\0${namespaceOf(object) ?? ''}\0${String(object.metadata?.name ?? '')}`;
}

/** An object in one of its environments. */
export function keyIn(environment: string, object: KubeObject): string {
  return `${environment}\0${identityOf(object)}`;
}

/** Every object of every environment by environment, identity and number. */
export function objectsOf(
  { declared }: Made,
  environments?: ReadonlySet<string>,
): ReadonlyMap<string, Declared> {
  const objects = new Map<string, Declared>();
  const counts = new Map<string, number>();
  for (const one of declared)
    for (const environment of one.environments ?? ['']) {
      if (environments !== undefined && !environments.has(environment)) continue;
      const key = keyIn(environment, one.object);
      const count = counts.get(key) ?? 0;
      counts.set(key, count + 1);
      objects.set(`${key}\0${count}`, one);
    }
  return objects;
}

/** What is to be changed, by {@link keyIn}. */
export type Wanted = ReadonlyMap<string, readonly Change[]>;

export interface Aim {
  /** The object that is to be mended, as it was declared. */
  readonly declared: Declared;
  readonly changes: readonly Change[];
}

/**
 * @param wanted what this run may change
 * @param unstable objects that come out differently each time: they prove nothing
 * @returns why it is not as intended; undefined where it is
 */
export function problemWith(
  before: Made,
  after: Made,
  { declared, changes }: Aim,
  wanted: Wanted,
  environments?: ReadonlySet<string>,
  unstable: ReadonlySet<string> = new Set(),
): string | undefined {
  const known = new Set(before.gaps.map(({ reason }) => reason));
  const gap = after.gaps.find(({ reason }) => !known.has(reason));
  if (gap !== undefined) return `then there is ${gap.reason}`;
  const [were, are] = [objectsOf(before, environments), objectsOf(after, environments)];
  const [gone] = [...were.keys()].filter(key => !are.has(key));
  const [fresh] = [...are.keys()].filter(key => !were.has(key));
  if (gone !== undefined || fresh !== undefined)
    return `${nameIn((gone ?? fresh)!)} would ${gone === undefined ? 'appear' : 'be gone'}`;
  for (const [key, was] of were) {
    const now = are.get(key)!.object;
    const isAim = was === declared;
    if (!isAim && unstable.has(key)) continue;
    if (isAim) {
      const missing = changes.find(change => !isMade(was.object, now, change, changes));
      if (missing !== undefined) return `${formatPath(missing.path)} would not change${inEnvironment(key)}`;
    }
    if (was.object === now || isEqual(was.object, now)) continue;
    const others = wanted.get(key.slice(0, key.lastIndexOf('\0'))) ?? [];
    const allowed = isAim
      ? [...changes, ...others.filter(({ path }) => !changes.some(own => isWithin(path, own.path)))]
      : others;
    const made = distinct(allowed.filter(change => isMade(was.object, now, change, allowed)));
    if (!isEqual(comparable(withMade(was.object, now, made)), comparable(now)))
      return `${nameIn(key)} would change elsewhere too${inEnvironment(key)}`;
  }
  return undefined;
}

function isWithin(path: Path, above: Path): boolean {
  return above.length <= path.length && above.every((step, i) => path[i] === step);
}

/** The keys of objects that two renderings of the same texts have not in common. */
export function unstableIn(one: Made, other: Made): ReadonlySet<string> {
  const others = objectsOf(other);
  return new Set(
    [...objectsOf(one)].flatMap(([key, { object }]) =>
      isEqual(object, others.get(key)?.object) ? [] : [key],
    ),
  );
}

function nameIn(key: string): string {
  const [, kind = '', namespace = '', name = ''] = key.split('\0');
  return `${kind.slice(kind.lastIndexOf('/') + 1)} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

function inEnvironment(key: string): string {
  const environment = key.slice(0, key.indexOf('\0'));
  return environment === '' ? '' : ` (in ${environment})`;
}

/** Whether a change is to be seen in what came out. What is removed may also be turned off or empty. */
export function isMade(
  before: KubeObject,
  after: KubeObject,
  change: Change,
  all: readonly Change[],
): boolean {
  const { path, op } = change;
  const was = valueAt(before, path);
  const now = valueAt(after, path);
  if (op === 'set') return isEqual(withoutNulls(now), withoutNulls(change.value));
  if (op === 'append')
    return Array.isArray(now) && now.some(item => isEqual(item, change.value)) && !isEqual(was, now);
  const last = path.at(-1);
  if (typeof last === 'number') {
    // Items of one list go together: what is left must be what the others are.
    const list = path.slice(0, -1);
    const gone = new Set(
      all.flatMap(other =>
        other.op === 'remove' && isEqual(other.path.slice(0, -1), list) ? [other.path.at(-1)] : [],
      ),
    );
    const items = valueAt(before, list);
    const left = Array.isArray(items) ? items.filter((_, i) => !gone.has(i)) : [];
    const rest = valueAt(after, list);
    return isEqual(rest ?? [], left);
  }
  return now === undefined || now === null || (was === true && now === false);
}

/** The object with the changes made, each in the form that it took. */
function withMade(before: KubeObject, after: KubeObject, made: readonly Change[]): KubeObject {
  return withChanges(
    before,
    made.flatMap((change): readonly Change[] => {
      if (change.op !== 'remove') return [change];
      const { path } = change;
      const list = path.slice(0, -1);
      if (typeof path.at(-1) === 'number')
        return valueAt(after, list) === undefined ? [{ op: 'remove', path: list }] : [change];
      return valueAt(after, path) === false ? [{ op: 'set', path, value: false }] : [change];
    }),
  );
}

function distinct(changes: readonly Change[]): Change[] {
  const known = new Map(changes.map(change => [JSON.stringify(change, bigints), change]));
  return [...known.values()];
}

const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);

/** What Kustomize notes of how it built an object, where `buildMetadata` asks for it, is not what it built. */
const NOTES = new Set(['alpha.config.kubernetes.io/transformations', 'config.kubernetes.io/origin']);

function comparable(object: KubeObject): unknown {
  const annotations = object.metadata?.annotations;
  if (!isRecord(annotations) || !Object.keys(annotations).some(key => NOTES.has(key)))
    return withoutNulls(object);
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !NOTES.has(key)));
  return withoutNulls({ ...object, metadata: { ...object.metadata, annotations: kept } });
}

/** To Kubernetes a field that is null is absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) =>
      item === null || item === undefined ? [] : [[key, withoutNulls(item)]],
    ),
  );
}

/** A change in words that somebody can write down: `securityContext.runAsNonRoot: true`. */
export function wordsFor(change: Change, from: number): string {
  const path: Path = change.path.slice(from);
  const name = path.length === 0 ? formatPath(change.path) : formatPath(path);
  if (change.op === 'remove') return `take ${name} out`;
  const value = JSON.stringify(change.value, bigints);
  return change.op === 'append' ? `add ${value} to ${name}` : `write ${name}: ${value}`;
}
