/** Functions of strings, lists and sets beyond the standard. Source: cel-go ext/{strings,formatting,lists,sets}.go. */

import { SHORT_ESCAPES } from '#kube/go-text.ts';
import {
  codePoints,
  type Functions,
  flattenCost,
  global,
  member,
  NO_OVERLOAD,
  newListCost,
  type Overload,
  selfCompareCost,
  since,
  traversal,
  traversalOfResult,
} from './declare.ts';
import { format } from './format.ts';
import { compare } from './standard.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  optionalOf,
  param,
  STRING,
  TIMESTAMP,
  type Type,
  UINT,
} from './types.ts';
import { CelError, type CelValue, equal, isList, Optional, typeNameOf } from './values.ts';

const ascii = (text: string): boolean => codePoints(text) === text.length;
/** The text as a list of code points; a text without surrogates is its own list. */
const points = (text: string): readonly string[] | string => (ascii(text) ? text : [...text]);
const joined = (part: readonly string[] | string): string =>
  typeof part === 'string' ? part : part.join('');

const outOfRange = (index: bigint): CelError => new CelError(`index out of range: ${index}`);

/** Behind the end nothing is found but the empty text, at the end. */
function indexOf(text: string, part: string, offset: bigint): CelValue {
  if (offset < 0n) return outOfRange(offset);
  const all = points(text);
  const length = BigInt(all.length);
  if (part === '') return offset > length ? length : offset;
  if (offset >= length) return -1n;
  if (typeof all === 'string') return BigInt(all.indexOf(part, Number(offset)));
  const start = all.slice(0, Number(offset)).join('').length;
  const found = text.indexOf(part, start);
  return found < 0 ? -1n : BigInt(codePoints(text.slice(0, found)));
}

function lastIndexOf(text: string, part: string, offset: bigint | undefined): CelValue {
  if (offset !== undefined && offset < 0n) return outOfRange(offset);
  const all = points(text);
  const length = BigInt(all.length);
  if (part === '') return offset === undefined || offset > length ? length : offset;
  if (offset !== undefined && offset >= length) return -1n;
  const start = offset === undefined ? text.length : joined(all.slice(0, Number(offset))).length;
  const found = text.lastIndexOf(part, start);
  return found < 0 ? -1n : BigInt(codePoints(text.slice(0, found)));
}

function substring(text: string, start: bigint, end: bigint | undefined): CelValue {
  const all = points(text);
  const to = end ?? BigInt(all.length);
  if (end !== undefined && start > to)
    return new CelError(`invalid substring range. start: ${start}, end: ${to}`);
  if (start < 0n || start > BigInt(all.length)) return outOfRange(start);
  if (to < 0n || to > BigInt(all.length)) return outOfRange(to);
  return joined(all.slice(Number(start), Number(to)));
}

function replace(text: string, from: string, to: string, count: bigint): CelValue {
  if (count < 0n)
    return text.split(from === '' ? /(?:)/u : from).length > 0 ? replaceAll(text, from, to) : text;
  let result = '';
  let rest = text;
  for (let left = count; left > 0n; left--) {
    if (from === '') {
      const first = rest === '' ? '' : String.fromCodePoint(rest.codePointAt(0)!);
      result += to + first;
      if (rest === '') return result;
      rest = rest.slice(first.length);
      continue;
    }
    const found = rest.indexOf(from);
    if (found < 0) break;
    result += rest.slice(0, found) + to;
    rest = rest.slice(found + from.length);
  }
  return result + rest;
}

function replaceAll(text: string, from: string, to: string): string {
  return from === '' ? [to, ...[...text].flatMap(one => [one, to])].join('') : text.split(from).join(to);
}

function split(text: string, separator: string, limit: bigint): CelValue {
  if (limit === 0n) return [];
  const parts = separator === '' ? [...text] : text.split(separator);
  if (limit < 0n || BigInt(parts.length) <= limit) return parts;
  const kept = parts.slice(0, Number(limit) - 1);
  return [...kept, parts.slice(Number(limit) - 1).join(separator)];
}

function join(list: readonly CelValue[], separator: string): CelValue {
  return list.every(item => typeof item === 'string') ? list.join(separator) : NO_OVERLOAD;
}

/** Go's unicode.IsSpace. */
const SPACE = '[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING = new RegExp(`^${SPACE}+`);
const TRAILING = new RegExp(`${SPACE}$`);

function trim(text: string): string {
  let result = text.replace(LEADING, '');
  // One by one: a pattern for many of them would be quadratic on hostile text.
  let end = result.length;
  while (end > 0 && TRAILING.test(result[end - 1]!)) end--;
  result = result.slice(0, end);
  return result;
}

const upper = (text: string) => text.replace(/[a-z]+/g, one => one.toUpperCase());
const lower = (text: string) => text.replace(/[A-Z]+/g, one => one.toLowerCase());

/** `quote` and `format` came with version 1 of the library, which Kubernetes took in 1.29. */
export const strings: Functions = {
  charAt: [
    member([STRING, INT], STRING, (text: string, index: bigint) => {
      const all = points(text);
      if (index < 0n || index > BigInt(all.length)) return outOfRange(index);
      return all[Number(index)] ?? '';
    }),
  ],
  indexOf: [
    member([STRING, STRING], INT, (text: string, part: string) => indexOf(text, part, 0n), traversal()),
    member([STRING, STRING, INT], INT, indexOf, traversal()),
  ],
  lastIndexOf: [
    member(
      [STRING, STRING],
      INT,
      (text: string, part: string) => lastIndexOf(text, part, undefined),
      traversal(),
    ),
    member([STRING, STRING, INT], INT, lastIndexOf, traversal()),
  ],
  lowerAscii: [member([STRING], STRING, lower, traversal())],
  upperAscii: [member([STRING], STRING, upper, traversal())],
  trim: [member([STRING], STRING, trim, traversal())],
  substring: [
    member(
      [STRING, INT],
      STRING,
      (text: string, start: bigint) => substring(text, start, undefined),
      traversal(),
    ),
    member([STRING, INT, INT], STRING, substring, traversal()),
  ],
  replace: [
    member([STRING, STRING, STRING], STRING, replaceAll, traversal(2)),
    member([STRING, STRING, STRING, INT], STRING, replace, traversal(2)),
  ],
  split: [
    member(
      [STRING, STRING],
      listOf(STRING),
      (text: string, by: string) => split(text, by, -1n),
      traversal(2),
    ),
    member([STRING, STRING, INT], listOf(STRING), split, traversal(2)),
  ],
  join: [
    member([listOf(STRING)], STRING, (list: readonly CelValue[]) => join(list, ''), traversalOfResult),
    member([listOf(STRING), STRING], STRING, join, traversalOfResult),
  ],
  format: [{ ...member([STRING, listOf(DYN)], STRING, format), since: 29 }],
  'strings.quote': [
    {
      ...global(
        [STRING],
        STRING,
        (text: string) => `"${[...text].map(one => SHORT_ESCAPES[one] ?? one).join('')}"`,
      ),
      since: 29,
    },
  ],
};

const A = param('A');
const LIST_A = listOf(A);
const has = (list: readonly CelValue[], item: CelValue): boolean => list.some(one => equal(one, item));
const contains = (a: readonly CelValue[], b: readonly CelValue[]): boolean => b.every(item => has(a, item));
const product = ([a, b]: readonly CelValue[]): number =>
  1 + (a as readonly CelValue[]).length * (b as readonly CelValue[]).length;

export const sets: Functions = since(29, {
  'sets.contains': [global([LIST_A, LIST_A], BOOL, contains, product)],
  'sets.equivalent': [
    global(
      [LIST_A, LIST_A],
      BOOL,
      (a: CelValue[], b: CelValue[]) => contains(a, b) && contains(b, a),
      product,
    ),
  ],
  'sets.intersects': [
    global([LIST_A, LIST_A], BOOL, (a: CelValue[], b: CelValue[]) => a.some(item => has(b, item)), product),
  ],
});

/** Sorted by keys of one comparable type; an error where they are not. */
export function sortBy(list: readonly CelValue[], keys: readonly CelValue[]): CelValue {
  const order = list.map((_, index) => index);
  for (let i = 1; i < keys.length; i++)
    if (typeNameOf(keys[i]!) !== typeNameOf(keys[0]!))
      return new CelError('list elements must have the same type');
  if (keys.length > 0) {
    const sign = compare(keys[0]!, keys[0]!);
    if (typeof sign !== 'number') return new CelError('list elements must be comparable');
  }
  order.sort((a, b) => compare(keys[a]!, keys[b]!) as number);
  return order.map(index => list[index]!);
}

function flatten(list: readonly CelValue[], depth: bigint): CelValue {
  if (depth < 0n) return new CelError('level must be non-negative');
  return list.flatMap(item =>
    isList(item) && depth > 0n ? (flatten(item, depth - 1n) as readonly CelValue[]) : [item],
  );
}

const selfCompare: Overload['cost'] = ([list]) => selfCompareCost(list as readonly CelValue[]);
/** In the order in which the library declares them: the first is the type of an empty list. */
const COMPARABLE: readonly Type[] = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES];
const MAX_RANGE = 1_000_000n;

export const lists: Functions = since(34, {
  slice: [
    member(
      [LIST_A, INT, INT],
      LIST_A,
      (list: readonly CelValue[], start: bigint, end: bigint) => {
        if (start < 0n || end < 0n)
          return new CelError(`cannot slice(${start}, ${end}), negative indexes not supported`);
        if (start > end)
          return new CelError(
            `cannot slice(${start}, ${end}), start index must be less than or equal to end index`,
          );
        if (end > BigInt(list.length))
          return new CelError(`cannot slice(${start}, ${end}), list is length ${list.length}`);
        return list.slice(Number(start), Number(end));
      },
      newListCost,
    ),
  ],
  flatten: [
    member([listOf(LIST_A)], LIST_A, (list: readonly CelValue[]) => flatten(list, 1n), flattenCost),
    member([listOf(DYN), INT], listOf(DYN), flatten, flattenCost),
  ],
  sort: COMPARABLE.map(type =>
    member([listOf(type)], listOf(type), (list: readonly CelValue[]) => sortBy(list, list), selfCompare),
  ),
  distinct: [
    member(
      [LIST_A],
      LIST_A,
      (list: readonly CelValue[]) => {
        const found: CelValue[] = [];
        for (const item of list) if (!has(found, item)) found.push(item);
        return found;
      },
      selfCompare,
    ),
  ],
  reverse: [member([LIST_A], LIST_A, (list: readonly CelValue[]) => list.toReversed(), newListCost)],
  'lists.range': [
    global(
      [INT],
      listOf(INT),
      (size: bigint) =>
        size < 0n
          ? new CelError(`lists.range: size must be non-negative, got ${size}`)
          : size > MAX_RANGE
            ? new CelError(`lists.range: size ${size} exceeds maximum allowed (${MAX_RANGE})`)
            : Array.from({ length: Number(size) }, (_, index) => BigInt(index)),
      newListCost,
    ),
  ],
  first: [
    member([LIST_A], optionalOf(A), (list: readonly CelValue[]) =>
      list.length === 0 ? new Optional() : new Optional(list[0]!),
    ),
  ],
  last: [
    member([LIST_A], optionalOf(A), (list: readonly CelValue[]) =>
      list.length === 0 ? new Optional() : new Optional(list.at(-1)!),
    ),
  ],
});
