/** What is wrong with a profile of AppArmor: where it does not confine, and where it gives the node away. */
import type { AppArmorProfile, AppArmorRule } from './apparmor.ts';
import { type Budget, matchesGlob } from './apparmor-glob.ts';
import type { Problem } from './read-seccomp.ts';

/** Capabilities with which a container takes the node. Source: capabilities(7). */
const CAPABILITIES = new Map([
  ['sys_admin', 'mounts, namespaces and most of what root may'],
  ['sys_module', 'loads code into the kernel'],
  ['sys_ptrace', 'reads and changes other processes'],
  ['sys_rawio', 'talks to the hardware past the kernel'],
  ['dac_read_search', 'opens any file of the node by its handle'],
  ['sys_boot', 'starts another kernel'],
  ['bpf', 'loads programs into the kernel'],
  ['mac_admin', 'replaces the profiles of AppArmor'],
  ['mac_override', 'ignores the profiles of AppArmor'],
]);

/** Files by which a container takes the node, and the access it needs. Sources: proc(5), core(5), sysfs(5). */
const FILES: readonly (readonly [path: string, access: 'r' | 'w', use: string])[] = [
  ['/proc/sys/kernel/core_pattern', 'w', 'names a program that the kernel runs as root on the node'],
  ['/proc/sys/kernel/modprobe', 'w', 'names a program that the kernel runs as root on the node'],
  ['/proc/sysrq-trigger', 'w', 'halts or restarts the node'],
  ['/proc/kcore', 'r', 'is the memory of the node'],
  ['/sys/kernel/uevent_helper', 'w', 'names a program that the kernel runs as root on the node'],
  ['/sys/fs/cgroup/memory/release_agent', 'w', 'names a program that the kernel runs as root on the node'],
  ['/sys/kernel/security/apparmor/.load', 'w', 'replaces the profiles of AppArmor'],
  ['/dev/mem', 'r', 'is the memory of the node'],
  ['/dev/sda', 'r', 'is a disk of the node'],
  ['/run/containerd/containerd.sock', 'w', 'starts any container on the node'],
  ['/var/run/docker.sock', 'w', 'starts any container on the node'],
];

/** What docker-default lets through by its rule for all files. Source: moby profiles apparmor/template.go. */
const USUAL = new Set([
  '/sys/fs/cgroup/memory/release_agent',
  '/dev/mem',
  '/dev/sda',
  '/run/containerd/containerd.sock',
  '/var/run/docker.sock',
]);

/** A few tenths of a second. */
const MOST_STEPS = 3_000_000;

export function lintAppArmor(profile: AppArmorProfile): Problem[] {
  const { flags, rules } = profile;
  const problems: Problem[] = [];
  const say = (kind: string, severity: Problem['severity'], message: string, line = profile.line): number =>
    problems.push({ kind, severity, message, line });
  if (flags.includes('complain')) say('complain-mode', 'high', 'the profile only logs: nothing is enforced');
  if (flags.includes('unconfined')) say('unconfined', 'high', 'the flag unconfined lets everything through');
  if (flags.includes('default_allow'))
    say('unconfined', 'high', 'the flag default_allow lets through what no rule denies');
  for (const rule of rules) if (!rule.deny) judge(rule, say);
  const budget: Budget = { left: MOST_STEPS };
  const usual: { readonly path: string; readonly line: number }[] = [];
  for (const [path, access, use] of FILES) {
    const covering = rules.filter(rule => rule.kind === 'file' && covers(rule, path, access, budget));
    if (budget.left <= 0) break;
    if (covering.some(({ deny }) => deny)) continue;
    const named = covering.find(({ globs }) => globs?.some(({ prefix }) => prefix.length > 1));
    const granting = named ?? covering[0];
    if (granting === undefined) continue;
    if (named === undefined && USUAL.has(path)) usual.push({ path, line: granting.line });
    else
      say('host-file', 'high', `${access === 'w' ? 'writes' : 'reads'} ${path}, which ${use}`, granting.line);
  }
  if (usual.length > 0)
    say(
      'host-file',
      'low',
      `keeps ${usual.map(({ path }) => path).join(', ')} open where they are mounted, as docker-default does`,
      usual[0]!.line,
    );
  if (budget.left <= 0)
    say(
      'not-judged',
      'medium',
      'its paths are too many and too intricate: which files it gives is not known',
    );
  for (const { name, line } of profile.missing)
    say('missing-include', 'low', `what "${short(name)}" allows is not judged: it is not at hand`, line);
  const denied = new Set(
    rules.filter(({ kind, deny }) => kind === 'capability' && deny).flatMap(({ rest }) => rest.split(/\s+/)),
  );
  for (const { kind, deny, rest, line } of rules) {
    if (kind !== 'capability' || deny) continue;
    const names = rest === '' ? [...CAPABILITIES.keys()] : rest.split(/\s+/);
    const dangerous = names.filter(name => CAPABILITIES.has(name) && !denied.has(name));
    if (rest === '' && dangerous.length > 0)
      say(
        'capability',
        'low',
        'allows every capability that the container has, as docker-default does',
        line,
      );
    else
      for (const name of dangerous)
        say('capability', 'medium', `allows ${name}: ${CAPABILITIES.get(name)}`, line);
  }
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function judge(
  { kind, rest, access = '', paths, line }: AppArmorRule,
  say: (kind: string, severity: Problem['severity'], message: string, line: number) => void,
): void {
  const target = /->\s*(\S+)\s*$/.exec(rest)?.[1];
  switch (kind) {
    case 'all':
      say('unconfined', 'high', 'allows everything', line);
      break;
    case 'file':
      if (paths === undefined) say('all-files', 'low', 'allows every file that is not denied', line);
      else if (/(?:^|[^pPcC])[uU]x/.test(access))
        say('unconfined-exec', 'high', `${paths[0]} runs without any profile (${access})`, line);
      else if (/[pPcC][uU]x/.test(access))
        say(
          'unconfined-exec',
          'medium',
          `${paths[0]} runs without any profile where its own is not loaded (${access})`,
          line,
        );
      break;
    case 'mount':
      if (isAnywhere(rest)) say('mount', 'high', 'allows mounts of anything anywhere', line);
      break;
    case 'remount':
      if (!/\//.test(rest)) say('mount', 'medium', 'makes what is mounted read-only writable again', line);
      break;
    case 'signal':
      if (!mayDo(rest, ['send', 'w', 'rw', 'write'])) break;
      if (isAnyPeer(rest)) say('signal', 'low', 'sends signals to any process that it sees', line);
      else if (peerOf(rest) === 'unconfined')
        say('signal', 'medium', 'sends signals to unconfined processes, which it can end', line);
      break;
    case 'io_uring':
      if (rest === '' || /override_creds/.test(rest))
        say('io-uring', 'medium', 'acts with the credentials of other processes by io_uring', line);
      break;
    case 'ptrace':
      // To be traced or read by others gives nothing.
      if (!mayDo(rest, ['trace', 'w', 'rw'])) break;
      if (isAnyPeer(rest)) say('ptrace', 'medium', 'allows any process to be traced', line);
      else if (peerOf(rest) === 'unconfined')
        say('ptrace', 'high', 'allows unconfined processes to be traced', line);
      break;
    case 'change_profile':
      if (target === undefined || /^(?:unconfined|\*\*?)$/.test(target))
        say('unconfined-transition', 'high', 'lets the process leave its profile', line);
      break;
    case 'userns':
      say('user-namespace', 'medium', 'allows user namespaces: most kernel exploits begin there', line);
      break;
    case 'dbus':
      if (/bus\s*=\s*system/.test(rest) && !/\b(?:path|interface|peer|name)\s*=/.test(rest))
        say(
          'dbus',
          'medium',
          'allows everything on the system bus, systemd of the node too where it is mounted',
          line,
        );
      break;
    case 'pivot_root':
      if (rest === '') say('mount', 'medium', 'allows another root', line);
      break;
  }
}

/** Whether a rule of signals or ptrace has one of the permissions; it has all where it names none. */
function mayDo(rest: string, permissions: readonly string[]): boolean {
  const before = rest.replace(/\b(?:peer|set)\s*=[\s\S]*$/, '');
  const named = before.split(/[\s,()]+/).filter(word => word !== '');
  return named.length === 0 || named.some(word => permissions.includes(word));
}

/** `peer=web`, `peer="web"`, `peer=(label=web)`. */
function peerOf(rest: string): string | undefined {
  return /\bpeer\s*=\s*(?:\(\s*label\s*=\s*)?"?([^\s",)]+)/.exec(rest)?.[1];
}

function isAnyPeer(rest: string): boolean {
  const peer = peerOf(rest);
  return peer === undefined || /^\*+$/.test(peer);
}

/** Neither what is mounted nor where is said, nor the kind of file system. */
function isAnywhere(rest: string): boolean {
  if (/\b(?:fstype|vfstype)\b/.test(rest)) return false;
  const words = rest.replace(/\b(?:options|flags)\s*(?:=|in)\s*(?:\([^)]*\)|\S+)/g, ' ').trim();
  const [source = '', target = ''] = words.split('->').map(word => word.trim().replaceAll('"', ''));
  const isAll = (word: string): boolean => /^\/?\*{0,2}\/?$/.test(word);
  return isAll(source) && isAll(target);
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

function covers(
  { globs, access = '' }: AppArmorRule,
  path: string,
  needs: 'r' | 'w',
  budget: Budget,
): boolean {
  // Append cannot be told from write by what these files do with it.
  const isEnough = access.includes(needs) || (needs === 'w' && access.includes('a'));
  return isEnough && (globs === undefined || globs.some(glob => matchesGlob(glob, path, budget)));
}
