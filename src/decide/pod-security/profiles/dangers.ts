/**
 * System calls that escapes are made of, and what they need beside themselves. Sources: the man pages of section 2
 * (capabilities), capabilities(7), user_namespaces(7).
 */

export interface Danger {
  readonly syscalls: readonly string[];
  /** One of these makes the call useful; none is needed where it is empty. */
  readonly capabilities: readonly string[];
  readonly severity: 'high' | 'medium';
  /** What an attacker does with it. */
  readonly use: string;
}

export const dangers: readonly Danger[] = [
  {
    syscalls: [
      'mount',
      'umount2',
      'move_mount',
      'open_tree',
      'fsopen',
      'fsmount',
      'fsconfig',
      'fspick',
      'mount_setattr',
      'pivot_root',
    ],
    capabilities: ['CAP_SYS_ADMIN'],
    severity: 'high',
    use: 'mounts the disks and cgroups of the node, or lifts masks off /proc',
  },
  {
    syscalls: ['unshare', 'setns'],
    capabilities: [],
    severity: 'high',
    use: 'makes a user namespace with every capability in it: most kernel exploits begin there',
  },
  {
    // C libraries call it for every thread, so that profiles made of records hold it.
    syscalls: ['clone3'],
    capabilities: [],
    severity: 'medium',
    use: 'makes a user namespace by flags that no filter sees: ENOSYS lets C libraries go on with clone',
  },
  {
    syscalls: ['ptrace', 'process_vm_readv', 'process_vm_writev', 'pidfd_getfd', 'kcmp'],
    capabilities: ['CAP_SYS_PTRACE'],
    severity: 'medium',
    use: 'reads and changes the memory of other processes, with hostPID those of the node',
  },
  {
    syscalls: ['bpf'],
    capabilities: [],
    severity: 'high',
    use: 'loads programs into the kernel; its verifier has been a way to root again and again',
  },
  {
    syscalls: ['perf_event_open'],
    capabilities: [],
    severity: 'medium',
    use: 'watches other processes, and reaches a large attack surface of the kernel',
  },
  {
    syscalls: ['add_key', 'keyctl', 'request_key'],
    capabilities: [],
    severity: 'medium',
    use: 'reaches the key rings, which containers share with the node',
  },
  {
    syscalls: ['userfaultfd'],
    capabilities: [],
    severity: 'medium',
    use: 'halts the kernel in the middle of a copy, which makes races of exploits certain',
  },
  {
    syscalls: ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
    capabilities: [],
    severity: 'medium',
    use: 'does reads, writes and connections that this filter does not see, by code full of past exploits',
  },
  {
    syscalls: ['kexec_load', 'kexec_file_load', 'reboot'],
    capabilities: ['CAP_SYS_BOOT'],
    severity: 'high',
    use: 'starts another kernel on the node, or turns it off',
  },
  {
    syscalls: ['init_module', 'finit_module', 'delete_module', 'create_module'],
    capabilities: ['CAP_SYS_MODULE'],
    severity: 'high',
    use: 'loads code into the kernel of the node',
  },
  {
    syscalls: ['open_by_handle_at'],
    capabilities: ['CAP_DAC_READ_SEARCH'],
    severity: 'high',
    use: 'opens any file of the node by its handle, outside of the container',
  },
  {
    syscalls: ['iopl', 'ioperm'],
    capabilities: ['CAP_SYS_RAWIO'],
    severity: 'high',
    use: 'talks to the hardware past the kernel',
  },
  {
    syscalls: ['settimeofday', 'clock_settime', 'clock_settime64', 'stime'],
    capabilities: ['CAP_SYS_TIME'],
    severity: 'medium',
    use: 'changes the clock of the node, so that certificates and logs lie',
  },
  {
    syscalls: [
      'swapon',
      'swapoff',
      'quotactl',
      'acct',
      'nfsservctl',
      'syslog',
      'lookup_dcookie',
      'fanotify_init',
    ],
    capabilities: ['CAP_SYS_ADMIN', 'CAP_SYS_PACCT', 'CAP_SYSLOG'],
    severity: 'medium',
    use: 'administers the node or reads what its kernel says',
  },
];

/** Calls whose danger lies in one argument. Sources: clone(2), socket(2), personality(2), vsock(7). */
export const argumentDangers: readonly {
  readonly syscall: string;
  readonly index: number;
  /** Where the argument stands on s390, if elsewhere. */
  readonly s390?: number;
  readonly value: bigint;
  readonly name: string;
  readonly severity: 'high' | 'medium' | 'low';
  readonly use: string;
}[] = [
  {
    syscall: 'clone',
    index: 0,
    s390: 1,
    value: 0x1000_0000n,
    name: 'CLONE_NEWUSER',
    severity: 'medium',
    use: 'makes a user namespace with every capability in it: most kernel exploits begin there',
  },
  {
    syscall: 'socket',
    index: 0,
    value: 38n,
    name: 'AF_ALG',
    severity: 'low',
    use: 'reaches the cryptography of the kernel, in which faults gave root',
  },
  {
    syscall: 'socket',
    index: 0,
    value: 40n,
    name: 'AF_VSOCK',
    severity: 'low',
    use: 'reaches the host of a virtual machine past every network policy',
  },
];

export function dangerOf(name: string): Danger | undefined {
  return dangers.find(({ syscalls }) => syscalls.includes(name));
}

/** Whether the capabilities of a container make it useful. */
export function isUsable({ capabilities }: Danger, held: ReadonlySet<string>): boolean {
  return capabilities.length === 0 || capabilities.some(name => held.has(name));
}
