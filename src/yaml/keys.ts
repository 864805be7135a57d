/** Keys repeat all over: the same text gives the same string, which also lets objects share their shape. */
import { hintOf, plainKeyText } from './scalars.ts';

const SLOT_BITS = 12;
const SLOTS = 1 << SLOT_BITS;
const LONGEST = 40;
const slots: string[] = new Array(SLOTS).fill('');

/**
 * The string that a plain key becomes.
 *
 * @returns undefined for a merge, and for what kubectl refuses: null, and integers beyond int64
 */
export function plainKey(text: string, start: number, end: number): string | undefined {
  const length = end - start;
  const slot = slotOf(text, start, length);
  const known = slots[slot]!;
  if (known.length === length && text.startsWith(known, start)) return known;
  const written = text.slice(start, end);
  if (written === '<<') return undefined;
  const key = hintOf(text.charCodeAt(start)) === 0 ? written : plainKeyText(written);
  if (key !== written || length > LONGEST) return key;
  slots[slot] = shared(key);
  return slots[slot];
}

/** Five characters and the length tell nearly all keys apart; those that share a slot only cost time. */
function slotOf(text: string, start: number, length: number): number {
  const last = start + length - 1;
  let hash = Math.imul(text.charCodeAt(start), 31) + text.charCodeAt(start + (length >> 1));
  hash = Math.imul(hash, 31) + text.charCodeAt(last);
  hash = Math.imul(hash, 31) + text.charCodeAt(start + (length >> 2));
  hash = Math.imul(hash, 31) + text.charCodeAt(last - (length >> 2));
  hash = Math.imul(hash, 31) + length;
  return (hash ^ (hash >>> SLOT_BITS)) & (SLOTS - 1);
}

/**
 * The string that property tables hold, with no way round through another one. It also does not keep the file's text
 * alive, as what is cut out of it would.
 */
function shared(text: string): string {
  return Object.keys({ [text]: 0 })[0]!;
}
