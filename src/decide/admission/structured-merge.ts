/**
 * How the API server merges an apply configuration into an object: by the schema of its type, lists with keys element by
 * element. Sources: sigs.k8s.io/structured-merge-diff v6 (typed/{validate,merge,helpers}.go), apiserver
 * pkg/admission/plugin/policy/mutating/patch/smd.go.
 */
import { isRecord } from '#kube/objects.ts';
import { mergeSchema } from './merge-schema.generated.ts';
import type { Kind } from './request.ts';

/** What an apply configuration may not be, or not say. */
export class MergeError extends Error {
  override readonly name = 'MergeError';
}

type Shape =
  | { readonly is: 'scalar'; readonly of: 's' | 'n' | 'b' | 'u' }
  | { readonly is: 'any' }
  | { readonly is: 'list'; readonly relation: 'atomic' | 'set'; readonly element: string }
  | {
      readonly is: 'list';
      readonly relation: 'keyed';
      readonly keys: readonly Key[];
      readonly element: string;
    }
  | { readonly is: 'mapping'; readonly atomic: boolean; readonly element: string }
  | { readonly is: 'struct'; readonly atomic: boolean; readonly fields: ReadonlyMap<string, string> };

interface Key {
  readonly name: string;
  /** What an element without the key is taken to say; undefined for nothing. */
  readonly preset?: string;
}

type List = Extract<Shape, { is: 'list' }>;

/** Deeper objects are refused by the decoder of the API server long before. */
const MAX_DEPTH = 200;
const shapes = new Map<string, Shape>();

function shapeOf(text: string): Shape {
  let shape = shapes.get(text);
  if (shape === undefined) {
    shape = parse(text);
    shapes.set(text, shape);
  }
  return shape;
}

function parse(text: string): Shape {
  if (text === 'x') return { is: 'any' };
  if (text === 's' || text === 'n' || text === 'b' || text === 'u') return { is: 'scalar', of: text };
  const close = text.indexOf(']') + 1;
  if (text.startsWith('[]')) return { is: 'list', relation: 'atomic', element: text.slice(2) };
  if (text.startsWith('[=]')) return { is: 'list', relation: 'set', element: text.slice(3) };
  if (text.startsWith('['))
    return {
      is: 'list',
      relation: 'keyed',
      keys: text
        .slice(1, close - 1)
        .split(',')
        .map(key => {
          const [name, preset] = key.split('~') as [string, string | undefined];
          return preset === undefined ? { name } : { name, preset };
        }),
      element: text.slice(close),
    };
  if (text.startsWith('{!}')) return { is: 'mapping', atomic: true, element: text.slice(3) };
  if (text.startsWith('{}')) return { is: 'mapping', atomic: false, element: text.slice(2) };
  const row = mergeSchema[text]!;
  const atomic = row.startsWith('! ');
  const fields = (atomic ? row.slice(2) : row).split(' ').filter(field => field !== '');
  return {
    is: 'struct',
    atomic,
    fields: new Map(
      fields.map(field => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon), field.slice(colon + 1)];
      }),
    ),
  };
}

/** The name of the schema of a kind; undefined for one that is not known here. */
export function schemaOf({ group, version, kind }: Kind): string | undefined {
  const name = `${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`;
  // Only the built-in groups: apps.example.com is another one.
  if (!/^(?:apps|batch|networking\.k8s\.io|rbac\.authorization\.k8s\.io)?$/.test(group)) return undefined;
  return Object.hasOwn(mergeSchema, name) ? name : undefined;
}

/**
 * An object with an apply configuration merged into it.
 *
 * @param schema see {@link schemaOf}
 * @throws MergeError where the API server refuses the configuration, with its words
 */
export function applyConfiguration(schema: string, object: unknown, patch: unknown): unknown {
  const wrong = validate(schema, patch, 0);
  if (wrong.length > 0)
    throw new MergeError(`failed to convert patch object to typed object: ${messageOf(wrong)}`);
  const atomics = atomicParts(schema, patch, '');
  if (atomics.length > 0)
    throw new MergeError(
      `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    );
  return merged(schema, object, patch);
}

/**
 * What an object says that its type has no place for.
 *
 * @returns the API server's words, one for each mistake
 */
export function misfits(schema: string, object: unknown): readonly string[] {
  return validate(schema, object, 0, true).map(textOf);
}

interface Misfit {
  readonly path: string;
  readonly message: string;
}

function textOf({ path, message }: Misfit): string {
  return path === '' ? message : `${path}: ${message}`;
}

function messageOf(wrong: readonly Misfit[]): string {
  return wrong.length === 1
    ? textOf(wrong[0]!)
    : ['errors:', ...wrong.map(one => `  ${textOf(one)}`)].join('\n');
}

/** @param isLive of an object that is there: null is nothing, and keys may stand twice */
function validate(type: string, value: unknown, depth: number, isLive = false): Misfit[] {
  if (value === undefined || (value === null && isLive)) return [];
  if (depth > MAX_DEPTH) return [{ path: '', message: 'nested too deeply' }];
  const shape = shapeOf(type);
  const wrong = (message: string): Misfit[] => [{ path: '', message }];
  const below = (name: string, misfits: Misfit[]): Misfit[] =>
    misfits.map(({ path, message }) => ({ path: `${name}${path}`, message }));
  switch (shape.is) {
    case 'any':
      return [];
    case 'scalar':
      return scalarMisfit(shape.of, value);
    case 'struct':
    case 'mapping': {
      if (!isRecord(value)) return wrong(`expected map, got ${goValue(value)}`);
      const misfits: Misfit[] = [];
      for (const key of Object.keys(value)) {
        const element = shape.is === 'struct' ? shape.fields.get(key) : shape.element;
        if (element === undefined) {
          // The rest of the mapping is not looked at.
          misfits.push({ path: `.${key}`, message: 'field not declared in schema' });
          break;
        }
        misfits.push(...below(`.${key}`, validate(element, value[key], depth + 1, isLive)));
      }
      return misfits;
    }
    case 'list': {
      if (!Array.isArray(value)) return wrong(`expected list, got ${goValue(value)}`);
      const misfits: Misfit[] = [];
      const seen = new Set<string>();
      for (const [index, element] of value.entries()) {
        let name = `[${index}]`;
        if (shape.relation !== 'atomic') {
          const place = placeOf(shape, element);
          if ('error' in place) return [...misfits, ...wrong(`element ${index}: ${place.error}`)];
          name = place.shown;
          if (seen.has(place.key) && !isLive)
            misfits.push(...wrong(`duplicate entries for key ${place.shown}`));
          seen.add(place.key);
        }
        misfits.push(...below(name, validate(shape.element, element, depth + 1, isLive)));
      }
      return misfits;
    }
  }
}

function scalarMisfit(of: 's' | 'n' | 'b' | 'u', value: unknown): Misfit[] {
  const is = typeof value;
  const isNumber = is === 'number' || is === 'bigint';
  const fits =
    of === 's' ? is === 'string' : of === 'n' ? isNumber : of === 'b' ? is === 'boolean' : is !== 'object';
  if (fits) return [];
  const shown = goValue(value);
  const message = {
    s: `expected string, got ${shown}`,
    n: `expected numeric (int or float), got ${goTypeOf(value)}`,
    b: `expected boolean, got ${shown}`,
    u: `expected any scalar, got ${shown}`,
  }[of];
  return [{ path: '', message }];
}

function goTypeOf(value: unknown): string {
  // What an expression calls null has a type of its own: no field can hold it.
  if (value === null) return 'structpb.NullValue';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

function goValue(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : isRecord(value) || Array.isArray(value)
      ? JSON.stringify(value)
      : String(value);
}

/** What makes an element of a list the one that it is, and how messages show it. */
function placeOf(
  list: List,
  element: unknown,
): { readonly key: string; readonly shown: string } | { readonly error: string } {
  if (list.relation !== 'keyed') {
    if (isRecord(element)) return { error: "associative list without keys has an element that's a map type" };
    if (Array.isArray(element)) return { error: 'not supported: associative list with lists as elements' };
    if (element === null || element === undefined)
      return { error: "associative list without keys has an element that's an explicit null" };
    return { key: `${typeof element} ${String(element)}`, shown: `[=${goValue(element)}]` };
  }
  if (element === null || element === undefined)
    return { error: 'associative list with keys may not have a null element' };
  if (!isRecord(element)) return { error: 'associative list with keys may not have non-map elements' };
  const parts: string[] = [];
  const fields = shapeOf(list.element);
  for (const { name, preset } of list.keys) {
    if (Object.hasOwn(element, name)) parts.push(`${name}=${goValue(element[name])}`);
    else if (preset !== undefined) {
      const isText = fields.is !== 'struct' || fields.fields.get(name) === 's';
      parts.push(`${name}=${isText ? JSON.stringify(preset) : preset}`);
    }
  }
  if (parts.length === 0)
    return {
      error: `associative list with keys has an element that omits all key fields [${list.keys.map(({ name }) => JSON.stringify(name)).join(' ')}] (and doesn't have default values for any key fields)`,
    };
  const key = parts.sort().join(',');
  return { key, shown: `[${key}]` };
}

/** Lists and mappings that can only be replaced as a whole: a configuration may not touch them. */
function atomicParts(type: string, value: unknown, path: string): string[] {
  const shape = shapeOf(type);
  const found: string[] = [];
  if (isRecord(value)) {
    const { is } = shape;
    if (is !== 'struct' && is !== 'mapping' && is !== 'any') return found;
    if (is === 'any' || shape.atomic) found.push(path);
    if (is === 'struct')
      for (const key of Object.keys(value)) {
        const field = shape.fields.get(key);
        if (field !== undefined) found.push(...atomicParts(field, value[key], `${path}.${key}`));
      }
  } else if (Array.isArray(value)) {
    if (shape.is === 'any') found.push(path);
    if (shape.is !== 'list') return found;
    if (shape.relation === 'atomic') found.push(path);
    for (const [index, element] of value.entries())
      found.push(...atomicParts(shape.element, element, `${path}[${index}]`));
  }
  return found;
}

/**
 * An object as it is once the API server has read it into its type: null is nothing, and so are lists and mappings
 * without content. (`containers` must be there, and is.)
 */
export function asRead(type: string, value: unknown): unknown {
  const shape = shapeOf(type);
  if (Array.isArray(value))
    return shape.is === 'list' ? value.map(element => asRead(shape.element, element)) : value;
  if (!isRecord(value) || (shape.is !== 'struct' && shape.is !== 'mapping')) return value;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const element = shape.is === 'struct' ? shape.fields.get(key) : shape.element;
    const one = element === undefined ? value[key] : asRead(element, value[key]);
    if (one === null || (element !== undefined && key !== 'containers' && isEmpty(element, one))) continue;
    Object.defineProperty(result, key, { value: one, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

function isEmpty(type: string, value: unknown): boolean {
  const { is } = shapeOf(type);
  return (
    (is === 'list' && Array.isArray(value) && value.length === 0) ||
    (is === 'mapping' && isRecord(value) && size(value) === 0)
  );
}

/** What is not there at all; `null` is there. */
const NOTHING = undefined;

/** Both sides of one type; either may be missing, not both. */
function merged(type: string, left: unknown, right: unknown): unknown {
  const shape = shapeOf(type);
  const leaf = right !== NOTHING ? right : left;
  switch (shape.is) {
    case 'any':
    case 'scalar':
      return leaf;
    case 'struct':
    case 'mapping': {
      const [a, b] = [isRecord(left) ? left : NOTHING, isRecord(right) ? right : NOTHING];
      if (shape.atomic || (size(a) === 0 && size(b) === 0)) return leaf;
      const result: Record<string, unknown> = {};
      for (const key of new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])) {
        const element = shape.is === 'struct' ? shape.fields.get(key) : shape.element;
        const own = a !== NOTHING && Object.hasOwn(a, key) ? a[key] : NOTHING;
        const other = b !== NOTHING && Object.hasOwn(b, key) ? b[key] : NOTHING;
        const value = element === undefined ? own : merged(element, own, other);
        if (value !== NOTHING)
          Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true });
      }
      return result;
    }
    case 'list': {
      const [a, b] = [Array.isArray(left) ? left : [], Array.isArray(right) ? right : []];
      if (shape.relation === 'atomic' || (a.length === 0 && b.length === 0)) return leaf;
      return mergedList(shape, a, b);
    }
  }
}

function size(value: Record<string, unknown> | undefined): number {
  return value === undefined ? 0 : Object.keys(value).length;
}

interface Placed {
  readonly keys: readonly string[];
  /** Null for an element that stands there more than once: nothing is merged into it. */
  readonly values: ReadonlyMap<string, unknown>;
}

function placed(list: List, elements: readonly unknown[]): Placed {
  const values = new Map<string, unknown>();
  const keys = elements.map((element, index) => {
    const place = placeOf(list, element);
    if ('error' in place) throw new MergeError(`failed to merge patch: element ${index}: ${place.error}`);
    values.set(place.key, values.has(place.key) ? null : element);
    return place.key;
  });
  return { keys, values };
}

/** The elements of both, in the order of the right one where it names them. */
function mergedList(list: List, left: readonly unknown[], right: readonly unknown[]): unknown[] {
  const a = placed(list, left);
  const b = placed(list, right);
  const shared = b.keys.filter(key => a.values.has(key));
  let nextShared = shared.shift();
  const done = new Set<string>();
  const out: unknown[] = [];
  const push = (own: unknown, other: unknown) => {
    const value = merged(list.element, own, other);
    if (value !== NOTHING) out.push(value);
  };
  for (let i = 0, j = 0; i < a.keys.length || j < b.keys.length; ) {
    const key = a.keys[i];
    const other = b.keys[j];
    if (key !== undefined && other !== undefined) {
      if (key === other) {
        done.add(key);
        push(a.values.get(key), b.values.get(key));
        i++;
        j++;
        nextShared = shared.shift();
        continue;
      }
      if (b.values.has(key) && nextShared !== undefined && nextShared !== key) {
        i++;
        continue;
      }
    }
    if (key !== undefined) {
      if (!b.values.has(key)) {
        push(left[i], NOTHING);
        i++;
        continue;
      }
      if (done.has(key)) i++;
    }
    if (other !== undefined) {
      done.add(other);
      push(a.values.get(other), b.values.get(other));
      j++;
      if (nextShared === other) nextShared = shared.shift();
    }
  }
  return out;
}
