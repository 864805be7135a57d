/** The functions that Kubernetes adds. Source: apiserver pkg/cel/library/*.go, and pkg/cel/environment/base.go for when. */
import { CIDR, Cidr, IP, type Ip, parseIp, parsePrefix } from './addresses.ts';
import { authorization } from './authorizer.ts';
import {
  type Functions,
  fits,
  global,
  listCost,
  member,
  merge,
  NO_OVERLOAD,
  regexCost,
  since,
  sizeOf,
  traversal,
} from './declare.ts';
import { FORMAT, FORMATS, type Format } from './formats.ts';
import { isQuantity, parseQuantity, QUANTITY, Quantity } from './quantity.ts';
import { regexFind, regexIssue } from './regex.ts';
import { parseSemver, SEMVER, type Semver } from './semver.ts';
import { compare, standard } from './standard.ts';
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
  UINT,
} from './types.ts';
import { parseUrl, URL_TYPE, type Url } from './urls.ts';
import { CelError, type CelValue, Duration, equal, isList, Optional, Uint } from './values.ts';

const A = param('A');
const COMPARABLE: readonly Type[] = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES];

function sum(zero: CelValue): (list: readonly CelValue[]) => CelValue {
  return list => {
    let total = zero;
    for (const item of list) {
      const add = standard['_+_']!.find(
        ({ args: [a, b] }) => a!.kind === b!.kind && fits(total, a!) && fits(item, b!),
      );
      if (add === undefined) return new CelError('no such overload');
      total = add.run([total, item]);
      if (total instanceof CelError) return total;
    }
    return total;
  };
}

function isComparable(value: CelValue): boolean {
  return COMPARABLE.some(type => fits(value, type));
}

function extreme(name: string, sign: number): (list: readonly CelValue[]) => CelValue {
  return list => {
    let best: CelValue | undefined;
    for (const item of list) {
      if (best === undefined) {
        best = item;
        continue;
      }
      if (!isComparable(item)) return NO_OVERLOAD;
      const order = compare(best, item);
      if (typeof order === 'number' && Math.sign(order) === sign) best = item;
    }
    return best ?? new CelError(`${name} called on empty list`);
  };
}

function isSorted(list: readonly CelValue[]): CelValue {
  for (let i = 1; i < list.length; i++) {
    if (!isComparable(list[i - 1]!) || !isComparable(list[i]!)) return NO_OVERLOAD;
    // What cannot be compared with each other is not out of order either.
    const order = compare(list[i - 1]!, list[i]!);
    if (typeof order === 'number' && order > 0) return false;
  }
  return true;
}

const lists: Functions = {
  isSorted: COMPARABLE.map(type => member([listOf(type)], BOOL, isSorted, listCost)),
  sum: (
    [
      [INT, 0n],
      [UINT, new Uint(0n)],
      [DOUBLE, 0],
      [DURATION, new Duration(0n)],
    ] as const
  ).map(([type, zero]) => member([listOf(type)], type, sum(zero), listCost)),
  max: COMPARABLE.map(type => member([listOf(type)], type, extreme('max', -1), listCost)),
  min: COMPARABLE.map(type => member([listOf(type)], type, extreme('min', 1), listCost)),
  indexOf: [
    member(
      [listOf(A), A],
      INT,
      (list: readonly CelValue[], item: CelValue) => BigInt(list.findIndex(one => equal(one, item))),
      listCost,
    ),
  ],
  lastIndexOf: [
    member(
      [listOf(A), A],
      INT,
      (list: readonly CelValue[], item: CelValue) => BigInt(list.findLastIndex(one => equal(one, item))),
      listCost,
    ),
  ],
  includes: [
    {
      ...member(
        [DYN, DYN],
        BOOL,
        (target: CelValue, item: CelValue) =>
          isList(target) ? target.some(one => equal(one, item)) : equal(target, item),
        listCost,
      ),
      since: 37,
    },
  ],
};

const illegal = (issue: string) => new CelError(`Illegal regex: ${issue}`);

function findAll(text: string, pattern: string, limit: bigint): CelValue {
  const issue = regexIssue(pattern);
  return issue === undefined ? regexFind(pattern, text, Number(limit)) : illegal(issue);
}

const regex: Functions = {
  find: [
    member(
      [STRING, STRING],
      STRING,
      (text: string, pattern: string) => {
        const issue = regexIssue(pattern);
        return issue === undefined ? (regexFind(pattern, text, 1)[0] ?? '') : illegal(issue);
      },
      regexCost,
    ),
  ],
  findAll: [
    member(
      [STRING, STRING],
      listOf(STRING),
      (text: string, pattern: string) => findAll(text, pattern, -1n),
      regexCost,
    ),
    member([STRING, STRING, INT], listOf(STRING), findAll, regexCost),
  ],
};

const urls: Functions = {
  url: [
    global(
      [STRING],
      URL_TYPE,
      (text: string) => {
        const url = parseUrl(text);
        return typeof url === 'string'
          ? new CelError(`URL parse error during conversion from string: ${url}`)
          : url;
      },
      traversal(),
    ),
  ],
  isURL: [global([STRING], BOOL, (text: string) => typeof parseUrl(text) !== 'string')],
  getScheme: [member([URL_TYPE], STRING, (url: Url) => url.scheme)],
  getHost: [member([URL_TYPE], STRING, (url: Url) => url.host)],
  getHostname: [member([URL_TYPE], STRING, (url: Url) => url.hostname)],
  getPort: [member([URL_TYPE], STRING, (url: Url) => url.port)],
  getEscapedPath: [member([URL_TYPE], STRING, (url: Url) => url.escapedPath)],
  getQuery: [member([URL_TYPE], mapOf(STRING, listOf(STRING)), (url: Url) => url.query())],
};

const quantity: Functions = since(28, {
  quantity: [
    global(
      [STRING],
      QUANTITY,
      (text: string) => {
        const parsed = parseQuantity(text);
        return (
          parsed ??
          new CelError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
          )
        );
      },
      traversal(),
    ),
  ],
  isQuantity: [global([STRING], BOOL, isQuantity, traversal())],
  // The documentation calls it as a method; it is declared as a function.
  sign: [global([QUANTITY], INT, (q: Quantity) => BigInt(q.compare(Quantity.zero)))],
  isGreaterThan: [member([QUANTITY, QUANTITY], BOOL, (a: Quantity, b: Quantity) => a.compare(b) > 0)],
  isLessThan: [member([QUANTITY, QUANTITY], BOOL, (a: Quantity, b: Quantity) => a.compare(b) < 0)],
  compareTo: [member([QUANTITY, QUANTITY], INT, (a: Quantity, b: Quantity) => BigInt(a.compare(b)))],
  asApproximateFloat: [member([QUANTITY], DOUBLE, (q: Quantity) => q.approximate())],
  asInteger: [
    member([QUANTITY], INT, (q: Quantity) => q.integer() ?? new CelError('cannot convert value to integer')),
  ],
  isInteger: [member([QUANTITY], BOOL, (q: Quantity) => q.integer() !== undefined)],
  add: [
    member([QUANTITY, QUANTITY], QUANTITY, (a: Quantity, b: Quantity) => a.plus(b)),
    member([QUANTITY, INT], QUANTITY, (a: Quantity, b: bigint) => a.plus(Quantity.of(b))),
  ],
  sub: [
    member([QUANTITY, QUANTITY], QUANTITY, (a: Quantity, b: Quantity) => a.minus(b)),
    member([QUANTITY, INT], QUANTITY, (a: Quantity, b: bigint) => a.minus(Quantity.of(b))),
  ],
});

const ipOf = (text: string): CelValue => {
  const ip = parseIp(text);
  return typeof ip === 'string' ? new CelError(ip) : ip;
};
const cidrOf = (text: string): CelValue => {
  const cidr = parsePrefix(text);
  return typeof cidr === 'string'
    ? new CelError(`network address parse error during conversion from string: ${cidr}`)
    : cidr;
};
const containsIpCost =
  (parsing: boolean) =>
  ([cidr, other]: readonly CelValue[]): number =>
    Math.ceil(sizeOf(cidr) * 2 * 0.1) + (parsing ? Math.ceil(sizeOf(other) * 0.1) : 0);
const containsCidrCost =
  (parsing: boolean) =>
  (args: readonly CelValue[]): number =>
    containsIpCost(parsing)(args) + Math.ceil(sizeOf(args[0]) * 0.1) + 1;

const network: Functions = since(30, {
  ip: [global([STRING], IP, ipOf, traversal()), member([CIDR], IP, (cidr: Cidr) => cidr.ip)],
  isIP: [global([STRING], BOOL, (text: string) => typeof parseIp(text) !== 'string', traversal())],
  'ip.isCanonical': [
    global(
      [STRING],
      BOOL,
      (text: string) => {
        const ip = parseIp(text);
        return typeof ip === 'string' ? new CelError(ip) : ip.text() === text;
      },
      traversal(2),
    ),
  ],
  family: [member([IP], INT, (ip: Ip) => (ip.bits === 32 ? 4n : 6n))],
  isUnspecified: [member([IP], BOOL, (ip: Ip) => ip.value === 0n)],
  isLoopback: [member([IP], BOOL, (ip: Ip) => ip.isLoopback())],
  isLinkLocalMulticast: [member([IP], BOOL, (ip: Ip) => ip.isLinkLocalMulticast())],
  isLinkLocalUnicast: [member([IP], BOOL, (ip: Ip) => ip.isLinkLocalUnicast())],
  isGlobalUnicast: [member([IP], BOOL, (ip: Ip) => ip.isGlobalUnicast())],
  cidr: [global([STRING], CIDR, cidrOf, traversal())],
  isCIDR: [global([STRING], BOOL, (text: string) => typeof parsePrefix(text) !== 'string', traversal())],
  containsIP: [
    member(
      [CIDR, STRING],
      BOOL,
      (cidr: Cidr, text: string) => {
        const ip = parseIp(text);
        return typeof ip === 'string' ? new CelError(ip) : cidr.contains(ip);
      },
      containsIpCost(true),
    ),
    member([CIDR, IP], BOOL, (cidr: Cidr, ip: Ip) => cidr.contains(ip), containsIpCost(false)),
  ],
  containsCIDR: [
    member(
      [CIDR, STRING],
      BOOL,
      (cidr: Cidr, text: string) => {
        const other = cidrOf(text);
        return other instanceof Cidr ? cidr.covers(other) : other;
      },
      containsCidrCost(true),
    ),
    member([CIDR, CIDR], BOOL, (cidr: Cidr, other: Cidr) => cidr.covers(other), containsCidrCost(false)),
  ],
  prefixLength: [member([CIDR], INT, (cidr: Cidr) => BigInt(cidr.length))],
  masked: [member([CIDR], CIDR, (cidr: Cidr) => cidr.masked())],
  string: [global([IP], STRING, (ip: Ip) => ip.text()), global([CIDR], STRING, (cidr: Cidr) => cidr.text())],
});

const formats: Functions = since(31, {
  'format.named': [
    global([STRING], optionalOf(FORMAT), (name: string) =>
      Object.hasOwn(FORMATS, name) ? new Optional(FORMATS[name]!) : new Optional(),
    ),
  ],
  validate: [
    member(
      [FORMAT, STRING],
      optionalOf(listOf(STRING)),
      (format: Format, text: string) => {
        const issues = format.validate(text);
        return issues.length === 0 ? new Optional() : new Optional(issues);
      },
      ([format, text]) =>
        Math.ceil((1 + sizeOf(text)) * 0.1) * Math.ceil((format as Format).regexSize * 0.25),
    ),
  ],
  ...Object.fromEntries(
    Object.entries(FORMATS).map(([name, format]) => [`format.${name}`, [global([], FORMAT, () => format)]]),
  ),
});

const semverOf = (text: string, normalize: boolean): CelValue => {
  const version = parseSemver(text, normalize);
  return typeof version === 'string' ? new CelError(version) : version;
};
const isSemver = (text: string, normalize: boolean): CelValue =>
  typeof parseSemver(text, normalize) !== 'string';

const semver: Functions = since(33, {
  semver: [
    global([STRING], SEMVER, (text: string) => semverOf(text, false), traversal()),
    global([STRING, BOOL], SEMVER, semverOf, traversal()),
  ],
  isSemver: [
    global([STRING], BOOL, (text: string) => isSemver(text, false), traversal()),
    global([STRING, BOOL], BOOL, isSemver, traversal()),
  ],
  isGreaterThan: [member([SEMVER, SEMVER], BOOL, (a: Semver, b: Semver) => a.compare(b) > 0)],
  isLessThan: [member([SEMVER, SEMVER], BOOL, (a: Semver, b: Semver) => a.compare(b) < 0)],
  compareTo: [member([SEMVER, SEMVER], INT, (a: Semver, b: Semver) => BigInt(a.compare(b)))],
  major: [member([SEMVER], INT, (version: Semver) => version.major)],
  minor: [member([SEMVER], INT, (version: Semver) => version.minor)],
  patch: [member([SEMVER], INT, (version: Semver) => version.patch)],
});

export const kubernetes: Functions = merge(
  lists,
  regex,
  urls,
  quantity,
  network,
  formats,
  semver,
  authorization,
);

/** Only where an expression makes patches. */
export const jsonPatch: Functions = {
  'jsonpatch.escapeKey': [
    global([STRING], STRING, (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1'), traversal()),
  ],
};

/** The types that have names in expressions; those of URLs, quantities and versions have none. */
export const KUBERNETES_TYPES: Readonly<Record<string, Type>> = {
  'net.IP': IP,
  'net.CIDR': CIDR,
};
