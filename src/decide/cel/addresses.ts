/** IP addresses and CIDR blocks as Go's net/netip reads them. Source: apiserver pkg/cel/library/{ip,cidr}.go. */
import { quoted } from '#kube/go-text.ts';
import { opaque } from './types.ts';
import { Opaque } from './values.ts';

export const IP = opaque('net.IP');
export const CIDR = opaque('net.CIDR');

export class Ip extends Opaque {
  readonly typeName = 'net.IP';
  readonly value: bigint;
  readonly bits: 32 | 128;

  constructor(value: bigint, bits: 32 | 128) {
    super();
    this.value = value;
    this.bits = bits;
  }

  equals(other: Opaque): boolean {
    return other instanceof Ip && other.value === this.value && other.bits === this.bits;
  }

  #within(v4: bigint, v4Bits: bigint, v6: bigint, v6Bits: bigint): boolean {
    return this.bits === 32
      ? this.value >> (32n - v4Bits) === v4 >> (32n - v4Bits)
      : this.value >> (128n - v6Bits) === v6 >> (128n - v6Bits);
  }

  isLoopback(): boolean {
    return this.#within(0x7f000000n, 8n, 1n, 128n);
  }

  isLinkLocalMulticast(): boolean {
    // Go masks the scope: ff?2::/16.
    return this.bits === 32
      ? this.value >> 8n === 0xe00000n
      : (this.value >> 112n) % 16n === 2n && this.value >> 120n === 0xffn;
  }

  isLinkLocalUnicast(): boolean {
    return this.#within(0xa9fe0000n, 16n, 0xfe80n << 112n, 10n);
  }

  isGlobalUnicast(): boolean {
    const multicast = this.#within(0xe0000000n, 4n, 0xffn << 120n, 8n);
    const broadcast = this.bits === 32 && this.value === 0xffffffffn;
    return this.value !== 0n && !broadcast && !multicast && !this.isLoopback() && !this.isLinkLocalUnicast();
  }

  text(): string {
    if (this.bits === 32) return [24n, 16n, 8n, 0n].map(shift => (this.value >> shift) & 0xffn).join('.');
    const groups = Array.from({ length: 8 }, (_, i) =>
      ((this.value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
    );
    let best = { start: -1, length: 1 };
    for (let start = 0; start < 8; start++) {
      let length = 0;
      while (start + length < 8 && groups[start + length] === '0') length++;
      if (length > best.length) best = { start, length };
    }
    if (best.start < 0) return groups.join(':');
    return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
  }
}

export class Cidr extends Opaque {
  readonly typeName = 'net.CIDR';
  readonly ip: Ip;
  readonly length: number;

  constructor(ip: Ip, length: number) {
    super();
    this.ip = ip;
    this.length = length;
  }

  equals(other: Opaque): boolean {
    return other instanceof Cidr && other.length === this.length && other.ip.equals(this.ip);
  }

  contains({ bits, value }: Ip): boolean {
    const rest = BigInt(this.ip.bits - this.length);
    return bits === this.ip.bits && value >> rest === this.ip.value >> rest;
  }

  covers(other: Cidr): boolean {
    return this.length <= other.length && this.contains(other.ip);
  }

  masked(): Cidr {
    const rest = BigInt(this.ip.bits - this.length);
    return new Cidr(new Ip((this.ip.value >> rest) << rest, this.ip.bits), this.length);
  }

  text(): string {
    return `${this.ip.text()}/${this.length}`;
  }
}

/** What is wrong with an address, and where. Source: Go's net/netip/netip.go (parseAddrError). */
class AddressIssue extends Error {
  readonly rest: string;
  constructor(message: string, rest = '') {
    super(message);
    this.rest = rest;
  }
}

/** Source: Go's net/netip/netip.go (parseIPv4Fields). */
function parseV4(text: string): bigint {
  let value = 0n;
  let field = 0;
  let digits = 0;
  let fields = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character >= '0' && character <= '9') {
      if (digits === 1 && field === 0) throw new AddressIssue('IPv4 field has octet with leading zero');
      field = field * 10 + Number(character);
      digits++;
      if (field > 255) throw new AddressIssue('IPv4 field has value >255');
    } else if (character === '.') {
      if (i === 0 || i === text.length - 1 || text[i - 1] === '.')
        throw new AddressIssue('IPv4 field must have at least one digit', text.slice(i));
      if (fields === 3) throw new AddressIssue('IPv4 address too long');
      value = value * 256n + BigInt(field);
      fields++;
      field = 0;
      digits = 0;
    } else throw new AddressIssue('unexpected character', text.slice(i));
  }
  if (fields < 3) throw new AddressIssue('IPv4 address too short');
  return value * 256n + BigInt(field);
}

/** Source: Go's net/netip/netip.go (parseIPv6), without zones. */
function parseV6(text: string): bigint {
  let rest = text;
  const bytes: number[] = [];
  let ellipsis = -1;
  if (rest.startsWith('::')) {
    ellipsis = 0;
    rest = rest.slice(2);
    if (rest === '') return 0n;
  }
  while (bytes.length < 16) {
    const digits = /^[0-9a-fA-F]*/.exec(rest)![0];
    if (digits.length > 4) throw new AddressIssue('each group must have 4 or less digits', rest);
    if (digits === '')
      throw new AddressIssue('each colon-separated field must have at least one digit', rest);
    if (rest[digits.length] === '.') {
      if (ellipsis < 0 && bytes.length !== 12)
        throw new AddressIssue('embedded IPv4 address must replace the final 2 fields of the address', rest);
      if (bytes.length + 4 > 16)
        throw new AddressIssue('too many hex fields to fit an embedded IPv4 address', rest);
      const v4 = parseV4(rest);
      for (const shift of [24n, 16n, 8n, 0n]) bytes.push(Number((v4 >> shift) & 255n));
      rest = '';
      break;
    }
    const group = Number.parseInt(digits, 16);
    bytes.push(group >> 8, group & 255);
    rest = rest.slice(digits.length);
    if (rest === '') break;
    if (rest[0] !== ':') throw new AddressIssue('unexpected character, want colon', rest);
    if (rest.length === 1) throw new AddressIssue('colon must be followed by more characters', rest);
    rest = rest.slice(1);
    if (rest[0] === ':') {
      if (ellipsis >= 0) throw new AddressIssue('multiple :: in address', rest);
      ellipsis = bytes.length;
      rest = rest.slice(1);
      if (rest === '') break;
    }
  }
  if (rest !== '') throw new AddressIssue('trailing garbage after address', rest);
  if (bytes.length < 16) {
    if (ellipsis < 0) throw new AddressIssue('address string too short');
    bytes.splice(ellipsis, 0, ...Array<number>(16 - bytes.length).fill(0));
  } else if (ellipsis >= 0) throw new AddressIssue('the :: must expand to at least one field of zeros');
  return bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
}

/** Go's netip.ParseAddr: the address, or the words of its error. */
function parseAddress(text: string): Ip | string {
  const wrong = (message: string, rest = '') =>
    `ParseAddr(${quoted(text)}): ${message}${rest === '' ? '' : ` (at ${quoted(rest)})`}`;
  const kind = /[.:%]/.exec(text)?.[0];
  if (kind === undefined) return wrong('unable to parse IP');
  if (kind === '%') return wrong('missing IPv6 address');
  try {
    return kind === '.' ? new Ip(parseV4(text), 32) : new Ip(parseV6(text), 128);
  } catch (error) {
    if (error instanceof AddressIssue) return wrong(error.message, error.rest);
    throw error;
  }
}

/** The address, or what is wrong with it. */
export function parseIp(text: string): Ip | string {
  if (text.length > 100) return 'IP Address parse error during conversion from string: too long';
  if (text.includes('%') && text.includes(':') && !text.endsWith('%'))
    return `IP address "${text}" with zone value is not allowed`;
  const ip = parseAddress(text);
  if (typeof ip === 'string')
    return `IP Address ${quoted(text)} parse error during conversion from string: ${ip}`;
  if (isMapped(ip)) return `IPv4-mapped IPv6 address "${text}" is not allowed`;
  return ip;
}

function isMapped({ bits, value }: Ip): boolean {
  return bits === 128 && value >> 32n === 0xffffn;
}

/** The block, or what is wrong with it. Source: Go's net/netip/netip.go (ParsePrefix). */
export function parsePrefix(text: string): Cidr | string {
  const wrong = (why: string) =>
    `network address parse error during conversion from string: netip.ParsePrefix(${quoted(text)}): ${why}`;
  const slash = text.lastIndexOf('/');
  if (slash < 0) return wrong(`no '/'`);
  const length = text.slice(slash + 1);
  const address = text.slice(0, slash);
  if (address.length > 100) return wrong('too long');
  const ip = parseAddress(address.replace(/%.+$/s, ''));
  if (typeof ip === 'string') return wrong(ip);
  if (address.includes('%')) return wrong('IPv6 zones cannot be present in a prefix');
  if (!/^(?:0|[1-9][0-9]{0,17})$/.test(length)) return wrong(`bad bits after slash: ${quoted(length)}`);
  if (Number(length) > ip.bits) return wrong('prefix length out of range');
  return isMapped(ip) ? `IPv4-mapped IPv6 address "${text}" is not allowed` : new Cidr(ip, Number(length));
}
