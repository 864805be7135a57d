/** Controls on what a container may do to the kernel: privilege, capabilities, escalation, /proc. */

import type { Pod } from '#kube/pods.ts';
import {
  type Breach,
  type Control,
  containersOf,
  hasUserNamespace,
  isWindows,
  joinQuoted,
  named,
  sortedSet,
  type Violation,
} from './check.ts';

/** Source: policy/check_privileged.go. */
export const privileged: Control = {
  id: 'privileged',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      breach(pod) {
        const bad = containersOf(pod).filter(
          ({ container }) => container.securityContext?.privileged === true,
        );
        if (bad.length === 0) return undefined;
        return {
          reason: 'privileged',
          detail: `${named(bad.map(({ name }) => name))} must not set securityContext.privileged=true`,
          violations: bad.map(({ path, name }) => ({
            path: [...path, 'securityContext', 'privileged'],
            value: true,
            container: name,
          })),
        };
      },
    },
  ],
};

function escalation(pod: Pod): Breach | undefined {
  const bad = containersOf(pod).filter(
    ({ container }) => container.securityContext?.allowPrivilegeEscalation !== false,
  );
  if (bad.length === 0) return undefined;
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${named(bad.map(({ name }) => name))} must set securityContext.allowPrivilegeEscalation=false`,
    violations: bad.map(({ container, path, name }) => ({
      path: [...path, 'securityContext', 'allowPrivilegeEscalation'],
      value: container.securityContext?.allowPrivilegeEscalation,
      container: name,
    })),
  };
}

/** Source: policy/check_allowPrivilegeEscalation.go. */
export const allowPrivilegeEscalation: Control = {
  id: 'allowPrivilegeEscalation',
  level: 'restricted',
  revisions: [
    { since: 8, breach: escalation },
    { since: 25, breach: pod => (isWindows(pod) ? undefined : escalation(pod)) },
  ],
};

/** The capabilities that container runtimes grant by themselves, without NET_RAW. */
export const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

/** Source: policy/check_capabilities_baseline.go. */
export const capabilitiesBaseline: Control = {
  id: 'capabilities_baseline',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      breach(pod) {
        const { containers, capabilities, violations } = added(pod, capability =>
          DEFAULT_CAPABILITIES.has(capability),
        );
        if (containers.length === 0) return undefined;
        return {
          reason: 'non-default capabilities',
          detail: `${named(containers)} must not include ${joinQuoted(sortedSet(capabilities))} in securityContext.capabilities.add`,
          violations,
        };
      },
    },
  ],
};

function added(
  pod: Pod,
  isAllowed: (capability: string) => boolean,
): { readonly containers: string[]; readonly capabilities: string[]; readonly violations: Violation[] } {
  const containers: string[] = [];
  const capabilities: string[] = [];
  const violations: Violation[] = [];
  for (const { container, path, name } of containersOf(pod)) {
    const before = capabilities.length;
    (container.securityContext?.capabilities?.add ?? []).forEach((capability, i) => {
      if (isAllowed(capability)) return;
      capabilities.push(capability);
      violations.push({
        path: [...path, 'securityContext', 'capabilities', 'add', i],
        value: capability,
        container: name,
      });
    });
    if (capabilities.length > before) containers.push(name);
  }
  return { containers, capabilities, violations };
}

function unrestricted(pod: Pod): Breach | undefined {
  const keeping = containersOf(pod).filter(
    ({ container }) => container.securityContext?.capabilities?.drop?.includes('ALL') !== true,
  );
  const { containers, capabilities, violations } = added(
    pod,
    capability => capability === 'NET_BIND_SERVICE',
  );
  const details: string[] = [];
  if (keeping.length > 0)
    details.push(
      `${named(keeping.map(({ name }) => name))} must set securityContext.capabilities.drop=["ALL"]`,
    );
  if (containers.length > 0)
    details.push(
      `${named(containers)} must not include ${joinQuoted(sortedSet(capabilities))} in securityContext.capabilities.add`,
    );
  if (details.length === 0) return undefined;
  return {
    reason: 'unrestricted capabilities',
    detail: details.join('; '),
    violations: [
      ...keeping.map(({ container, path, name }) => ({
        path: [...path, 'securityContext', 'capabilities', 'drop'],
        value: container.securityContext?.capabilities?.drop,
        container: name,
      })),
      ...violations,
    ],
  };
}

/** Source: policy/check_capabilities_restricted.go. */
export const capabilitiesRestricted: Control = {
  id: 'capabilities_restricted',
  level: 'restricted',
  revisions: [
    { since: 22, overrides: ['capabilities_baseline'], breach: unrestricted },
    {
      since: 25,
      overrides: ['capabilities_baseline'],
      breach: pod => (isWindows(pod) ? undefined : unrestricted(pod)),
    },
  ],
};

function unmasked(pod: Pod): Breach | undefined {
  const bad = containersOf(pod).filter(({ container }) => {
    const procMount = container.securityContext?.procMount;
    return procMount !== undefined && procMount !== 'Default';
  });
  if (bad.length === 0) return undefined;
  const types = sortedSet(bad.map(({ container }) => container.securityContext!.procMount!));
  return {
    reason: 'procMount',
    detail: `${named(bad.map(({ name }) => name))} must not set securityContext.procMount to ${joinQuoted(types)}`,
    violations: bad.map(({ container, path, name }) => ({
      path: [...path, 'securityContext', 'procMount'],
      value: container.securityContext!.procMount,
      container: name,
    })),
  };
}

/** Source: policy/check_procMount_baseline.go. */
export const procMount: Control = {
  id: 'procMount',
  level: 'baseline',
  revisions: [
    { since: 0, breach: unmasked },
    { since: 35, breach: pod => (hasUserNamespace(pod) ? undefined : unmasked(pod)) },
  ],
};

/** Source: policy/check_procMount_restricted.go. */
export const procMountRestricted: Control = {
  id: 'procMount_restricted',
  level: 'restricted',
  revisions: [{ since: 35, overrides: ['procMount'], breach: unmasked }],
};
