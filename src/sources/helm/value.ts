/**
 * Go's values as templates meet them. JavaScript's own types stand for the common ones: a number is a float64, a
 * string a string, null a nil interface, undefined the zero reflect.Value. All else is a class below.
 */

/** A string of Go is bytes. One here is text in which U+DC80…U+DCFF, alone, stand for bytes that are no UTF-8. */
export type GoString = string;

export type IntKind =
  | 'int'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64';

/** An integer of Go: its type is seen by `eq`, `printf` and `index`. */
export class Int {
  readonly kind: IntKind;
  readonly value: bigint;
  /** A named type such as time.Duration or time.Month, with the text that its String method gives. */
  readonly named: { readonly type: string; readonly text: string } | undefined;
  constructor(kind: IntKind, value: bigint, named?: { readonly type: string; readonly text: string }) {
    this.kind = kind;
    this.value = value;
    this.named = named;
  }
}

export class Complex {
  readonly re: number;
  readonly im: number;
  constructor(re: number, im: number) {
    this.re = re;
    this.im = im;
  }
}

/** Where a value was written. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The path below `.Values` (or another root) in dots. */
  readonly path: string;
  /** It was written by no file: a template made it, of this. The rest says nothing then. */
  readonly made?: object;
  /** Of a place that is looked for when it is asked for: the same as plain data. */
  readonly found?: Place;
}

export class GoMap {
  readonly type: string;
  readonly entries: Map<string, Value>;
  /** Where each key's value was written, as far as it is known. */
  places: Map<string, Place> | undefined;
  /** A map that was never made: JSON and YAML say null. */
  isNil = false;
  constructor(entries: Map<string, Value> = new Map(), type = 'map[string]interface {}') {
    this.entries = entries;
    this.type = type;
  }
  get(key: string): Value {
    return this.entries.get(key);
  }
}

/** Notes where the value of a key was written. */
export function setPlace(map: GoMap, key: string, place: Place): void {
  map.places ??= new Map();
  map.places.set(key, place);
}

export class GoSlice {
  readonly type: string;
  readonly items: Value[];
  places: (Place | undefined)[] | undefined;
  isNil = false;
  /** Of a list of bytes, their text, where it is known. */
  bytes: GoString | undefined;
  private room = 0;
  constructor(items: Value[] = [], type = '[]interface {}') {
    this.items = items;
    this.type = type;
  }

  /** Go's cap: `slice` may reach beyond the length. */
  get capacity(): number {
    return Math.max(this.room, this.items.length);
  }

  set capacity(room: number) {
    this.room = room;
  }
}

/** A list as encoding/json fills it: its room doubles (growslice of runtime/slice.go; past 256 by a quarter). */
export function grownSlice(items: Value[]): GoSlice {
  const slice = new GoSlice(items);
  let room = items.length === 0 ? 0 : 1;
  while (room < items.length) room += room < 256 ? room : (room + 768) >> 2;
  slice.capacity = room;
  return slice;
}

export interface Method {
  readonly params: string;
  call(args: Value[]): Value;
}

/** A struct, or a pointer to one: fields by name, methods, and what `%v` prints. */
export class GoStruct {
  readonly type: string;
  readonly fields: ReadonlyMap<string, Value>;
  readonly methods: ReadonlyMap<string, Method>;
  /** What its String method gives; undefined where it has none. */
  readonly text: string | undefined;
  /** What a function needs to know of it: a moment, a version. */
  readonly inner: unknown;
  constructor(
    type: string,
    parts: {
      readonly fields?: ReadonlyMap<string, Value>;
      readonly methods?: ReadonlyMap<string, Method>;
      readonly text?: string;
      readonly inner?: unknown;
    },
  ) {
    this.type = type;
    this.fields = parts.fields ?? new Map();
    this.methods = parts.methods ?? new Map();
    this.text = parts.text;
    this.inner = parts.inner;
  }
  get isPointer(): boolean {
    return this.type.startsWith('*');
  }
}

export type Value = undefined | null | boolean | number | string | Int | Complex | GoMap | GoSlice | GoStruct;

export const int = (value: number | bigint): Int => new Int('int', BigInt(value));
export const int64 = (value: number | bigint): Int => new Int('int64', BigInt.asIntN(64, BigInt(value)));

/** The type as `%T` prints it. */
export function typeOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'undefined':
      return '<nil>';
    default:
      break;
  }
  if (value === null) return '<nil>';
  if (value instanceof Int) return value.named?.type ?? value.kind;
  if (value instanceof Complex) return 'complex128';
  return value.type;
}

/** reflect.Kind as a word. */
export function kindOf(value: Value): string {
  if (value === null || value === undefined) return 'invalid';
  if (value instanceof Int) return value.kind;
  if (value instanceof GoMap) return 'map';
  if (value instanceof GoSlice)
    return value.type.startsWith('[') && !value.type.startsWith('[]') ? 'array' : 'slice';
  if (value instanceof GoStruct) return value.isPointer ? 'ptr' : 'struct';
  return typeOf(value);
}

/** Truth as text/template has it: template.IsTrue. */
export function isTrue(value: Value): boolean {
  if (value === null || value === undefined) return false;
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'string':
      return value.length > 0;
    case 'number':
      return value !== 0;
    default:
      break;
  }
  if (value instanceof GoMap) return value.entries.size > 0;
  if (value instanceof GoSlice) return value.items.length > 0;
  if (value instanceof Int) return value.value !== 0n;
  if (value instanceof Complex) return value.re !== 0 || value.im !== 0;
  return true;
}

/** An error that a template or a function gives, with the one inside it as errors.Unwrap finds it. */
export class GoError extends Error {
  readonly wrapped: GoError | undefined;
  /** Whether it is a template.ExecError: it says its own place. */
  readonly placed: boolean;
  constructor(message: string, wrapped?: GoError, placed = false) {
    super(message);
    this.wrapped = wrapped;
    this.placed = placed;
  }
}

const ASCII = /^[\x00-\x7f]*$/;
export const isAscii = (text: string): boolean => ASCII.test(text);

const encoder = new TextEncoder();
const LONE = /[\udc80-\udcff]/;

/** The bytes of a string. */
export function bytesOf(text: GoString): Uint8Array {
  if (!LONE.test(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
    else for (const byte of encoder.encode(character)) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The string of bytes: those that are no UTF-8 are kept, each by itself. */
export function stringOf(bytes: Uint8Array): GoString {
  try {
    return strict.decode(bytes);
  } catch {
    let text = '';
    let start = 0;
    let at = 0;
    while (at < bytes.length) {
      const length = sequenceLength(bytes, at);
      if (length > 0) {
        at += length;
        continue;
      }
      if (at > start) text += strict.decode(bytes.subarray(start, at));
      text += String.fromCharCode(0xdc00 + bytes[at++]!);
      start = at;
    }
    return at > start ? text + strict.decode(bytes.subarray(start, at)) : text;
  }
}

/** How many bytes of UTF-8 stand for the character at that byte; 0 where none does (the Unicode Standard, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  const length = first >= 0xf5 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1]!;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let more = 2; more < length; more++) if ((bytes[at + more]! & 0xc0) !== 0x80) return 0;
  return length;
}

/** Joins again what was cut: bytes that stand beside each other may be UTF-8 after all. */
export function rejoined(text: GoString): GoString {
  return LONE.test(text) ? stringOf(bytesOf(text)) : text;
}

/** The text as a reader sees it: each byte that is no UTF-8 becomes U+FFFD. */
export function wellFormed(text: GoString): string {
  return LONE.test(text) ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOf(text)) : text;
}

export function byteLength(text: GoString): number {
  return isAscii(text) ? text.length : bytesOf(text).length;
}

/** text[start:end] in bytes. */
export function sliceBytes(text: GoString, start: number, end: number): GoString {
  return isAscii(text) ? text.slice(start, end) : stringOf(bytesOf(text).slice(start, end));
}

/** What UTF-16 orders otherwise than bytes do. */
const HIGH = /[\ud800-\uffff]/;

/** Go's order of strings: by bytes. Text without surrogates compares alike by UTF-16 units. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  if (!HIGH.test(a) && !HIGH.test(b)) return a < b ? -1 : 1;
  const x = bytesOf(a);
  const y = bytesOf(b);
  for (let at = 0; at < x.length && at < y.length; at++) if (x[at] !== y[at]) return x[at]! - y[at]!;
  return x.length - y.length;
}

/** Strings in Go's order; the list itself is put in order. */
export function sortStrings(list: string[]): string[] {
  if (list.length < 2) return list;
  return list.some(one => HIGH.test(one)) ? list.sort(compareStrings) : list.sort();
}

/** The keys of a map in Go's printing and ranging order. */
export function sortedKeys(map: GoMap): string[] {
  return sortStrings([...map.entries.keys()]);
}

/** A list or a map that was never made. */
export function nilOf<Kind extends GoMap | GoSlice>(value: Kind): Kind {
  value.isNil = true;
  return value;
}

/** The text of bytes as a list of them: what `.Files` holds. The list itself is made where somebody looks at it. */
export function bytesSlice(text: GoString): GoSlice {
  const slice = new GoSlice([], '[]uint8');
  slice.bytes = text;
  const make = (): Value[] => {
    const value = Array.from(bytesOf(text), byte => new Int('uint8', BigInt(byte)));
    Object.defineProperty(slice, 'items', { value });
    return value;
  };
  Object.defineProperty(slice, 'items', { get: make, configurable: true });
  return slice;
}

/** The text that a list of bytes holds. */
export function textOfBytes(slice: GoSlice): GoString {
  return slice.bytes ?? stringOf(Uint8Array.from(slice.items, item => Number((item as Int).value)));
}

/** The bytes of a text in base64. */
export const base64 = (text: GoString): string => Buffer.from(bytesOf(text)).toString('base64');
