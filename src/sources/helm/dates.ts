/** sprig's dates: Go's layouts (time/format.go), durations, and moments in UTC, where helm's tests run too. */
import { define } from './define.ts';
import type { Fn } from './exec.ts';
import { bytesOf, GoError, GoStruct, Int, int, int64, type Method, type Value } from './value.ts';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** A moment: seconds since 1970 and nanoseconds, shown with an offset. */
interface Moment {
  readonly seconds: bigint;
  readonly nanos: number;
  readonly offset: number;
  readonly zone: string;
}

const ZERO: Moment = { seconds: -62135596800n, nanos: 0, offset: 0, zone: 'UTC' };

const p2 = (value: number): string => String(value).padStart(2, '0');

function civil(moment: Moment) {
  const date = new Date(Number(moment.seconds + BigInt(moment.offset)) * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    yearDay:
      Math.floor(
        (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) -
          Date.UTC(date.getUTCFullYear(), 0, 1)) /
          86_400_000,
      ) + 1,
  };
}

const CHUNK =
  /January|Jan(?![a-z])|Jan|Monday|Mon|MST|2006|-07:00:00|-0700 ?00|-07:00|-070000|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|002|01|02|03|04|05|06|_2006|__2|_2|15|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5/g;

function zoneText(offset: number, colon: boolean, seconds: boolean, minutes = true): string {
  const absolute = Math.abs(offset);
  const separator = colon ? ':' : '';
  let text = (offset < 0 ? '-' : '+') + p2(Math.floor(absolute / 3600));
  if (minutes) text += separator + p2(Math.floor((absolute % 3600) / 60));
  if (seconds) text += separator + p2(absolute % 60);
  return text;
}

function formatMoment(moment: Moment, layout: string): string {
  const c = civil(moment);
  return layout.replace(CHUNK, chunk => {
    switch (chunk) {
      case 'January':
        return MONTHS[c.month]!;
      case 'Jan':
        return MONTHS[c.month]!.slice(0, 3);
      case 'Monday':
        return DAYS[c.weekday]!;
      case 'Mon':
        return DAYS[c.weekday]!.slice(0, 3);
      case 'MST':
        return moment.zone === '' ? zoneText(moment.offset, false, false) : moment.zone;
      case '2006':
        return String(c.year).padStart(4, '0');
      case '_2006':
        return `_${String(c.year).padStart(4, '0')}`;
      case '06':
        return p2(c.year % 100);
      case '01':
        return p2(c.month + 1);
      case '1':
        return String(c.month + 1);
      case '02':
        return p2(c.day);
      case '_2':
        return String(c.day).padStart(2, ' ');
      case '2':
        return String(c.day);
      case '002':
        return String(c.yearDay).padStart(3, '0');
      case '__2':
        return String(c.yearDay).padStart(3, ' ');
      case '15':
        return p2(c.hour);
      case '03':
        return p2(c.hour % 12 || 12);
      case '3':
        return String(c.hour % 12 || 12);
      case '04':
        return p2(c.minute);
      case '4':
        return String(c.minute);
      case '05':
        return p2(c.second);
      case '5':
        return String(c.second);
      case 'PM':
        return c.hour >= 12 ? 'PM' : 'AM';
      case 'pm':
        return c.hour >= 12 ? 'pm' : 'am';
      default:
        break;
    }
    if (chunk[0] === 'Z') {
      if (moment.offset === 0) return 'Z';
      return zoneText(moment.offset, chunk.includes(':'), chunk.length > 6, chunk !== 'Z07');
    }
    if (chunk[0] === '-')
      return zoneText(moment.offset, chunk.includes(':'), chunk.length > 6, chunk !== '-07');
    const fraction = String(moment.nanos)
      .padStart(9, '0')
      .slice(0, chunk.length - 1);
    if (chunk[1] === '0') return chunk[0]! + fraction;
    const short = fraction.replace(/0+$/, '');
    return short === '' ? '' : chunk[0]! + short;
  });
}

/** quote of time/format.go: what is not printable ASCII is written in its bytes. */
function timeQuote(text: string): string {
  let quoted = '"';
  for (const byte of bytesOf(text)) {
    if (byte >= 0x80 || byte < 0x20) quoted += `\\x${byte.toString(16).padStart(2, '0')}`;
    else quoted += (byte === 0x22 || byte === 0x5c ? '\\' : '') + String.fromCharCode(byte);
  }
  return `${quoted}"`;
}

function parseMoment(layout: string, text: string): Moment {
  const parts = {
    year: 0,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    nanos: 0,
    offset: undefined as number | undefined,
    pm: undefined as boolean | undefined,
    zone: '',
  };
  let rest = text;
  let at = 0;
  const fail = (element: string, value: string, message?: string): never => {
    throw new GoError(
      message === undefined
        ? `parsing time ${timeQuote(text)} as ${timeQuote(layout)}: cannot parse ${timeQuote(value)} as ${timeQuote(element)}`
        : `parsing time ${timeQuote(text)}${message}`,
    );
  };
  const take = (pattern: RegExp, element: string): string => {
    const match = pattern.exec(rest);
    if (match === null) return fail(element, rest);
    rest = rest.slice(match[0].length);
    return match[0];
  };
  const name = (names: readonly string[], short: boolean, element: string): number => {
    const index = names.findIndex(one =>
      rest.toLowerCase().startsWith((short ? one.slice(0, 3) : one).toLowerCase()),
    );
    if (index < 0) return fail(element, rest);
    rest = rest.slice((short ? names[index]!.slice(0, 3) : names[index]!).length);
    return index;
  };
  const literal = (prefix: string): void => {
    for (const character of prefix.replace(/ +/g, ' ')) {
      if (character === ' ') {
        if (rest !== '' && rest[0] !== ' ') fail(prefix, rest);
        rest = rest.replace(/^ +/, '');
      } else if (!rest.startsWith(character)) fail(prefix, rest);
      else rest = rest.slice(character.length);
    }
  };
  for (const match of layout.matchAll(CHUNK)) {
    literal(layout.slice(at, match.index));
    const chunk = match[0];
    at = match.index + chunk.length;
    const two = (): number => Number(take(/^\d\d/, chunk));
    const one = (): number => Number(take(/^\d\d?/, chunk));
    switch (chunk) {
      case 'January':
        parts.month = name(MONTHS, false, chunk) + 1;
        break;
      case 'Jan':
        parts.month = name(MONTHS, true, chunk) + 1;
        break;
      case 'Monday':
        name(DAYS, false, chunk);
        break;
      case 'Mon':
        name(DAYS, true, chunk);
        break;
      case '2006':
        parts.year = Number(take(/^\d{4}/, chunk));
        break;
      case '06': {
        const short = two();
        parts.year = short + (short >= 69 ? 1900 : 2000);
        break;
      }
      case '01':
        parts.month = two();
        break;
      case '1':
        parts.month = one();
        break;
      case '02':
        parts.day = two();
        break;
      case '_2':
        rest = rest.replace(/^ /, '');
        parts.day = one();
        break;
      case '2':
        parts.day = one();
        break;
      case '15':
        parts.hour = two();
        break;
      case '03':
        parts.hour = two();
        break;
      case '3':
        parts.hour = one();
        break;
      case '04':
        parts.minute = two();
        break;
      case '4':
        parts.minute = one();
        break;
      case '05':
      case '5': {
        parts.second = chunk === '05' ? two() : one();
        const fraction = /^[.,](\d+)/.exec(rest);
        if (fraction !== null && !/^[.,][09]/.test(layout.slice(at))) {
          parts.nanos = Number(fraction[1]!.slice(0, 9).padEnd(9, '0'));
          rest = rest.slice(fraction[0].length);
        }
        break;
      }
      case 'PM':
      case 'pm':
        parts.pm = take(/^(AM|PM|am|pm)/, chunk).toLowerCase() === 'pm';
        break;
      case 'MST':
        parts.zone = take(/^([A-Z]{3,5}|[+-]\d\d)/, chunk);
        if (parts.zone === 'UTC' || parts.offset === undefined) parts.offset = 0;
        break;
      default:
        if (chunk[0] === 'Z' && rest.startsWith('Z')) {
          rest = rest.slice(1);
          parts.offset = 0;
          parts.zone = 'UTC';
        } else if (chunk[0] === 'Z' || chunk[0] === '-') {
          const zone = take(
            chunk.includes(':') ? /^[+-]\d\d:\d\d/ : chunk.length <= 3 ? /^[+-]\d\d/ : /^[+-]\d{4}/,
            chunk,
          );
          const digits = zone.replace(/\D/g, '').padEnd(4, '0');
          parts.offset =
            (zone[0] === '-' ? -1 : 1) *
            (Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2, 4)) * 60);
        } else {
          const fraction = take(/^[.,]\d+/, chunk);
          parts.nanos = Number(fraction.slice(1, 10).padEnd(9, '0'));
        }
    }
  }
  literal(layout.slice(at));
  if (rest !== '') fail('', '', `: extra text: ${timeQuote(rest)}`);
  if (parts.pm === true && parts.hour < 12) parts.hour += 12;
  else if (parts.pm === false && parts.hour === 12) parts.hour = 0;
  const bad = (what: string): never => fail('', '', `: ${what} out of range`);
  if (parts.month < 1 || parts.month > 12) bad('month');
  if (parts.hour > 23) bad('hour');
  if (parts.minute > 59) bad('minute');
  if (parts.second > 59) bad('second');
  if (parts.day < 1 || parts.day > new Date(Date.UTC(2000 + (parts.year % 400), parts.month, 0)).getUTCDate())
    bad('day');
  const date = new Date(0);
  date.setUTCFullYear(parts.year, parts.month - 1, parts.day);
  date.setUTCHours(parts.hour, parts.minute, parts.second);
  const offset = parts.offset ?? 0;
  return {
    seconds: BigInt(Math.round(date.getTime() / 1000)) - BigInt(offset),
    nanos: parts.nanos,
    offset,
    zone: parts.zone !== '' ? parts.zone : offset === 0 ? 'UTC' : '',
  };
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** time.ParseDuration, in nanoseconds. */
function parseDuration(text: string): bigint {
  const invalid = (): never => {
    throw new GoError(`time: invalid duration ${timeQuote(text)}`);
  };
  const negative = text.startsWith('-');
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0n;
  if (rest === '') invalid();
  let total = 0n;
  while (rest !== '') {
    const match = /^(\d*)(?:\.(\d*))?/.exec(rest)!;
    if ((match[1] ?? '') === '' && (match[2] ?? '') === '') invalid();
    rest = rest.slice(match[0].length);
    const unit = /^[^\d.]+/.exec(rest)?.[0];
    if (unit === undefined) throw new GoError(`time: missing unit in duration ${timeQuote(text)}`);
    const size = Object.hasOwn(UNITS, unit) ? UNITS[unit]! : undefined;
    if (size === undefined)
      throw new GoError(`time: unknown unit ${timeQuote(unit)} in duration ${timeQuote(text)}`);
    rest = rest.slice(unit.length);
    total += BigInt(match[1] === '' ? '0' : match[1]!) * size;
    const fraction = match[2] ?? '';
    if (fraction !== '') total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
    if (total > 1n << 63n) invalid();
  }
  return negative ? -total : total;
}

/** time.Duration's String. */
function showDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  const negative = nanos < 0n;
  const absolute = negative ? -nanos : nanos;
  const fraction = (value: bigint, size: bigint): string => {
    const rest = value % size;
    const text =
      rest === 0n
        ? ''
        : `.${rest
            .toString()
            .padStart(size.toString().length - 1, '0')
            .replace(/0+$/, '')}`;
    return `${value / size}${text}`;
  };
  let text: string;
  if (absolute < 1000n) text = `${absolute}ns`;
  else if (absolute < 1_000_000n) text = `${fraction(absolute, 1000n)}µs`;
  else if (absolute < 1_000_000_000n) text = `${fraction(absolute, 1_000_000n)}ms`;
  else {
    const seconds = fraction(absolute % 60_000_000_000n, 1_000_000_000n);
    const minutes = absolute / 60_000_000_000n;
    text = `${seconds}s`;
    if (minutes > 0n) text = `${minutes % 60n}m${text}`;
    if (minutes >= 60n) text = `${minutes / 60n}h${text}`;
  }
  return negative ? `-${text}` : text;
}

const momentOf = (value: Value): Moment | undefined =>
  value instanceof GoStruct ? (value.inner as { moment?: Moment } | undefined)?.moment : undefined;

function timeStruct(moment: Moment): GoStruct {
  const c = civil(moment);
  const get = (value: () => Value): Method => ({ params: '', call: value });
  return new GoStruct('time.Time', {
    text: formatMoment(moment, '2006-01-02 15:04:05.999999999 -0700 MST'),
    inner: { moment, json: formatMoment(moment, '2006-01-02T15:04:05.999999999Z07:00') },
    methods: new Map<string, Method>([
      ['Year', get(() => int(c.year))],
      [
        'Month',
        get(() => new Int('int', BigInt(c.month + 1), { type: 'time.Month', text: MONTHS[c.month]! })),
      ],
      [
        'Weekday',
        get(() => new Int('int', BigInt(c.weekday), { type: 'time.Weekday', text: DAYS[c.weekday]! })),
      ],
      ['Day', get(() => int(c.day))],
      ['YearDay', get(() => int(c.yearDay))],
      ['Hour', get(() => int(c.hour))],
      ['Minute', get(() => int(c.minute))],
      ['Second', get(() => int(c.second))],
      ['Nanosecond', get(() => int(moment.nanos))],
      ['Unix', get(() => int64(moment.seconds))],
      ['UnixNano', get(() => int64(moment.seconds * 1_000_000_000n + BigInt(moment.nanos)))],
      ['UTC', get(() => timeStruct({ ...moment, offset: 0, zone: 'UTC' }))],
      ['Local', get(() => timeStruct({ ...moment, offset: 0, zone: 'UTC' }))],
      ['String', get(() => formatMoment(moment, '2006-01-02 15:04:05.999999999 -0700 MST'))],
      ['IsZero', get(() => moment.seconds === ZERO.seconds && moment.nanos === 0)],
      ['Format', { params: 'string', call: ([layout]) => formatMoment(moment, layout as string) }],
    ]),
  });
}

function added(moment: Moment, nanos: bigint): Moment {
  const total = BigInt(moment.nanos) + nanos;
  let seconds = total / 1_000_000_000n;
  let rest = total % 1_000_000_000n;
  if (rest < 0n) {
    rest += 1_000_000_000n;
    seconds -= 1n;
  }
  return { ...moment, seconds: moment.seconds + seconds, nanos: Number(rest) };
}

const CENTRAL_EUROPE = { 1: 'CET', 2: 'CEST' };
const EASTERN_EUROPE = { 2: 'EET', 3: 'EEST' };
const WESTERN_EUROPE = { 0: 'WET', 1: 'WEST' };

/** Abbreviations of the time zone database (the files of its regions) that Intl does not know, by hours of offset. */
const ABBREVIATIONS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  ...Object.fromEntries(
    'Amsterdam Andorra Belgrade Berlin Bratislava Brussels Budapest Busingen Copenhagen Gibraltar Ljubljana Luxembourg Madrid Malta Monaco Oslo Paris Podgorica Prague Rome San_Marino Sarajevo Skopje Stockholm Tirane Vaduz Vatican Vienna Warsaw Zagreb Zurich'
      .split(' ')
      .map(city => [`Europe/${city}`, CENTRAL_EUROPE]),
  ),
  ...Object.fromEntries(
    'Athens Bucharest Chisinau Helsinki Kiev Kyiv Mariehamn Riga Sofia Tallinn Vilnius'
      .split(' ')
      .map(city => [`Europe/${city}`, EASTERN_EUROPE]),
  ),
  CET: CENTRAL_EUROPE,
  EET: EASTERN_EUROPE,
  WET: WESTERN_EUROPE,
  'Europe/Lisbon': WESTERN_EUROPE,
  'Atlantic/Canary': WESTERN_EUROPE,
  'Atlantic/Madeira': WESTERN_EUROPE,
  'Europe/Dublin': { 0: 'GMT', 1: 'IST' },
  'Europe/Moscow': { 3: 'MSK', 4: 'MSK' },
  'Europe/Simferopol': { 3: 'MSK' },
  'Asia/Kolkata': { 5.5: 'IST' },
  'Asia/Calcutta': { 5.5: 'IST' },
  'Asia/Jerusalem': { 2: 'IST', 3: 'IDT' },
  'Asia/Tel_Aviv': { 2: 'IST', 3: 'IDT' },
  'Asia/Beirut': EASTERN_EUROPE,
  'Asia/Tokyo': { 9: 'JST' },
  Japan: { 9: 'JST' },
  'Asia/Seoul': { 9: 'KST' },
  'Asia/Shanghai': { 8: 'CST', 9: 'CDT' },
  'Asia/Macau': { 8: 'CST' },
  'Asia/Taipei': { 8: 'CST' },
  'Asia/Hong_Kong': { 8: 'HKT', 9: 'HKST' },
  'Asia/Manila': { 8: 'PST' },
  'Asia/Jakarta': { 7: 'WIB' },
  'Asia/Makassar': { 8: 'WITA' },
  'Asia/Jayapura': { 9: 'WIT' },
  'Asia/Karachi': { 5: 'PKT', 6: 'PKST' },
  'Africa/Cairo': EASTERN_EUROPE,
  'Africa/Johannesburg': { 2: 'SAST' },
  'Africa/Lagos': { 1: 'WAT' },
  'Africa/Nairobi': { 3: 'EAT' },
  'Africa/Harare': { 2: 'CAT' },
  'Africa/Maputo': { 2: 'CAT' },
  'Africa/Algiers': { 1: 'CET' },
  'Africa/Tunis': CENTRAL_EUROPE,
  'Africa/Tripoli': { 2: 'EET' },
  'Pacific/Auckland': { 12: 'NZST', 13: 'NZDT' },
  'Pacific/Guam': { 10: 'ChST' },
  'Pacific/Honolulu': { '-10': 'HST' },
  'Pacific/Pago_Pago': { '-11': 'SST' },
};

/** A moment in a zone, as the zone's own history has it; an unknown zone is UTC. */
function inZone(moment: Moment, zone: string): Moment {
  if (zone === 'UTC' || zone === '' || zone === 'Local') return { ...moment, offset: 0, zone: 'UTC' };
  try {
    if (!/^[A-Za-z0-9_+\-/]+$/.test(zone)) throw new RangeError();
    const date = new Date(Number(moment.seconds) * 1000);
    const show = (style: 'longOffset' | 'short', locale: string): string =>
      new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: style })
        .formatToParts(date)
        .find(part => part.type === 'timeZoneName')?.value ?? '';
    const match = /([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(show('longOffset', 'en-US'));
    const offset =
      match === null
        ? 0
        : (match[1] === '-' ? -1 : 1) *
          (Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0));
    const known = ABBREVIATIONS[zone];
    if (known !== undefined && moment.seconds > 0n) {
      const name = known[offset / 3600];
      if (name !== undefined) return { ...moment, offset, zone: name };
    }
    const short = [show('short', 'en-US'), show('short', 'en-GB'), show('short', 'en-AU')].find(
      name => /^[A-Z]{2,5}$/.test(name) && name !== 'GMT',
    );
    return {
      ...moment,
      offset,
      zone: short ?? (offset === 0 ? 'GMT' : zoneText(offset, false, false, offset % 3600 !== 0)),
    };
  } catch {
    return { ...moment, offset: 0, zone: 'UTC' };
  }
}

/** What stands for the present: a chart must not render differently at every run. */
const NOW: Moment = { seconds: 1_767_225_600n, nanos: 123_456_789, offset: 0, zone: 'UTC' };

type Tracing = { readonly tracer: { unresolved(name: string): void } | undefined };

function given(value: Value, context: Tracing, name: string): Moment {
  const moment = momentOf(value);
  if (moment !== undefined) return moment;
  if (
    value instanceof Int &&
    (value.kind === 'int' || value.kind === 'int64' || value.kind === 'int32') &&
    value.named === undefined
  )
    return { seconds: value.value, nanos: 0, offset: 0, zone: 'UTC' };
  context.tracer?.unresolved(name);
  return NOW;
}

const t = (value: Value): string => value as string;

function durationRound(value: Value): string {
  let nanos = 0n;
  if (typeof value === 'string') {
    try {
      nanos = parseDuration(value);
    } catch (error) {
      if (!(error instanceof GoError)) throw error;
    }
  } else if (value instanceof Int && value.kind === 'int64') nanos = value.value;
  const absolute = nanos < 0n ? -nanos : nanos;
  const hour = 3_600_000_000_000n;
  const sizes: [bigint, string][] = [
    [hour * 24n * 365n, 'y'],
    [hour * 24n * 30n, 'mo'],
    [hour * 24n, 'd'],
    [hour, 'h'],
    [60_000_000_000n, 'm'],
    [1_000_000_000n, 's'],
  ];
  for (const [size, unit] of sizes) if (absolute > size) return `${absolute / size}${unit}`;
  return '0s';
}

const inZoneFn = define('string, any, string', ([layout, date, zone], context) =>
  formatMoment(inZone(given(date, context, 'dateInZone'), t(zone)), t(layout)),
);
const modify = define('string, time', ([text, date]) => {
  try {
    return timeStruct(added(momentOf(date)!, parseDuration(t(text))));
  } catch (error) {
    if (error instanceof GoError) return date;
    throw error;
  }
});
const mustModify = define('string, time', ([text, date]) =>
  timeStruct(added(momentOf(date)!, parseDuration(t(text)))),
);

export const dateFunctions: Readonly<Record<string, Fn>> = {
  now: define('', (_args, context) => {
    context.tracer?.unresolved('now');
    return timeStruct(NOW);
  }),
  ago: define('any', (_args, context) => {
    context.tracer?.unresolved('ago');
    return '0s';
  }),
  date: define('string, any', ([layout, date], context) =>
    formatMoment(inZone(given(date, context, 'date'), 'Local'), t(layout)),
  ),
  dateInZone: inZoneFn,
  date_in_zone: inZoneFn,
  htmlDate: define('any', ([date], context) =>
    formatMoment(inZone(given(date, context, 'htmlDate'), 'Local'), '2006-01-02'),
  ),
  htmlDateInZone: define('any, string', ([date, zone], context) =>
    formatMoment(inZone(given(date, context, 'htmlDateInZone'), t(zone)), '2006-01-02'),
  ),
  dateModify: modify,
  date_modify: modify,
  mustDateModify: mustModify,
  must_date_modify: mustModify,
  duration: define('any', ([value]) => {
    let seconds = 0n;
    if (typeof value === 'string') seconds = /^[+-]?\d+$/.test(value) ? BigInt(value.replace('+', '')) : 0n;
    else if (value instanceof Int && value.kind === 'int64') seconds = value.value;
    return showDuration(BigInt.asIntN(64, seconds * 1_000_000_000n));
  }),
  durationRound: define('any', ([value]) => durationRound(value)),
  toDate: define('string, string', ([layout, text]) => {
    try {
      return timeStruct(parseMoment(t(layout), t(text)));
    } catch (error) {
      if (error instanceof GoError) return timeStruct(ZERO);
      throw error;
    }
  }),
  mustToDate: define('string, string', ([layout, text]) => timeStruct(parseMoment(t(layout), t(text)))),
  unixEpoch: define('time', ([date]) => String(momentOf(date)!.seconds)),
};
