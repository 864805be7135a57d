/**
 * `'%s is %d'.format([…])` as Kubernetes has it: version 2 of the string library, which writes fixed-point and scientific
 * numbers as en_US does. Source: cel-go ext/formatting.go, and golang.org/x/text/message for numbers.
 */
import { compareBytes, quoted } from '#kube/go-text.ts';
import { doubleText } from './standard.ts';
import { durationText, timestampText } from './time.ts';
import type { Type } from './types.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';
import {
  CelError,
  CelMap,
  type CelValue,
  Duration,
  isList,
  Timestamp,
  TypeValue,
  typeNameOf,
  Uint,
} from './values.ts';

/** What a clause of a pattern asks for: its letter, and the digits behind the point where it has them. */
interface Clause {
  readonly verb: string;
  readonly precision: number | undefined;
  readonly end: number;
}

const VERBS = 'sdfebxXo';

/** The clause behind a percent sign, or what is wrong with it. */
function clauseAt(pattern: string, start: number): Clause | string {
  let at = start;
  let precision: number | undefined;
  if (pattern[at] === '.') {
    const digits = /^[0-9]*/.exec(pattern.slice(at + 1, at + 40))![0];
    at += 1 + digits.length;
    const wrong = 'could not parse formatting clause: error while parsing precision: ';
    if (at >= pattern.length) return `${wrong}could not find end of precision specifier`;
    if (digits === '')
      return `${wrong}error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax`;
    precision = Math.min(Number(digits), 1000);
  }
  const verb = pattern[at]!;
  if (VERBS.includes(verb)) return { verb, precision, end: at + 1 };
  // Go looks at one byte.
  const shown = String.fromCharCode(encodeUtf8(String.fromCodePoint(pattern.codePointAt(at)!))[0]!);
  return `could not parse formatting clause: unrecognized formatting clause "${shown}"`;
}

function walk(
  pattern: string,
  count: number,
  /** Whether a missing argument is told before the end of the pattern is looked at. */
  isRunning: boolean,
  write: (clause: Clause, index: number) => string | CelError,
): string | CelError {
  let result = '';
  let used = 0;
  for (let i = 0; i < pattern.length; ) {
    if (pattern[i] !== '%') {
      result += pattern[i++]!;
      continue;
    }
    if (pattern[i + 1] === '%') {
      result += '%';
      i += 2;
      continue;
    }
    const missing = used >= count ? new CelError(`index ${used} out of range`) : undefined;
    if (isRunning && missing !== undefined) return missing;
    if (i + 1 >= pattern.length) return new CelError('unexpected end of string');
    if (missing !== undefined) return missing;
    const clause = clauseAt(pattern, i + 1);
    if (typeof clause === 'string') return new CelError(clause);
    const text = write(clause, used++);
    if (text instanceof CelError) return text;
    result += text;
    i = clause.end;
  }
  return result;
}

export function format(pattern: string, args: readonly CelValue[]): CelValue {
  return walk(pattern, args.length, true, ({ verb, precision }, index) => {
    const text = formatOne(verb, precision, args[index]!);
    return text instanceof CelError ? new CelError(`error during formatting: ${text.message}`) : text;
  });
}

const CLAUSES: Readonly<Record<string, { readonly kinds: readonly Type['kind'][]; readonly words: string }>> =
  {
    s: {
      kinds: [
        'list',
        'map',
        'int',
        'uint',
        'double',
        'bool',
        'string',
        'timestamp',
        'bytes',
        'duration',
        'type',
        'null',
      ],
      words:
        'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
    },
    d: { kinds: ['int', 'uint'], words: 'decimal clause can only be used on integers' },
    f: { kinds: ['double', 'string'], words: 'fixed-point clause can only be used on doubles' },
    e: { kinds: ['double', 'string'], words: 'scientific clause can only be used on doubles' },
    b: { kinds: ['int', 'uint', 'bool'], words: 'only integers and bools can be formatted as binary' },
    x: {
      kinds: ['int', 'uint', 'string', 'bytes'],
      words: 'only integers, byte buffers, and strings can be formatted as hex',
    },
    o: { kinds: ['int', 'uint'], words: 'octal clause can only be used on integers' },
  };
const clauseOf = (verb: string) => CLAUSES[verb === 'X' ? 'x' : verb]!;

/**
 * What is wrong with a literal pattern and a literal list of arguments, which is told when the expression is compiled.
 *
 * @param typesOf the types that an argument is checked for: its own, and for `%s` those of what literals hold
 * @returns the message, and the argument and type that it is about where it is about one
 */
export function formatIssue(
  pattern: string,
  args: readonly { readonly types: readonly { readonly type: Type; readonly at: number }[] }[],
  nameOf: (type: Type) => string,
): { readonly message: string; readonly at?: number } | undefined {
  let at: number | undefined;
  let used = 0;
  const result = walk(pattern, args.length, false, ({ verb }, index) => {
    used = index + 1;
    const { kinds, words } = clauseOf(verb);
    const all = args[index]!.types;
    const wrong = (verb === 's' ? all : all.slice(0, 1)).find(
      ({ type }) => type.kind !== 'dyn' && !kinds.includes(type.kind),
    );
    if (wrong === undefined) return '';
    ({ at } = wrong);
    return new CelError(`error during formatting: ${words}, was given ${nameOf(wrong.type)}`);
  });
  if (result instanceof CelError) return { message: result.message, ...(at === undefined ? {} : { at }) };
  if (args.length > used)
    return { message: `too many arguments supplied to string.format (expected ${used}, got ${args.length})` };
  return undefined;
}

const NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function formatOne(verb: string, precision: number | undefined, value: CelValue): string | CelError {
  const whole = value instanceof Uint ? value.value : typeof value === 'bigint' ? value : undefined;
  const wrong = () => new CelError(`${clauseOf(verb).words}, was given ${typeNameOf(value)}`);
  switch (verb) {
    case 's':
      return formatString(value);
    case 'd':
      return whole === undefined ? wrong() : String(whole);
    case 'f':
    case 'e': {
      const number = typeof value === 'string' && Object.hasOwn(NUMBERS, value) ? NUMBERS[value]! : value;
      if (typeof number !== 'number') return wrong();
      return verb === 'f' ? fixed(number, precision ?? 6) : scientific(number, precision ?? 6);
    }
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      return whole === undefined ? wrong() : whole.toString(2);
    case 'o':
      return whole === undefined ? wrong() : whole.toString(8);
    default: {
      const bytes =
        typeof value === 'string' ? encodeUtf8(value) : value instanceof Uint8Array ? value : undefined;
      if (whole === undefined && bytes === undefined) return wrong();
      const hex = whole?.toString(16) ?? [...bytes!].map(byte => byte.toString(16).padStart(2, '0')).join('');
      return verb === 'X' ? hex.toUpperCase() : hex;
    }
  }
}

function infinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
}

/** The digits of a number and the power of ten of the first of them; exact. */
function digitsOf(value: number): { readonly digits: string; readonly power: number } {
  const [mantissa, exponent] = value.toExponential(100).split('e') as [string, string];
  return { digits: mantissa.replace('.', ''), power: Number(exponent) };
}

/** The first digits, halves rounded to the even neighbour; one more digit where all were nines. */
function rounded(digits: string, keep: number): { readonly digits: string; readonly carried: boolean } {
  if (keep < 0) return { digits: '', carried: false };
  const kept = digits.slice(0, keep);
  const rest = digits.slice(keep);
  const half = `5${'0'.repeat(Math.max(0, rest.length - 1))}`;
  const odd = kept !== '' && Number(kept.at(-1)) % 2 === 1;
  if (rest < half || rest === '' || (rest === half && !odd)) return { digits: kept, carried: false };
  const up = String(BigInt(`1${kept}`) + 1n);
  return up.startsWith('2')
    ? { digits: `1${up.slice(1)}`, carried: true }
    : { digits: up.slice(1), carried: false };
}

/** With commas between thousands. */
function fixed(value: number, precision: number): string {
  if (!Number.isFinite(value)) return infinite(value);
  const { digits, power } = digitsOf(Math.abs(value));
  const keep = power + 1 + precision;
  const { digits: kept } = rounded(digits.padEnd(Math.max(0, keep), '0'), keep);
  const all = kept.padStart(precision + 1, '0');
  const length = all.length - precision;
  const whole = all.slice(0, length).replace(/\B(?=(?:\d{3})+$)/g, ',');
  const fraction = all.slice(length);
  const sign = value < 0 ? '-' : '';
  return `${sign}${whole}${precision === 0 ? '' : `.${fraction}`}`;
}

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Six digits behind the point always: what is written as the precision is taken for a width. */
function scientific(value: number, width: number): string {
  if (!Number.isFinite(value)) return infinite(value).padStart(width);
  const { digits, power } = digitsOf(Math.abs(value));
  const { digits: kept, carried } = rounded(digits, 7);
  const exponent = carried ? power + 1 : power;
  const raised = [...String(Math.abs(exponent)).padStart(2, '0')]
    .map(digit => SUPERSCRIPT[Number(digit)])
    .join('');
  const text = `${kept[0]}.${kept.slice(1, 7)}×10${exponent < 0 ? '⁻' : ''}${raised}`;
  return `${value < 0 ? '-' : ''}${text}`.padStart(width);
}

function formatString(value: CelValue): string | CelError {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return doubleText(value);
  }
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Uint8Array)
    return decodeUtf8(value) ?? new CelError('invalid UTF-8 in bytes, cannot convert to string');
  if (isList(value)) {
    const parts = value.map(formatInside);
    return parts.find(part => part instanceof CelError) ?? `[${parts.join(', ')}]`;
  }
  if (value instanceof CelMap) {
    const parts: { readonly key: string; readonly text: string }[] = [];
    for (const { key, value: one } of value.entries()) {
      const text = formatInside(one);
      if (text instanceof CelError) return text;
      const name = typeof key === 'string' ? quoted(key) : String(formatString(key));
      parts.push({ key: name, text });
    }
    parts.sort((a, b) => compareBytes(a.key, b.key));
    return `{${parts.map(({ key, text }) => `${key}:${text}`).join(', ')}}`;
  }
  return new CelError(`${CLAUSES['s']!.words}, was given ${typeNameOf(value)}`);
}

/** What a list or map holds is written as CEL would read it. */
function formatInside(value: CelValue): string | CelError {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number')
    return Number.isFinite(value)
      ? fixed(value, 6).replaceAll(',', '')
      : `"${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}"`;
  if (value instanceof Duration) return `duration("${durationText(value)}")`;
  if (value instanceof Timestamp) return `timestamp("${timestampText(value)}")`;
  const text = formatString(value);
  if (text instanceof CelError)
    return text.message.startsWith(CLAUSES['s']!.words)
      ? new CelError(`no formatting function for ${typeNameOf(value)}`)
      : text;
  return value instanceof Uint8Array ? `b${quoted(text)}` : text;
}
