/** Semantic versions. Source: github.com/blang/semver/v4, apiserver pkg/cel/library/semverlib.go. */
import { quoted } from '#kube/go-text.ts';
import { opaque } from './types.ts';
import { MAX_UINT, Opaque } from './values.ts';

export const SEMVER = opaque('kubernetes.Semver');

const DIGITS = /^[0-9]*$/;
const WORD = /^[0-9A-Za-z-]+$/;

export class Semver extends Opaque {
  readonly typeName = 'kubernetes.Semver';
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly before: readonly string[];

  constructor(major: bigint, minor: bigint, patch: bigint, before: readonly string[]) {
    super();
    this.major = major;
    this.minor = minor;
    this.patch = patch;
    this.before = before;
  }

  equals(other: Opaque): boolean {
    return other instanceof Semver && this.compare(other) === 0;
  }

  compare(other: Semver): number {
    for (const part of ['major', 'minor', 'patch'] as const)
      if (this[part] !== other[part]) return this[part] < other[part] ? -1 : 1;
    if (this.before.length === 0 || other.before.length === 0)
      return this.before.length === other.before.length ? 0 : this.before.length === 0 ? 1 : -1;
    for (let i = 0; i < Math.min(this.before.length, other.before.length); i++) {
      const sign = compareParts(this.before[i]!, other.before[i]!);
      if (sign !== 0) return sign;
    }
    return Math.sign(this.before.length - other.before.length);
  }
}

/** Numbers are before words. */
function compareParts(a: string, b: string): number {
  if (a === b) return 0;
  const numbers = [a, b].map(part => DIGITS.test(part));
  if (numbers[0] && numbers[1]) return BigInt(a) < BigInt(b) ? -1 : 1;
  if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
  return a < b ? -1 : 1;
}

/** The version, or what is wrong with it. */
export function parseSemver(text: string, normalize: boolean): Semver | string {
  if (text.length > 1000) return 'version is too long';
  const normal = normalize ? normalized(text) : text;
  if (normal === undefined) return 'short version cannot contain PreRelease/Build meta data';
  if (normal === '') return 'Version string empty';
  const parts = splitN(normal);
  if (parts.length !== 3) return 'No Major.Minor.Patch elements found';
  const [majorText, minorText, rest] = parts as [string, string, string];
  const plus = rest.indexOf('+');
  const front = plus < 0 ? rest : rest.slice(0, plus);
  const dash = front.indexOf('-');
  const numbers: bigint[] = [];
  for (const [name, number] of [
    ['Major', majorText],
    ['Minor', minorText],
    ['Patch', dash < 0 ? front : front.slice(0, dash)],
  ] as const) {
    if (!DIGITS.test(number))
      return `Invalid character(s) found in ${name.toLowerCase()} number ${quoted(number)}`;
    if (/^0./.test(number)) return `${name} number must not contain leading zeroes ${quoted(number)}`;
    const issue = unsignedIssue(number);
    if (issue !== undefined) return issue;
    numbers.push(BigInt(number));
  }
  const before = dash < 0 ? [] : front.slice(dash + 1).split('.');
  for (const part of before) {
    if (part === '') return 'Prerelease is empty';
    if (DIGITS.test(part)) {
      if (/^0./.test(part))
        return `Numeric PreRelease version must not contain leading zeroes ${quoted(part)}`;
      const issue = unsignedIssue(part);
      if (issue !== undefined) return issue;
    } else if (!WORD.test(part)) return `Invalid character(s) found in prerelease ${quoted(part)}`;
  }
  for (const part of plus < 0 ? [] : rest.slice(plus + 1).split('.')) {
    if (part === '') return 'Build meta data is empty';
    if (!WORD.test(part)) return `Invalid character(s) found in build meta data ${quoted(part)}`;
  }
  const [major, minor, patch] = numbers as [bigint, bigint, bigint];
  return new Semver(major, minor, patch, before);
}

/** Go's strconv.ParseUint, of digits. */
function unsignedIssue(digits: string): string | undefined {
  if (digits === '') return 'strconv.ParseUint: parsing "": invalid syntax';
  return BigInt(digits) > MAX_UINT ? `strconv.ParseUint: parsing "${digits}": value out of range` : undefined;
}

function splitN(text: string): string[] {
  const [major, minor, ...rest] = text.split('.');
  return [major, minor, ...(rest.length > 0 ? [rest.join('.')] : [])].filter(part => part !== undefined);
}

function normalized(text: string): string | undefined {
  const parts = splitN(text.replace(/^v/, '')).map(part => {
    if (part.length < 2) return part;
    const stripped = part.replace(/^0+/, '');
    return /^[0-9]/.test(stripped) ? stripped : `0${stripped}`;
  });
  if (parts.length < 3 && /[+-]/.test(parts.at(-1) ?? '')) return undefined;
  while (parts.length < 3) parts.push('0');
  return parts.join('.');
}
