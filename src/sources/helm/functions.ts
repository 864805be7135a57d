/**
 * The functions that templates call: those of text/template, of sprig v3.3.0 and of helm 4.1.4 (pkg/engine/funcs.go).
 * Which exist, and the types of their arguments, is helm's own map; `env` and `expandenv` are taken out, as there.
 */
import { deepCopy, deepEqual, isEmpty, itemsOf, strslice, strval, toFloat64, toInt64 } from './convert.ts';
import { dateFunctions } from './dates.ts';
import { type Call, define } from './define.ts';
import { digestFunctions } from './digests.ts';
import { BUILTINS, type Context, execute, executeTemplate, type Fn, isStackOverflow } from './exec.ts';
import { format, sprint, sprintln } from './format.ts';
import { readJson, writeJson, writePrettyJson } from './json.ts';
import { isEmptyTree } from './nodes.ts';
import { parseTemplate, readInteger } from './parse.ts';
import { pathFunctions } from './paths.ts';
import { goQuote } from './quote.ts';
import { kindInJson, placeOr, readYaml } from './read-values.ts';
import { regexFunctions } from './regexes.ts';
import { compareVersions, newConstraint, newVersion, showVersion, type Version } from './semver.ts';
import { stringFunctions } from './strings.ts';
import { readToml, writeToml } from './toml.ts';
import { TPL } from './trace.ts';
import {
  compareStrings,
  GoError,
  GoMap,
  GoSlice,
  GoStruct,
  Int,
  int,
  int64,
  kindOf,
  type Method,
  nilOf,
  setPlace,
  typeOf,
  type Value,
} from './value.ts';
import { writeYaml, writeYamlPretty } from './yaml-write.ts';

const list = (items: Value[], type?: string): GoSlice => new GoSlice(items, type);
const strings = (items: string[]): GoSlice => new GoSlice(items, '[]string');

const number = (value: Value | undefined): number =>
  value instanceof Int ? Number(value.value) : Number(value);

const DIVIDE = 'runtime error: integer divide by zero';

/** The most elements that `until` and its like may make. */
const MAX_ELEMENTS = 5_000_000;

function untilStep(start: number, stop: number, step: number): number[] {
  const result: number[] = [];
  if (stop < start) {
    if (step >= 0) return result;
    if ((start - stop) / -step > MAX_ELEMENTS)
      throw new GoError('a list of that many elements is more than may be made');
    for (let at = start; at > stop; at += step) result.push(at);
    return result;
  }
  if (step <= 0) return result;
  if ((stop - start) / step > MAX_ELEMENTS)
    throw new GoError('a list of that many elements is more than may be made');
  for (let at = start; at < stop; at += step) result.push(at);
  return result;
}

function seq(params: number[]): string {
  const [a, b, c] = params;
  switch (params.length) {
    case 1: {
      const step = a! < 1 ? -1 : 1;
      return untilStep(1, a! + step, step).join(' ');
    }
    case 2: {
      const step = b! < a! ? -1 : 1;
      return untilStep(a!, b! + step, step).join(' ');
    }
    case 3: {
      let step = 1;
      if (c! < a!) {
        step = -1;
        if (b! > 0) return '';
      }
      return untilStep(a!, c! + step, b!).join(' ');
    }
    default:
      return '';
  }
}

/** Decimal arithmetic as shopspring/decimal does it: on the shortest digits, exactly. */
function decimal(value: number): { digits: bigint; scale: number } {
  if (!Number.isFinite(value)) throw new GoError(`Cannot create a Decimal from ${format('%v', [value])}`);
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : { digits, scale };
}

const toNumber = ({ digits, scale }: { digits: bigint; scale: number }): number =>
  Number(`${digits}e${-scale}`);

function decimals(first: Value, rest: Value[], operation: 'add' | 'sub' | 'mul' | 'div'): number {
  let result = decimal(toFloat64(first));
  for (const value of rest) {
    const other = decimal(toFloat64(value));
    if (operation === 'mul') {
      result = { digits: result.digits * other.digits, scale: result.scale + other.scale };
      continue;
    }
    if (operation === 'div') {
      if (other.digits === 0n) throw new GoError('decimal division by 0');
      // Sixteen digits behind the point, rounded half away from zero (decimal.DivRound).
      const top = result.digits * 10n ** BigInt(other.scale + 17);
      const bottom = other.digits * 10n ** BigInt(result.scale);
      let digits = top / bottom;
      const negative = digits < 0n;
      if (negative) digits = -digits;
      digits = (digits + 5n) / 10n;
      result = { digits: negative ? -digits : digits, scale: 16 };
      continue;
    }
    const scale = Math.max(result.scale, other.scale);
    const a = result.digits * 10n ** BigInt(scale - result.scale);
    const b = other.digits * 10n ** BigInt(scale - other.scale);
    result = { digits: operation === 'add' ? a + b : a - b, scale };
  }
  return toNumber(result);
}

function round(value: number, places: number, on: number): number {
  const power = 10 ** places;
  const digit = power * value;
  const part = digit - Math.trunc(digit);
  return (part >= on ? Math.ceil(digit) : Math.floor(digit)) / power;
}

const listCalls: Readonly<Record<string, (name: string) => Fn>> = {
  push: () =>
    define('any, any', ([items, item]) =>
      list([...itemsOf(items, kind => `Cannot push on type ${kind}`), item]),
    ),
  prepend: () =>
    define('any, any', ([items, item]) =>
      list([item, ...itemsOf(items, kind => `Cannot prepend on type ${kind}`)]),
    ),
  first: () =>
    define('any', ([items]) => itemsOf(items, kind => `Cannot find first on type ${kind}`)[0] ?? null),
  last: () =>
    define('any', ([items]) => itemsOf(items, kind => `Cannot find last on type ${kind}`).at(-1) ?? null),
  rest: () =>
    define('any', ([items]) => list(itemsOf(items, kind => `Cannot find rest on type ${kind}`).slice(1))),
  initial: () =>
    define('any', ([items]) =>
      list(itemsOf(items, kind => `Cannot find initial on type ${kind}`).slice(0, -1)),
    ),
  reverse: () =>
    define('any', ([items]) =>
      list([...itemsOf(items, kind => `Cannot find reverse on type ${kind}`)].reverse()),
    ),
  compact: () =>
    define('any', ([items]) =>
      list(itemsOf(items, kind => `Cannot compact on type ${kind}`).filter(item => !isEmpty(item))),
    ),
  uniq: () =>
    define('any', ([items]) => {
      const result: Value[] = [];
      for (const item of itemsOf(items, kind => `Cannot find uniq on type ${kind}`)) {
        if (!result.some(one => deepEqual(one, item))) result.push(item);
      }
      return list(result);
    }),
  without: () =>
    define('any, ...any', ([items, ...omit]) =>
      list(
        itemsOf(items, kind => `Cannot find without on type ${kind}`).filter(
          item => !omit.some(one => deepEqual(one, item)),
        ),
      ),
    ),
  has: () =>
    define('any, any', ([needle, items]) => {
      if (items === null || items === undefined) return false;
      return itemsOf(items, kind => `Cannot find has on type ${kind}`).some(item => deepEqual(needle, item));
    }),
  slice: () =>
    define('any, ...any', ([items, ...indices]) => {
      const all = itemsOf(items, kind => `list should be type of slice or array but ${kind}`);
      if (all.length === 0) return null;
      const start = indices.length > 0 ? Number(toInt64(indices[0])) : 0;
      const end = indices.length > 1 ? Number(toInt64(indices[1])) : all.length;
      const { capacity } = items as GoSlice;
      if (start < 0 || end > capacity || start > end)
        throw new GoError('reflect.Value.Slice: slice index out of bounds');
      const some = list(all.slice(start, end), (items as GoSlice).type);
      while (some.items.length < end - start) some.items.push(null);
      some.capacity = capacity - start;
      return some;
    }),
  chunk: () =>
    define('int, any', ([size, items]) => {
      const all = itemsOf(items, kind => `Cannot chunk type ${kind}`);
      const count = number(size);
      if (count <= 0) throw new GoError('runtime error: makeslice: len out of range');
      const chunks: Value[] = [];
      for (let at = 0; at < all.length; at += count) chunks.push(list(all.slice(at, at + count)));
      return list(chunks, '[][]interface {}');
    }),
  deepCopy: () =>
    define('any', ([value]) => {
      if (value === null || value === undefined)
        throw new GoError('reflect: call of reflect.Value.Type on zero Value');
      return deepCopy(value);
    }),
};

/** mergo.Merge: what is empty in the destination is filled, or with override replaced by what is not empty. */
function merge(target: GoMap, source: GoMap, override: boolean): void {
  for (const [key, value] of source.entries) {
    const before = target.entries.get(key);
    if (before instanceof GoMap && value instanceof GoMap) {
      merge(before, value, override);
      continue;
    }
    if (!override && (value === null || value === undefined || !isEmpty(before))) continue;
    target.entries.set(key, value);
    const place = source.places?.get(key);
    if (place !== undefined) setPlace(target, key, placeOr(place, target.places?.get(key))!);
  }
}

function merged(override: boolean): Fn {
  return define('map, ...map', ([target, ...sources]) => {
    const into = target instanceof GoMap ? target : new GoMap();
    for (const source of sources) if (source instanceof GoMap) merge(into, source, override);
    return into;
  });
}

const entriesOf = (map: Value): ReadonlyMap<string, Value> =>
  map instanceof GoMap ? map.entries : new Map();

function dig(args: Value[]): Value {
  if (args.length < 3) throw new GoError('dig needs at least three arguments');
  let map = args.at(-1);
  const fallback = args.at(-2);
  const path = args.slice(0, -2);
  for (const [at, step] of path.entries()) {
    if (!(map instanceof GoMap) || map.type !== 'map[string]interface {}')
      throw new GoError(
        `interface conversion: interface {} is ${map === null || map === undefined ? 'nil' : typeOf(map)}, not map[string]interface {}`,
      );
    if (typeof step !== 'string')
      throw new GoError(
        `interface conversion: interface {} is ${step === null || step === undefined ? 'nil' : typeOf(step)}, not string`,
      );
    if (!map.entries.has(step)) return fallback;
    const next: Value = map.entries.get(step);
    if (at === path.length - 1) return next;
    map = next;
  }
  return fallback;
}

function dict(args: Value[]): GoMap {
  const entries = new Map<string, Value>();
  for (let at = 0; at < args.length; at += 2)
    entries.set(strval(args[at]), at + 1 < args.length ? args[at + 1] : '');
  return new GoMap(entries);
}

function versionStruct(version: Version): GoStruct {
  const get = (value: Value) => ({ params: '', call: () => value });
  return new GoStruct('*semver.Version', {
    text: showVersion(version),
    inner: { version },
    methods: new Map<string, Method>([
      ['Major', get(new Int('uint64', version.major))],
      ['Minor', get(new Int('uint64', version.minor))],
      ['Patch', get(new Int('uint64', version.patch))],
      ['Prerelease', get(version.pre)],
      ['Metadata', get(version.metadata)],
      ['Original', get(version.original)],
      ['String', get(showVersion(version))],
      ['Compare', { params: 'any', call: ([other]) => int(versionCompare(version, other)) }],
      ['LessThan', { params: 'any', call: ([other]) => versionCompare(version, other) < 0 }],
      ['GreaterThan', { params: 'any', call: ([other]) => versionCompare(version, other) > 0 }],
      ['Equal', { params: 'any', call: ([other]) => versionCompare(version, other) === 0 }],
    ]),
  });
}

const versionOf = (value: Value): Version | undefined =>
  value instanceof GoStruct ? (value.inner as { version?: Version } | undefined)?.version : undefined;

function versionCompare(version: Version, other: Value): number {
  const given = versionOf(other);
  return given === undefined ? 1 : compareVersions(version, given);
}

/** The functions that make something new at every run: the shape is helm's, the content says what it is. */
function unresolved(name: string, length: number, alphabet: string): string {
  let text = '';
  let state = 2166136261;
  for (let at = 0; at < length; at++) {
    state = Math.imul(state ^ (name.charCodeAt(at % name.length) + at), 16777619) >>> 0;
    text += alphabet[state % alphabet.length]!;
  }
  return text;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGITS = '0123456789';
const ASCII = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join('');

function random(name: string, alphabet: string): Fn {
  return define('int', ([count], context) => {
    const length = Math.max(0, number(count));
    context.budget.make(length);
    context.tracer?.unresolved(name);
    return unresolved(name, length, alphabet);
  });
}

const pem = (label: string, name: string): string =>
  `-----BEGIN ${label}-----\n${unresolved(name, 64, `${LETTERS + DIGITS}+/`)}\n-----END ${label}-----\n`;

function certificate(types: string, name: string): Fn {
  return define(types, (args, context) => {
    if (name.endsWith('WithKey') && !String(args.at(-1)).includes('-----BEGIN '))
      throw new GoError('parsing private key: no PEM data in input');
    context.tracer?.unresolved(name);
    return new GoStruct('sprig.certificate', {
      fields: new Map([
        ['Cert', pem('CERTIFICATE', name)],
        ['Key', pem('RSA PRIVATE KEY', name)],
      ]),
    });
  });
}

function clock(types: string, name: string, text: string): Fn {
  return define(types, (_args, context) => {
    context.tracer?.unresolved(name);
    return text;
  });
}

const MAX_INCLUDE = 1000;

const WARN_START = 'HELM_ERR_START';
const WARN_END = 'HELM_ERR_END';

function include([name, data]: Value[], context: Context): Value {
  const key = name as string;
  const count = context.including.get(key);
  if (count !== undefined && count > MAX_INCLUDE)
    throw new GoError(`rendering template has a nested reference name: ${key}: unable to execute template`);
  context.including.set(key, (count ?? 0) + 1);
  try {
    return execute(context, key, data);
  } catch (error) {
    if (isStackOverflow(error))
      throw new GoError(`rendering template has a nested reference name: ${key}: unable to execute template`);
    throw error;
  } finally {
    context.including.set(key, context.including.get(key)! - 1);
  }
}

function parsedSource(source: string): ReturnType<typeof parseTemplate> {
  try {
    return parseTemplate(TPL, source, functionNames);
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new GoError(`cannot parse template ${goQuote(source)}: ${error.message}`, error);
  }
}

function tpl([text, data]: Value[], context: Context): Value {
  const source = text as string;
  if (!source.includes('{{')) return source.replaceAll('<no value>', '');
  const parsed = parsedSource(source);
  const outer = context.templates;
  const templates = {
    get: (name: string) => {
      const own = parsed.get(name);
      const before = outer.get(name);
      return own === undefined || (before !== undefined && isEmptyTree(own.root)) ? before : own;
    },
  };
  const main = parsed.get(TPL)!;
  const inner: Context = { ...context, templates };
  context.tracer?.running(source);
  try {
    return executeTemplate(inner, main, data).replaceAll('<no value>', '');
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    throw new GoError(`error during tpl function execution for ${goQuote(source)}: ${error.message}`, error);
  }
}

/** A text that was made of values keeps, in what is read of it, where they stand. */
function readTraced(text: string, context: Context | undefined): Value {
  const tracer = context?.tracer;
  if (tracer === undefined) return readYaml(text);
  const { depth, mayBeNew, placeOf } = tracer.placesOfLines();
  let lines: string[] | undefined;
  return readYaml(text, {
    depth,
    mayBeNew,
    placeOf: line => {
      lines ??= text.split('\n');
      return placeOf(lines[line - 1] ?? '');
    },
  });
}

function fromYaml(text: string, context?: Context): GoMap {
  try {
    const value = readTraced(text, context);
    if (value === null) return new GoMap();
    if (value instanceof GoMap) return value;
    throw new GoError(
      `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kindInJson(value)} into Go value of type map[string]interface {}`,
    );
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    return new GoMap(new Map([['Error', error.message]]));
  }
}

function fromYamlArray(text: string): GoSlice {
  try {
    const value = readYaml(text);
    if (value === null) return list([]);
    if (value instanceof GoSlice) return value;
    throw new GoError(
      `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kindInJson(value)} into Go value of type []interface {}`,
    );
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    return list([error.message]);
  }
}

function fromJson(text: string, wanted: 'map' | 'list'): Value {
  try {
    const value = readJson(text);
    if (value === null) return wanted === 'map' ? nilOf(new GoMap()) : nilOf(list([]));
    if (wanted === 'map' ? value instanceof GoMap : value instanceof GoSlice) return value;
    throw new GoError(
      `json: cannot unmarshal ${kindInJson(value)} into Go value of type ${wanted === 'map' ? 'map[string]interface {}' : '[]interface {}'}`,
    );
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    let { message } = error;
    // The first mismatch is told: the document's own kind comes before a number inside it.
    const is = text.trimStart().startsWith('{') ? 'object' : 'array';
    if (message.startsWith('json: cannot unmarshal number') && (is === 'object') !== (wanted === 'map'))
      message = `json: cannot unmarshal ${is} into Go value of type ${wanted === 'map' ? 'map[string]interface {}' : '[]interface {}'}`;
    return wanted === 'map' ? new GoMap(new Map([['Error', message]])) : list([message]);
  }
}

const swallowed = (make: () => string): string => {
  try {
    return make();
  } catch (error) {
    if (error instanceof GoError) return '';
    throw error;
  }
};

const toYaml: Call = ([value], context) =>
  swallowed(() => {
    const written = writeYaml(value);
    context.budget.wrote(written.text.length);
    context.tracer?.yaml(written);
    return written.text;
  });

const larger = (a: bigint, b: bigint): bigint => (a < b ? b : a);
const smaller = (a: bigint, b: bigint): bigint => (b < a ? b : a);

const sum = (values: Value[], start: bigint, step: (a: bigint, b: bigint) => bigint): Int =>
  int64(values.reduce<bigint>((total, value) => BigInt.asIntN(64, step(total, toInt64(value))), start));

const table: Record<string, Fn> = {
  ...BUILTINS,
  print: define('...any', args => sprint(args)),
  println: define('...any', args => sprintln(args)),
  printf: define('string, ...any', ([pattern, ...args], context) => {
    const text = format(pattern as string, args);
    context.budget.make(text.length);
    return text;
  }),
  html: define('...any', args => htmlEscape(evalArgs(args))),
  js: define('...any', args => jsEscape(evalArgs(args))),
  urlquery: define('...any', args => queryEscape(evalArgs(args))),

  hello: define('', () => 'Hello!'),
  default: define('any, ...any', ([fallback, ...given], context) => {
    if (given.length > 0 && !isEmpty(given[0])) return given[0];
    context.tracer?.fellBack();
    return fallback;
  }),
  empty: define('any', ([value]) => isEmpty(value)),
  coalesce: define('...any', args => args.find(value => !isEmpty(value)) ?? null),
  all: define('...any', args => args.every(value => !isEmpty(value))),
  any: define('...any', args => args.some(value => !isEmpty(value))),
  ternary: define('any, any, bool', ([yes, no, which]) => (which === true ? yes : no)),

  fromJson: define('string', ([text]) => fromJson(text as string, 'map')),
  fromJsonArray: define('string', ([text]) => fromJson(text as string, 'list')),
  mustFromJson: define('string', ([text]) => readJson(text as string)),
  toJson: define('any', ([value]) => swallowed(() => writeJson(value))),
  mustToJson: define('any', ([value]) => writeJson(value)),
  toPrettyJson: define('any', ([value]) => swallowed(() => writePrettyJson(value))),
  mustToPrettyJson: define('any', ([value]) => writePrettyJson(value)),
  toRawJson: define('any', ([value]) => writeJson(value, false)),
  mustToRawJson: define('any', ([value]) => writeJson(value, false)),
  toYaml: define('any', toYaml),
  mustToYaml: define('any', ([value], context) => {
    const written = writeYaml(value);
    context.tracer?.yaml(written);
    return written.text;
  }),
  toYamlPretty: define('any', ([value], context) =>
    swallowed(() => {
      const written = writeYamlPretty(value);
      context.tracer?.yaml(written);
      return written.text;
    }),
  ),
  fromYaml: define('string', ([text], context) => fromYaml(text as string, context)),
  fromYamlArray: define('string', ([text]) => fromYamlArray(text as string)),
  toToml: define('any', ([value]) => {
    // Reflection panics on nil, and a panic is not swallowed.
    if (value === null || value === undefined) return writeToml(value);
    try {
      return writeToml(value);
    } catch (error) {
      if (error instanceof GoError) return error.message;
      throw error;
    }
  }),
  fromToml: define('string', ([text]) => {
    try {
      return readToml(text as string);
    } catch (error) {
      if (error instanceof GoError) return new GoMap(new Map([['Error', error.message]]));
      throw error;
    }
  }),

  typeOf: define('any', ([value]) => typeOf(value)),
  typeIs: define('string, any', ([type, value]) => type === typeOf(value)),
  typeIsLike: define(
    'string, any',
    ([type, value]) => type === typeOf(value) || `*${String(type)}` === typeOf(value),
  ),
  kindOf: define('any', ([value]) => kindOf(value)),
  kindIs: define('string, any', ([kind, value]) => kind === kindOf(value)),
  deepEqual: define('any, any', ([a, b]) => deepEqual(a, b)),

  toString: define('any', ([value]) => strval(value)),
  toStrings: define('any', ([value]) => strings(strslice(value))),
  atoi: define('string', ([text]) => {
    const match = /^[+-]?\d+$/.exec(text as string);
    const value = match === null ? 0n : BigInt((text as string).replace(/^\+/, ''));
    if (value >= 1n << 63n) return int((1n << 63n) - 1n);
    return int(value < -(1n << 63n) ? -(1n << 63n) : value);
  }),
  int: define('any', ([value]) => int(toInt64(value))),
  int64: define('any', ([value]) => int64(toInt64(value))),
  float64: define('any', ([value]) => toFloat64(value)),
  toDecimal: define('any', ([value]) => {
    const text = sprint([value]);
    if (!/^[+-]?[0-7]+$/.test(text)) return int64(0);
    const parsed = readInteger(text.replace(/^([+-]?)0*(?=[0-7])/, '$10o')) ?? 0n;
    return parsed >= 1n << 63n || parsed < -(1n << 63n) ? int64(0) : int64(parsed);
  }),
  seq: define('...int', args => seq(args.map(number))),
  until: define('int', ([count]) => {
    const stop = number(count);
    return list(
      untilStep(0, stop, stop < 0 ? -1 : 1).map(at => int(at)),
      '[]int',
    );
  }),
  untilStep: define('int, int, int', ([start, stop, step]) =>
    list(
      untilStep(number(start), number(stop), number(step)).map(at => int(at)),
      '[]int',
    ),
  ),
  add1: define('any', ([value]) => int64(toInt64(value) + 1n)),
  add: define('...any', args => sum(args, 0n, (a, b) => a + b)),
  sub: define('any, any', ([a, b]) => int64(toInt64(a) - toInt64(b))),
  div: define('any, any', ([a, b]) => {
    const divisor = toInt64(b);
    if (divisor === 0n) throw new GoError(DIVIDE);
    return int64(toInt64(a) / divisor);
  }),
  mod: define('any, any', ([a, b]) => {
    const divisor = toInt64(b);
    if (divisor === 0n) throw new GoError(DIVIDE);
    return int64(toInt64(a) % divisor);
  }),
  mul: define('any, ...any', ([first, ...rest]) => sum(rest, toInt64(first), (a, b) => a * b)),
  max: define('any, ...any', args => sum(args.slice(1), toInt64(args[0]), (a, b) => larger(b, a))),
  biggest: define('any, ...any', args => sum(args.slice(1), toInt64(args[0]), (a, b) => larger(b, a))),
  min: define('any, ...any', args => sum(args.slice(1), toInt64(args[0]), (a, b) => smaller(b, a))),
  maxf: define('any, ...any', args => Math.max(...args.map(toFloat64))),
  minf: define('any, ...any', args => Math.min(...args.map(toFloat64))),
  add1f: define('any', ([value]) => decimals(value, [1], 'add')),
  addf: define('...any', args => decimals(0, args, 'add')),
  subf: define('any, ...any', ([first, ...rest]) => decimals(first, rest, 'sub')),
  mulf: define('any, ...any', ([first, ...rest]) => decimals(first, rest, 'mul')),
  divf: define('any, ...any', ([first, ...rest]) => decimals(first, rest, 'div')),
  ceil: define('any', ([value]) => Math.ceil(toFloat64(value))),
  floor: define('any', ([value]) => Math.floor(toFloat64(value))),
  round: define('any, int, ...float64', ([value, places, on]) =>
    round(toFloat64(value), number(places), on === undefined ? 0.5 : (on as number)),
  ),

  list: define('...any', args => list(args)),
  tuple: define('...any', args => list(args)),
  dict: define('...any', args => dict(args)),
  get: define('map, string', ([map, key], context) => {
    if (map instanceof GoMap)
      context.tracer?.read(map, key as string, map.entries.get(key as string), undefined);
    return entriesOf(map).has(key as string) ? entriesOf(map).get(key as string) : '';
  }),
  set: define('map, string, any', ([map, key, value]) => {
    if (!(map instanceof GoMap)) throw new GoError('assignment to entry in nil map');
    map.entries.set(key as string, value);
    map.places?.delete(key as string);
    return map;
  }),
  unset: define('map, string', ([map, key]) => {
    if (!(map instanceof GoMap)) return nilOf(new GoMap());
    map.entries.delete(key as string);
    return map;
  }),
  hasKey: define('map, string', ([map, key]) => entriesOf(map).has(key as string)),
  pluck: define('string, ...map', ([key, ...maps]) =>
    list(maps.filter(map => entriesOf(map).has(key as string)).map(map => entriesOf(map).get(key as string))),
  ),
  keys: define('...map', maps =>
    strings(maps.flatMap(map => [...entriesOf(map).keys()].sort(compareStrings))),
  ),
  values: define('map', ([map]) =>
    list([...entriesOf(map).keys()].sort(compareStrings).map(key => entriesOf(map).get(key))),
  ),
  pick: define('map, ...string', ([map, ...keys]) => picked(map, key => keys.includes(key))),
  omit: define('map, ...string', ([map, ...keys]) => picked(map, key => !keys.includes(key))),
  merge: merged(false),
  mustMerge: merged(false),
  mergeOverwrite: merged(true),
  mustMergeOverwrite: merged(true),
  dig: define('...any', args => dig(args)),
  concat: define('...any', args => {
    const items: Value[] = [];
    for (const arg of args) items.push(...itemsOf(arg, kind => `Cannot concat type ${kind} as list`));
    return list(items);
  }),
  join: define('string, any', ([separator, items]) => strslice(items).join(separator as string)),
  sortAlpha: define('any', ([items]) =>
    items instanceof GoSlice ? strings(strslice(items).sort(compareStrings)) : strings([strval(items)]),
  ),

  semver: define('string', ([text]) => versionStruct(newVersion(text as string))),
  semverCompare: define('string, string', ([constraint, version]) => {
    const accepts = newConstraint(constraint as string);
    return accepts(newVersion(version as string));
  }),

  include: define('string, any', include),
  tpl: define('string, any', tpl),
  required: define('string, any', ([message, value]) => {
    if (value === null || value === undefined || value === '')
      throw new GoError(`${WARN_START}${String(message)}${WARN_END}`);
    return value;
  }),
  fail: define('string', ([message]) => {
    throw new GoError(`${WARN_START}${String(message)}${WARN_END}`);
  }),
  lookup: define('string, string, string, string', () => new GoMap()),
  getHostByName: define('string', () => ''),

  randAlphaNum: random('randAlphaNum', LETTERS + DIGITS),
  randAlpha: random('randAlpha', LETTERS),
  randNumeric: random('randNumeric', DIGITS),
  randAscii: random('randAscii', ASCII),
  randBytes: define('int', ([count], context) => {
    context.budget.make(number(count));
    context.tracer?.unresolved('randBytes');
    return btoa(unresolved('randBytes', Math.max(0, number(count)), LETTERS));
  }),
  randInt: define('int, int', ([from, to], context) => {
    if (number(to) <= number(from)) throw new GoError('invalid argument to Intn');
    context.tracer?.unresolved('randInt');
    return from;
  }),
  shuffle: define('string', ([text], context) => {
    context.tracer?.unresolved('shuffle');
    return text;
  }),
  uuidv4: clock('', 'uuidv4', '00000000-0000-4000-8000-000000000000'),
  bcrypt: clock('string', 'bcrypt', `$2a$10$${unresolved('bcrypt', 53, LETTERS + DIGITS)}`),
  htpasswd: define('string, string', ([user], context) => {
    if ((user as string).includes(':')) return `invalid username: ${user as string}`;
    context.tracer?.unresolved('htpasswd');
    return `${user as string}:$2a$10$${unresolved('htpasswd', 53, LETTERS + DIGITS)}`;
  }),
  genPrivateKey: define('string', ([type], context) => {
    context.tracer?.unresolved('genPrivateKey');
    const label =
      type === '' || type === 'rsa'
        ? 'RSA PRIVATE KEY'
        : type === 'dsa'
          ? 'DSA PRIVATE KEY'
          : type === 'ecdsa'
            ? 'EC PRIVATE KEY'
            : type === 'ed25519'
              ? 'PRIVATE KEY'
              : undefined;
    return label === undefined ? `Unknown type ${type as string}` : pem(label, 'genPrivateKey');
  }),
  genCA: certificate('string, int', 'genCA'),
  genCAWithKey: certificate('string, int, string', 'genCAWithKey'),
  genSelfSignedCert: certificate('string, list, list, int', 'genSelfSignedCert'),
  genSelfSignedCertWithKey: certificate('string, list, list, int, string', 'genSelfSignedCertWithKey'),
  genSignedCert: certificate('string, list, list, int, certificate', 'genSignedCert'),
  genSignedCertWithKey: certificate('string, list, list, int, certificate, string', 'genSignedCertWithKey'),
};

for (const [name, make] of Object.entries(listCalls)) {
  table[name] = make(name);
  table[`must${name[0]!.toUpperCase()}${name.slice(1)}`] = make(name);
}
table['append'] = table['push']!;
table['mustAppend'] = table['mustPush']!;
Object.assign(table, stringFunctions, regexFunctions, pathFunctions, dateFunctions, digestFunctions);

/** Every function by name. */
export const functions: ReadonlyMap<string, Fn> = new Map(Object.entries(table));
export const functionNames: ReadonlySet<string> = new Set(functions.keys());

function picked(map: Value, keep: (key: string) => boolean): GoMap {
  const result = new GoMap();
  if (!(map instanceof GoMap)) return result;
  for (const [key, value] of map.entries) {
    if (!keep(key)) continue;
    result.entries.set(key, value);
    const place = map.places?.get(key);
    if (place !== undefined) setPlace(result, key, place);
  }
  return result;
}

/** What html and its kin print: a missing value alone is `<no value>`. */
function evalArgs(args: Value[]): string {
  if (args.length === 1 && typeof args[0] === 'string') return args[0];
  return sprint(args.map(arg => (arg === undefined || arg === null ? '<no value>' : arg)));
}

function htmlEscape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll("'", '&#39;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&#34;')
    .replaceAll('\0', '\ufffd');
}

function jsEscape(text: string): string {
  let result = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === '\\') result += '\\\\';
    else if (character === "'") result += "\\'";
    else if (character === '"') result += '\\"';
    else if ('<>&='.includes(character) || code < 32)
      result += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
    else if (code >= 0x80 && !/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character))
      result += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
    else result += character;
  }
  return result;
}

/** url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
