/** What remains of a level of the Pod Security Standards where a profile says something of its own. */
import type { Path } from '#kube/objects.ts';
import type { Container, Pod, Volume } from '#kube/pods.ts';
import { mapContainers } from '../policy/received.ts';
import { matchesSysctl } from '../policy/sysctls.ts';
import { hasSource } from '../policy/volume-sources.ts';
import { type Breach, type Control, isWindows } from '../standards/check.ts';
import { controlsOf, type Level } from '../standards/registry.ts';
import type { FieldName } from './form.ts';
import type { CustomProfile, ProfileSpec } from './profile.ts';

/** Whether a rule on users lets user 0 in. */
export function admitsRoot({ runAsUser }: ProfileSpec): boolean {
  if (runAsUser === undefined) return false;
  const { rule, ranges = [] } = runAsUser;
  return rule === 'RunAsAny' || ranges.some(({ min }) => Number(min) === 0);
}

/** The fields that stand in place of a whole control, by its id. */
const WHOLE: Readonly<Record<string, (spec: ProfileSpec) => FieldName | undefined>> = {
  privileged: ({ privileged }) => stated(privileged, 'privileged'),
  hostPorts: ({ hostPorts }) => stated(hostPorts, 'hostPorts'),
  hostPathVolumes: ({ volumes }) => stated(volumes, 'volumes'),
  restrictedVolumes: ({ volumes }) => stated(volumes, 'volumes'),
  capabilities_baseline: ({ allowedCapabilities }) => stated(allowedCapabilities, 'allowedCapabilities'),
  runAsUser: ({ runAsUser }) => stated(runAsUser, 'runAsUser'),
  runAsNonRoot: spec => (admitsRoot(spec) ? 'runAsUser' : undefined),
  seLinuxOptions: ({ seLinux }) => stated(seLinux?.rule, 'seLinux'),
  allowPrivilegeEscalation: spec => stated(spec.allowPrivilegeEscalation, 'allowPrivilegeEscalation'),
  procMount: spec => stated(spec.allowedProcMountTypes, 'allowedProcMountTypes'),
  procMount_restricted: spec => stated(spec.allowedProcMountTypes, 'allowedProcMountTypes'),
  seccompProfile_baseline: ({ seccomp }) => stated(seccomp?.allowed, 'seccomp'),
  seccompProfile_restricted: ({ seccomp }) => stated(seccomp?.allowed, 'seccomp'),
  appArmorProfile: ({ appArmor }) => stated(appArmor?.allowed, 'appArmor'),
  windowsHostProcess: ({ windows }) => stated(windows?.hostProcess, 'windows'),
};

function stated(value: unknown, field: FieldName): FieldName | undefined {
  return value === undefined ? undefined : field;
}

/**
 * The controls of the profile's level that it does not replace as a whole. Kernel parameters are always asked where the
 * profile names some: at level privileged nothing else would say which are safe.
 */
export function controlsLeft({ extends: level, minor, spec }: CustomProfile): readonly {
  readonly control: Control;
  breach(pod: Pod): Breach | undefined;
}[] {
  const own = controlsOf(level, minor);
  const sysctls =
    spec.allowedUnsafeSysctls !== undefined && level === 'privileged'
      ? controlsOf('baseline', minor).filter(({ control }) => control.id === 'sysctls')
      : [];
  return [...own, ...sysctls]
    .filter(({ control }) => WHOLE[control.id]?.(spec) === undefined)
    .map(({ control, revision }) => ({ control, breach: pod => revision.breach(pod) }));
}

const ANY_SAFE = 'kernel.shm_rmid_forced';
const HOST = ['hostNetwork', 'hostPID', 'hostIPC'] as const;

/** The pod as the rest of the level sees it: with nothing that the profile has an opinion of its own on. */
export function withoutStated(spec: ProfileSpec, pod: Pod): Pod {
  const result: Record<string, unknown> = { ...pod.spec };
  for (const field of HOST) if (spec[field] !== undefined) delete result[field];
  const sources = [
    ...(spec.allowedHostPaths === undefined ? [] : ['hostPath']),
    ...(spec.allowedFlexVolumes === undefined ? [] : ['flexVolume']),
  ];
  if (sources.length > 0 && pod.spec.volumes !== undefined)
    result['volumes'] = pod.spec.volumes.map(one => withoutSources(one, sources));
  const patterns = spec.allowedUnsafeSysctls;
  const sysctls = pod.spec.securityContext?.sysctls;
  if (patterns !== undefined && sysctls !== undefined)
    result['securityContext'] = {
      ...pod.spec.securityContext,
      sysctls: sysctls.map(one =>
        matchesSysctl(patterns, one.name ?? '') ? { ...one, name: ANY_SAFE } : one,
      ),
    };
  const rest = { ...pod, spec: result } as Pod;
  return spec.allowedCapabilities === undefined && spec.requiredDropCapabilities === undefined
    ? rest
    : mapContainers(rest, container => withoutCapabilities(spec, container));
}

function withoutSources(volume: Volume, sources: readonly string[]): Volume {
  if (!sources.some(source => volume[source] !== undefined)) return volume;
  const rest = Object.fromEntries(Object.entries(volume).filter(([field]) => !sources.includes(field)));
  return hasSource(rest) || rest['image'] !== undefined ? rest : { ...rest, emptyDir: {} };
}

function withoutCapabilities(spec: ProfileSpec, container: Container): Container {
  const { add = [], drop = [] } = container.securityContext?.capabilities ?? {};
  return {
    ...container,
    securityContext: {
      ...container.securityContext,
      capabilities: {
        add: spec.allowedCapabilities === undefined ? add : [],
        drop: spec.requiredDropCapabilities === undefined ? drop : ['ALL'],
      },
    },
  };
}

/** Everything that the strictest level would say of the pod and on which the profile has the last word. */
export function governedPlaces({ spec, minor }: CustomProfile, pod: Pod): Path[] {
  const found: Path[] = [];
  for (const level of ['baseline', 'restricted'] satisfies Level[])
    for (const { control, revision } of controlsOf(level, minor))
      for (const { path } of revision.breach(pod)?.violations ?? []) {
        if ((WHOLE[control.id]?.(spec) ?? partOf(control.id, path, spec, pod)) !== undefined)
          found.push(path);
      }
  return found;
}

function partOf(id: string, path: Path, spec: ProfileSpec, pod: Pod): FieldName | undefined {
  switch (id) {
    case 'hostNamespaces': {
      const field = path[1] as (typeof HOST)[number];
      return stated(spec[field], field);
    }
    case 'capabilities_restricted':
      return path.includes('drop')
        ? stated(spec.requiredDropCapabilities, 'requiredDropCapabilities')
        : stated(spec.allowedCapabilities, 'allowedCapabilities');
    case 'hostPathVolumes':
    case 'restrictedVolumes':
      return path[3] === 'hostPath'
        ? stated(spec.allowedHostPaths, 'allowedHostPaths')
        : path[3] === 'flexVolume'
          ? stated(spec.allowedFlexVolumes, 'allowedFlexVolumes')
          : undefined;
    case 'sysctls': {
      const name = pod.spec.securityContext?.sysctls?.[path[3] as number]?.name ?? '';
      return matchesSysctl(spec.allowedUnsafeSysctls ?? [], name) ? 'allowedUnsafeSysctls' : undefined;
    }
    default:
      return undefined;
  }
}

/** Fields that only Linux has. The API server refuses them in pods that say they are for Windows. */
const OF_LINUX: ReadonlySet<FieldName> = new Set([
  'privileged',
  'allowPrivilegeEscalation',
  'defaultAllowPrivilegeEscalation',
  'readOnlyRootFilesystem',
  'requiredDropCapabilities',
  'allowedCapabilities',
  'defaultAddCapabilities',
  'hostPID',
  'hostIPC',
  'runAsGroup',
  'supplementalGroups',
  'fsGroup',
  'seLinux',
  'allowedUnsafeSysctls',
  'forbiddenSysctls',
  'allowedProcMountTypes',
  'seccomp',
  'appArmor',
  'userNamespaces',
]);

/**
 * Whether a field of the profile asks nothing of Windows pods.
 * Source: kubernetes pkg/apis/core/validation/validation.go (validateWindows): what such pods must not set.
 */
export function isOfLinux(field: FieldName, { runAsUser }: ProfileSpec): boolean {
  return OF_LINUX.has(field) || (field === 'runAsUser' && runAsUser?.rule === 'MustRunAs');
}

export function isAsked(field: FieldName, spec: ProfileSpec, pod: Pod): boolean {
  return !isWindows(pod) || !isOfLinux(field, spec);
}
