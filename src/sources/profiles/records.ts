/**
 * Records of what a container does: lines of the kernel's audit (SECCOMP, AppArmor), of the log enricher of the Security
 * Profiles Operator, of strace, and tables of `strace -c`. Files are read in pieces: only what was seen is kept.
 *
 * Sources: kernel/auditsc.c (audit_seccomp), security/apparmor/audit.c, security-profiles-operator
 * internal/pkg/daemon/enricher, strace(1).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { auditArchitecture, isSyscall, nameOfNumber } from '#decide/pod-security/profiles/syscalls.ts';
import { problem } from '../manifests/walk.ts';

export interface Record {
  readonly syscalls: Map<string, number>;
  readonly files: Map<string, Set<string>>;
  readonly capabilities: Set<string>;
  readonly networks: Set<string>;
}

export interface RecordGap {
  readonly file: string;
  readonly line?: number;
  readonly reason: string;
}

const LONGEST_LINE = 2 ** 20;
/** More are not said one by one. */
const MOST_GAPS = 20;
/** A record that names more files is no record of one program. */
const MOST_FILES = 100_000;

/** Adds what the files hold to one record. */
export function readRecords(files: readonly string[]): { record: Record; gaps: RecordGap[]; lines: number } {
  const record: Record = {
    syscalls: new Map(),
    files: new Map(),
    capabilities: new Set(),
    networks: new Set(),
  };
  const gaps: RecordGap[] = [];
  let lines = 0;
  for (const file of files) {
    let number = 0;
    let understood = 0;
    let isTable = false;
    const gap = (reason: string): void => {
      if (gaps.length < MOST_GAPS) gaps.push({ file, line: number, reason });
      else if (gaps.length === MOST_GAPS)
        gaps.push({ file, reason: 'and more lines that were not understood' });
    };
    try {
      for (const line of linesOf(file)) {
        number++;
        if (line === undefined) {
          gap('the line is too long');
          continue;
        }
        if (/^% time\s+seconds\s/.test(line)) isTable = true;
        else if (isTable && /^(?:-+\s*)+$/.test(line)) continue;
        else if (isTable && /\btotal\s*$/.test(line)) isTable = false;
        else {
          const result = isTable ? fromTable(line, record) : fromLine(line, record);
          if (result === true) understood++;
          else if (result !== undefined) gap(result);
        }
      }
    } catch (error) {
      gaps.push({ file, reason: problem(error) });
      continue;
    }
    lines += number;
    if (understood === 0)
      gaps.push({ file, reason: 'no line of it is a record of system calls or of AppArmor' });
  }
  return { record, gaps, lines };
}

/** @yields undefined for a line that is too long */
function* linesOf(file: string): Generator<string | undefined> {
  const descriptor = file === '-' ? 0 : openSync(file, 'r');
  try {
    const decoder = new StringDecoder('utf8');
    const chunk = Buffer.alloc(65_536);
    let rest = '';
    let isTooLong = false;
    for (;;) {
      const size = readSync(descriptor, chunk);
      if (size === 0) break;
      const parts = (rest + decoder.write(chunk.subarray(0, size))).split('\n');
      rest = parts.pop()!;
      for (const part of parts) {
        yield isTooLong ? undefined : part;
        isTooLong = false;
      }
      if (rest.length > LONGEST_LINE) {
        isTooLong = true;
        rest = '';
      }
    }
    if (isTooLong) yield undefined;
    else if (rest !== '') yield rest;
  } finally {
    if (descriptor !== 0) closeSync(descriptor);
  }
}

/** @returns true where it was understood, a reason where it should have been, undefined where it says nothing */
function fromLine(line: string, record: Record): true | string | undefined {
  if (line.includes('apparmor=')) return fromAppArmor(line, record);
  const enriched = /"syscallName"\s*[=:]\s*"(\w+)"/.exec(line);
  if (enriched !== null) return add(enriched[1]!, record);
  if (/\btype=(?:SECCOMP|1326)\b/.test(line)) return fromAudit(line, record);
  // `[pid 7] openat(…`, `7 12:00:01.5 read(…`: the name stands before the first parenthesis.
  const traced = /^(?:\[pid\s+\d+\]\s+|\d+\s+)?(?:[\d:.]+\s+)?([a-z_][a-z0-9_]*)\(/.exec(line);
  return traced === null ? undefined : add(traced[1]!, record);
}

function fromAudit(line: string, record: Record): true | string {
  const syscall = /\bsyscall=(\w+)/.exec(line)?.[1];
  const arch = /\barch=(\w+)/.exec(line)?.[1];
  if (syscall === undefined) return 'it names no system call';
  if (!/^\d+$/.test(syscall)) return add(syscall, record);
  const architecture = arch === undefined ? undefined : auditArchitecture(arch);
  if (architecture === undefined) return `architecture ${arch ?? 'nothing'} is not known`;
  const name = nameOfNumber(Number(syscall), architecture);
  return name === undefined ? `${architecture} has no system call ${syscall}` : add(name, record);
}

function fromTable(line: string, record: Record): true | string | undefined {
  const cells = line.trim().split(/\s+/);
  if (cells.length < 5) return line.trim() === '' ? undefined : 'it is no row of strace -c';
  return add(cells.at(-1)!, record, Number(cells[3]) || 1);
}

function add(name: string, { syscalls }: Record, times = 1): true | string {
  if (!isSyscall(name)) return `"${name.slice(0, 40)}" is no known system call`;
  syscalls.set(name, (syscalls.get(name) ?? 0) + times);
  return true;
}

function fromAppArmor(line: string, record: Record): true | string | undefined {
  const field = (name: string): string | undefined => {
    const match = new RegExp(`\\b${name}=(?:"([^"]*)"|([^\\s"]+))`).exec(line);
    return match?.[1] ?? (match?.[2] === undefined ? undefined : unhex(match[2]));
  };
  const verdict = field('apparmor');
  if (verdict !== 'ALLOWED' && verdict !== 'DENIED' && verdict !== 'AUDIT') return undefined;
  const capability = field('capname');
  const family = field('family');
  const path = field('name');
  if (capability !== undefined && /^[a-z_]+$/.test(capability)) record.capabilities.add(capability);
  else if (family !== undefined && /^[a-z0-9_]+$/.test(family)) {
    const type = field('sock_type');
    record.networks.add(type !== undefined && /^[a-z]+$/.test(type) ? `${family} ${type}` : family);
  } else if (path?.startsWith('/') && !/[\n\0]/.test(path)) {
    const mask = field('requested_mask') ?? field('denied_mask') ?? '';
    const known = record.files.get(path) ?? new Set();
    if (record.files.size >= MOST_FILES && known.size === 0) return 'the record names too many files';
    for (const letter of mask.replace(/::.*$/, '')) if ('rwacdmlkx'.includes(letter)) known.add(letter);
    if (known.size === 0) return `it asks for no access to a file that is known: "${mask.slice(0, 20)}"`;
    record.files.set(path, known);
  } else return `operation ${field('operation')?.slice(0, 40) ?? '?'} is not taken over`;
  return true;
}

/** Names with odd characters stand in the log as hexadecimal digits, without quotes. */
function unhex(word: string): string {
  return /^(?:[0-9A-F]{2})+$/.test(word) ? Buffer.from(word, 'hex').toString('utf8') : word;
}
