/**
 * The values of expressions. Whole numbers are `bigint` and exact to 64 bits, floating ones `number`; errors are values
 * too, because `true || error` is true. Source: cel-go common/types.
 */

export const MIN_INT = -(2n ** 63n);
export const MAX_INT = 2n ** 63n - 1n;
export const MAX_UINT = 2n ** 64n - 1n;

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

/** A span of time in nanoseconds. */
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A point in time: nanoseconds since 1970. */
export class Timestamp {
  readonly nanos: bigint;
  /** Seconds east of Greenwich in which it was written, and is written again; all else is about UTC. */
  readonly offset: number;
  constructor(nanos: bigint, offset = 0) {
    this.nanos = nanos;
    this.offset = offset;
  }
}

export class Optional {
  readonly value: CelValue | undefined;
  constructor(value?: CelValue) {
    this.value = value;
  }
}

export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What a failed evaluation ends with. */
export class CelError {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** What is not known to whoever evaluates: no error of the API server, and no answer either. */
export class CelUnknown extends CelError {
  readonly isUnknown = true;
}

/** A value of a type that the Kubernetes libraries add: a quantity, an address, a version, an authorizer. */
export abstract class Opaque {
  abstract readonly typeName: string;
  /** A result that Go holds by a pointer: on the right of `==` it is taken for a value of another type. */
  readonly isPointer: boolean = false;
  abstract equals(other: Opaque): boolean;
}

type Key = string | boolean | bigint;

/** A map. Numbers that are equal are one key, whatever their type. */
export class CelMap {
  readonly #entries = new Map<Key, { readonly key: CelValue; readonly value: CelValue }>();

  get size(): number {
    return this.#entries.size;
  }

  set(key: CelValue, value: CelValue): boolean {
    const plain = plainKey(key);
    if (plain === undefined || this.#entries.has(plain)) return false;
    this.#entries.set(plain, { key, value });
    return true;
  }

  get(key: CelValue): CelValue | undefined {
    const plain = plainKey(key);
    return plain === undefined ? undefined : this.#entries.get(plain)?.value;
  }

  has(key: CelValue): boolean {
    const plain = plainKey(key);
    return plain !== undefined && this.#entries.has(plain);
  }

  keys(): CelValue[] {
    return [...this.#entries.values()].map(({ key }) => key);
  }

  entries(): Iterable<{ readonly key: CelValue; readonly value: CelValue }> {
    return this.#entries.values();
  }
}

/** An object whose fields are worked out when they are asked for. */
export class LazyObject {
  readonly typeName: string;
  readonly #names: ReadonlySet<string>;
  readonly #get: (name: string) => CelValue;
  readonly #known = new Map<string, CelValue>();

  constructor(typeName: string, names: ReadonlySet<string>, get: (name: string) => CelValue) {
    this.typeName = typeName;
    this.#names = names;
    this.#get = get;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  get(name: string): CelValue | undefined {
    if (!this.#names.has(name)) return undefined;
    let value = this.#known.get(name);
    if (value === undefined) {
      value = this.#get(name);
      this.#known.set(name, value);
    }
    return value;
  }
}

/** An object that the expression itself made: `Object{…}`, `JSONPatch{…}`. */
export class CelStruct {
  readonly typeName: string;
  readonly fields: ReadonlyMap<string, CelValue>;
  constructor(typeName: string, fields: ReadonlyMap<string, CelValue>) {
    this.typeName = typeName;
    this.fields = fields;
  }
}

export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint
  | Uint8Array
  | Duration
  | Timestamp
  | Optional
  | TypeValue
  | CelError
  | Opaque
  | CelMap
  | LazyObject
  | CelStruct
  | readonly CelValue[];

function plainKey(key: CelValue): Key | undefined {
  switch (typeof key) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return key;
    case 'number':
      return Number.isInteger(key) ? BigInt(key) : undefined;
    default:
      return key instanceof Uint ? key.value : undefined;
  }
}

export function isList(value: CelValue): value is readonly CelValue[] {
  return Array.isArray(value);
}

/** The name of a value's type, as `type(x)` prints it. */
export function typeNameOf(value: CelValue): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'string':
      return 'string';
  }
  if (value === null) return 'null_type';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Optional) return 'optional_type';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof CelError) return 'error';
  if (value instanceof CelMap) return 'map';
  if (value instanceof Opaque || value instanceof LazyObject || value instanceof CelStruct)
    return value.typeName;
  return 'list';
}

/** Equality of CEL: numbers by their value whatever their type; values of different types are never equal. */
export function equal(a: CelValue, b: CelValue): boolean {
  return same(a, b) === true;
}

/**
 * As {@link equal}, undefined where the API server finds no overload: a value of the Kubernetes libraries on the left
 * knows only its own type. Inside lists and maps it takes that for no difference. Source: apiserver pkg/cel/{ip,quantity,
 * url,semver}.go (Equal), cel-go common/types/{list,map}.go.
 */
export function same(a: CelValue, b: CelValue): boolean | undefined {
  if (a instanceof Opaque) {
    if (b === null) return false;
    return b instanceof Opaque && a.typeName === b.typeName && !b.isPointer ? a.equals(b) : undefined;
  }
  if (a === b) return true;
  const numeric = compareNumbers(a, b);
  if (numeric !== undefined) return numeric === 0;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (isList(a))
    return isList(b) && a.length === b.length && a.every((item, index) => same(item, b[index]!) !== false);
  if (a instanceof CelMap) {
    if (!(b instanceof CelMap) || a.size !== b.size) return false;
    for (const { key, value } of a.entries()) {
      const other = b.get(key);
      if (other === undefined || same(value, other) === false) return false;
    }
    return true;
  }
  if (a instanceof Uint8Array)
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index]);
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Optional) {
    if (!(b instanceof Optional)) return false;
    if (a.value === undefined || b.value === undefined) return a.value === b.value;
    return equal(a.value, b.value);
  }
  if (a instanceof CelStruct) {
    if (!(b instanceof CelStruct) || a.typeName !== b.typeName || a.fields.size !== b.fields.size)
      return false;
    return [...a.fields].every(([name, value]) => {
      const other = b.fields.get(name);
      return other !== undefined && equal(value, other);
    });
  }
  return false;
}

/** -1, 0 or 1 for two numbers of any types; NaN for one that is no number; undefined where one is not numeric. */
export function compareNumbers(a: CelValue, b: CelValue): number | undefined {
  const x = a instanceof Uint ? a.value : a;
  const y = b instanceof Uint ? b.value : b;
  if ((typeof x !== 'bigint' && typeof x !== 'number') || (typeof y !== 'bigint' && typeof y !== 'number'))
    return undefined;
  // As cel-go does: a whole number is rounded to a floating one before both are compared.
  if (typeof x !== typeof y) return compareNumbers(Number(x), Number(y));
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  return x < y ? -1 : x > y ? 1 : 0;
}

/**
 * A value of a manifest as an expression sees it: whole numbers are ints, others doubles. Kubernetes objects have
 * only these types.
 */
export function fromJson(json: unknown): CelValue {
  switch (typeof json) {
    case 'boolean':
    case 'string':
    case 'bigint':
      return json;
    case 'number':
      return Number.isInteger(json) ? BigInt(json) : json;
    case 'object': {
      if (json === null) return null;
      let value = converted.get(json);
      if (value === undefined) {
        if (Array.isArray(json)) value = json.map(fromJson);
        else {
          const map = new CelMap();
          for (const key of Object.keys(json)) map.set(key, fromJson((json as Record<string, unknown>)[key]));
          value = map;
        }
        converted.set(json, value);
      }
      return value;
    }
    default:
      return null;
  }
}

/** Facts do not change, so each is converted once, however many policies look at it. */
const converted = new WeakMap<object, CelValue>();

/** A value as JSON; undefined for one that JSON cannot hold. */
export function toJson(value: CelValue): unknown {
  switch (typeof value) {
    case 'bigint':
      return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
    case 'object':
      if (value === null) return null;
      if (isList(value)) return value.map(toJson);
      if (value instanceof CelMap)
        return Object.fromEntries(
          [...value.entries()].map(({ key, value: one }) => [keyText(key), toJson(one)]),
        );
      if (value instanceof CelStruct)
        return Object.fromEntries([...value.fields].map(([name, one]) => [name, toJson(one)]));
      if (value instanceof Uint) return toJson(value.value);
      if (value instanceof Optional) return value.value === undefined ? null : toJson(value.value);
      return undefined;
    default:
      return value;
  }
}

/** A key of a map as text. */
export function keyText(key: CelValue): string {
  return key instanceof Uint ? String(key.value) : String(key);
}
