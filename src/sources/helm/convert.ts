/** Conversions of sprig: numbers by spf13/cast, texts by strval, equality by reflect.DeepEqual. */
import { format, sprint } from './format.ts';
import { readInteger } from './parse.ts';
import { GoError, GoMap, GoSlice, GoStruct, Int, isTrue, kindOf, type Value } from './value.ts';

/** cast.ToInt64: what does not convert is 0. */
export function toInt64(value: Value): bigint {
  if (value instanceof Int)
    return value.named === undefined || value.kind === 'int' ? BigInt.asIntN(64, value.value) : 0n;
  if (typeof value === 'number') return floatToInt(value);
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value !== 'string') return 0n;
  const parsed = readInteger(value.replace(/\.0*$/, zeros => (zeros.length > 1 ? '' : zeros)));
  if (parsed === undefined || parsed >= 1n << 63n || parsed < -(1n << 63n)) return 0n;
  return parsed;
}

/** int64(float) on amd64: what does not fit becomes the smallest. */
function floatToInt(value: number): bigint {
  if (!Number.isFinite(value) || value >= 2 ** 63 || value < -(2 ** 63)) return -(1n << 63n);
  return BigInt(Math.trunc(value));
}

/** cast.ToFloat64. */
export function toFloat64(value: Value): number {
  if (value instanceof Int) return Number(value.value);
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string') return 0;
  return parseFloat64(value) ?? 0;
}

/** strconv.ParseFloat(text, 64). */
function parseFloat64(text: string): number | undefined {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?0[xX]/.test(text)) {
    const match = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/.exec(text);
    if (match === null || (match[2] === '' && match[3] === '')) return undefined;
    const value = Number(BigInt(`0x${match[2]}${match[3]}`)) * 2 ** (Number(match[4]) - 4 * match[3]!.length);
    return match[1] === '-' ? -value : value;
  }
  // Underscores may stand between digits (underscoreOK of strconv/atoi.go).
  const plain = text.includes('_') ? text.replace(/(?<=\d)_(?=\d)/g, '') : text;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

/** sprig's strval. */
export function strval(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof GoSlice && value.type === '[]uint8') return format('%s', [value]);
  return sprint([value]);
}

/** sprig's strslice. */
export function strslice(value: Value): string[] {
  if (value instanceof GoSlice)
    return value.items.filter(item => item !== null && item !== undefined).map(strval);
  if (value === null || value === undefined) return [];
  return [strval(value)];
}

/** sprig's empty: as truth, except that a struct is never empty. */
export const isEmpty = (value: Value): boolean => !isTrue(value);

export function deepEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
  if (a instanceof Int)
    return b instanceof Int && a.kind === b.kind && a.value === b.value && a.named?.type === b.named?.type;
  if (a instanceof GoMap) {
    if (!(b instanceof GoMap) || a.type !== b.type || a.entries.size !== b.entries.size) return false;
    for (const [key, value] of a.entries) {
      if (!b.entries.has(key) || !deepEqual(value, b.entries.get(key))) return false;
    }
    return true;
  }
  if (a instanceof GoSlice) {
    if (!(b instanceof GoSlice) || a.type !== b.type || a.items.length !== b.items.length) return false;
    return a.items.every((item, at) => deepEqual(item, b.items[at]));
  }
  if (a instanceof GoStruct)
    return b instanceof GoStruct && a.type === b.type && a.text !== undefined && a.text === b.text;
  return false;
}

const NIL_DEREFERENCE = 'runtime error: invalid memory address or nil pointer dereference';

/** The items of a list, or the error of a sprig function that asks reflect.TypeOf for its kind. */
export function itemsOf(list: Value, message: (kind: string) => string): readonly Value[] {
  if (list === null || list === undefined) throw new GoError(NIL_DEREFERENCE);
  if (!(list instanceof GoSlice)) throw new GoError(message(kindOf(list)));
  return list.items;
}

/** A deep copy, as copystructure makes it. */
export function deepCopy(value: Value): Value {
  if (value instanceof GoMap) {
    const copy = new GoMap(new Map(), value.type);
    for (const [key, entry] of value.entries) copy.entries.set(key, deepCopy(entry));
    if (value.places !== undefined) copy.places = new Map(value.places);
    return copy;
  }
  if (value instanceof GoSlice) {
    const copy = new GoSlice(value.items.map(deepCopy), value.type);
    copy.places = value.places;
    return copy;
  }
  return value;
}
