/**
 * What an unquoted scalar means to kubectl: YAML 1.1 in the dialect of go-yaml v2 (resolve.go), then through JSON
 * into int64 or float64.
 */

/** Not a value: kubectl refuses infinities and NaN, for JSON has none. */
export class ScalarError extends Error {
  override readonly name = 'ScalarError';
}

export type Scalar = string | number | bigint | boolean | null;

const WORDS = new Map<string, boolean | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    word => [word, true] as const,
  ),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    word => [word, false] as const,
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map(word => [word, null] as const),
]);

const NOT_FINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const DECIMAL = /^[-+]?(?:0|[1-9][0-9]*)$/;
const BASED = /^([-+]?)0(?:[xX]([0-9a-fA-F]+)|[bB]([01]+)|[oO]?([0-7]+))$/;
const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** By first character: 0 is a string for sure, 1 may be a word, 2 may be a number or a special. */
const HINTS = new Uint8Array(128);
for (const character of 'tTfFyYnNoO~') HINTS[character.charCodeAt(0)] = 1;
for (const character of '0123456789+-.') HINTS[character.charCodeAt(0)] = 2;

/** What a plain scalar that begins with this character may be: 0 nothing but a string. */
export function hintOf(code: number): number {
  return code < 128 ? HINTS[code]! : 0;
}

/**
 * The value of a plain scalar.
 *
 * @throws ScalarError for `.inf` and `.nan`
 */
export function resolvePlain(text: string): Scalar {
  if (text === '') return null;
  switch (hintOf(text.charCodeAt(0))) {
    case 0:
      return text;
    case 1: {
      if (text.length > 5) return text;
      const word = WORDS.get(text);
      return word === undefined ? text : word;
    }
    default:
      return resolveNumber(text);
  }
}

function resolveNumber(text: string): Scalar {
  const short = smallDecimal(text);
  if (short !== undefined) return short;
  if (NOT_FINITE.test(text)) throw new ScalarError(`"${text}" has no place in JSON, so kubectl refuses it`);
  // A leading dot: Go reads it as a float with no underscores allowed.
  if (text.charCodeAt(0) === 46) return FLOAT.test(text) ? finite(text, text) : text;
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  if (DECIMAL.test(plain)) return integer(BigInt(plain.startsWith('+') ? plain.slice(1) : plain));
  const based = BASED.exec(plain);
  if (based !== null) {
    const [, sign, hex, binary, octal] = based;
    const size = BigInt(hex !== undefined ? `0x${hex}` : binary !== undefined ? `0b${binary}` : `0o${octal}`);
    return integer(sign === '-' ? -size : size);
  }
  return FLOAT.test(plain) ? finite(plain, text) : text;
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

/** Exact where int64 holds it; beyond that kubectl keeps a float64. */
function integer(value: bigint): number | bigint {
  if (value > MAX_INT64 || value < MIN_INT64) return Number(value);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Out of range for a float64, Go leaves it a string. */
function finite(plain: string, text: string): number | string {
  const value = Number(plain);
  return Number.isFinite(value) ? value || 0 : text;
}

/** The value of a scalar with an explicit tag such as `!!int`. @throws ScalarError where the text is no such thing */
export function resolveTagged(tag: string, text: string): Scalar {
  switch (tag) {
    case 'tag:yaml.org,2002:str':
      return text;
    case 'tag:yaml.org,2002:binary':
      return fromBase64(text);
    case 'tag:yaml.org,2002:float': {
      const value = resolvePlain(text);
      if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
      throw new ScalarError(`"${text}" is no float`);
    }
    case 'tag:yaml.org,2002:int': {
      const value = resolvePlain(text);
      if ((typeof value === 'number' && Number.isInteger(value)) || typeof value === 'bigint') return value;
      throw new ScalarError(`"${text}" is no integer`);
    }
    case 'tag:yaml.org,2002:bool': {
      const value = resolvePlain(text);
      if (typeof value === 'boolean') return value;
      throw new ScalarError(`"${text}" is no boolean`);
    }
    case 'tag:yaml.org,2002:null': {
      if (resolvePlain(text) === null) return null;
      throw new ScalarError(`"${text}" is not null`);
    }
    default:
      // Tags that go-yaml does not know say nothing of the value.
      return text;
  }
}

/**
 * A key as sigs.k8s.io/yaml writes it into JSON (yaml.go, convertToJSONableObject): numbers and booleans become text.
 *
 * @param value the key's value
 * @param text the key as it is written: `1e3` is a float to Go although its value is whole
 * @throws ScalarError for null, which it refuses
 */
export function keyText(value: Scalar, text: string): string {
  if (typeof value === 'string') return value;
  if (value === null) throw new ScalarError('a key may not be null');
  if (typeof value !== 'number') return String(value);
  const plain = text.replaceAll('_', '');
  return DECIMAL.test(plain) || BASED.test(plain) ? unsigned(plain, value) : floatKey(value);
}

/** Beyond int64 Go still has uint64, and beyond that a float. */
function unsigned(plain: string, value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const exact = DECIMAL.test(plain) ? BigInt(plain.replace('+', '')) : undefined;
  return exact !== undefined && exact > 0n && exact < 2n ** 64n ? String(exact) : floatKey(value);
}

/** Go writes shorter floats without an exponent. Source: strconv/ftoa.go (formatDigits, shortest 'g'). */
const FIXED_DIGITS = 6;

/** Go's FormatFloat(x, 'g', -1, 32). */
function floatKey(value: number): string {
  const single = Math.fround(value);
  let digits = 1;
  while (digits < 9 && Math.fround(Number(single.toPrecision(digits))) !== single) digits++;
  const [mantissa, exponent] = single.toExponential(digits - 1).split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= FIXED_DIGITS)
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  return String(Number(single.toPrecision(digits)));
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The text that base64 holds; bytes that are no UTF-8 become the replacement character, as in Go's JSON. */
function fromBase64(text: string): string {
  const clean = text.replaceAll(/[\r\n]/g, '');
  if (clean.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(clean))
    throw new ScalarError('a !!binary value that is no base64');
  let escaped = '';
  let held = 0;
  let bits = 0;
  for (const character of clean.replaceAll('=', '')) {
    held = ((held << 6) | BASE64.indexOf(character)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    escaped += `%${((held >> bits) & 0xff).toString(16).padStart(2, '0')}`;
  }
  try {
    return decodeURIComponent(escaped);
  } catch {
    return '\ufffd';
  }
}
