/** How functions are declared: name, types, what they do, what they cost. */
import type { Type } from './types.ts';
import { encodeUtf8 } from './utf8.ts';
import {
  CelError,
  CelMap,
  CelStruct,
  type CelValue,
  Duration,
  isList,
  LazyObject,
  Opaque,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
} from './values.ts';

export type Run = (...args: never[]) => CelValue;

export interface Overload {
  /** Called as `a.name(b)`: the target is the first of the arguments. */
  readonly member: boolean;
  readonly args: readonly Type[];
  readonly result: Type;
  readonly run: (args: readonly CelValue[]) => CelValue;
  /** What a call costs; 1 where not stated. Source: cel-go interpreter/runtimecost.go, apiserver pkg/cel/library/cost.go. */
  readonly cost?: (args: readonly CelValue[], result: CelValue) => number;
  /** The minor version of Kubernetes 1 that has it first. */
  readonly since?: number;
  readonly until?: number;
}

export type Functions = Readonly<Record<string, readonly Overload[]>>;

/** A function called as `name(a, b)`. The types of `run`'s parameters are those of the declared arguments. */
export function global(args: readonly Type[], result: Type, run: Run, cost?: Overload['cost']): Overload {
  return overload(false, args, result, run, cost);
}

/** A function called as `a.name(b)`. */
export function member(args: readonly Type[], result: Type, run: Run, cost?: Overload['cost']): Overload {
  return overload(true, args, result, run, cost);
}

function overload(
  isMember: boolean,
  args: readonly Type[],
  result: Type,
  run: Run,
  cost: Overload['cost'] | undefined,
): Overload {
  // The evaluator calls it only with values that fit the declared types.
  const apply = run as (...values: readonly CelValue[]) => CelValue;
  return {
    member: isMember,
    args,
    result,
    run: values => apply(...values),
    ...(cost === undefined ? {} : { cost }),
  };
}

export function since(minor: number, functions: Functions): Functions {
  return Object.fromEntries(
    Object.entries(functions).map(([name, overloads]) => [
      name,
      overloads.map(one => ({ ...one, since: minor })),
    ]),
  );
}

export function merge(...libraries: readonly Functions[]): Functions {
  const all: Record<string, Overload[]> = {};
  for (const library of libraries)
    for (const [name, overloads] of Object.entries(library)) all[name] = [...(all[name] ?? []), ...overloads];
  return all;
}

const TRAVERSAL = 0.1;
const REGEX = 0.25;

/** The size that costs are counted with: code points, bytes, elements; 1 for everything else. */
export function sizeOf(value: CelValue | undefined): number {
  if (typeof value === 'string') return codePoints(value);
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof CelMap) return value.size;
  if (value !== undefined && isList(value)) return value.length;
  return 1;
}

export function codePoints(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xd800 && code < 0xdc00) length--;
  }
  return length;
}

/** Going over the text of the first argument `times` times. */
export const traversal =
  (times = 1): NonNullable<Overload['cost']> =>
  ([first]) =>
    Math.ceil(sizeOf(first) * times * TRAVERSAL);
export const traversalOfResult: NonNullable<Overload['cost']> = (_, result) =>
  Math.ceil(sizeOf(result) * 2 * TRAVERSAL);
export const regexCost: NonNullable<Overload['cost']> = ([text, pattern]) =>
  Math.ceil((1 + sizeOf(text)) * TRAVERSAL) * Math.ceil(sizeOf(pattern) * REGEX);
export const containsCost: NonNullable<Overload['cost']> = ([text, part]) =>
  Math.ceil(sizeOf(text) * TRAVERSAL) * Math.ceil(sizeOf(part) * TRAVERSAL);
export const smallerCost: NonNullable<Overload['cost']> = ([a, b]) =>
  Math.ceil(Math.min(sizeOf(a), sizeOf(b)) * TRAVERSAL);
export const sumCost: NonNullable<Overload['cost']> = ([a, b]) =>
  Math.ceil((sizeOf(a) + sizeOf(b)) * TRAVERSAL);
/** Going over all that a value holds. Source: apiserver pkg/cel/library/cost.go (traversalCost). */
export const listCost: NonNullable<Overload['cost']> = ([first]) => traversalCost(first);

function traversalCost(value: CelValue | undefined): number {
  if (typeof value === 'string') return Math.floor(encodeUtf8(value).length * TRAVERSAL);
  if (value instanceof Uint8Array) return Math.floor(value.length * TRAVERSAL);
  if (value !== undefined && isList(value))
    return value.reduce<number>((sum, one) => sum + traversalCost(one), 0);
  if (value instanceof CelMap) {
    let sum = 0;
    for (const entry of value.entries()) sum += traversalCost(entry.key) + traversalCost(entry.value);
    return sum;
  }
  return 1;
}

const LIST = 10;

/** Functions that make a list. Source: cel-go ext/lists.go (trackAllocatingListCall). */
export const newListCost: NonNullable<Overload['cost']> = (_, result) => 1 + LIST + sizeOf(result);
export const flattenCost: NonNullable<Overload['cost']> = ([list, depth]) =>
  1 + LIST + sizeOf(list) * Math.max(typeof depth === 'bigint' ? Number(depth) : 1, 0);
/** Of comparing all elements with all others. */
export function selfCompareCost(list: readonly CelValue[]): number {
  const [first] = list;
  const factor = typeof first === 'string' || first instanceof Uint8Array ? 2 + TRAVERSAL : 2;
  return 1 + LIST + Math.floor(list.length * list.length * factor);
}

export const NO_OVERLOAD = new CelError('no such overload');

/** Whether a value can be an argument of the declared type; what lists and maps hold is not looked at. */
export function fits(value: CelValue, type: Type): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'param':
    case 'error':
      return true;
    case 'null':
      return value === null;
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'uint':
      return value instanceof Uint;
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'duration':
      return value instanceof Duration;
    case 'timestamp':
      return value instanceof Timestamp;
    case 'list':
      return isList(value);
    case 'map':
      return value instanceof CelMap;
    case 'type':
      return value instanceof TypeValue;
    case 'optional':
      return value instanceof Optional;
    case 'object':
      return (
        (value instanceof Opaque || value instanceof LazyObject || value instanceof CelStruct) &&
        value.typeName === type.name
      );
  }
}
