/** Durations and timestamps as text and as parts. Source: Go's time package, cel-go common/types/{duration,timestamp}.go. */
import { parseRfc3339 } from '#kube/go-time.ts';
import { CelError, Duration, Timestamp } from './values.ts';

const SECOND = 1_000_000_000n;
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};
const MAX_DURATION = 2n ** 63n - 1n;
/** The years 1 to 9999. */
const MIN_TIME = -62_135_596_800n * SECOND;
const MAX_TIME = 253_402_300_799n * SECOND + SECOND - 1n;
const DURATION = /^([-+]?)((?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/;

/** Go's time.ParseDuration. */
export function parseDuration(text: string): Duration | undefined {
  const parts = text.length > 200 ? null : DURATION.exec(text);
  if (parts === null) return undefined;
  let nanos = 0n;
  for (const [, whole, fraction = '', unit] of parts[2]!.matchAll(
    /([0-9]*)\.?([0-9]*)(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    const size = UNITS[unit!]!;
    nanos += BigInt(whole === '' ? 0 : whole!) * size;
    if (fraction !== '') nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  const isNegative = parts[1] === '-';
  if (nanos > MAX_DURATION + (isNegative ? 1n : 0n)) return undefined;
  return new Duration(isNegative ? -nanos : nanos);
}

export function parseTimestamp(text: string): Timestamp | undefined {
  const time = parseRfc3339(text);
  if (time === undefined) return undefined;
  return timestampOf(BigInt(time.seconds) * SECOND + BigInt(time.fraction.padEnd(9, '0')), time.offset);
}

function timestampOf(nanos: bigint, offset: number): Timestamp | undefined {
  return nanos < MIN_TIME || nanos > MAX_TIME ? undefined : new Timestamp(nanos, offset);
}

export function timestampText({ nanos, offset }: Timestamp): string {
  const seconds = floorDiv(nanos, SECOND);
  const rest = nanos - seconds * SECOND;
  const text = new Date((Number(seconds) + offset) * 1000).toISOString().slice(0, 19);
  const minutes = Math.abs(offset) / 60;
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60].map(part => String(part).padStart(2, '0'));
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${hour}:${minute}`;
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
  return `${text}${fraction}${zone}`;
}

export function durationText({ nanos }: Duration): string {
  const absolute = nanos < 0n ? -nanos : nanos;
  const rest = absolute % SECOND;
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
  return `${nanos < 0n ? '-' : ''}${absolute / SECOND}${fraction}s`;
}

export const durationSum = (a: bigint, b: bigint): Duration | CelError => {
  const sum = a + b;
  return sum > MAX_DURATION || sum < -MAX_DURATION - 1n
    ? new CelError('integer overflow')
    : new Duration(sum);
};

export const timestampSum = (a: bigint, b: bigint, offset = 0): Timestamp | CelError =>
  timestampOf(a + b, offset) ?? new CelError('timestamp overflow');

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}

export type Part =
  | 'year'
  | 'month'
  | 'day'
  | 'date'
  | 'weekday'
  | 'yearday'
  | 'hour'
  | 'minute'
  | 'second'
  | 'milli';

/** A part of a point in time, as it is called in a time zone: an IANA name, or an offset such as `-08:00`. */
export function partOf({ nanos }: Timestamp, part: Part, zone: string): bigint | CelError {
  const seconds = floorDiv(nanos, SECOND);
  const offset = offsetSeconds(Number(seconds), zone);
  if (offset === undefined) return new CelError(`unknown time zone ${zone}`);
  const local = new Date((Number(seconds) + offset) * 1000);
  switch (part) {
    case 'year':
      return BigInt(local.getUTCFullYear());
    case 'month':
      return BigInt(local.getUTCMonth());
    case 'day':
      return BigInt(local.getUTCDate() - 1);
    case 'date':
      return BigInt(local.getUTCDate());
    case 'weekday':
      return BigInt(local.getUTCDay());
    case 'yearday': {
      const start = new Date(0);
      start.setUTCFullYear(local.getUTCFullYear(), 0, 1);
      return BigInt(Math.floor((local.getTime() - start.getTime()) / 86_400_000));
    }
    case 'hour':
      return BigInt(local.getUTCHours());
    case 'minute':
      return BigInt(local.getUTCMinutes());
    case 'second':
      return BigInt(local.getUTCSeconds());
    case 'milli':
      return (nanos - seconds * SECOND) / 1_000_000n;
  }
}

function offsetSeconds(seconds: number, zone: string): number | undefined {
  if (zone === '' || zone === 'UTC') return 0;
  // Two whole numbers of any size: cel-go common/types/timestamp.go (timeZone).
  const fixed = /^([-+]?\d{1,9}):([-+]?\d{1,9})$/.exec(zone);
  if (fixed !== null) {
    const [hours, minutes] = [Number(fixed[1]), Number(fixed[2])];
    return (zone.startsWith('-') ? hours * 60 - minutes : hours * 60 + minutes) * 60;
  }
  // Go finds zones by the names of files: in their own case, and none that is an offset.
  if (!/^[A-Z]/.test(zone)) return undefined;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'short',
    });
    const parts = new Map(format.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]));
    const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    const date = new Date(0);
    date.setUTCFullYear(number('year'), number('month') - 1, number('day'));
    date.setUTCHours(number('hour'), number('minute'), number('second'));
    return Math.round(date.getTime() / 1000) - seconds;
  } catch {
    return undefined;
  }
}
