/** IP addresses and CIDR blocks as Go's net/netip reads them. Source: apiserver pkg/cel/library/{ip,cidr}.go. */
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

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some(part => !/^(?:0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255))
    return undefined;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groupsOf = (half: string, last: boolean): string[] | undefined => {
    if (half === '') return [];
    const groups = half.split(':');
    const tail = groups.at(-1)!;
    if (last && tail.includes('.')) {
      const v4 = parseV4(tail);
      if (v4 === undefined) return undefined;
      groups.splice(-1, 1, (v4 >> 16n).toString(16), (v4 & 0xffffn).toString(16));
    }
    return groups.every(group => /^[0-9a-fA-F]{1,4}$/.test(group)) ? groups : undefined;
  };
  const head = groupsOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 1 ? [] : groupsOf(halves[1]!, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...Array<string>(missing).fill('0'), ...tail].reduce(
    (value, group) => value * 65_536n + BigInt(`0x${group}`),
    0n,
  );
}

/** The address, or what is wrong with it. */
export function parseIp(text: string): Ip | string {
  if (text.length > 100) return `IP Address parse error during conversion from string: too long`;
  if (text.includes('%')) return `IP address "${text}" with zone value is not allowed`;
  const v6 = text.includes(':');
  const value = v6 ? parseV6(text) : parseV4(text);
  if (value === undefined)
    return `IP Address "${text}" parse error during conversion from string: ParseAddr("${text}"): unable to parse IP`;
  if (v6 && value >> 32n === 0xffffn) return `IPv4-mapped IPv6 address "${text}" is not allowed`;
  return new Ip(value, v6 ? 128 : 32);
}

/** The block, or what is wrong with it. */
export function parsePrefix(text: string): Cidr | string {
  const wrong = (why: string) =>
    `network address parse error during conversion from string: netip.ParsePrefix("${text}"): ${why}`;
  const slash = text.lastIndexOf('/');
  if (slash < 0) return wrong(`no '/'`);
  const length = text.slice(slash + 1);
  const ip = parseIp(text.slice(0, slash));
  if (typeof ip === 'string')
    return ip.startsWith('IPv4-mapped') ? `IPv4-mapped IPv6 address "${text}" is not allowed` : wrong(ip);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return wrong('bad bits after slash');
  if (Number(length) > ip.bits) return wrong('prefix length out of range');
  return new Cidr(ip, Number(length));
}
