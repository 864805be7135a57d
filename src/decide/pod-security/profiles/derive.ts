/**
 * The smallest profiles that allow what was seen, with a margin that is stated.
 *
 * Source of the margin: what runc itself calls between loading the filter and the start of the program
 * (libcontainer/standard_init_linux.go, init_linux.go, capabilities, Go's runtime), and what every program needs to end.
 */
import { readAppArmor } from './apparmor.ts';
import { type Glob, matchesGlob } from './apparmor-glob.ts';
import {
  type Action,
  type Condition,
  decide,
  isOpen,
  type Machine,
  type Profile,
  type Rule,
} from './seccomp.ts';
import { decideAccess, type SelinuxPolicy } from './selinux-policy.ts';
import { type Architecture, isSyscall, numberOf } from './syscalls.ts';

/** What was seen, of one or more records. */
export interface Seen {
  /** By name of the call, how often. */
  readonly syscalls: ReadonlyMap<string, number>;
  /** By path, as it is: letters of access. */
  readonly files: ReadonlyMap<string, ReadonlySet<string>>;
  /** By glob: of profiles that were recorded before. */
  readonly globs: ReadonlyMap<string, ReadonlySet<string>>;
  readonly capabilities: ReadonlySet<string>;
  /** `inet stream`. */
  readonly networks: ReadonlySet<string>;
  /** Other rules of AppArmor, as they are written: `signal (send) set=(term) peer=web`. */
  readonly rules: ReadonlySet<string>;
  /** Of SELinux: by `TYPE CLASS` the permissions; the type is `@self` for the process itself. */
  readonly accesses: ReadonlyMap<string, ReadonlySet<string>>;
  /** CLONE_NEW flags of clone, clone3 and unshare that were seen. */
  readonly namespaces: ReadonlySet<string>;
  /** AF_ALG and AF_VSOCK, where a socket of them was seen: defaults of runtimes keep them out. */
  readonly sockets: ReadonlySet<string>;
}

/** What every start and stop of a container calls. */
export const margin: readonly string[] =
  'brk capget capset chdir close epoll_ctl epoll_pwait execve exit exit_group faccessat2 fchdir fcntl fstat fstatfs futex getdents64 getgid getpid getppid gettid getuid lseek madvise mmap mprotect munmap nanosleep newfstatat openat openat2 prctl pread64 read readlinkat rt_sigaction rt_sigprocmask rt_sigreturn sched_yield setgid setgroups setuid sigaltstack statx tgkill umask write'.split(
    ' ',
  );

export interface Derived {
  readonly profile: Profile;
  /** Allowed though no record holds them. */
  readonly added: readonly string[];
  /** Seen, but no calls of this architecture: they are not in the profile. */
  readonly foreign: readonly string[];
  /** `clone` is allowed without namespaces only: no record shows one with them. */
  readonly isMasked: boolean;
  /** `clone3` was seen, and gets ENOSYS: C libraries go on with `clone`. */
  readonly isReplaced: boolean;
  /** `socket` is allowed without AF_ALG and AF_VSOCK: no record shows them. */
  readonly isUsual: boolean;
}

const TOKENS: Readonly<Record<Architecture, string>> = { ppc64: 'SCMP_ARCH_PPC64LE' };

export function deriveSeccomp(seen: Seen, name: string, machine: Machine, isBare = false): Derived {
  const { architecture } = machine;
  const exists = (call: string): boolean => isSyscall(call) && numberOf(call, architecture) !== undefined;
  const isConfined = seen.namespaces.size === 0;
  // Its flags stand in memory, where no filter sees them: as RuntimeDefault has it, clone does its work.
  const isReplaced = isConfined && seen.syscalls.has('clone3') && exists('clone');
  const needed = [...new Set([...seen.syscalls.keys(), ...(isReplaced ? ['clone'] : [])])].filter(
    call => exists(call) && !(isReplaced && call === 'clone3'),
  );
  const added = isBare ? [] : margin.filter(call => exists(call) && !seen.syscalls.has(call));
  const isMasked = isConfined && needed.includes('clone');
  const isUsual = needed.includes('socket') && seen.sockets.size === 0;
  const apart = new Set([...(isMasked ? ['clone'] : []), ...(isUsual ? ['socket'] : [])]);
  const rule = (
    names: readonly string[],
    action: Action,
    more: Partial<Pick<Rule, 'args' | 'errnoRet'>> = {},
  ): Rule => ({ names, action, args: [], includes: {}, excludes: {}, ...more });
  return {
    profile: {
      name,
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: [TOKENS[architecture] ?? `SCMP_ARCH_${architecture.toUpperCase()}`],
      flags: [],
      rules: [
        rule([...needed, ...added].filter(call => !apart.has(call)).sort(), 'SCMP_ACT_ALLOW'),
        // Processes and threads, no namespaces: as the defaults of the runtimes have it.
        ...(isMasked
          ? [
              rule(['clone'], 'SCMP_ACT_ALLOW', {
                args: [
                  {
                    index: flagsIndex(architecture),
                    op: 'SCMP_CMP_MASKED_EQ',
                    value: NEW_NAMESPACES,
                    valueTwo: 0n,
                  },
                ],
              }),
            ]
          : []),
        ...(isUsual ? FAMILIES.map(args => rule(['socket'], 'SCMP_ACT_ALLOW', { args })) : []),
        // C libraries go on with clone where clone3 does not exist, and give up where it is forbidden.
        ...(needed.includes('clone3') || !exists('clone3')
          ? []
          : [rule(['clone3'], 'SCMP_ACT_ERRNO', { errnoRet: ENOSYS })]),
      ],
    },
    added,
    foreign: [...seen.syscalls.keys()].filter(call => !exists(call)).sort(),
    isMasked,
    isReplaced,
    isUsual,
  };
}

const ENOSYS = 38;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. Source: moby profiles/seccomp. */
const NEW_NAMESPACES = 0x7e02_0000n;

/** Every family of sockets but AF_ALG (38) and AF_VSOCK (40). Source: containerd contrib/seccomp. */
const FAMILIES: readonly (readonly Condition[])[] = [
  [{ index: 0, op: 'SCMP_CMP_LT', value: 38n, valueTwo: 0n }],
  [{ index: 0, op: 'SCMP_CMP_EQ', value: 39n, valueTwo: 0n }],
  [{ index: 0, op: 'SCMP_CMP_GT', value: 40n, valueTwo: 0n }],
];
const NUMBERS: Readonly<Record<string, bigint>> = { AF_ALG: 38n, AF_VSOCK: 40n };

/** Source: clone(2): on s390 the stack comes first. */
function flagsIndex(architecture: Architecture): number {
  return architecture.startsWith('s390') ? 1 : 0;
}

/** The calls of a record that a profile would not let through: none, if it fits. */
export function replay(profile: Profile, seen: Seen, machine: Machine): string[] {
  return [...seen.syscalls.keys()]
    .filter(name => {
      if (!isSyscall(name) || numberOf(name, machine.architecture) === undefined) return true;
      // Where a record shows namespaces, the call is tried with them.
      const flags = seen.namespaces.size > 0 ? NEW_NAMESPACES : 0n;
      const tries =
        name === 'clone'
          ? [new Map([[flagsIndex(machine.architecture), flags]])]
          : name === 'socket'
            ? // The internet and the node itself, and what a record shows beside.
              [1n, 2n, 10n, ...[...seen.sockets].map(one => NUMBERS[one]!)].map(one => new Map([[0, one]]))
            : [new Map<number, bigint>()];
      return !tries.every(args => isLetThrough(profile, name, args, seen, machine));
    })
    .sort();
}

function isLetThrough(
  profile: Profile,
  name: string,
  args: ReadonlyMap<number, bigint>,
  seen: Seen,
  machine: Machine,
): boolean {
  const { action, errno, certainty } = decide(profile, { name, args }, machine);
  // C libraries go on with clone, as they do under RuntimeDefault.
  if (name === 'clone3' && errno === ENOSYS && seen.namespaces.size === 0) return true;
  return certainty === 'sure' && isOpen(action);
}

/** The profile as runtimes read it. */
export function toOci({ defaultAction, architectures, rules }: Profile): unknown {
  return {
    defaultAction,
    architectures,
    syscalls: rules.map(({ names, action, errnoRet, args }) => ({
      names,
      action,
      ...(errnoRet === undefined ? {} : { errnoRet }),
      ...(args.length === 0
        ? {}
        : {
            args: args.map(({ index, op, value, valueTwo }) => ({
              index,
              value: Number(value),
              valueTwo: Number(valueTwo),
              op,
            })),
          }),
    })),
  };
}

/**
 * The text of an AppArmor profile. Paths are quoted, and what globs mean is taken out of them; numbers of processes and
 * terminals, which are others the next time, become variables.
 */
export function deriveAppArmor({ files, globs, capabilities, networks, rules }: Seen, name: string): string {
  const paths = new Map<string, Set<string>>();
  const add = (text: string, access: ReadonlySet<string>): void => {
    if (order(access) === '') return;
    const known = paths.get(text) ?? new Set();
    paths.set(text, known);
    for (const letter of access) known.add(letter);
  };
  for (const [path, access] of files) add(numberless(literal(path)), access);
  for (const [glob, access] of globs) add(glob, access);
  const lines = [
    'include <tunables/global>',
    '',
    `profile ${name} flags=(attach_disconnected,mediate_deleted) {`,
    '  include <abstractions/base>',
    ...[...capabilities].sort().map(one => `  capability ${one},`),
    ...[...networks].sort().map(one => `  network ${one},`),
    ...[...rules].sort().map(one => `  ${one},`),
    ...[...paths]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, access]) => `  "${path}" ${order(access)},`),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

/** Source of the variables: tunables/global of AppArmor. */
function numberless(path: string): string {
  return path
    .replace(/^\/proc\/\d+(?=\/|$)/, '/proc/@{pid}')
    .replace(/^(\/proc\/(?:@\{pid\}|self)\/task)\/\d+(?=\/|$)/, '$1/@{tid}')
    .replace(/^\/dev\/pts\/\d+$/, '/dev/pts/[0-9]*');
}

/** What was seen and a profile of AppArmor, read back, does not allow: nothing, if it fits. */
export function replayAppArmor(text: string, seen: Seen): string[] {
  const { profiles, errors } = readAppArmor(text, undefined, Number.POSITIVE_INFINITY);
  const rules = profiles.flatMap(profile => profile.rules).filter(({ deny }) => !deny);
  const missed = errors.map(({ line, message }) => `line ${line}: ${message}`);
  const written = new Set(rules.map(({ kind, rest }) => `${kind} ${rest}`.trim()));
  const literals = new Map<string, Set<string>>();
  const wild: { readonly glob: Glob; readonly access: string }[] = [];
  for (const { kind, globs = [], access = '' } of rules)
    for (const glob of kind === 'file' ? globs : [])
      if (glob.prefix.length + 1 < glob.steps.length) wild.push({ glob, access });
      else literals.set(glob.prefix, new Set([...(literals.get(glob.prefix) ?? []), ...access]));
  const allowed = (path: string): ReadonlySet<string> =>
    new Set([
      ...(literals.get(path) ?? []),
      ...wild.filter(({ glob }) => matchesGlob(glob, path)).flatMap(({ access }) => [...access]),
    ]);
  for (const [path, access] of seen.files) {
    const has = allowed(path);
    // Creating and deleting is writing, and whoever writes appends.
    const needs = [...order(access).replace('i', '')];
    if (!needs.every(letter => has.has(letter) || (letter === 'a' && has.has('w')))) missed.push(path);
  }
  for (const one of seen.capabilities)
    if (!written.has(`capability ${one}`)) missed.push(`capability ${one}`);
  for (const one of seen.networks) if (!written.has(`network ${one}`)) missed.push(`network ${one}`);
  for (const one of seen.rules) if (!written.has(one)) missed.push(one);
  return missed.sort();
}

/** The SelinuxProfile object that allows what was seen, beside what every container may. */
export function deriveSelinux({ accesses }: Seen, name: string): object {
  const allow: Record<string, Record<string, string[]>> = {};
  for (const key of [...accesses.keys()].sort()) {
    const [type = '', className = ''] = key.split(' ');
    allow[type] ??= {};
    allow[type][className] = [...accesses.get(key)!].sort();
  }
  return {
    // Old and new versions of the operator take it; enforcing is the default of all.
    apiVersion: 'security-profiles-operator.x-k8s.io/v1alpha2',
    kind: 'SelinuxProfile',
    metadata: { name },
    spec: { inherit: [{ kind: 'System', name: 'container' }], allow },
  };
}

/** What was seen and a profile of SELinux does not allow by its own rules: nothing, if it fits. */
export function replaySelinux(policy: SelinuxPolicy, { accesses }: Seen): string[] {
  return [...accesses]
    .flatMap(([key, permissions]) => {
      const [type = '', className = ''] = key.split(' ');
      return [...permissions]
        .filter(permission => {
          const { answer } = decideAccess(policy, { type, class: className, permission });
          return answer !== 'allowed';
        })
        .map(permission => `${key} ${permission}`);
    })
    .sort();
}

function literal(path: string): string {
  return path.replace(/[\\"*?[\]{}^@]/g, '\\$&');
}

/** Masks of the log in the words of profiles: creating and deleting is writing; a program runs in the same profile. */
function order(access: ReadonlySet<string>): string {
  const has = (letters: string): boolean => [...letters].some(letter => access.has(letter));
  const isWrite = has('wcd');
  return `${has('r') ? 'r' : ''}${isWrite ? 'w' : has('a') ? 'a' : ''}${has('m') ? 'm' : ''}${has('l') ? 'l' : ''}${has('k') ? 'k' : ''}${has('x') ? 'ix' : ''}`;
}
