/**
 * The security context of containers as it takes effect: each value, where it comes from, and what it gives to whoever
 * gets in.
 *
 * Sources: kubernetes pkg/securitycontext/util.go (DetermineEffectiveSecurityContext), pkg/security/apparmor/helpers.go
 * (GetProfile); containerd pkg/oci/spec.go (the default capabilities), internal/cri/sputil (privileged
 * containers get no seccomp profile, and AppArmor only by name).
 */
import { statedAppArmor } from '#decide/pod-security/profiles/apparmor-effective.ts';
import {
  confinementOf,
  contextOf,
  holdsEverything,
  isUsualRole,
  isUsualUser,
  parseRange,
} from '#decide/pod-security/profiles/selinux.ts';
import { accountOf, mountsToken } from '#kube/accounts.ts';
import { type Path, valueAt } from '#kube/objects.ts';
import type { ContainerSubject, PodSubject } from '#world/subjects.ts';
import type { World } from '#world/world.ts';
import { capabilityName, DANGERS, DEFAULT_CAPABILITIES } from './capabilities.ts';
import { mountsOf } from './volumes.ts';

export type Source = 'container' | 'pod' | 'default';

export interface EffectiveValue {
  readonly field: string;
  /** Null where nothing is stated: the node or the image decides. */
  readonly value: unknown;
  readonly from: Source;
  /** In the pod; absent for defaults. */
  readonly path?: Path;
  readonly gives?: string;
  /** What makes the value other than it is written. */
  readonly note?: string;
}

const INHERITED = ['runAsUser', 'runAsGroup', 'runAsNonRoot', 'seccompProfile'] as const;
const OWN_DEFAULTS = {
  privileged: false,
  allowPrivilegeEscalation: true,
  readOnlyRootFilesystem: false,
  procMount: 'Default',
} as const;
const HOST = {
  hostNetwork: 'the network of the node: its local services, and the traffic of its interfaces',
  hostPID: 'every process of the node: their environments and, as root, their files',
  hostIPC: 'the shared memory of the processes of the node',
} as const;

/** @param world where service accounts are looked for */
export function effectiveOf(subject: ContainerSubject, world: World): EffectiveValue[] {
  const { pod } = subject;
  if (pod.spec.os?.name === 'windows')
    return [...windowsOf(subject), ...hostOf(pod), ...tokenOf(subject, world), ...volumesOf(subject)];
  return [
    ...inheritedOf(subject),
    appArmorOf(subject, world),
    ...selinuxOf(subject),
    ...ownOf(subject),
    ...capabilitiesOf(subject),
    ...hostOf(pod),
    ...podOf(pod),
    ...(hasWindowsOptions(subject) ? windowsOf(subject) : []),
    ...tokenOf(subject, world),
    ...volumesOf(subject),
  ];
}

function isPrivileged({ container }: ContainerSubject): boolean {
  return container.securityContext?.privileged === true;
}

/** A value of the container, or else of the pod, or nothing. */
function effective(subject: ContainerSubject, field: string): EffectiveValue {
  const [mine, theirs] = [
    valueAt(subject.container, ['securityContext', field]),
    valueAt(subject.pod.spec, ['securityContext', field]),
  ];
  if (mine !== undefined)
    return { field, value: mine, from: 'container', path: [...subject.path, 'securityContext', field] };
  return theirs !== undefined
    ? { field, value: theirs, from: 'pod', path: ['spec', 'securityContext', field] }
    : { field, value: null, from: 'default' };
}

function inheritedOf(subject: ContainerSubject): EffectiveValue[] {
  return INHERITED.map(field => {
    const found = effective(subject, field);
    if (field === 'seccompProfile' && isPrivileged(subject))
      return {
        ...found,
        note: 'not applied: the container is privileged',
        gives: 'every system call of the kernel',
      };
    return { ...found, ...gain(field, found.value ?? undefined) };
  });
}

function appArmorOf(subject: ContainerSubject, world: World): EffectiveValue {
  const field = 'appArmorProfile';
  const { pod, container, path } = subject;
  const stated = statedAppArmor(pod, container, path, world.kubernetesMinor);
  const found: EffectiveValue =
    stated === undefined
      ? { field, value: null, from: 'default' }
      : {
          field,
          value:
            stated.from === 'annotation'
              ? pod.metadata.annotations![String(stated.path[2])]!
              : stated.profile,
          from: stated.from === 'container' ? 'container' : 'pod',
          path: stated.path,
        };
  const type = stated?.profile.type;
  if (isPrivileged(subject) && type !== 'Localhost')
    return {
      ...found,
      note: 'not applied: the container is privileged',
      gives: 'what AppArmor would have kept from it',
    };
  return type === 'Unconfined' ? { ...found, gives: 'what AppArmor would have kept from it' } : found;
}

function selinuxOf(subject: ContainerSubject): EffectiveValue[] {
  const { container, pod } = subject;
  if (
    container.securityContext?.seLinuxOptions === undefined &&
    pod.spec.securityContext?.seLinuxOptions === undefined
  )
    return [
      isPrivileged(subject)
        ? {
            field: 'seLinuxOptions',
            value: null,
            from: 'default',
            note: 'no label: the container is privileged',
            gives: 'what SELinux would have kept from it',
          }
        : { field: 'seLinuxOptions', value: null, from: 'default' },
    ];
  const context = contextOf(subject);
  const values: EffectiveValue[] = [];
  for (const field of ['user', 'role', 'type', 'level'] as const) {
    const part = context[field];
    const name = `seLinuxOptions.${field}`;
    if (part === undefined) {
      if (context.lost.includes(field))
        values.push({
          field: name,
          value: null,
          from: 'default',
          note: "the pod's is not used by containerd, because the container has options of its own; CRI-O uses it",
        });
      continue;
    }
    const gives = context.unlabelled === undefined ? selinuxGain(field, part.value) : undefined;
    const isOdd =
      (field === 'user' && !isUsualUser(part.value)) || (field === 'role' && !isUsualRole(part.value));
    values.push({
      field: name,
      value: part.value,
      from: part.from,
      path: part.path,
      ...(context.unlabelled === undefined
        ? {}
        : {
            note: 'not applied: the container is privileged',
            gives: 'what SELinux would have kept from it',
          }),
      ...(isOdd && context.unlabelled === undefined
        ? { note: 'the policy of the node has to allow it for the type, or the container does not start' }
        : {}),
      ...(gives === undefined ? {} : { gives }),
    });
  }
  const policy = pod.spec.securityContext?.seLinuxChangePolicy;
  if (policy !== undefined)
    values.push({
      field: 'seLinuxChangePolicy',
      value: policy,
      from: 'pod',
      path: ['spec', 'securityContext', 'seLinuxChangePolicy'],
    });
  return values.length > 0 ? values : [{ field: 'seLinuxOptions', value: null, from: 'default' }];
}

function selinuxGain(field: 'user' | 'role' | 'type' | 'level', value: string): string | undefined {
  if (field === 'type') {
    const confinement = confinementOf(value);
    if (confinement.is === 'unconfined') return 'whatever SELinux would have kept from it';
    return confinement.is === 'wider' ? confinement.gives : undefined;
  }
  if (field !== 'level') return undefined;
  const range = parseRange(value);
  if (typeof range === 'string') return undefined;
  return holdsEverything(range)
    ? 'the files of every container on the node, as far as levels say'
    : undefined;
}

function ownOf(subject: ContainerSubject): EffectiveValue[] {
  const own = subject.container.securityContext ?? {};
  return Object.entries(OWN_DEFAULTS).map(([field, value]) => {
    const mine = own[field as keyof typeof OWN_DEFAULTS];
    if (mine !== undefined)
      return {
        field,
        value: mine,
        from: 'container' as const,
        path: [...subject.path, 'securityContext', field],
        ...gain(field, mine),
      };
    if (field === 'procMount' && isPrivileged(subject))
      return {
        field,
        value,
        from: 'default' as const,
        note: 'nothing is masked: the container is privileged',
        gives: 'the masked parts of /proc and /sys',
      };
    return { field, value, from: 'default' as const, ...gain(field, value) };
  });
}

function capabilitiesOf({ container, path }: ContainerSubject): EffectiveValue[] {
  const { privileged, capabilities } = container.securityContext ?? {};
  const field = 'capabilities';
  if (privileged === true)
    return [
      {
        field,
        value: 'ALL',
        from: 'container',
        path: [...path, 'securityContext', 'privileged'],
        gives: DANGERS['ALL']!.gives,
      },
    ];
  const add = (capabilities?.add ?? []).map(capabilityName);
  const drop = new Set((capabilities?.drop ?? []).map(capabilityName));
  const kept = drop.has('ALL') ? [] : DEFAULT_CAPABILITIES.filter(one => !drop.has(one));
  const gives = (name: string) => {
    const danger = DANGERS[name];
    return danger === undefined ? {} : { gives: danger.gives };
  };
  const values = [
    ...add.map(
      (name, i): EffectiveValue => ({
        field,
        value: name,
        from: 'container',
        path: [...path, 'securityContext', 'capabilities', 'add', i],
        ...gives(name),
      }),
    ),
    ...kept
      .filter(name => !add.includes(name))
      .map((name): EffectiveValue => ({ field, value: name, from: 'default', ...gives(name) })),
  ];
  return values.length > 0
    ? values
    : [
        {
          field,
          value: 'none',
          from: 'container',
          path: [...path, 'securityContext', 'capabilities', 'drop'],
        },
      ];
}

function hostOf({ spec }: PodSubject): EffectiveValue[] {
  const values = (Object.keys(HOST) as (keyof typeof HOST)[])
    .filter(field => spec[field] === true)
    .map(
      (field): EffectiveValue => ({
        field,
        value: true,
        from: 'pod',
        path: ['spec', field],
        gives: HOST[field],
      }),
    );
  if (spec.shareProcessNamespace === true)
    values.push({
      field: 'shareProcessNamespace',
      value: true,
      from: 'pod',
      path: ['spec', 'shareProcessNamespace'],
      gives: 'the processes of the other containers of the pod: their environments and files',
    });
  return values;
}

function podOf({ spec }: PodSubject): EffectiveValue[] {
  const values: EffectiveValue[] = [];
  const gives = 'the user numbers of the node: root in the container is root outside of it';
  if (spec.hostUsers === false)
    values.push({ field: 'hostUsers', value: false, from: 'pod', path: ['spec', 'hostUsers'] });
  else if (spec.hostUsers === true)
    values.push({ field: 'hostUsers', value: true, from: 'pod', path: ['spec', 'hostUsers'], gives });
  else values.push({ field: 'hostUsers', value: true, from: 'default', gives });
  const of = spec.securityContext ?? {};
  for (const field of ['fsGroup', 'supplementalGroups', 'sysctls'] as const) {
    const value = of[field];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    const isRoot = value === 0 || (Array.isArray(value) && (value as readonly unknown[]).includes(0));
    values.push({
      field,
      value,
      from: 'pod',
      path: ['spec', 'securityContext', field],
      ...(isRoot ? { gives: "the files of root's group" } : {}),
    });
  }
  return values;
}

function hasWindowsOptions({ container, pod }: ContainerSubject): boolean {
  return (
    container.securityContext?.windowsOptions !== undefined ||
    pod.spec.securityContext?.windowsOptions !== undefined
  );
}

/** Each option on its own: the container's before the pod's. Source: pkg/securitycontext/util.go (windowsOptions). */
function windowsOf({ container, pod, path }: ContainerSubject): EffectiveValue[] {
  const GIVES: Readonly<Record<string, (value: unknown) => string | undefined>> = {
    hostProcess: value =>
      value === true ? 'the node itself: no container stands around the process' : undefined,
    runAsUserName: value =>
      typeof value === 'string' && /(?:^|\\)(?:ContainerAdministrator|Administrator|SYSTEM)$/i.test(value)
        ? 'everything in the container and on its volumes'
        : undefined,
    gmsaCredentialSpecName: () => 'the network as the group-managed account of the domain',
    gmsaCredentialSpec: () => 'the network as the group-managed account of the domain',
  };
  return ['hostProcess', 'runAsUserName', 'gmsaCredentialSpecName', 'gmsaCredentialSpec'].flatMap(
    (field): EffectiveValue[] => {
      const name = `windowsOptions.${field}`;
      const at = ['securityContext', 'windowsOptions', field];
      const mine = valueAt(container, at);
      const theirs = valueAt(pod.spec, at);
      const value = mine ?? theirs;
      const isStated = value !== undefined && value !== null;
      if (!isStated) return field === 'runAsUserName' ? [{ field: name, value: null, from: 'default' }] : [];
      const gives = GIVES[field]!(value);
      return [
        {
          field: name,
          value: field === 'gmsaCredentialSpec' ? '(a credential spec)' : value,
          ...(mine === undefined || mine === null
            ? { from: 'pod' as const, path: ['spec', ...at] }
            : { from: 'container' as const, path: [...path, ...at] }),
          ...(gives === undefined ? {} : { gives }),
        },
      ];
    },
  );
}

/** The token that the admission plugin mounts. */
function tokenOf({ pod }: ContainerSubject, world: World): EffectiveValue[] {
  const name = accountOf(pod.spec);
  const account = world.find('/ServiceAccount', pod.namespace, name);
  if (!mountsToken(pod.spec, account?.['automountServiceAccountToken'])) return [];
  const isStated = pod.spec.automountServiceAccountToken !== undefined;
  return [
    {
      field: 'token',
      value: name,
      from: isStated ? 'pod' : 'default',
      ...(isStated ? { path: ['spec', 'automountServiceAccountToken'] } : {}),
      gives: `the API server as service account ${name}: sallyport authorization permissions says what that is`,
    },
  ];
}

function volumesOf(subject: ContainerSubject): EffectiveValue[] {
  return mountsOf(subject).map(({ at, what, path, gives }) => ({
    field: `mount ${at}`,
    value: what,
    from: 'container' as const,
    path,
    ...(gives === undefined ? {} : { gives }),
  }));
}

/** What a value gives away; nothing where it keeps the container in. */
function gain(field: string, value: unknown): { readonly gives?: string } {
  const gives = GAINS[field]?.(value);
  return gives === undefined ? {} : { gives };
}

const typeOf = (value: unknown) => (value as { readonly type?: string } | null | undefined)?.type;

const GAINS: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  runAsUser: value => (value === 0 ? 'root in the container' : undefined),
  runAsGroup: value => (value === 0 ? "the files of root's group" : undefined),
  privileged: value => (value === true ? 'the devices and the kernel of the node' : undefined),
  allowPrivilegeEscalation: value =>
    value === true ? 'more rights by programs that are setuid or have file capabilities' : undefined,
  readOnlyRootFilesystem: value =>
    value === true ? undefined : 'a place for tools: the image can be changed while it runs',
  procMount: value => (value === 'Unmasked' ? 'the masked parts of /proc' : undefined),
  seccompProfile: value =>
    value === undefined
      ? 'every system call, unless the kubelet sets seccompDefault'
      : typeOf(value) === 'Unconfined'
        ? 'every system call of the kernel'
        : undefined,
};
