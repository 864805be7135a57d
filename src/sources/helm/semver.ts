/** Versions and constraints as Masterminds/semver v3 decides them (version.go, constraints.go). */
import { GoError } from './value.ts';

export interface Version {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly pre: string;
  readonly metadata: string;
  readonly original: string;
}

const LOOSE =
  /^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(-([0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?(\+([0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?$/;

const MAX = (1n << 64n) - 1n;

export function newVersion(text: string): Version {
  const match = LOOSE.exec(text);
  if (match === null || text.includes('\n')) throw new GoError('invalid semantic version');
  const segment = (part: string | undefined): bigint => {
    const digits = (part ?? '').replace(/^\./, '');
    const value = BigInt(digits === '' ? '0' : digits);
    if (value > MAX)
      throw new GoError(
        `error parsing version segment: strconv.ParseUint: parsing "${digits}": value out of range`,
      );
    return value;
  };
  const version: Version = {
    major: segment(match[1]),
    minor: segment(match[2]),
    patch: segment(match[3]),
    pre: match[5] ?? '',
    metadata: match[8] ?? '',
    original: text,
  };
  for (const part of version.pre.split('.')) {
    if (/^0[0-9]+$/.test(part)) throw new GoError('version segment starts with 0');
  }
  return version;
}

export const showVersion = (version: Version): string =>
  `${version.major}.${version.minor}.${version.patch}${version.pre === '' ? '' : `-${version.pre}`}${version.metadata === '' ? '' : `+${version.metadata}`}`;

export function compareVersions(a: Version, b: Version): number {
  for (const part of ['major', 'minor', 'patch'] as const)
    if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1;
  if (a.pre === b.pre) return 0;
  if (a.pre === '') return 1;
  if (b.pre === '') return -1;
  return comparePre(a.pre, b.pre);
}

function comparePre(a: string, b: string): number {
  const x = a.split('.');
  const y = b.split('.');
  for (let at = 0; at < Math.max(x.length, y.length); at++) {
    const [s, o] = [x[at] ?? '', y[at] ?? ''];
    if (s === o) continue;
    if (s === '') return -1;
    if (o === '') return 1;
    const sNumber = /^\d+$/.test(s);
    const oNumber = /^\d+$/.test(o);
    if (sNumber && oNumber) {
      if (BigInt(s) !== BigInt(o)) return BigInt(s) < BigInt(o) ? -1 : 1;
    } else if (sNumber) return -1;
    else if (oNumber) return 1;
    else return s > o ? 1 : -1;
  }
  return 0;
}

interface Constraint {
  readonly op: string;
  readonly version: Version;
  readonly dirty: boolean;
  readonly minorDirty: boolean;
  readonly patchDirty: boolean;
}

const CV =
  'v?([0-9|x|X|\\*]+)(\\.[0-9|x|X|\\*]+)?(\\.[0-9|x|X|\\*]+)?(-([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?(\\+([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?';
const OPS = '=||!=|>|<|>=|=>|<=|=<|~|~>|\\^';
/** Go tries alternatives in order but takes the first that lets the whole match; JavaScript does alike. */
const ONE = new RegExp(`^\\s*(${OPS})\\s*(${CV})\\s*$`);
const RANGE = new RegExp(`\\s*(${CV})\\s+-\\s+(${CV})\\s*`, 'g');
const FIND = new RegExp(`(${OPS})\\s*(${CV})`, 'g');
/** A constraint longer than this is refused: the patterns are not linear. */
const MAX_CONSTRAINT = 512;

export function newConstraint(text: string): (version: Version) => boolean {
  if (text.length > MAX_CONSTRAINT) throw new GoError('improper constraint: it is too long');
  const rewritten = text.replace(
    RANGE,
    (_all, first: string, ...rest: unknown[]) => `>= ${first}, <= ${String(rest[9])} `,
  );
  const groups = rewritten.split('||').map(part => {
    if (!isValid(part)) throw new GoError(`improper constraint: ${part}`);
    return (part.match(FIND) ?? [part]).map(parseConstraint);
  });
  return version =>
    groups.some(group => {
      const includePre = group.some(one => one.version.pre !== '');
      return group.every(one => check(version, one, includePre));
    });
}

const PART = new RegExp(`^\\s*(?:${OPS})\\s*${CV}\\s*(?=,|\\s|$|=|!|<|>|~|\\^)`);

/** The whole part as Go's validConstraintRegex wants it: constraints apart by spaces or a comma. */
function isValid(part: string): boolean {
  const whole = new RegExp(`^(\\s*(${OPS})\\s*(${CV})\\s*)((?:\\s+|,\\s*)(${OPS})\\s*(${CV})\\s*)*$`);
  return PART.test(part) && whole.test(part);
}

const isX = (text: string | undefined): boolean => text === 'x' || text === 'X' || text === '*';

function parseConstraint(text: string): Constraint {
  const match = ONE.exec(text);
  if (match === null) throw new GoError(`improper constraint: ${text}`);
  const [, op, whole, major, minor, patch, pre] = match as unknown as string[];
  let version = whole!;
  let [dirty, minorDirty, patchDirty] = [false, false, false];
  if (isX(major) || major === undefined) {
    version = `0.0.0${pre ?? ''}`;
    dirty = true;
  } else if (minor === undefined || isX(minor.slice(1))) {
    minorDirty = true;
    dirty = true;
    version = `${major}.0.0${pre ?? ''}`;
  } else if (patch === undefined || isX(patch.slice(1))) {
    dirty = true;
    patchDirty = true;
    version = `${major}${minor}.0${pre ?? ''}`;
  }
  try {
    return { op: op!, version: newVersion(version), dirty, minorDirty, patchDirty };
  } catch (error) {
    if (error instanceof GoError) throw new GoError('constraint parser error');
    throw error;
  }
}

function check(v: Version, c: Constraint, includePre: boolean): boolean {
  if (v.pre !== '' && !includePre) return false;
  const con = c.version;
  const compared = compareVersions(v, con);
  switch (c.op) {
    case '!=':
      if (c.dirty) {
        if (con.major !== v.major) return true;
        if (con.minor !== v.minor && !c.minorDirty) return true;
        if (c.minorDirty) return false;
        if (con.patch !== v.patch && !c.patchDirty) return true;
        if (c.patchDirty) return (v.pre !== '' || con.pre !== '') && v.pre !== con.pre;
      }
      return compared !== 0;
    case '>':
      if (!c.dirty) return compared === 1;
      if (v.major !== con.major) return v.major > con.major;
      if (c.minorDirty) return false;
      if (c.patchDirty) return v.minor > con.minor;
      return compared === 1;
    case '<':
      return compared < 0;
    case '>=':
    case '=>':
      return compared >= 0;
    case '<=':
    case '=<':
      if (!c.dirty) return compared <= 0;
      if (v.major > con.major) return false;
      return !(v.major === con.major && v.minor > con.minor && !c.minorDirty);
    case '~':
    case '~>':
      return tilde(v, c, compared);
    case '^':
      if (compared < 0) return false;
      if (con.major > 0n || c.minorDirty) return v.major === con.major;
      if (v.major > 0n) return false;
      if (con.minor > 0n || c.patchDirty) return v.minor === con.minor;
      if (v.minor > 0n) return false;
      return con.patch === v.patch;
    default:
      return c.dirty ? tilde(v, c, compared) : compared === 0;
  }
}

function tilde(v: Version, c: Constraint, compared: number): boolean {
  const con = c.version;
  if (compared < 0) return false;
  if (con.major === 0n && con.minor === 0n && con.patch === 0n && !c.minorDirty && !c.patchDirty) return true;
  return v.major === con.major && (v.minor === con.minor || c.minorDirty);
}
