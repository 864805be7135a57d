/**
 * Entries of an audit log, read for the few fields that say who asked for what.
 *
 * An entry is a kilobyte of which a third counts, and most entries say what thousands before them said. So the bytes are
 * gone through once: what counts is copied into a small document of its own, and only a small document that is new is
 * parsed. Anything unusual, and anything that may be broken, is left to `JSON.parse` and to whoever judges entries as a
 * whole: what is answered here is always what they would answer.
 */
import { type AuditEvent, auditEventsOf, parseEntry } from '#kube/audit.ts';

/** Small documents are remembered up to this number; then it begins anew, so that memory stays the same. */
const MOST_REMEMBERED = 10_000;
/** A longer one is no usual entry: thousands of groups, for example. */
const LONGEST = 16 * 1024;
/** Deeper values are left to `JSON.parse`. */
const DEEPEST = 64;

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const [ZERO, NINE, MINUS, DOT, UPPER_E, LOWER_E, LOWER_U] = [0x30, 0x39, 0x2d, 0x2e, 0x45, 0x65, 0x75];
const [TRUE, FALSE, NULL] = ['true', 'false', 'null'].map(word => Buffer.from(word)) as [
  Buffer,
  Buffer,
  Buffer,
];
/** What may stand behind a backslash beside `u`. */
const ESCAPES = new Set(Buffer.from('"\\/bfnrt'));

/** What of an object counts: whole, in part, or so much that the object is no usual entry. */
type Wanted = 'whole' | 'unusual' | { readonly [key: string]: Wanted };

const WRITTEN: Wanted = { roleRef: 'whole', spec: { signerName: 'whole' } };
/** The fields that `auditEventsOf` looks at in an entry of the API server's own. */
const ENTRY: Wanted = {
  stage: 'whole',
  requestURI: 'whole',
  verb: 'whole',
  user: { username: 'whole', groups: 'whole' },
  impersonatedUser: { username: 'whole', groups: 'whole', uid: 'whole', extra: 'whole' },
  authenticationMetadata: { impersonationConstraint: 'whole' },
  objectRef: {
    resource: 'whole',
    namespace: 'whole',
    name: 'whole',
    apiGroup: 'whole',
    subresource: 'whole',
  },
  responseStatus: { code: 'whole' },
  annotations: { 'authorization.k8s.io/decision': 'whole' },
  requestObject: WRITTEN,
  responseObject: WRITTEN,
  // Lists and batches of entries.
  items: 'unusual',
  Records: 'unusual',
  awslogs: 'unusual',
  kinesis: 'unusual',
  Data: 'unusual',
};

interface Member {
  readonly name: Buffer;
  /** As it is written into the small document: `"verb":`. */
  readonly written: Buffer;
  readonly wanted: 'whole' | 'unusual' | Members;
}

/** The members of an object by the length of their names. */
type Members = readonly (readonly Member[] | undefined)[];

function membersOf(wanted: { readonly [key: string]: Wanted }): Members {
  const members: Member[][] = [];
  for (const [key, value] of Object.entries(wanted)) {
    const name = Buffer.from(key);
    const list = members[name.length] ?? [];
    members[name.length] = list;
    list.push({
      name,
      written: Buffer.from(`"${key}":`),
      wanted: typeof value === 'string' ? value : membersOf(value),
    });
  }
  return members;
}

const MEMBERS = membersOf(ENTRY);

/** Reads entries, and remembers those that it has read. */
export class Entries {
  /** By the hash of their small documents. */
  readonly #known = new Map<number, { readonly bytes: Buffer; readonly event: AuditEvent }>();
  readonly #small = Buffer.allocUnsafe(LONGEST);
  /** Where the entry that was read last is over. */
  behind = -1;
  #length = 0;
  #hash = 0;

  /**
   * The event of a usual entry. The same event is answered, as the same object, for entries that say the same.
   *
   * @param bytes where the entry stands from `start` to before `end`
   * @returns undefined for what is not a whole, usual entry: that is not decided here
   */
  eventOf(bytes: Buffer, start: number, end: number): AuditEvent | undefined {
    const event = this.eventAt(bytes, spaces(bytes, start, end), end);
    return event === undefined || spaces(bytes, this.behind, end) === end ? event : undefined;
  }

  /**
   * The event of a usual entry that begins at `start`, whatever stands behind it; `behind` is then where it is over.
   *
   * @returns undefined for what is not a usual entry, or is not over before `end`
   */
  eventAt(bytes: Buffer, start: number, end: number): AuditEvent | undefined {
    this.#length = 0;
    this.#hash = 0;
    if (start >= end || bytes[start] !== OPEN_OBJECT) return undefined;
    this.behind = this.#object(bytes, start + 1, end, MEMBERS);
    if (this.behind < 0) return undefined;
    const length = this.#length;
    const known = this.#known.get(this.#hash);
    // That two small documents have one hash is rare: then only the last one is remembered.
    if (known !== undefined && this.#small.compare(known.bytes, 0, known.bytes.length, 0, length) === 0)
      return known.event;
    const [event, ...more] = auditEventsOf(parseEntry(this.#small.toString('utf8', 0, length)));
    if (event === undefined || more.length > 0) return undefined;
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(this.#hash, { bytes: Buffer.from(this.#small.subarray(0, length)), event });
    return event;
  }

  /** Copies what counts of an object that opens before `at`. @returns where it is over, or -1 for what is unusual */
  #object(bytes: Buffer, at: number, end: number, members: Members): number {
    let next = spaces(bytes, at, end);
    if (!this.#put(OPEN_OBJECT)) return -1;
    let copied = false;
    if (bytes[next] === CLOSE_OBJECT && next < end) return this.#put(CLOSE_OBJECT) ? next + 1 : -1;
    for (;;) {
      if (next >= end || bytes[next] !== QUOTE) return -1;
      const name = next + 1;
      const quote = plainString(bytes, name, end);
      if (quote < 0) return -1;
      next = behindSpaces(bytes, quote + 1, end);
      if (next >= end || bytes[next] !== COLON) return -1;
      next = behindSpaces(bytes, next + 1, end);
      const member = memberOf(members[quote - name], bytes, name);
      if (member === undefined) next = skip(bytes, next, end, 0);
      else {
        const { wanted, written } = member;
        if (wanted === 'unusual') return -1;
        if (copied && !this.#put(COMMA)) return -1;
        copied = true;
        if (!this.#copy(written, 0, written.length)) return -1;
        if (wanted !== 'whole' && next < end && bytes[next] === OPEN_OBJECT)
          next = this.#object(bytes, next + 1, end, wanted);
        else {
          const value = next;
          next = skip(bytes, value, end, 0);
          if (next >= 0 && !this.#copy(bytes, value, next)) return -1;
        }
      }
      if (next < 0) return -1;
      next = behindSpaces(bytes, next, end);
      if (next >= end) return -1;
      if (bytes[next] === CLOSE_OBJECT) return this.#put(CLOSE_OBJECT) ? next + 1 : -1;
      if (bytes[next] !== COMMA) return -1;
      next = behindSpaces(bytes, next + 1, end);
    }
  }

  #put(byte: number): boolean {
    if (this.#length >= LONGEST) return false;
    this.#small[this.#length++] = byte;
    return true;
  }

  #copy(bytes: Buffer, start: number, end: number): boolean {
    if (this.#length + end - start > LONGEST) return false;
    const small = this.#small;
    let to = this.#length;
    let hash = this.#hash;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      small[to++] = byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    this.#hash = hash;
    this.#length = to;
    return true;
  }
}

function memberOf(list: readonly Member[] | undefined, bytes: Buffer, start: number): Member | undefined {
  if (list === undefined) return undefined;
  for (const member of list) {
    const { name } = member;
    let at = 0;
    while (at < name.length && name[at] === bytes[start + at]) at++;
    if (at === name.length) return member;
  }
  return undefined;
}

/** There are none between the words of most logs. */
function behindSpaces(bytes: Buffer, start: number, end: number): number {
  return start < end && bytes[start]! > 0x20 ? start : spaces(bytes, start, end);
}

function spaces(bytes: Buffer, start: number, end: number): number {
  let at = start;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break;
  }
  return at;
}

/** @returns where the string ends, at its quote; -1 for one with escapes, or that does not end */
function plainString(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH || byte < 0x20) return -1;
  }
  return -1;
}

/** @returns where the string ends, at its quote; -1 for one that JSON does not have, or that does not end */
function string(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte < 0x20) return -1;
    if (byte !== BACKSLASH) continue;
    const escaped = bytes[++at];
    if (escaped === LOWER_U) {
      for (let digit = 0; digit < 4; digit++) if (++at >= end || !isHex(bytes[at]!)) return -1;
    } else if (escaped === undefined || !ESCAPES.has(escaped)) return -1;
  }
  return -1;
}

function isHex(byte: number): boolean {
  return (byte >= ZERO && byte <= NINE) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

/** @returns where the value that begins at `start` is over; -1 for none, or for one of an unusual form */
function skip(bytes: Buffer, start: number, end: number, depth: number): number {
  if (start >= end || depth > DEEPEST) return -1;
  const byte = bytes[start]!;
  if (byte === QUOTE) {
    const quote = string(bytes, start + 1, end);
    return quote < 0 ? -1 : quote + 1;
  }
  if (byte === OPEN_OBJECT || byte === OPEN_LIST) return skipInside(bytes, start, end, depth);
  if (byte >= ZERO && byte <= NINE) return wholeNumber(bytes, start, end);
  if (byte === TRUE[0]) return word(TRUE, bytes, start, end);
  if (byte === FALSE[0]) return word(FALSE, bytes, start, end);
  return byte === NULL[0] ? word(NULL, bytes, start, end) : -1;
}

function skipInside(bytes: Buffer, start: number, end: number, depth: number): number {
  const isObject = bytes[start] === OPEN_OBJECT;
  const close = isObject ? CLOSE_OBJECT : CLOSE_LIST;
  let at = behindSpaces(bytes, start + 1, end);
  if (at < end && bytes[at] === close) return at + 1;
  for (;;) {
    if (isObject) {
      if (at >= end || bytes[at] !== QUOTE) return -1;
      const quote = string(bytes, at + 1, end);
      if (quote < 0) return -1;
      at = behindSpaces(bytes, quote + 1, end);
      if (at >= end || bytes[at] !== COLON) return -1;
      at = behindSpaces(bytes, at + 1, end);
    }
    at = skip(bytes, at, end, depth + 1);
    if (at < 0) return -1;
    at = behindSpaces(bytes, at, end);
    if (at >= end) return -1;
    if (bytes[at] === close) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at = behindSpaces(bytes, at + 1, end);
  }
}

/** Numbers of audit entries are codes and counts; others are left to `JSON.parse`. */
function wholeNumber(bytes: Buffer, start: number, end: number): number {
  let at = start + 1;
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  const behind = at < end ? bytes[at]! : 0;
  if (behind === DOT || behind === UPPER_E || behind === LOWER_E || behind === MINUS) return -1;
  return bytes[start] === ZERO && at > start + 1 ? -1 : at;
}

function word(wanted: Buffer, bytes: Buffer, start: number, end: number): number {
  if (start + wanted.length > end) return -1;
  for (let at = 1; at < wanted.length; at++) if (bytes[start + at] !== wanted[at]) return -1;
  return start + wanted.length;
}
