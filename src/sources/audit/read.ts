/**
 * Audit logs, streamed: one entry a line, or a document with a list, plain or gzip. Memory holds one entry at a time,
 * whatever the size of the log.
 */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { stdin } from 'node:process';
import type { Readable } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import { type AuditEvent, auditEventsOf, parseEntry } from '#kube/audit.ts';
import { valueAt } from '#kube/objects.ts';
import { Entries } from './entries.ts';

/** A longer entry is skipped, and that is said: etcd holds no object that would need it. */
const MAX_ENTRY_BYTES = 16 * 1024 * 1024;
/** From this many bytes without a line break on, a file is one document and not lines. */
const ONE_DOCUMENT = 4 * 1024 * 1024;
/** How much is read at once. */
const READ_BYTES = 256 * 1024;
/** How documents over many lines begin; a line that ends elsewhere in an entry was cut off. */
const OPENING = /^(?:\[\s*\{?|\{)$|"(?:items|events|logEvents|[Rr]ecords|results)"\s*:\s*\[\s*\{?$/;
/** What a packed batch of CloudWatch Logs may become: a subscription sends at most a few MiB. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;
const [QUOTE, BACKSLASH, NEWLINE] = [0x22, 0x5c, 0x0a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** What was read, and what of it was no entry. */
export interface AuditTally {
  files: number;
  bytes: number;
  events: number;
  /** Lines that are no audit entry: notices, other logs. */
  foreign: number;
  /** Entries that end in the middle. */
  cutOff: number;
  /** Entries longer than is read. */
  tooLong: number;
  /** The first few of them, to look at. */
  readonly examples: string[];
}

/** A log that cannot be opened. */
export class AuditLogError extends Error {
  override readonly name = 'AuditLogError';
}

/**
 * Reads logs one after the other.
 *
 * @param paths files, folders with files, or `-` for standard input
 * @throws AuditLogError for what is not there or may not be read
 */
export async function readAuditLogs(
  paths: readonly string[],
  onEvent: (event: AuditEvent) => void,
): Promise<AuditTally> {
  const tally: AuditTally = {
    files: 0,
    bytes: 0,
    events: 0,
    foreign: 0,
    cutOff: 0,
    tooLong: 0,
    examples: [],
  };
  const entries = new Entries();
  for (const path of paths.flatMap(filesOf)) {
    tally.files++;
    const reader = new Reader(path, tally, entries, onEvent);
    try {
      for await (const chunk of await unpacked(
        path === '-' ? stdin : createReadStream(path, { highWaterMark: READ_BYTES }),
      )) {
        tally.bytes += (chunk as Buffer).length;
        reader.take(chunk as Buffer);
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined || !code.startsWith('Z_'))
        throw new AuditLogError(`${path} could not be read: ${message}`);
      // A gzip file that ends early or is damaged: what came before counts.
      const before = tally.cutOff;
      reader.end();
      if (tally.cutOff === before) tally.cutOff++;
      remember(tally, `${path}: ${message}`);
      continue;
    }
    reader.end();
  }
  return tally;
}

function filesOf(path: string): string[] {
  if (path === '-') return [path];
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    throw new AuditLogError(`${path} could not be read: ${(error as Error).message}`);
  }
}

/** Without its gzip, where its first two bytes say so. */
async function unpacked(stream: Readable): Promise<AsyncIterable<unknown>> {
  const chunks = stream[Symbol.asyncIterator]();
  let first = await chunks.next();
  while (first.done !== true && (first.value as Buffer).length < 2) {
    const next = await chunks.next();
    if (next.done === true) break;
    first = { done: false, value: Buffer.concat([first.value as Buffer, next.value as Buffer]) };
  }
  const whole = (async function* (): AsyncGenerator<unknown> {
    for (let at = first; at.done !== true; at = await chunks.next()) yield at.value;
  })();
  const head = first.done === true ? undefined : (first.value as Buffer);
  if (head?.[0] !== 0x1f || head[1] !== 0x8b) return whole;
  const gunzip = createGunzip({ chunkSize: READ_BYTES });
  void (async () => {
    try {
      for await (const chunk of whole)
        if (!gunzip.write(chunk)) await new Promise(resolve => gunzip.once('drain', resolve));
      gunzip.end();
    } catch (error) {
      gunzip.destroy(error as Error);
    }
  })();
  return gunzip;
}

function remember(tally: AuditTally, text: string): void {
  if (tally.examples.length < 5) tally.examples.push(text);
}

class Reader {
  readonly #path: string;
  readonly #tally: AuditTally;
  readonly #usual: Entries;
  readonly #onEvent: (event: AuditEvent) => void;
  #mode: 'lines' | 'document' | undefined;
  #line = 1;
  /** Of lines: the beginning of one that is not over. Undefined while a line that is too long is skipped. */
  #rest: Buffer[] | undefined = [];
  #restBytes = 0;
  /** Of documents: the brackets that are open. */
  readonly #open: number[] = [];
  #inString = false;
  #escaped = false;
  /** Where the entry that is being read begins, as a depth; 0 for none. */
  #entryDepth = 0;
  #entry: Buffer[] = [];
  #entryBytes = 0;
  #entries = 0;
  #top: Buffer[] = [];
  #topBytes = 0;

  constructor(path: string, tally: AuditTally, usual: Entries, onEvent: (event: AuditEvent) => void) {
    this.#path = path;
    this.#tally = tally;
    this.#usual = usual;
    this.#onEvent = onEvent;
  }

  take(chunk: Buffer): void {
    if (this.#mode === undefined) {
      this.#rest!.push(chunk);
      this.#restBytes += chunk.length;
      if (this.#restBytes < ONE_DOCUMENT && !chunk.includes(NEWLINE)) return;
      const head = Buffer.concat(this.#rest!);
      this.#rest = [];
      this.#restBytes = 0;
      this.#decide(head);
      return;
    }
    if (this.#mode === 'lines') this.#takeLines(chunk);
    else this.#takeDocument(chunk);
  }

  end(): void {
    if (this.#mode === undefined) {
      const head = Buffer.concat(this.#rest!);
      this.#rest = [];
      this.#restBytes = 0;
      this.#decide(head);
    }
    if (this.#mode === 'lines') {
      if (this.#rest !== undefined && this.#restBytes > 0) {
        const line = Buffer.concat(this.#rest);
        this.#takeLine(line, 0, line.length);
      }
    } else if (this.#open.length > 0) {
      this.#tally.cutOff++;
      remember(this.#tally, `${this.#path} ends in the middle of an entry`);
    }
  }

  /** A first line that is no JSON of its own but opens a list or an object is the beginning of a document. */
  #decide(head: Buffer): void {
    let start = 0;
    while (start < head.length && head[start]! <= 0x20) start++;
    const stop = head.indexOf(NEWLINE, start);
    const first = head
      .subarray(start, stop < 0 ? head.length : stop)
      .toString()
      .trimEnd();
    const opens = first.startsWith('{') || first.startsWith('[');
    const whole = stop >= 0 || head.length < ONE_DOCUMENT ? parseEntry(first) !== undefined : false;
    const document = opens && !whole && (stop < 0 ? head.length >= ONE_DOCUMENT : OPENING.test(first));
    this.#mode = document ? 'document' : 'lines';
    this.take(head);
  }

  #takeLines(chunk: Buffer): void {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, start)) {
      if (this.#rest === undefined) this.#rest = [];
      else {
        if (this.#rest.length === 0) this.#takeLine(chunk, start, at);
        else {
          const line = Buffer.concat([...this.#rest, chunk.subarray(start, at)]);
          this.#takeLine(line, 0, line.length);
          this.#rest = [];
        }
      }
      this.#restBytes = 0;
      this.#line++;
      start = at + 1;
    }
    if (this.#rest === undefined || start === chunk.length) return;
    this.#rest.push(chunk.subarray(start));
    this.#restBytes += chunk.length - start;
    if (this.#restBytes <= MAX_ENTRY_BYTES) return;
    this.#rest = undefined;
    this.#tally.tooLong++;
    remember(this.#tally, `${this.#path}:${this.#line} is longer than 16 MiB`);
  }

  /** An entry of the usual form is not taken apart as a whole. */
  #isUsual(bytes: Buffer, start: number, end: number): boolean {
    return this.#counted(this.#usual.eventOf(bytes, start, end));
  }

  #isUsualAt(bytes: Buffer, start: number): boolean {
    return this.#counted(this.#usual.eventAt(bytes, start, bytes.length));
  }

  #counted(event: AuditEvent | undefined): boolean {
    if (event === undefined) return false;
    this.#tally.events++;
    this.#onEvent(event);
    return true;
  }

  #takeLine(bytes: Buffer, start: number, end: number): void {
    if (!this.#isUsual(bytes, start, end)) this.#entryLine(bytes.subarray(start, end));
  }

  #entryLine(bytes: Buffer): void {
    const text = bytes.toString().trim();
    if (text === '') return;
    const value = parseEntry(text);
    if (value !== undefined && this.#emit(value)) return;
    // Firehose writes one object after the other, without a line break between them.
    if (value === undefined) {
      const { objects, rest } = objectsIn(text);
      if (objects.length > 1) {
        for (const object of objects) this.#entryLine(Buffer.from(object));
        if (rest.trim() === '') return;
        this.#tally.cutOff++;
        remember(this.#tally, `${this.#path}:${this.#line} is cut off`);
        return;
      }
    }
    // What begins as an entry and is no JSON was cut off.
    const cut = value === undefined && /[{[]/.test(text.slice(0, 64));
    if (cut) this.#tally.cutOff++;
    else this.#tally.foreign++;
    remember(this.#tally, `${this.#path}:${this.#line} ${cut ? 'is cut off' : 'is no audit entry'}`);
  }

  #emit(value: unknown): boolean {
    const events = [...auditEventsOf(value), ...packedIn(value).flatMap(text => auditEventsOf(text))];
    for (const event of events) {
      this.#tally.events++;
      this.#onEvent(event);
    }
    return events.length > 0 || isEmptyList(value);
  }

  #takeDocument(chunk: Buffer): void {
    let entryStart = this.#entryDepth > 0 ? 0 : -1;
    let topStart = this.#open.length > 0 ? 0 : -1;
    // Fields are slow to reach from so tight a loop.
    const { length } = chunk;
    let inString = this.#inString;
    let escaped = this.#escaped;
    for (let at = 0; at < length; at++) {
      if (inString) {
        for (; at < length; at++) {
          const inside = chunk[at]!;
          if (escaped) escaped = false;
          else if (inside === BACKSLASH) escaped = true;
          else if (inside === QUOTE) break;
        }
        if (at < length) inString = false;
        continue;
      }
      const byte = chunk[at]!;
      // Digits, commas, colons and spaces stand below the brackets.
      if (byte !== QUOTE && byte < OPEN_LIST) continue;
      if (byte === QUOTE) inString = this.#open.length > 0;
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        if (this.#open.length === 0) {
          topStart = at;
          this.#top = [];
          this.#topBytes = 0;
          this.#entries = 0;
        }
        const inList = this.#open.length > 0 && this.#open.length <= 2 && this.#open.at(-1) === OPEN_LIST;
        if (this.#entryDepth === 0 && inList && this.#isUsualAt(chunk, at)) {
          this.#entries++;
          at = this.#usual.behind - 1;
          continue;
        }
        this.#open.push(byte);
        if (this.#entryDepth === 0 && inList) {
          this.#entryDepth = this.#open.length;
          this.#entry = [];
          this.#entryBytes = 0;
          entryStart = at;
        }
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        if (this.#open.length === 0) continue;
        if (this.#open.length === this.#entryDepth) {
          this.#entry.push(chunk.subarray(entryStart, at + 1));
          this.#finish(Buffer.concat(this.#entry), this.#entryBytes);
          this.#entries++;
          this.#entryDepth = 0;
          entryStart = -1;
        }
        this.#open.pop();
        if (this.#open.length > 0) continue;
        // A document of its own, not a list: one event over many lines.
        if (this.#entries === 0) {
          this.#top.push(chunk.subarray(topStart, at + 1));
          this.#finish(Buffer.concat(this.#top), this.#topBytes);
        }
        this.#top = [];
        topStart = -1;
      }
    }
    this.#inString = inString;
    this.#escaped = escaped;
    if (entryStart >= 0) {
      this.#entryBytes += chunk.length - entryStart;
      if (this.#entryBytes <= MAX_ENTRY_BYTES) this.#entry.push(Buffer.from(chunk.subarray(entryStart)));
    }
    if (topStart >= 0 && this.#entries === 0) {
      this.#topBytes += chunk.length - topStart;
      if (this.#topBytes <= MAX_ENTRY_BYTES) this.#top.push(Buffer.from(chunk.subarray(topStart)));
    } else this.#top = [];
  }

  #finish(bytes: Buffer, kept: number): void {
    if (kept > MAX_ENTRY_BYTES) {
      this.#tally.tooLong++;
      remember(this.#tally, `${this.#path}: an entry is longer than 16 MiB`);
      return;
    }
    if (this.#isUsual(bytes, 0, bytes.length)) return;
    const value = parseEntry(bytes.toString());
    if (value !== undefined && this.#emit(value)) return;
    this.#tally.foreign++;
    remember(this.#tally, `${this.#path}: an item is no audit entry`);
  }
}

/** The objects that stand one after the other in a text, and what is left behind the last one. */
function objectsIn(text: string): { readonly objects: readonly string[]; readonly rest: string } {
  const objects: string[] = [];
  let [start, depth, inString] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const byte = text.charCodeAt(at);
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = depth > 0;
    else if (byte === OPEN_OBJECT) {
      if (depth++ === 0) start = at;
    } else if (byte === CLOSE_OBJECT && depth > 0 && --depth === 0) {
      objects.push(text.slice(start, at + 1));
      start = at + 1;
    }
  }
  return { objects, rest: text.slice(start) };
}

/**
 * The batches of a subscription of CloudWatch Logs as a function or a Kinesis stream gets them: base64 of gzip. Source:
 * Amazon CloudWatch Logs User Guide, "Subscription filters".
 */
function packedIn(value: unknown): string[] {
  const records = valueAt(value, ['Records']);
  const places = [value, ...(Array.isArray(records) ? (records as unknown[]) : [])];
  return places
    .flatMap(place => [
      valueAt(place, ['awslogs', 'data']),
      valueAt(place, ['kinesis', 'data']),
      valueAt(place, ['Data']),
    ])
    .flatMap(data => {
      // The first bytes of gzip, as base64 writes them.
      if (typeof data !== 'string' || !data.startsWith('H4sI')) return [];
      try {
        const bytes = gunzipSync(Buffer.from(data, 'base64'), { maxOutputLength: MAX_UNPACKED_BYTES });
        return [bytes.toString()];
      } catch {
        return [];
      }
    });
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray((value as { items?: unknown } | null)?.items);
}
