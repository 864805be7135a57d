/** Points in time as Go reads them. Source: Go's time/format.go (parse, with the layout RFC3339). */

/** A point in time: whole seconds since 1970, and the digits after them, nine at most. */
export interface GoTime {
  readonly seconds: number;
  readonly fraction: string;
  /** Seconds east of Greenwich, as it was written. */
  readonly offset: number;
}

/** An hour may have one digit, a comma may stand for the point, and an offset may be as far as 24:60. */
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(?:Z|([-+])(\d\d):(\d\d))$/;

/** @returns undefined for what Go's time.Parse(time.RFC3339, …) refuses */
export function parseRfc3339(text: string): GoTime | undefined {
  const parts = RFC3339.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const [offsetHour, offsetMinute] = [Number(parts[9] ?? 0), Number(parts[10] ?? 0)];
  if (offsetHour > 24 || offsetMinute > 60) return undefined;
  const offset = (offsetHour * 60 + offsetMinute) * (parts[8] === '-' ? -60 : 60);
  return {
    seconds: date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset,
    fraction: parts[7] ?? '',
    offset,
  };
}
