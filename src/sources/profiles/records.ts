/**
 * Records of what a container does: lines of the kernel's audit (SECCOMP, SELinux, AppArmor), of the log enricher of the
 * Security Profiles Operator, of strace, tables of `strace -c`, and the objects that the operator records. Logs are read
 * in pieces: only what was seen is kept.
 *
 * Sources: kernel/auditsc.c (audit_seccomp), security/selinux/avc.c (avc_audit_pre_callback), security/apparmor/audit.c,
 * security-profiles-operator internal/pkg/daemon/enricher and internal/pkg/daemon/profilerecorder, strace(1).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import type { Seen } from '#decide/pod-security/profiles/derive.ts';
import { readAppArmorObject } from '#decide/pod-security/profiles/read-apparmor-object.ts';
import { isSeccompJson, isSeccompObject, readSeccomp } from '#decide/pod-security/profiles/read-seccomp.ts';
import { isSelinuxObject, readSelinux } from '#decide/pod-security/profiles/read-selinux.ts';
import { isOpen } from '#decide/pod-security/profiles/seccomp.ts';
import { dominates, parseRange } from '#decide/pod-security/profiles/selinux.ts';
import {
  architectureOf,
  auditArchitecture,
  isSyscall,
  nameOfNumber,
} from '#decide/pod-security/profiles/syscalls.ts';
import { isRecord } from '#kube/objects.ts';
import { readDocuments } from '#yaml/read.ts';
import { problem } from '../manifests/walk.ts';

export interface RecordGap {
  readonly file: string;
  readonly line?: number;
  readonly reason: string;
}

export interface ReadRecords {
  readonly record: Seen;
  readonly gaps: readonly RecordGap[];
  readonly lines: number;
  /** What was seen of others: AppArmor profiles, SELinux types that are no container's. */
  readonly left: readonly string[];
}

const LONGEST_LINE = 2 ** 20;
/** An object that was recorded is no longer. */
const LARGEST_OBJECT = 8 * 2 ** 20;
/** More are not said one by one. */
const MOST_GAPS = 20;
/** A record that names more files is no record of one program. */
const MOST_FILES = 100_000;

/** Adds what the files hold to one record. */
export function readRecords(files: readonly string[]): ReadRecords {
  const reader = new Reader();
  for (const file of files) reader.read(file);
  const { record, gaps, lines } = reader;
  return { record, gaps, lines, left: [...reader.left].sort() };
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

/** How a file of objects or of JSON begins; lines of logs that are JSON begin otherwise. */
const OBJECT =
  /^(?:---|%YAML|apiVersion:|kind:|metadata:|spec:|items:|\{\s*$|\{\s*"(?:apiVersion|kind|defaultAction|items)")/;
/** What strace writes before the name of a call: process, time, address of the instruction, number of the call. */
const PREFIX = /^\s*(?:\[pid\s+\d+\]|\[[0-9a-f]{6,16}\]|\[\s*\d+\]|\d{1,10}(?=\s)|[\d:.]+(?=\s))\s+/;
/** `understood` only makes a file count as a record. */
type Result = true | 'understood' | string | undefined;

class Reader {
  readonly record = {
    syscalls: new Map<string, number>(),
    files: new Map<string, Set<string>>(),
    globs: new Map<string, Set<string>>(),
    capabilities: new Set<string>(),
    networks: new Set<string>(),
    rules: new Set<string>(),
    accesses: new Map<string, Set<string>>(),
    namespaces: new Set<string>(),
    sockets: new Set<string>(),
  };
  readonly gaps: RecordGap[] = [];
  readonly left = new Set<string>();
  lines = 0;
  readonly #names = new Map<string, string | undefined>();

  read(file: string): void {
    let number = 0;
    let understood = 0;
    let isTable = false;
    let objects: string[] | undefined;
    let size = 0;
    const gap = (reason: string): void => {
      if (this.gaps.length < MOST_GAPS) this.gaps.push({ file, line: number, reason });
      else if (this.gaps.length === MOST_GAPS)
        this.gaps.push({ file, reason: 'and more lines that were not understood' });
    };
    try {
      let isStart = true;
      for (const line of linesOf(file)) {
        number++;
        if (line === undefined) {
          gap('the line is too long');
          continue;
        }
        if (isStart && line.trim() !== '' && !line.trimStart().startsWith('#')) {
          isStart = false;
          if (OBJECT.test(line)) objects = [];
        }
        if (objects !== undefined) {
          size += line.length + 1;
          if (size > LARGEST_OBJECT) throw new Error('it is larger than 8 MiB, so it is no recorded object');
          objects.push(line);
        } else if (/^% time\s+seconds\s/.test(line)) isTable = true;
        else if (isTable && /^(?:-+\s*)+$/.test(line)) continue;
        else if (isTable && /\btotal\s*$/.test(line)) isTable = false;
        else {
          const result = isTable ? this.#fromTable(line) : this.#fromLine(line);
          if (result === true || result === 'understood') understood++;
          else if (result !== undefined) gap(result);
        }
      }
    } catch (error) {
      this.gaps.push({ file, reason: problem(error) });
      return;
    }
    this.lines += number;
    if (objects !== undefined) understood += this.#fromObjects(objects.join('\n'), file);
    if (understood === 0)
      this.gaps.push({
        file,
        reason: 'no line of it is a record of system calls, of SELinux or of AppArmor',
      });
  }

  /** @returns true where it was understood, a reason where it should have been, undefined where it says nothing */
  #fromLine(line: string): Result {
    if (line.includes('apparmor=')) return this.#fromAppArmor(line);
    if (line.includes('tclass') || line.includes('avc: ')) return this.#fromAvc(line);
    const enriched = /\bsyscallName"?\s*[=:]\s*"(\w+)"/.exec(line);
    if (enriched !== null) return this.#add(enriched[1]!);
    const several = /"syscalls"\s*:\s*\[([^\]]*)\]/.exec(line);
    if (several !== null) {
      const results = [...several[1]!.matchAll(/"(\w+)"/g)].map(([, name]) => this.#add(name!));
      return results.find(result => result !== true) ?? results[0];
    }
    if (/\btype=(?:SECCOMP|SYSCALL|1326|1300)\b/.test(line)) return this.#fromAudit(line);
    return this.#fromTrace(line);
  }

  #fromTrace(line: string): Result {
    let text = line;
    for (let prefix = PREFIX.exec(text); prefix !== null; prefix = PREFIX.exec(text))
      text = text.slice(prefix[0].length);
    // The end of a call may be all that is seen of it: strace came after its beginning.
    const resumed = /^<\.\.\. ([a-z_][a-z0-9_]*) resumed>/.exec(text)?.[1];
    if (resumed !== undefined) return this.record.syscalls.has(resumed) ? 'understood' : this.#add(resumed);
    const traced = /^([a-z_][a-z0-9_]*)\(/.exec(text);
    if (traced === null) return undefined;
    const name = traced[1]!;
    if (/^(?:clone3?|unshare|fork|vfork)$/.test(name))
      for (const [flag] of text.matchAll(/\bCLONE_NEW[A-Z]+\b/g)) this.record.namespaces.add(flag);
    const family = name === 'socket' ? /^socket\((AF_ALG|AF_VSOCK)\b/.exec(text)?.[1] : undefined;
    if (family !== undefined) this.record.sockets.add(family);
    // A call that strace does not know yet.
    const numbered = /^syscall_(0x[0-9a-f]+|\d+)$/.exec(name);
    if (numbered !== null) return this.#numbered(Number(numbered[1]), 'x86_64');
    return this.#add(name);
  }

  #fromAudit(line: string): Result {
    const syscall = /\bsyscall=(\w+)/.exec(line)?.[1];
    const arch = /\barch=(\w+)/.exec(line)?.[1];
    if (syscall === undefined) return 'it names no system call';
    // As ausearch -i writes it.
    if (!/^\d+$/.test(syscall)) return this.#add(syscall);
    const architecture = arch === undefined ? undefined : (auditArchitecture(arch) ?? architectureOf(arch));
    if (architecture === undefined) return `architecture ${arch?.slice(0, 40) ?? 'nothing'} is not known`;
    return this.#numbered(Number(syscall), architecture);
  }

  #numbered(number: number, architecture: string): Result {
    // Calls of x32 have a bit set. Source: arch/x86/include/uapi/asm/unistd.h.
    const isX32 = architecture === 'x86_64' && number >= 0x4000_0000;
    const where = isX32 ? 'x32' : architecture;
    const key = `${where} ${number}`;
    let name = this.#names.get(key);
    if (name === undefined && !this.#names.has(key)) {
      name = nameOfNumber(isX32 ? number - 0x4000_0000 : number, where);
      this.#names.set(key, name);
    }
    return name === undefined ? `${where} has no system call ${number}` : this.#add(name);
  }

  #fromTable(line: string): Result {
    const cells = line.trim().split(/\s+/);
    if (cells.length < 5) return line.trim() === '' ? undefined : 'it is no row of strace -c';
    return this.#add(cells.at(-1)!, Number(cells[3]) || 1);
  }

  #add(name: string, times = 1): Result {
    const { syscalls } = this.record;
    const known = syscalls.get(name);
    if (known === undefined && !isSyscall(name)) return `"${name.slice(0, 40)}" is no known system call`;
    syscalls.set(name, (known ?? 0) + times);
    return true;
  }

  /** `avc:  denied  { read open } for … scontext=… tcontext=… tclass=file`, as the kernel or the enricher writes it. */
  #fromAvc(line: string): Result {
    const field = (name: string): string | undefined =>
      new RegExp(`\\b${name}"?\\s*[=:]\\s*"?([^\\s",}]+(?:,c\\d+[^\\s",}]*)*)`).exec(line)?.[1];
    const [source, target, name] = [field('scontext'), field('tcontext'), field('tclass')];
    const permissions = line.includes('avc: ')
      ? /\{\s*([^}]*?)\s*\}/.exec(line)?.[1]
      : /\bperm"?\s*[=:]\s*"([^"]*)"/.exec(line)?.[1];
    if (source === undefined || target === undefined || name === undefined || permissions === undefined)
      return /\bavc:|scontext/.test(line) ? 'it is half a record of SELinux' : undefined;
    const from = contextOf(source);
    const to = contextOf(target);
    if (from === undefined || to === undefined || !/^\w+$/.test(name))
      return 'its SELinux contexts are not understood';
    if (!isContainerType(from.type)) {
      this.left.add(`SELinux type ${from.type}, which is no container's`);
      return 'understood';
    }
    const [reader, read] = [parseRange(from.level), parseRange(to.level)];
    if (
      to.type === 'container_file_t' &&
      typeof reader !== 'string' &&
      typeof read !== 'string' &&
      !dominates(reader.high, read.high)
    ) {
      this.left.add(
        `container_file_t of level ${to.level} from ${from.level}: the levels keep them apart, and no rule helps`,
      );
      return 'understood';
    }
    const key = `${to.type === from.type ? '@self' : to.type} ${name}`;
    const known = this.record.accesses.get(key) ?? new Set();
    for (const permission of permissions.split(/\s+/)) if (/^\w+$/.test(permission)) known.add(permission);
    if (known.size === 0) return 'it names no permission';
    if (this.record.accesses.size >= MOST_FILES) return 'the record names too many types';
    this.record.accesses.set(key, known);
    return true;
  }

  #fromAppArmor(line: string): Result {
    const field = (name: string): string | undefined => {
      const match = new RegExp(`\\b${name}=(?:"([^"]*)"|([^\\s"]+))`).exec(line);
      return match?.[1] ?? (match?.[2] === undefined ? undefined : unhex(match[2]));
    };
    const verdict = field('apparmor');
    if (verdict !== 'ALLOWED' && verdict !== 'DENIED' && verdict !== 'AUDIT') return undefined;
    const operation = field('operation') ?? '';
    const mask = field('requested_mask') ?? field('denied_mask') ?? '';
    const capability = field('capname');
    const family = field('family');
    const path = field('name');
    const rule = this.#ruleOf(operation, mask, field);
    if (rule === null) return `the peer or path of ${operation.slice(0, 40)} is not taken over`;
    if (rule !== undefined) {
      this.record.rules.add(rule);
      return true;
    }
    if (capability !== undefined && /^[a-z_]+$/.test(capability)) this.record.capabilities.add(capability);
    else if (family !== undefined && /^[a-z0-9_]+$/.test(family)) {
      const type = field('sock_type');
      this.record.networks.add(type !== undefined && /^[a-z]+$/.test(type) ? `${family} ${type}` : family);
    } else if (path !== undefined && path !== '' && !/[\n\0]/.test(path) && isFileMask(mask)) {
      // A path that is cut off from the root is attached to it (attach_disconnected).
      const whole = path.startsWith('/') ? path : `/${path}`;
      const known = this.record.files.get(whole) ?? new Set();
      if (this.record.files.size >= MOST_FILES && known.size === 0) return 'the record names too many files';
      for (const letter of mask.replace(/::.*$/, '')) if ('rwacdmlkx'.includes(letter)) known.add(letter);
      if (known.size === 0) return `it asks for no access to a file that is known: "${mask.slice(0, 20)}"`;
      this.record.files.set(whole, known);
    } else return `operation ${operation.slice(0, 40) || '?'} is not taken over`;
    return true;
  }

  /** Rules beside those of files. @returns null where what it names cannot stand in a rule */
  #ruleOf(
    operation: string,
    mask: string,
    field: (name: string) => string | undefined,
  ): string | null | undefined {
    const word = (name: string): string | undefined => {
      const value = field(name);
      return value !== undefined && /^[\w./*@{}:+-]+$/.test(value) ? value : undefined;
    };
    switch (operation) {
      case 'ptrace': {
        const peer = word('peer');
        return peer === undefined || !/^(?:trace|read|tracedby|readby)$/.test(mask)
          ? null
          : `ptrace (${mask}) peer=${peer}`;
      }
      case 'signal': {
        const [peer, signal] = [word('peer'), word('signal')];
        return peer === undefined || signal === undefined || !/^(?:send|receive)$/.test(mask)
          ? null
          : `signal (${mask}) set=(${signal}) peer=${peer}`;
      }
      case 'mount': {
        const [type, source, target] = [word('fstype'), word('srcname'), word('name')];
        if (target === undefined) return null;
        return `mount${type === undefined ? '' : ` fstype=${type}`}${source === undefined ? '' : ` ${source}`} -> ${target}`;
      }
      case 'umount': {
        const target = word('name');
        return target === undefined ? null : `umount ${target}`;
      }
      case 'pivotroot':
        return 'pivot_root';
      case 'userns_create':
        return 'userns create';
      case 'change_profile':
      case 'change_onexec': {
        const target = word('target') ?? word('name');
        return target === undefined ? null : `change_profile -> ${target}`;
      }
      default:
        return undefined;
    }
  }

  /** Objects that were recorded, and profiles that are to be merged. @returns how many were understood */
  #fromObjects(text: string, file: string): number {
    let understood = 0;
    const values = readDocuments(text).flatMap(document => {
      if (document.is === 'error') this.gaps.push({ file, line: document.line, reason: document.message });
      if (document.is !== 'value' || !isRecord(document.value)) return [];
      const { items } = document.value;
      return Array.isArray(items) ? items.filter(isRecord) : [document.value];
    });
    const none = (): undefined => undefined;
    for (const value of values) {
      if (isSeccompObject(value) || isSeccompJson(value)) {
        const { profile, problems } = readSeccomp(value, file, none, values.filter(isSeccompObject));
        for (const { kind, message } of problems)
          if (kind === 'missing-base' || kind === 'malformed') this.gaps.push({ file, reason: message });
        for (const { action, names, args } of profile.rules)
          if (isOpen(action)) {
            for (const name of names) if (isSyscall(name)) this.#add(name);
            if (args.length > 0 && !names.includes('clone'))
              this.left.add(
                `the conditions of ${names.slice(0, 3).join(', ')} in ${file}: the calls are allowed whole`,
              );
          }
      } else if (isSelinuxObject(value)) {
        for (const { type, class: name, permissions } of readSelinux(value, none, values).policy.rules) {
          const key = `${type} ${name}`;
          const known = this.record.accesses.get(key) ?? new Set();
          for (const permission of permissions) known.add(permission);
          this.record.accesses.set(key, known);
        }
      } else if (value['kind'] === 'AppArmorProfile') this.#fromAppArmorProfile(value);
      else {
        this.gaps.push({
          file,
          reason: `a ${typeof value['kind'] === 'string' ? value['kind'].slice(0, 40) : 'document without a kind'} is no record`,
        });
        continue;
      }
      understood++;
    }
    return understood;
  }

  #fromAppArmorProfile(value: unknown): void {
    const { record } = this;
    for (const { rules } of readAppArmorObject(value, () => undefined).profiles)
      for (const { kind, deny, rest, paths, access = '' } of rules) {
        if (deny) continue;
        if (kind === 'file')
          for (const path of paths ?? []) {
            const known = record.globs.get(path) ?? new Set();
            for (const letter of access) if ('rwamlkx'.includes(letter)) known.add(letter);
            record.globs.set(path, known);
          }
        else if (kind === 'capability') for (const one of rest.split(/\s+/)) record.capabilities.add(one);
        else if (kind === 'network') record.networks.add(rest);
        else record.rules.add(`${kind} ${rest}`.trim());
      }
  }
}

/** Letters of files; other masks are words. */
function isFileMask(mask: string): boolean {
  return /^[rwacdmlkxpPuUiI]+(?:::[rwacdmlkx]*)?$/.test(mask);
}

function contextOf(text: string): { readonly type: string; readonly level: string } | undefined {
  const [, , type, ...level] = text.split(':');
  return type === undefined || !/^[\w.-]+$/.test(type) ? undefined : { type, level: level.join(':') };
}

/** The processes of containers; others of the node stand in the same log. */
function isContainerType(type: string): boolean {
  return /^(?:container_(?!runtime)\w*t|svirt_\w+|spc_t|.+\.process)$/.test(type);
}

/** Names with odd characters stand in the log as hexadecimal digits, without quotes. */
function unhex(word: string): string {
  return /^(?:[0-9A-F]{2})+$/.test(word) ? Buffer.from(word, 'hex').toString('utf8') : word;
}
