/** What each dangerous capability gives whoever gets into the container. Source: capabilities(7). */
import type { Severity } from '#check/severity.ts';
import type { Container } from '#kube/pods.ts';

export interface Danger {
  readonly severity: Severity;
  readonly gives: string;
}

const danger = (severity: Severity, gives: string): Danger => ({ severity, gives });

export const DANGERS: Readonly<Record<string, Danger>> = {
  ALL: danger('critical', 'everything: the node is theirs'),
  SYS_ADMIN: danger(
    'critical',
    'mounting, namespaces and most of what root may do: a way out of the container',
  ),
  SYS_MODULE: danger('critical', 'loading code into the kernel'),
  SYS_RAWIO: danger('critical', 'reading and writing the memory and devices of the node'),
  SYS_PTRACE: danger(
    'high',
    'reading and changing the memory of other processes: of the node, if the pod shares its processes',
  ),
  SYS_BOOT: danger('high', 'restarting the node, and loading another kernel'),
  BPF: danger('high', 'running programs in the kernel that see what every pod does'),
  PERFMON: danger('high', 'watching the kernel and every process of the node'),
  DAC_READ_SEARCH: danger('high', 'opening any file of the node by its handle'),
  MAC_ADMIN: danger('high', 'changing the rules of AppArmor and SELinux'),
  MAC_OVERRIDE: danger('high', 'passing by the rules of AppArmor and SELinux'),
  NET_ADMIN: danger(
    'high',
    "changing the pod's network, and the node's if it shares it: routes, firewall, interfaces",
  ),
  SYSLOG: danger('medium', 'reading the log of the kernel, and from it the addresses that exploits need'),
  SYS_TIME: danger('medium', 'setting the clock of the node, on which certificates depend'),
  SYS_CHROOT: danger('low', 'changing the root folder of a process'),
  NET_RAW: danger('medium', 'forging packets: other pods on the network can be impersonated'),
  NET_BROADCAST: danger('low', 'sending broadcasts'),
  IPC_LOCK: danger('low', 'locking memory: the node can run out of it'),
  IPC_OWNER: danger('medium', 'reading shared memory of others'),
  LINUX_IMMUTABLE: danger('medium', 'making files that nobody can remove'),
  AUDIT_CONTROL: danger('high', 'switching off the audit log of the node'),
  AUDIT_READ: danger('medium', 'reading the audit log of the node'),
  CHECKPOINT_RESTORE: danger('medium', 'reading the memory of other processes'),
  LEASE: danger('low', 'holding leases on files of others'),
  SYS_NICE: danger('low', 'taking processor time from every pod on the node'),
  SYS_RESOURCE: danger('medium', 'passing by the limits on memory, disk and processes'),
  SYS_PACCT: danger('low', 'switching process accounting'),
  SYS_TTY_CONFIG: danger('low', 'taking over terminals of the node'),
  WAKE_ALARM: danger('low', 'waking the node'),
  BLOCK_SUSPEND: danger('low', 'keeping the node from sleeping'),
};

/** The kernel's name of a capability: without `CAP_`, in capitals. Container runtimes take it either way. */
export function capabilityName(text: string): string {
  return text.toUpperCase().replace(/^CAP_/, '');
}

/** What a container runtime leaves to a container that says nothing. Source: containerd pkg/oci/spec.go. */
export const DEFAULT_CAPABILITIES: readonly string[] =
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE'.split(
    ' ',
  );

/**
 * The bounding set of a container, by names without `CAP_`. Source: containerd internal/cri/server (WithCapabilities):
 * ALL first, then what is named.
 */
export function capabilitiesOf({ securityContext }: Container): ReadonlySet<string> {
  const every = Object.keys(DANGERS).filter(name => name !== 'ALL');
  if (securityContext?.privileged === true) return new Set([...DEFAULT_CAPABILITIES, ...every]);
  const add = (securityContext?.capabilities?.add ?? []).map(capabilityName);
  const drop = (securityContext?.capabilities?.drop ?? []).map(capabilityName);
  const held = new Set(drop.includes('ALL') ? [] : DEFAULT_CAPABILITIES);
  if (add.includes('ALL')) for (const name of [...DEFAULT_CAPABILITIES, ...every]) held.add(name);
  for (const name of add) if (name !== 'ALL') held.add(name);
  for (const name of drop) held.delete(name);
  return held;
}
