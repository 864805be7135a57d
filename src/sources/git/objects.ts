/**
 * Reads objects out of a Git repository's store, loose or packed. Nothing of the repository is run and no program is
 * started: no hook, filter, alias, text conversion or configuration of a hostile repository can act. Sources:
 * gitformat-pack(5), gitrepository-layout(5), and Documentation/gitformat-loose in git.git.
 */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { inflateSync } from 'node:zlib';
import { inflateSmall } from './inflate.ts';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

export interface GitObject {
  readonly type: ObjectType;
  readonly data: Buffer;
}

/** Something about the repository that cannot be read, in words for people. */
export class GitError extends Error {
  override readonly name = 'GitError';
}

const MAX_OBJECT = 100 * 1024 * 1024;
const MAX_DELTA_DEPTH = 10_000;
const MAX_ALTERNATES = 5;
/** Packs up to this size are read whole: one read is faster than thousands of small ones. */
const WHOLE_PACK = 48 * 1024 * 1024;
const MIN_CHUNK = 64;
const MAX_CHUNK = 1024 * 1024;
const CACHE_BYTES = 64 * 1024 * 1024;
const TYPES: Readonly<Record<number, ObjectType>> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };
/** Type and size, and the base of a difference. */
const MOST_OF_HEAD = 64;
/** What is shorter is copied byte by byte: a call takes longer. */
const SHORT = 64;
const OFS_DELTA = 6;
const REF_DELTA = 7;

/** Where objects that nobody keeps are unpacked: differences, and what is no difference; what comes of them. */
const PASSING = 64 * 1024;
const passing = [Buffer.allocUnsafeSlow(PASSING), Buffer.allocUnsafeSlow(PASSING)] as const;

export class ObjectStore {
  readonly #folders: readonly string[];
  readonly #hashBytes: number;
  #packs: Pack[] | undefined;

  /** @param hashBytes 20 for SHA-1, 32 for SHA-256 */
  constructor(folder: string, hashBytes: number) {
    this.#hashBytes = hashBytes;
    this.#folders = withAlternates(folder);
  }

  /**
   * An object by its full name.
   *
   * @param keep whether it may be asked for again; what is not kept is only there until the next such object is read
   * @returns undefined where the repository does not have it: a shallow or partial clone
   * @throws GitError where it is broken or larger than anybody's manifest
   */
  read(oid: string, keep = true): GitObject | undefined {
    for (const pack of this.#allPacks()) {
      const found = pack.read(oid, this, keep);
      if (found !== undefined) return found;
    }
    for (const folder of this.#folders) {
      const found = readLoose(folder, oid);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The full names that begin with the given digits; at most a handful, for more is ambiguous anyway. */
  named(prefix: string): string[] {
    const found = new Set<string>();
    for (const folder of this.#folders)
      for (const name of list(join(folder, prefix.slice(0, 2))))
        if (name.startsWith(prefix.slice(2)) && name.length === this.#hashBytes * 2 - 2)
          found.add(prefix.slice(0, 2) + name);
    for (const pack of this.#allPacks()) for (const oid of pack.named(prefix)) found.add(oid);
    return [...found];
  }

  #allPacks(): readonly Pack[] {
    this.#packs ??= this.#folders.flatMap(folder =>
      list(join(folder, 'pack'))
        .filter(name => /^pack-[0-9a-f]+\.idx$/.test(name))
        .map(name => new Pack(join(folder, 'pack', name.slice(0, -'.idx'.length)), this.#hashBytes)),
    );
    return this.#packs;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The folders of objects that this one borrows from, each once and not endlessly. */
function withAlternates(folder: string): string[] {
  const found: string[] = [];
  const visit = (one: string, depth: number) => {
    if (found.includes(one) || depth > MAX_ALTERNATES) return;
    found.push(one);
    let text: string;
    try {
      text = readFileSync(join(one, 'info', 'alternates'), 'utf8');
    } catch {
      return;
    }
    for (const line of text.split('\n'))
      if (line !== '' && !line.startsWith('#'))
        visit(isAbsolute(line) ? line : resolve(one, line), depth + 1);
  };
  visit(folder, 0);
  return found;
}

function readLoose(folder: string, oid: string): GitObject | undefined {
  let packed: Buffer;
  try {
    packed = readFileSync(join(folder, oid.slice(0, 2), oid.slice(2)));
  } catch {
    return undefined;
  }
  const bytes = inflate(packed, oid);
  const end = bytes.indexOf(0);
  const header = /^(commit|tree|blob|tag) (\d+)$/.exec(bytes.toString('latin1', 0, Math.max(end, 0)));
  if (end < 0 || header === null || Number(header[2]) !== bytes.length - end - 1)
    throw new GitError(`object ${oid} is broken`);
  return { type: header[1] as ObjectType, data: bytes.subarray(end + 1) };
}

/** @param size how much comes out, where that is known: room for more is not made for every small object */
function inflate(bytes: Buffer, what: string, size?: number): Buffer {
  try {
    return inflateSync(bytes, {
      maxOutputLength: MAX_OBJECT,
      ...(size === undefined ? {} : { chunkSize: Math.max(MIN_CHUNK, Math.min(size + 1, MAX_CHUNK)) }),
    });
  } catch (error) {
    throw new GitError(
      (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
        ? `object ${what} is larger than ${MAX_OBJECT / 1024 / 1024} MiB`
        : `object ${what} is broken: ${(error as Error).message}`,
    );
  }
}

class Pack {
  readonly #path: string;
  readonly #hashBytes: number;
  #index: Buffer | undefined;
  #whole: Buffer | undefined;
  #descriptor: number | undefined;
  #size = 0;
  readonly #cache = new Map<number, GitObject>();
  #cached = 0;

  constructor(path: string, hashBytes: number) {
    this.#path = path;
    this.#hashBytes = hashBytes;
  }

  read(oid: string, store: ObjectStore, keep: boolean): GitObject | undefined {
    const offset = this.#offsetOf(oid);
    return offset === undefined ? undefined : this.#at(offset, store, 0, keep);
  }

  *named(prefix: string): Iterable<string> {
    const index = this.#loadIndex();
    const padded = prefix.padEnd(this.#hashBytes * 2, '0');
    for (let i = this.#search(Buffer.from(padded, 'hex')); i < this.#count(index); i++) {
      const oid = this.#oidAt(index, i).toString('hex');
      if (!oid.startsWith(prefix)) return;
      yield oid;
    }
  }

  #loadIndex(): Buffer {
    if (this.#index === undefined) {
      this.#index = readFileSync(`${this.#path}.idx`);
      if (this.#index.readUInt32BE(0) !== 0xff744f63 || this.#index.readUInt32BE(4) !== 2)
        throw new GitError(
          `${this.#path}.idx has a form that is not known here; git repack writes a newer one`,
        );
    }
    return this.#index;
  }

  #count(index: Buffer): number {
    return index.readUInt32BE(8 + 255 * 4);
  }

  #oidAt(index: Buffer, i: number): Buffer {
    const start = 8 + 1024 + i * this.#hashBytes;
    return index.subarray(start, start + this.#hashBytes);
  }

  /** The first entry that is not before the name. */
  #search(oid: Buffer): number {
    const index = this.#loadIndex();
    const first = oid[0]!;
    let low = first === 0 ? 0 : index.readUInt32BE(8 + (first - 1) * 4);
    let high = index.readUInt32BE(8 + first * 4);
    const [head, rest] = [oid.readUInt32BE(0), oid.subarray(4)];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = 8 + 1024 + middle * this.#hashBytes;
      const own = index.readUInt32BE(at);
      // Hardly two names begin alike.
      const isBefore =
        own === head ? index.compare(rest, 0, rest.length, at + 4, at + this.#hashBytes) < 0 : own < head;
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #offsetOf(oid: string): number | undefined {
    const bytes = Buffer.from(oid, 'hex');
    const i = this.#search(bytes);
    const index = this.#loadIndex();
    const count = this.#count(index);
    if (i >= count || !this.#oidAt(index, i).equals(bytes)) return undefined;
    const offsets = 8 + 1024 + count * (this.#hashBytes + 4);
    const offset = index.readUInt32BE(offsets + i * 4);
    if (offset < 0x80000000) return offset;
    const large = offsets + count * 4 + (offset - 0x80000000) * 8;
    return Number(index.readBigUInt64BE(large));
  }

  #at(offset: number, store: ObjectStore, depth: number, keep = true): GitObject {
    const known = this.#cache.get(offset);
    if (known !== undefined) return known;
    if (depth > MAX_DELTA_DEPTH)
      throw new GitError(`${this.#path}.pack: differences lean on each other endlessly`);
    const head = this.#bytes(offset, MOST_OF_HEAD);
    let at = head === this.#whole ? offset : 0;
    const start = at;
    let byte = head[at++]!;
    const type = (byte >> 4) & 7;
    let size = byte & 15;
    for (let shift = 4; byte & 0x80; shift += 7) {
      byte = head[at++]!;
      size += (byte & 0x7f) * 2 ** shift;
    }
    if (!(size <= MAX_OBJECT))
      throw new GitError(`an object in ${this.#path}.pack is larger than ${MAX_OBJECT / 1024 / 1024} MiB`);
    let base: GitObject | undefined;
    if (type === OFS_DELTA) {
      byte = head[at++]!;
      let back = byte & 0x7f;
      while (byte & 0x80) {
        byte = head[at++]!;
        back = (back + 1) * 128 + (byte & 0x7f);
      }
      if (back <= 0 || back > offset) throw new GitError(`${this.#path}.pack is broken`);
      base = this.#at(offset - back, store, depth + 1);
    } else if (type === REF_DELTA) {
      const oid = head.toString('hex', at, at + this.#hashBytes);
      at += this.#hashBytes;
      const own = this.#offsetOf(oid);
      base = own === undefined ? store.read(oid) : this.#at(own, store, depth + 1);
      if (base === undefined) throw new GitError(`object ${oid} is not there`);
    }
    // Deflate makes nothing longer by more than five bytes in sixteen thousand.
    const most = size + (size >>> 10) + 256;
    const packed = this.#bytes(offset + at - start, most);
    const from = packed === this.#whole ? at : 0;
    const data =
      inflateSmall(packed, size, from, from + most, keep ? undefined : passing[0]) ??
      inflate(packed.subarray(from, from + most), `at ${offset} of ${this.#path}.pack`, size);
    if (data.length !== size) throw new GitError(`${this.#path}.pack is broken`);
    const object: GitObject =
      base === undefined
        ? { type: TYPES[type] ?? unknownType(this.#path), data }
        : { type: base.type, data: applied(base.data, data, this.#path, keep ? undefined : passing[1]) };
    if (keep) this.#keep(offset, object);
    return object;
  }

  /** Bases of differences are asked for again and again. */
  #keep(offset: number, object: GitObject): void {
    if (this.#cached > CACHE_BYTES) {
      this.#cache.clear();
      this.#cached = 0;
    }
    this.#cached += object.data.length;
    this.#cache.set(offset, object);
  }

  /** Bytes from an offset on; or the whole pack where it was read whole. */
  #bytes(offset: number, length: number): Buffer {
    if (this.#descriptor === undefined && this.#whole === undefined) {
      const descriptor = openSync(`${this.#path}.pack`, 'r');
      this.#size = fstatSync(descriptor).size;
      if (this.#size <= WHOLE_PACK) {
        this.#whole = readFileSync(descriptor);
        closeSync(descriptor);
      } else this.#descriptor = descriptor;
    }
    if (this.#whole !== undefined) return this.#whole;
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, this.#size - offset)));
    const read = readSync(this.#descriptor!, buffer, 0, buffer.length, offset);
    return buffer.subarray(0, read);
  }
}

function unknownType(path: string): never {
  throw new GitError(`${path}.pack holds an object of a kind that is not known here`);
}

/** A text made from another by copying parts and inserting others. */
function applied(base: Buffer, delta: Buffer, path: string, into?: Buffer): Buffer {
  let at = 0;
  const size = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = delta[at++];
      if (byte === undefined || shift > 49) throw new GitError(`${path}.pack is broken`);
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) return value;
    }
  };
  if (size() !== base.length) throw new GitError(`${path}.pack is broken`);
  const length = size();
  if (length > MAX_OBJECT)
    throw new GitError(`an object in ${path}.pack is larger than ${MAX_OBJECT / 1024 / 1024} MiB`);
  // All of it is written, or nobody sees it.
  const result =
    into !== undefined && length <= into.length ? into.subarray(0, length) : Buffer.allocUnsafe(length);
  let to = 0;
  while (at < delta.length) {
    const code = delta[at++]!;
    if (code & 0x80) {
      let from = 0;
      let count = 0;
      for (let i = 0; i < 4; i++) if (code & (1 << i)) from += delta[at++]! * 2 ** (8 * i);
      for (let i = 0; i < 3; i++) if (code & (0x10 << i)) count += delta[at++]! * 2 ** (8 * i);
      if (count === 0) count = 0x10000;
      if (from + count > base.length || to + count > length) throw new GitError(`${path}.pack is broken`);
      if (count > SHORT) base.copy(result, to, from, from + count);
      else for (let i = 0; i < count; i++) result[to + i] = base[from + i]!;
      to += count;
    } else {
      if (code === 0 || at + code > delta.length || to + code > length)
        throw new GitError(`${path}.pack is broken`);
      // 127 at most.
      for (const end = at + code; at < end; ) result[to++] = delta[at++]!;
    }
  }
  if (to !== length) throw new GitError(`${path}.pack is broken`);
  return result;
}
