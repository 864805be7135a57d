/**
 * The smallest profiles that allow what was seen, with a margin that is stated.
 *
 * Source of the margin: what runc itself calls between loading the filter and the start of the program
 * (libcontainer/standard_init_linux.go, init_linux.go, capabilities, Go's runtime), and what every program needs to end.
 */
import { decide, isOpen, type Machine, type Profile } from './seccomp.ts';
import { type Architecture, isSyscall, numberOf } from './syscalls.ts';

/** What was seen, of one or more records. */
export interface Seen {
  /** By name of the call, how often. */
  readonly syscalls: ReadonlyMap<string, number>;
  readonly files: ReadonlyMap<string, ReadonlySet<string>>;
  readonly capabilities: ReadonlySet<string>;
  /** `inet stream`. */
  readonly networks: ReadonlySet<string>;
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
}

const TOKENS: Readonly<Record<Architecture, string>> = { ppc64: 'SCMP_ARCH_PPC64LE' };

export function deriveSeccomp(seen: Seen, name: string, machine: Machine, isBare = false): Derived {
  const { architecture } = machine;
  const exists = (call: string): boolean => isSyscall(call) && numberOf(call, architecture) !== undefined;
  const needed = [...seen.syscalls.keys()].filter(exists);
  const added = isBare ? [] : margin.filter(call => exists(call) && !seen.syscalls.has(call));
  return {
    profile: {
      name,
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: [TOKENS[architecture] ?? `SCMP_ARCH_${architecture.toUpperCase()}`],
      flags: [],
      rules: [
        {
          names: [...needed, ...added].sort(),
          action: 'SCMP_ACT_ALLOW',
          args: [],
          includes: {},
          excludes: {},
        },
        // C libraries go on with clone where clone3 does not exist, and give up where it is forbidden.
        ...(needed.includes('clone3') || !exists('clone3')
          ? []
          : [
              {
                names: ['clone3'],
                action: 'SCMP_ACT_ERRNO' as const,
                errnoRet: 38,
                args: [],
                includes: {},
                excludes: {},
              },
            ]),
      ],
    },
    added,
    foreign: [...seen.syscalls.keys()].filter(call => !exists(call)).sort(),
  };
}

/** The calls of a record that a profile would not let through: none, if it fits. */
export function replay(profile: Profile, seen: Seen, machine: Machine): string[] {
  return [...seen.syscalls.keys()]
    .filter(name => {
      if (!isSyscall(name) || numberOf(name, machine.architecture) === undefined) return true;
      const { action, certainty } = decide(profile, { name, args: new Map() }, machine);
      return certainty !== 'sure' || !isOpen(action);
    })
    .sort();
}

/** The profile as runtimes read it. */
export function toOci({ defaultAction, architectures, rules }: Profile): unknown {
  return {
    defaultAction,
    architectures,
    syscalls: rules.map(({ names, action, errnoRet }) => ({
      names,
      action,
      ...(errnoRet === undefined ? {} : { errnoRet }),
    })),
  };
}

/** The text of an AppArmor profile. Paths are quoted, and what globs mean is taken out of them. */
export function deriveAppArmor({ files, capabilities, networks }: Seen, name: string): string {
  const lines = [
    `profile ${name} flags=(attach_disconnected,mediate_deleted) {`,
    '  include <abstractions/base>',
    ...[...capabilities].sort().map(one => `  capability ${one},`),
    ...[...networks].sort().map(one => `  network ${one},`),
    ...[...files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, access]) => `  "${literal(path)}" ${order(access)},`),
    '}',
  ];
  return `${lines.join('\n')}\n`;
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
