/**
 * What an unquoted scalar means to kubectl: YAML 1.1 in the dialect of go-yaml v2 (resolve.go), then through JSON
 * (sigs.k8s.io/yaml) into int64 or float64.
 */
import { fromBase64 } from './base64.ts';

export type Scalar = string | number | bigint | boolean | null;

/** Infinity or NaN: YAML has them, JSON does not, so kubectl refuses a document in which one of them stays. */
export const NOT_IN_JSON = Symbol('not in JSON');

/** A tag and a text that do not go together, or no base64. */
export class ScalarError extends Error {
  override readonly name = 'ScalarError';
}

const WORDS = new Map<string, boolean | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    word => [word, true] as const,
  ),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    word => [word, false] as const,
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map(word => [word, null] as const),
]);

const INFINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** Go's ParseFloat, which go-yaml asks about what begins with a dot, takes underscores between digits only. */
const MISPLACED = /[^0-9]_|_(?![0-9])/;
const DECIMAL = /^([-+]?)(0|[1-9][0-9]*)$/;
const BASED = /^([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))$/;
/** go-yaml hands what follows `0b` to a parser that takes a sign there too. */
const SIGNED_BINARY = /^0b([-+])([01]+)$/;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;
/** No integer that Go can hold is longer in any base; a longer text must not cost more than its length. */
const LONGEST_INTEGER = 70;

/** By first character: 0 is a string for sure, 1 may be a word, 2 may be a number or a special. */
const HINTS = new Uint8Array(128);
for (const character of 'tTfFyYnNoO~') HINTS[character.charCodeAt(0)] = 1;
for (const character of '0123456789+-.') HINTS[character.charCodeAt(0)] = 2;

/** What a plain scalar that begins with this character may be: 0 nothing but a string, 1 a word, 2 a number. */
export function hintOf(code: number): number {
  return code < 128 ? HINTS[code]! : 0;
}

type Numeric =
  | { readonly is: 'integer'; readonly value: bigint }
  | { readonly is: 'float'; readonly value: number };

/** The value of a plain scalar, as kubectl has it behind JSON. */
export function resolvePlain(text: string): Scalar | typeof NOT_IN_JSON {
  switch (text === '' ? 1 : hintOf(text.charCodeAt(0))) {
    case 0:
      return text;
    case 1: {
      const word = text.length > 5 ? undefined : WORDS.get(text);
      return word === undefined ? text : word;
    }
    default: {
      const short = smallDecimal(text);
      if (short !== undefined) return short;
      const number = parseNumber(text);
      return number === undefined ? text : throughJson(number);
    }
  }
}

/** Nearly all numbers of manifests: up to nine digits without sign or leading zero. */
function smallDecimal(text: string): number | undefined {
  const { length } = text;
  if (length > 9) return undefined;
  let value = text.charCodeAt(0) - 48;
  if (value < 0 || value > 9 || (value === 0 && length > 1)) return undefined;
  for (let i = 1; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

function parseNumber(text: string): Numeric | undefined {
  const first = text.charCodeAt(0);
  if (first === 46 || first === 43 || first === 45) {
    if (INFINITE.test(text)) return { is: 'float', value: infinity(text) };
    if (first === 46 && MISPLACED.test(text)) return undefined;
  }
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  const value = parseInteger(plain);
  if (value !== undefined) return { is: 'integer', value };
  return FLOAT.test(plain) ? float(plain) : undefined;
}

function infinity(text: string): number {
  if (text.toLowerCase() === '.nan') return Number.NaN;
  return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Out of range for a float64, Go leaves it a string. */
function float(plain: string): Numeric | undefined {
  const value = Number(plain);
  return Number.isFinite(value) ? { is: 'float', value } : undefined;
}

/** What fits into an int64, or without a sign into a uint64. */
function parseInteger(plain: string): bigint | undefined {
  if (plain.length > LONGEST_INTEGER) return parseInteger(withoutZeros(plain));
  const decimal = DECIMAL.exec(plain);
  if (decimal !== null) return inRange(decimal[1]!, BigInt(decimal[2]!));
  const based = BASED.exec(plain);
  if (based !== null) {
    const [, sign, hex, binary, octal] = based;
    const size = hex !== undefined ? `0x${hex}` : binary !== undefined ? `0b${binary}` : `0o${octal}`;
    return inRange(sign!, BigInt(size));
  }
  const signed = SIGNED_BINARY.exec(plain);
  return signed === null ? undefined : inRange(signed[1]!, BigInt(`0b${signed[2]}`));
}

/** `0x000…01`: zeros in front make no number larger. Anything else that long is none; '' says so. */
function withoutZeros(plain: string): string {
  const short = plain.replace(/^([-+]?0[xXbBoO]?[-+]?)0+/, '$1');
  return short.length > LONGEST_INTEGER ? '' : short;
}

function inRange(sign: string, size: bigint): bigint | undefined {
  const value = sign === '-' ? -size : size;
  return value >= MIN_INT64 && value <= (sign === '' ? MAX_UINT64 : MAX_INT64) ? value : undefined;
}

function throughJson(number: Numeric): number | bigint | typeof NOT_IN_JSON {
  if (number.is === 'integer') return integer(number.value);
  const { value } = number;
  if (!Number.isFinite(value)) return NOT_IN_JSON;
  if (Number.isSafeInteger(value)) return value || 0;
  // Go writes whole floats below 1e21 with all their digits, and reads them as integers again.
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? integer(BigInt(String(value))) : value;
}

/** Exact where an int64 holds it; beyond that kubectl keeps a float64. */
function integer(value: bigint): number | bigint {
  if (value > MAX_INT64 || value < MIN_INT64) return Number(value);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A number of a JSON text. Source: sigs.k8s.io/json decode.go (convertNumber). @returns undefined out of range */
export function resolveJsonNumber(text: string): number | bigint | undefined {
  const short = smallDecimal(text);
  if (short !== undefined) return short;
  if (/^-?[0-9]+$/.test(text) && text.length <= LONGEST_INTEGER) {
    const value = BigInt(text);
    if (value <= MAX_INT64 && value >= MIN_INT64) return integer(value);
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

const CORE = 'tag:yaml.org,2002:';

/**
 * The value of a scalar with a tag in its long form, such as `tag:yaml.org,2002:int`.
 *
 * @throws ScalarError where the text is no such thing
 */
export function resolveTagged(tag: string, text: string): Scalar | typeof NOT_IN_JSON {
  if (!tag.startsWith(CORE)) return text;
  const name = tag.slice(CORE.length);
  switch (name) {
    case 'binary':
      return binary(text);
    case 'timestamp':
      if (isTimestamp(text)) return text;
      throw new ScalarError(`${cut(text)} is no date and time`);
    case 'float':
    case 'int':
    case 'bool':
    case 'null':
      return ofKind(name, text);
    default:
      // `!!str`, and tags that go-yaml does not know, say nothing of the value.
      return text;
  }
}

function binary(text: string): string {
  const decoded = fromBase64(text);
  if (decoded === undefined) throw new ScalarError('a !!binary value that is no base64');
  return decoded;
}

const KINDS = { float: 'a float', int: 'an integer', bool: 'true or false', null: 'null' } as const;

function ofKind(kind: keyof typeof KINDS, text: string): Scalar | typeof NOT_IN_JSON {
  const value = resolvePlain(text);
  const number = isNumeric(value) ? parseNumber(text) : undefined;
  if (number !== undefined) {
    if (kind === 'int' && number.is === 'integer') return value;
    if (kind === 'float' && number.is === 'float') return value;
    if (kind === 'float' && number.value <= MAX_INT64)
      return throughJson({ is: 'float', value: Number(number.value) });
  } else if (kind === 'null' ? value === null : kind === 'bool' && typeof value === 'boolean') return value;
  throw new ScalarError(`${cut(text)} is not ${KINDS[kind]}, as its tag says`);
}

function isNumeric(value: Scalar | typeof NOT_IN_JSON): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || value === NOT_IN_JSON;
}

const TIMESTAMP =
  /^[0-9]{4}-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(?:Z|[-+]([0-9]{2}):([0-9]{2}))| ([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?)?$/;

/** Source: resolve.go (parseTimestamp) and the formats it allows. */
function isTimestamp(text: string): boolean {
  const parts = TIMESTAMP.exec(text);
  if (parts === null) return false;
  const [month, day, ...time] = parts.slice(1).map(part => (part === undefined ? 0 : Number(part)));
  const [hour, minute, second, zoneHour, zoneMinute, hour2, minute2, second2] = time;
  const year = Number(text.slice(0, 4));
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month! - 1];
  return (
    days !== undefined &&
    day! >= 1 &&
    day! <= days &&
    hour! + hour2! < 24 &&
    Math.max(minute!, minute2!, second!, second2!) < 60 &&
    zoneHour! <= 24 &&
    zoneMinute! <= 60
  );
}

function cut(text: string): string {
  return `"${text.length > 20 ? `${text.slice(0, 20)}…` : text}"`;
}

/**
 * A plain key as sigs.k8s.io/yaml writes it into JSON (yaml.go, convertToJSONableObject): numbers and booleans become
 * text.
 *
 * @returns undefined for null and for integers beyond int64, which it refuses
 */
export function plainKeyText(text: string): string | undefined {
  switch (text === '' ? 1 : hintOf(text.charCodeAt(0))) {
    case 0:
      return text;
    case 1: {
      const word = text.length > 5 ? undefined : WORDS.get(text);
      return word === undefined ? text : word === null ? undefined : String(word);
    }
    default: {
      const number = parseNumber(text);
      return number === undefined ? text : numberKey(number);
    }
  }
}

function numberKey(number: Numeric): string | undefined {
  if (number.is === 'float') return floatKey(number.value);
  return number.value > MAX_INT64 ? undefined : String(number.value);
}

/** As {@link plainKeyText}, for a key with a tag in its long form. @throws ScalarError as {@link resolveTagged} */
export function taggedKeyText(tag: string, text: string): string | undefined {
  const value = resolveTagged(tag, text);
  if (value === null) return undefined;
  if (!isNumeric(value)) return String(value);
  const number = parseNumber(text)!;
  return tag === `${CORE}float` ? floatKey(Number(number.value)) : numberKey(number);
}

/** Shortest digits: below this many before the point Go writes no exponent. Source: strconv/ftoa.go. */
const FIXED_DIGITS = 6;

/** Go's FormatFloat(x, 'g', -1, 32). */
function floatKey(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return '.nan';
  if (!Number.isFinite(single)) return single < 0 ? '-.inf' : '.inf';
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  let digits = 1;
  while (digits < 9 && Math.fround(Number(single.toPrecision(digits))) !== single) digits++;
  const [mantissa, exponent] = single.toExponential(digits - 1).split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= FIXED_DIGITS)
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  return String(Number(single.toPrecision(digits)));
}
