/**
 * The security context of containers as it takes effect: each value, where it comes from, and what it gives to whoever
 * gets in. Sources: kubernetes pkg/securitycontext/util.go (DetermineEffectiveSecurityContext), containerd
 * pkg/oci/spec.go (the default capabilities).
 */
import type { Path } from '#kube/objects.ts';
import type { ContainerSubject, PodSubject } from '#world/subjects.ts';
import { capabilityName, DANGERS, DEFAULT_CAPABILITIES } from './capabilities.ts';
import { hostMounts, isRuntimeSocket, sensitivityOf } from './host-paths.ts';

export type Source = 'container' | 'pod' | 'default';

export interface EffectiveValue {
  readonly field: string;
  readonly value: unknown;
  readonly from: Source;
  /** In the pod; absent for defaults. */
  readonly path?: Path;
  readonly gives?: string;
}

const INHERITED = [
  'runAsUser',
  'runAsGroup',
  'runAsNonRoot',
  'seccompProfile',
  'appArmorProfile',
  'seLinuxOptions',
] as const;
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

export function effectiveOf(subject: ContainerSubject): EffectiveValue[] {
  const { pod, container, path } = subject;
  const own = container.securityContext ?? {};
  const ofPod = pod.spec.securityContext ?? {};
  const at = (field: string): Path => [...path, 'securityContext', field];
  const values: EffectiveValue[] = [];
  for (const field of INHERITED) {
    const [mine, theirs] = [own[field], ofPod[field]];
    if (mine !== undefined)
      values.push({ field, value: mine, from: 'container', path: at(field), ...gain(field, mine) });
    else if (theirs !== undefined)
      values.push({
        field,
        value: theirs,
        from: 'pod',
        path: ['spec', 'securityContext', field],
        ...gain(field, theirs),
      });
    else values.push({ field, value: null, from: 'default', ...gain(field, undefined) });
  }
  for (const [field, value] of Object.entries(OWN_DEFAULTS)) {
    const mine = own[field as keyof typeof OWN_DEFAULTS];
    if (mine === undefined) values.push({ field, value, from: 'default', ...gain(field, value) });
    else values.push({ field, value: mine, from: 'container', path: at(field), ...gain(field, mine) });
  }
  return [...values, ...capabilitiesOf(subject), ...hostOf(pod), ...volumesOf(pod)];
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
  const stated = (list: 'add', i: number): Path => [...path, 'securityContext', 'capabilities', list, i];
  const gives = (name: string) => {
    const danger = DANGERS[name];
    return danger === undefined ? {} : { gives: danger.gives };
  };
  return [
    ...add.map(
      (name, i): EffectiveValue => ({
        field,
        value: name,
        from: 'container',
        path: stated('add', i),
        ...gives(name),
      }),
    ),
    ...kept
      .filter(name => !add.includes(name))
      .map((name): EffectiveValue => ({ field, value: name, from: 'default', ...gives(name) })),
  ];
}

function hostOf({ spec }: PodSubject): EffectiveValue[] {
  return (Object.keys(HOST) as (keyof typeof HOST)[])
    .filter(field => spec[field] === true)
    .map(field => ({ field, value: true, from: 'pod', path: ['spec', field], gives: HOST[field] }));
}

function volumesOf(pod: PodSubject): EffectiveValue[] {
  return hostMounts(pod).map(mount => {
    const holds = isRuntimeSocket(mount.path)
      ? 'the container runtime: any container it likes, privileged too'
      : sensitivityOf(mount);
    return {
      field: `hostPath ${mount.volume}`,
      value: `${mount.path}${mount.writable ? '' : ' (read-only)'}`,
      from: 'pod' as const,
      path: mount.at,
      ...(holds === undefined ? {} : { gives: holds }),
    };
  });
}

/** What a value gives away; nothing where it keeps the container in. */
function gain(field: string, value: unknown): { readonly gives?: string } {
  const gives = GAINS[field]?.(value);
  return gives === undefined ? {} : { gives };
}

const typeOf = (value: unknown) => (value as { readonly type?: string } | undefined)?.type;

const GAINS: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  runAsUser: value => (value === 0 ? 'root in the container, and on the node once outside' : undefined),
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
  appArmorProfile: value =>
    typeOf(value) === 'Unconfined' ? 'what AppArmor would have kept from it' : undefined,
};
