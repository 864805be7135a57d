/** The standard functions and operators. Source: cel-spec doc/langdef.md, cel-go common/stdlib/standard.go. */
import { parseBool } from '#kube/go-text.ts';
import {
  codePoints,
  containsCost,
  type Functions,
  global,
  member,
  NO_OVERLOAD,
  regexCost,
  sizeOf,
  smallerCost,
  sumCost,
  traversal,
} from './declare.ts';
import { regexIssue, regexMatches } from './regex.ts';
import {
  durationSum,
  durationText,
  type Part,
  parseDuration,
  parseTimestamp,
  partOf,
  timestampSum,
  timestampText,
} from './time.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  optionalOf,
  param,
  STRING,
  TIMESTAMP,
  type Type,
  typeOf,
  UINT,
} from './types.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';
import {
  CelError,
  CelMap,
  type CelValue,
  compareNumbers,
  Duration,
  equal,
  isList,
  MAX_INT,
  MAX_UINT,
  MIN_INT,
  Optional,
  same,
  Timestamp,
  TypeValue,
  typeNameOf,
  Uint,
} from './values.ts';

const A = param('A');
const B = param('B');
const LIST_A = listOf(A);
const MAP_AB = mapOf(A, B);

const int = (value: bigint): CelValue =>
  value < MIN_INT || value > MAX_INT ? new CelError('integer overflow') : value;
const uint = (value: bigint): CelValue =>
  value < 0n || value > MAX_UINT ? new CelError('unsigned integer overflow') : new Uint(value);

export function compare(a: CelValue, b: CelValue): number | CelError {
  const numeric = compareNumbers(a, b);
  if (numeric !== undefined) return numeric;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Duration && b instanceof Duration)
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  if (a instanceof Timestamp && b instanceof Timestamp)
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
    return a.length - b.length;
  }
  return NO_OVERLOAD;
}

/** By code points, as Go compares strings. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const high = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
    return high(x) === high(y) ? x - y : high(x) ? 1 : -1;
  }
  return a.length - b.length;
}

const NUMERIC = [INT, UINT, DOUBLE];

/** Numbers of different types can be compared since Kubernetes 1.28. */
function order(decide: (sign: number) => boolean): Functions[string] {
  const run = (a: CelValue, b: CelValue): CelValue => {
    const sign = compare(a, b);
    return typeof sign === 'number' ? decide(sign) : sign;
  };
  const types = [BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION];
  const mixed = NUMERIC.flatMap(a => NUMERIC.filter(b => b !== a).map(b => [a, b] as const));
  return [
    ...types.map(type =>
      global([type, type], BOOL, run, type === STRING || type === BYTES ? smallerCost : undefined),
    ),
    ...mixed.map(pair => ({ ...global([...pair], BOOL, run), since: 28 })),
  ];
}

function arithmetic(
  onInt: (a: bigint, b: bigint) => CelValue,
  onUint: (a: bigint, b: bigint) => CelValue,
  onDouble?: (a: number, b: number) => number,
): Functions[string] {
  return [
    global([INT, INT], INT, onInt),
    global([UINT, UINT], UINT, (a: Uint, b: Uint) => onUint(a.value, b.value)),
    ...(onDouble === undefined ? [] : [global([DOUBLE, DOUBLE], DOUBLE, onDouble)]),
  ];
}

const divideByZero = new CelError('division by zero');
const modulusByZero = new CelError('modulus by zero');

/** Go's strconv.FormatFloat(x, 'g', -1, 64). */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 6)
    return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  return String(value);
}

function toInt(value: number): CelValue {
  if (Number.isNaN(value) || value <= -(2 ** 63) || value >= 2 ** 63) return new CelError('integer overflow');
  return BigInt(Math.trunc(value));
}

/** Why a text is none of something says only that. */
const conversion = (to: string) => new CelError(`type conversion error from 'string' to '${to}'`);

function parseInt64(text: string): CelValue {
  if (!/^[-+]?[0-9]{1,30}$/.test(text)) return conversion('int');
  const value = BigInt(text.replace(/^\+/, ''));
  return value < MIN_INT || value > MAX_INT ? conversion('int') : value;
}

function parseDouble(text: string): CelValue {
  if (/^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : conversion('double');
  }
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = /^([-+]?)inf(?:inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return conversion('double');
}

function part(name: Part): Functions[string] {
  return [
    member([TIMESTAMP], INT, (at: Timestamp) => partOf(at, name, '')),
    member([TIMESTAMP, STRING], INT, (at: Timestamp, zone: string) => partOf(at, name, zone)),
  ];
}

function partOrSpan(name: Part, unit: bigint): Functions[string] {
  return [
    ...part(name),
    // Of a duration each is all of it, milliseconds too.
    member([DURATION], INT, ({ nanos }: Duration) => nanos / unit),
  ];
}

const size = (value: CelValue): CelValue =>
  typeof value === 'string'
    ? BigInt(codePoints(value))
    : value instanceof Uint8Array
      ? BigInt(value.length)
      : value instanceof CelMap
        ? BigInt(value.size)
        : BigInt((value as readonly CelValue[]).length);
const SIZED = [STRING, BYTES, LIST_A, MAP_AB];

function duration(text: string): CelValue {
  return parseDuration(text) ?? conversion('google.protobuf.Duration');
}

function matches(text: string, pattern: string): CelValue {
  const issue = regexIssue(pattern);
  return issue === undefined ? regexMatches(pattern, text) : new CelError(issue);
}

const itself = (value: CelValue): CelValue => value;

export const standard: Functions = {
  '_==_': [global([A, A], BOOL, (a: CelValue, b: CelValue) => same(a, b) ?? NO_OVERLOAD, smallerCost)],
  '_!=_': [global([A, A], BOOL, (a: CelValue, b: CelValue) => !equal(a, b), smallerCost)],
  '_<_': order(sign => sign < 0),
  '_<=_': order(sign => sign <= 0),
  '_>_': order(sign => sign > 0),
  '_>=_': order(sign => sign >= 0),
  '_+_': [
    ...arithmetic(
      (a, b) => int(a + b),
      (a, b) => uint(a + b),
      (a, b) => a + b,
    ),
    global([STRING, STRING], STRING, (a: string, b: string) => a + b, sumCost),
    global([BYTES, BYTES], BYTES, (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b]), sumCost),
    global([LIST_A, LIST_A], LIST_A, (a: CelValue[], b: CelValue[]) => [...a, ...b]),
    global([DURATION, DURATION], DURATION, (a: Duration, b: Duration) => durationSum(a.nanos, b.nanos)),
    global([TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) =>
      timestampSum(a.nanos, b.nanos, a.offset),
    ),
    global([DURATION, TIMESTAMP], TIMESTAMP, (a: Duration, b: Timestamp) =>
      timestampSum(a.nanos, b.nanos, b.offset),
    ),
  ],
  '_-_': [
    ...arithmetic(
      (a, b) => int(a - b),
      (a, b) => uint(a - b),
      (a, b) => a - b,
    ),
    global([DURATION, DURATION], DURATION, (a: Duration, b: Duration) => durationSum(a.nanos, -b.nanos)),
    global([TIMESTAMP, DURATION], TIMESTAMP, (a: Timestamp, b: Duration) =>
      timestampSum(a.nanos, -b.nanos, a.offset),
    ),
    global([TIMESTAMP, TIMESTAMP], DURATION, (a: Timestamp, b: Timestamp) => durationSum(a.nanos, -b.nanos)),
  ],
  '_*_': arithmetic(
    (a, b) => int(a * b),
    (a, b) => uint(a * b),
    (a, b) => a * b,
  ),
  '_/_': arithmetic(
    (a, b) => (b === 0n ? divideByZero : int(a / b)),
    (a, b) => (b === 0n ? divideByZero : uint(a / b)),
    (a, b) => a / b,
  ),
  '_%_': arithmetic(
    (a, b) => (b === 0n ? modulusByZero : a === MIN_INT && b === -1n ? int(MAX_INT + 1n) : int(a % b)),
    (a, b) => (b === 0n ? modulusByZero : uint(a % b)),
  ),
  '-_': [global([INT], INT, (a: bigint) => int(-a)), global([DOUBLE], DOUBLE, (a: number) => -a)],
  '!_': [global([BOOL], BOOL, (a: boolean) => !a)],
  '@in': [
    global(
      [A, LIST_A],
      BOOL,
      (item: CelValue, list: readonly CelValue[]) => list.some(one => equal(item, one)),
      args => sizeOf(args[1]),
    ),
    global([A, MAP_AB], BOOL, (key: CelValue, map: CelMap) => map.has(key)),
  ],
  size: [...SIZED.map(type => global([type], INT, size)), ...SIZED.map(type => member([type], INT, size))],
  startsWith: [member([STRING, STRING], BOOL, (a: string, b: string) => a.startsWith(b), traversal())],
  endsWith: [member([STRING, STRING], BOOL, (a: string, b: string) => a.endsWith(b), traversal())],
  contains: [member([STRING, STRING], BOOL, (a: string, b: string) => a.includes(b), containsCost)],
  matches: [
    member([STRING, STRING], BOOL, matches, regexCost),
    global([STRING, STRING], BOOL, matches, regexCost),
  ],
  type: [global([A], typeOf(A), (value: CelValue) => new TypeValue(typeNameOf(value)))],
  dyn: [global([A], DYN, itself)],
  bool: [
    global([BOOL], BOOL, itself),
    global([STRING], BOOL, (text: string) => parseBool(text) ?? conversion('bool')),
  ],
  int: [
    global([INT], INT, itself),
    global([UINT], INT, ({ value }: Uint) => int(value)),
    global([DOUBLE], INT, toInt),
    global([STRING], INT, parseInt64),
    global([TIMESTAMP], INT, ({ nanos }: Timestamp) => {
      const seconds = nanos / 1_000_000_000n;
      return nanos % 1_000_000_000n < 0n ? seconds - 1n : seconds;
    }),
    global([DURATION], INT, ({ nanos }: Duration) => nanos),
  ],
  uint: [
    global([UINT], UINT, itself),
    global([INT], UINT, uint),
    global([DOUBLE], UINT, (value: number) =>
      Number.isNaN(value) || value < 0 || value >= 2 ** 64
        ? new CelError('unsigned integer overflow')
        : new Uint(BigInt(Math.trunc(value))),
    ),
    global([STRING], UINT, (text: string) =>
      /^[0-9]{1,30}$/.test(text) && BigInt(text) <= MAX_UINT ? new Uint(BigInt(text)) : conversion('uint'),
    ),
  ],
  double: [
    global([DOUBLE], DOUBLE, itself),
    global([INT], DOUBLE, (value: bigint) => Number(value)),
    global([UINT], DOUBLE, ({ value }: Uint) => Number(value)),
    global([STRING], DOUBLE, parseDouble),
  ],
  string: [
    global([STRING], STRING, itself),
    global([BOOL], STRING, (value: boolean) => String(value)),
    global([INT], STRING, (value: bigint) => String(value)),
    global([UINT], STRING, ({ value }: Uint) => String(value)),
    global([DOUBLE], STRING, doubleText),
    global(
      [BYTES],
      STRING,
      (bytes: Uint8Array) =>
        decodeUtf8(bytes) ?? new CelError('invalid UTF-8 in bytes, cannot convert to string'),
      traversal(),
    ),
    global([DURATION], STRING, durationText),
    global([TIMESTAMP], STRING, timestampText),
  ],
  bytes: [
    global([BYTES], BYTES, itself),
    global([STRING], BYTES, (text: string) => encodeUtf8(text), traversal()),
  ],
  duration: [global([DURATION], DURATION, itself), global([STRING], DURATION, duration)],
  timestamp: [
    global([TIMESTAMP], TIMESTAMP, itself),
    global(
      [STRING],
      TIMESTAMP,
      (text: string) => parseTimestamp(text) ?? conversion('google.protobuf.Timestamp'),
    ),
    global([INT], TIMESTAMP, (seconds: bigint) => timestampSum(seconds * 1_000_000_000n, 0n)),
  ],
  getFullYear: part('year'),
  getMonth: part('month'),
  getDayOfMonth: part('day'),
  getDate: part('date'),
  getDayOfWeek: part('weekday'),
  getDayOfYear: part('yearday'),
  getHours: partOrSpan('hour', 3_600_000_000_000n),
  getMinutes: partOrSpan('minute', 60_000_000_000n),
  getSeconds: partOrSpan('second', 1_000_000_000n),
  getMilliseconds: partOrSpan('milli', 1_000_000n),
};

const OPTIONAL_A = optionalOf(A);

/** The first moment of the year 1, Go's zero time. */
const YEAR_ONE = -62_135_596_800_000_000_000n;

/** Whether a value is the empty one of its type; an optional one never is. */
function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof CelMap) return value.size === 0;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof Timestamp) return value.nanos === YEAR_ONE;
  return isList(value) && value.length === 0;
}

const unwrap = (list: readonly CelValue[]): CelValue =>
  list.flatMap(item => (item instanceof Optional ? (item.value === undefined ? [] : [item.value]) : [item]));

/** Optional values, since Kubernetes 1.28. Source: cel-go cel/library.go. `or` and `orValue` are the evaluator's. */
export const optionals: Functions = {
  'optional.of': [global([A], OPTIONAL_A, (value: CelValue) => new Optional(value))],
  'optional.none': [global([], OPTIONAL_A, () => new Optional())],
  'optional.ofNonZeroValue': [
    global([A], OPTIONAL_A, (value: CelValue) => (isZero(value) ? new Optional() : new Optional(value))),
  ],
  'optional.unwrap': [global([listOf(OPTIONAL_A)], LIST_A, unwrap)],
  unwrapOpt: [member([listOf(OPTIONAL_A)], LIST_A, unwrap)],
  hasValue: [member([OPTIONAL_A], BOOL, ({ value }: Optional) => value !== undefined)],
  value: [
    member([OPTIONAL_A], A, ({ value }: Optional) =>
      value === undefined ? new CelError('optional.none() dereference') : value,
    ),
  ],
  or: [
    member([OPTIONAL_A, OPTIONAL_A], OPTIONAL_A, (a: Optional, b: Optional) =>
      a.value === undefined ? b : a,
    ),
  ],
  orValue: [member([OPTIONAL_A, A], A, (a: Optional, b: CelValue) => (a.value === undefined ? b : a.value))],
};

export const BASE_TYPES: Readonly<Record<string, Type>> = {
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  list: listOf(DYN),
  map: mapOf(DYN, DYN),
  null_type: { kind: 'null' },
  type: typeOf(DYN),
  optional_type: optionalOf(DYN),
  'google.protobuf.Duration': DURATION,
  'google.protobuf.Timestamp': TIMESTAMP,
};
