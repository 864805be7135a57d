/** The control on kernel parameters. Source: policy/check_sysctls.go. */
import type { Pod } from '#kube/pods.ts';
import type { Breach, Control, Violation } from './check.ts';

/** Parameters that stay inside the pod, by the minor version of Kubernetes from which on they are allowed. */
export const SAFE_SYSCTLS: Readonly<Record<number, readonly string[]>> = {
  0: [
    'kernel.shm_rmid_forced',
    'net.ipv4.ip_local_port_range',
    'net.ipv4.tcp_syncookies',
    'net.ipv4.ping_group_range',
    'net.ipv4.ip_unprivileged_port_start',
  ],
  27: ['net.ipv4.ip_local_reserved_ports'],
  29: [
    'net.ipv4.tcp_keepalive_time',
    'net.ipv4.tcp_fin_timeout',
    'net.ipv4.tcp_keepalive_intvl',
    'net.ipv4.tcp_keepalive_probes',
  ],
  32: ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'],
  37: ['net.ipv4.tcp_slow_start_after_idle', 'net.ipv4.tcp_notsent_lowat'],
};

function unsafe(pod: Pod, allowed: ReadonlySet<string>): Breach | undefined {
  const violations: Violation[] = [];
  (pod.spec.securityContext?.sysctls ?? []).forEach(({ name }, i) => {
    if (!allowed.has(name ?? ''))
      violations.push({ path: ['spec', 'securityContext', 'sysctls', i, 'name'], value: name ?? '' });
  });
  if (violations.length === 0) return undefined;
  return { reason: 'forbidden sysctls', detail: violations.map(({ value }) => value).join(', '), violations };
}

export const sysctls: Control = {
  id: 'sysctls',
  level: 'baseline',
  revisions: Object.keys(SAFE_SYSCTLS).map((minor, i, all) => {
    const allowed = new Set(all.slice(0, i + 1).flatMap(since => SAFE_SYSCTLS[Number(since)]!));
    return { since: Number(minor), breach: pod => unsafe(pod, allowed) };
  }),
};
