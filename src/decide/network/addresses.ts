/**
 * IP addresses, CIDR blocks and sets of addresses. IPv4 and IPv6 lie on one line of whole numbers, IPv6 behind IPv4, so
 * that one kind of interval serves both. Source of the notation: net.ParseCIDR of Go and ParseCIDRSloppy of
 * k8s.io/utils/net (leading zeros are decimal), and net.IPNet.Contains (an IPv4-mapped address is an IPv4 address).
 */

/** First and last address on the line, both included. */
export type AddressRange = readonly [first: bigint, last: bigint];

/** Sorted intervals that neither touch nor overlap. */
export type AddressSet = readonly AddressRange[];

const V6 = 2n ** 32n;
const MAPPED = 0xffffn << 32n;
export const ALL_IPV4: AddressSet = [[0n, V6 - 1n]];
export const ALL_IPV6: AddressSet = [[V6, V6 + 2n ** 128n - 1n]];
const NUMBER = /^[0-9]{1,10}$/;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;

/** The place of an address on the line, or undefined where the text is no address. */
export function parseAddress(text: string): bigint | undefined {
  if (text.length > 64) return undefined;
  return text.includes(':') ? onLine(parseIPv6(text)) : parseIPv4(text);
}

/** The addresses of a CIDR block, or undefined where the text is none. Bits behind the prefix are ignored. */
export function parseBlock(text: string): AddressRange | undefined {
  const slash = text.indexOf('/');
  if (slash < 0 || text.length > 64) return undefined;
  const length = text.slice(slash + 1);
  if (!NUMBER.test(length)) return undefined;
  const prefix = Number(length);
  const host = text.slice(0, slash);
  if (!host.includes(':')) {
    const address = parseIPv4(host);
    return address === undefined || prefix > 32 ? undefined : cut(address, BigInt(32 - prefix));
  }
  const address = parseIPv6(host);
  if (address === undefined || prefix > 128) return undefined;
  const [first, last] = cut(address, BigInt(128 - prefix));
  return prefix >= 96 && first >> 32n === MAPPED >> 32n
    ? [first - MAPPED, last - MAPPED]
    : [first + V6, last + V6];
}

export function formatAddress(address: bigint): string {
  if (address < V6) return [24n, 16n, 8n, 0n].map(shift => `${(address >> shift) & 0xffn}`).join('.');
  const groups: string[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n)
    groups.push((((address - V6) >> shift) & 0xffffn).toString(16));
  return shorten(groups);
}

/** An interval as people write it: a block where it is one, else first and last address. */
export function formatRange([first, last]: AddressRange): string {
  if (first === last) return formatAddress(first);
  const base = first < V6 ? 0n : V6;
  const width = first < V6 ? 32 : 128;
  const size = last - first + 1n;
  const bits = size.toString(2).length - 1;
  if (size === 1n << BigInt(bits) && (first - base) % size === 0n)
    return `${formatAddress(first)}/${width - bits}`;
  return `${formatAddress(first)}-${formatAddress(last)}`;
}

/** The fewest blocks that a range is made of, in CIDR notation. */
export function rangeBlocks([first, last]: AddressRange): string[] {
  const [base, width] = first < V6 ? [0n, 32] : [V6, 128];
  const blocks: string[] = [];
  for (let next = first; next <= last; ) {
    let bits = 0;
    while (bits < width) {
      const size = 1n << BigInt(bits + 1);
      if ((next - base) % size !== 0n || next + size - 1n > last) break;
      bits++;
    }
    blocks.push(`${formatAddress(next)}/${width - bits}`);
    next += 1n << BigInt(bits);
  }
  return blocks;
}

/** What {@link formatRange} wrote. */
export function parseRange(text: string): AddressRange | undefined {
  const dash = text.indexOf('-');
  if (text.includes('/')) return parseBlock(text);
  const [first, last] = dash < 0 ? [text, text] : [text.slice(0, dash), text.slice(dash + 1)];
  const [from, to] = [parseAddress(first), parseAddress(last)];
  return from === undefined || to === undefined ? undefined : [from, to];
}

export function addressSet(ranges: readonly AddressRange[]): AddressSet {
  const sorted = [...ranges].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const merged: [bigint, bigint][] = [];
  for (const [first, last] of sorted) {
    const previous = merged.at(-1);
    // The two families stay apart, so that a range always has one notation.
    if (previous !== undefined && first <= previous[1] + 1n && first !== V6) {
      if (last > previous[1]) previous[1] = last;
    } else merged.push([first, last]);
  }
  return merged;
}

/** What is in the set and in none of the ranges. */
export function without(set: AddressSet, ranges: readonly AddressRange[]): AddressSet {
  const cuts = addressSet(ranges);
  const rest: AddressRange[] = [];
  let at = 0;
  for (const [first, last] of set) {
    let next = first;
    while (at < cuts.length && cuts[at]![1] < next) at++;
    for (let cut = at; cut < cuts.length && cuts[cut]![0] <= last; cut++) {
      if (next < cuts[cut]![0]) rest.push([next, cuts[cut]![0] - 1n]);
      next = cuts[cut]![1] + 1n;
    }
    if (next <= last) rest.push([next, last]);
  }
  return rest;
}

/** What is in both. */
export function overlap(a: AddressSet, b: AddressSet): AddressSet {
  return without(a, without(a, b));
}

/** How much of `some` lies in `set`. */
export function share(set: AddressSet, some: AddressSet): 'none' | 'part' | 'all' {
  let inside = false;
  let outside = false;
  for (const [first, last] of some) {
    let next = first;
    for (const range of set) {
      if (range[1] < next || last < range[0]) continue;
      inside = true;
      if (range[0] > next) outside = true;
      next = range[1] + 1n;
      if (next > last) break;
    }
    if (next <= last) outside = true;
  }
  return inside ? (outside ? 'part' : 'all') : 'none';
}

/** Which families an address set has. */
export function familiesOf(set: AddressSet): { readonly ipv4: boolean; readonly ipv6: boolean } {
  return { ipv4: set.some(([first]) => first < V6), ipv6: set.some(([, last]) => last >= V6) };
}

/**
 * The addresses that a pod can have: unicast, neither loopback nor link-local nor "this network".
 *
 * @param families those that the cluster is known to use
 */
export function podAddresses(families: { readonly ipv4: boolean; readonly ipv6: boolean }): AddressSet {
  return [
    ...(families.ipv4
      ? without(ALL_IPV4, ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'].map(known))
      : []),
    ...(families.ipv6
      ? without(ALL_IPV6, ['::/127', '::ffff:0:0/95', 'fe80::/10', 'ff00::/8'].map(known))
      : []),
  ];
}

function known(block: string): AddressRange {
  return parseBlock(block)!;
}

function cut(address: bigint, bits: bigint): AddressRange {
  const first = (address >> bits) << bits;
  return [first, first + (1n << bits) - 1n];
}

function onLine(address: bigint | undefined): bigint | undefined {
  if (address === undefined) return undefined;
  return address >> 32n === MAPPED >> 32n ? address - MAPPED : address + V6;
}

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let address = 0n;
  for (const part of parts) {
    if (!NUMBER.test(part) || Number(part) > 255) return undefined;
    address = (address << 8n) | BigInt(Number(part));
  }
  return address;
}

function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupsOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  let address = 0n;
  for (const group of [...head, ...new Array<number>(missing).fill(0), ...tail])
    address = (address << 16n) | BigInt(group);
  return address;
}

/** The groups of one side of `::`; the last one may be an IPv4 address where the text ends there. */
function groupsOf(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const address = atEnd && index === parts.length - 1 ? parseIPv4(part) : undefined;
    if (address === undefined) return undefined;
    groups.push(Number(address >> 16n), Number(address & 0xffffn));
  }
  return groups;
}

function shorten(groups: readonly string[]): string {
  let start = -1;
  let length = 1;
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (groups[end] === '0') end++;
    if (end - i > length) [start, length] = [i, end - i];
    if (end > i) i = end;
  }
  if (start < 0) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}
