/** The rule of a policy on kernel parameters. Source: pkg/security/podsecuritypolicy/sysctl. */
import { quoted } from '#kube/go-text.ts';
import type { Pod } from '#kube/pods.ts';
import type { Objections } from './errors.ts';
import type { PolicySpec } from './policy.ts';

/** Those that need no permission, as of Kubernetes 1.24. */
const SAFE = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
]);

/** Whether a kernel parameter is one of the patterns: a `*` at the end stands for any rest. */
export function matchesSysctl(patterns: readonly string[], name: string): boolean {
  return patterns.some(pattern =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}

/** Forbidden ones go first: they can close safe ones too. */
export function objectToSysctls(
  { forbiddenSysctls, allowedUnsafeSysctls }: PolicySpec,
  { spec }: Pod,
  errors: Objections,
): void {
  const sysctls = spec.securityContext?.sysctls;
  if (sysctls === undefined) return;
  for (const [i, { name = '' }] of sysctls.entries()) {
    const field = `pod.spec.securityContext.sysctls[${i}]`;
    if (matchesSysctl(forbiddenSysctls, name))
      errors.forbidden(field, `sysctl ${quoted(name)} is not allowed`);
    else if (!SAFE.has(name) && !matchesSysctl(allowedUnsafeSysctls, name))
      errors.forbidden(field, `unsafe sysctl ${quoted(name)} is not allowed`);
  }
}
