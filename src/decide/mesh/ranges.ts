/**
 * Addresses, blocks and ports as the proxies of a mesh compare them. Source: Go's net/netip (ParseAddr, ParsePrefix: no
 * leading zeros, no zone in a block), envoy source/common/network/cidr_range.cc (bits behind the prefix are ignored; an
 * IPv4 address is in no IPv6 block).
 */
import { type AddressRange, parseAddress, parseBlock } from '#decide/network/addresses.ts';

const V6 = 2n ** 32n;
/** The block of IPv4-mapped addresses, as a proxy sees it: no IPv4 address is in it. */
const NOTHING: AddressRange = [-1n, -1n];
const BAD_NUMBER = /(?:^|[.:])0\d+\.|\.0\d/;
const PREFIX = /^(?:0|[1-9]\d{0,2})$/;

/** A zone behind an IPv6 address: which network it is on is not asked. */
const ZONE = /^([^%]*:[^%]*)%.+$/;

/** An address, or undefined where the text is none. */
export function addressOf(text: string): bigint | undefined {
  return BAD_NUMBER.test(text) ? undefined : parseAddress(text);
}

/** The addresses that a value of `ipBlocks` means, or undefined where it is neither address nor block. */
export function rangeOf(text: string): AddressRange | undefined {
  if (BAD_NUMBER.test(text)) return undefined;
  const slash = text.indexOf('/');
  if (slash < 0) {
    const address = parseAddress(ZONE.exec(text)?.[1] ?? text);
    return address === undefined ? undefined : ofFamily(text, [address, address]);
  }
  if (!PREFIX.test(text.slice(slash + 1))) return undefined;
  const block = parseBlock(text);
  return block === undefined ? undefined : ofFamily(text, block);
}

/** A port as Go's ParseUint reads it. */
export function portOf(value: string): number | undefined {
  if (!/^\d{1,20}$/.test(value)) return undefined;
  const port = Number(value);
  return port > 65_535 ? undefined : port;
}

export function isIn(address: bigint, [first, last]: AddressRange): boolean {
  return first <= address && address <= last;
}

function ofFamily(text: string, range: AddressRange): AddressRange {
  return text.includes(':') && range[0] < V6 ? NOTHING : range;
}
