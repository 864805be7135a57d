/** Pod security profiles of a team's own, read from the values of `sallyport.yaml`. */
import type { Path } from '#kube/objects.ts';
import type { SELinuxOptions } from '#kube/pods.ts';
import { parseVersion } from '../evaluate.ts';
import type { IdStrategy, Range } from '../policy/policy.ts';
import type { AppArmorProfile } from '../profiles/apparmor.ts';
import { accessOf } from '../profiles/apparmor-decide.ts';
import type { Profile as SeccompProfile } from '../profiles/seccomp.ts';
import { type SelinuxPolicy, accessOf as selinuxAccessOf } from '../profiles/selinux-policy.ts';
import type { Level } from '../standards/registry.ts';
import { type FieldName, ProfileError, profileForm, readForm } from './form.ts';

/** The fields of a profile that are stated; what is absent is as the level has it. */
export interface ProfileSpec {
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly defaultAllowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly requiredDropCapabilities?: readonly string[];
  readonly allowedCapabilities?: readonly string[];
  readonly defaultAddCapabilities?: readonly string[];
  readonly volumes?: readonly string[];
  readonly allowedHostPaths?: readonly { readonly pathPrefix: string; readonly readOnly?: boolean }[];
  readonly allowedFlexVolumes?: readonly { readonly driver: string }[];
  readonly allowedCSIDrivers?: readonly { readonly name: string }[];
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly hostPorts?: readonly Range[];
  readonly runAsUser?: ProfileIds;
  readonly runAsGroup?: ProfileIds;
  readonly supplementalGroups?: ProfileIds;
  readonly fsGroup?: ProfileIds;
  readonly seLinux?: {
    readonly rule?: 'RunAsAny' | 'MustRunAs' | 'MayRunAs';
    readonly seLinuxOptions?: SELinuxOptions;
    readonly types?: readonly string[];
    readonly users?: readonly string[];
    readonly roles?: readonly string[];
    readonly levels?: readonly string[];
    /** As the accesses of SELinux are written: `shadow_t:file:read`. */
    readonly forbiddenAccess?: readonly string[];
    /** By the type that pods state. */
    readonly files?: Readonly<Record<string, string>>;
  };
  readonly allowedUnsafeSysctls?: readonly string[];
  readonly forbiddenSysctls?: readonly string[];
  readonly allowedProcMountTypes?: readonly string[];
  readonly runtimeClass?: {
    readonly allowedRuntimeClassNames?: readonly string[];
    readonly defaultRuntimeClassName?: string;
  };
  readonly seccomp?: {
    readonly allowed?: readonly string[];
    readonly forbiddenCalls?: readonly string[];
    /** By the name that pods give, where the content is. */
    readonly files?: Readonly<Record<string, string>>;
  };
  readonly appArmor?: {
    readonly allowed?: readonly string[];
    /** As {@link accessOf} reads them. */
    readonly forbiddenAccess?: readonly string[];
    readonly files?: Readonly<Record<string, string>>;
  };
  readonly userNamespaces?: 'required' | 'forbidden';
  readonly windows?: {
    readonly hostProcess?: boolean;
    readonly allowedUserNames?: readonly string[];
    readonly allowedCredentialSpecs?: readonly string[];
  };
}

export type ProfileIds = Pick<IdStrategy, 'rule'> & { readonly ranges?: readonly Range[] };

export interface ProfileScope {
  readonly namespaces?: readonly string[];
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly serviceAccounts?: readonly string[];
}

export interface CustomProfile {
  readonly name: string;
  readonly reason: string;
  readonly owner?: string;
  readonly extends: Level;
  /** `latest` or `v1.N`. */
  readonly version: string;
  readonly minor: number;
  readonly scope: ProfileScope;
  readonly spec: ProfileSpec;
  /** What the files hold that the profile names, by the names that pods give; whoever reads files fills it in. */
  readonly contents?: ProfileContents;
}

export interface ProfileContents {
  readonly seccomp: ReadonlyMap<string, SeccompProfile>;
  readonly appArmor: ReadonlyMap<string, AppArmorProfile>;
  readonly selinux: ReadonlyMap<string, SelinuxPolicy>;
}

const MOST_PROFILES = 200;

/**
 * The profiles of a list, in its order: of those whose scope fits a pod, the first one judges it.
 *
 * @param isSyscall whether a word is a system call
 * @throws ProfileError with the path of what is not understood
 */
export function readProfiles(
  value: unknown,
  isSyscall: (name: string) => boolean,
  at: Path = ['podSecurityProfiles'],
): readonly CustomProfile[] {
  if (!Array.isArray(value)) throw new ProfileError(at, `${at.join('.')} is not a list of profiles`);
  if (value.length > MOST_PROFILES) throw new ProfileError(at, `more than ${MOST_PROFILES} profiles`);
  const names = new Set<string>();
  return value.map((one: unknown, i) => {
    const path: Path = [...at, i];
    const raw = readForm(profileForm, one, path) as Omit<
      CustomProfile,
      'minor' | 'scope' | 'spec' | 'version'
    > &
      Partial<CustomProfile>;
    const { name, version = 'latest', scope = {}, spec = {} } = raw;
    if (names.has(name)) throw new ProfileError([...path, 'name'], `there is another profile "${name}"`);
    names.add(name);
    checkSpec(spec, [...path, 'spec'], isSyscall);
    return { ...raw, version, minor: parseVersion(version), scope, spec };
  });
}

/** What fits the form and could never be kept, or never apply. */
function checkSpec(spec: ProfileSpec, path: Path, isSyscall: (name: string) => boolean): void {
  const refuse = (field: FieldName, rest: Path, message: string, hint?: string): never => {
    throw new ProfileError([...path, field, ...rest], message, hint);
  };
  for (const field of ['runAsUser', 'runAsGroup', 'supplementalGroups', 'fsGroup'] as const) {
    const strategy = spec[field];
    if (strategy === undefined) continue;
    const { rule, ranges = [] } = strategy;
    const needs = rule === 'MustRunAs' || rule === 'MayRunAs';
    if (needs && ranges.length === 0)
      refuse(field, [], `${rule} needs ranges`, 'ranges: [{ min: 1000, max: 65535 }]');
    if (!needs && ranges.length > 0) refuse(field, ['ranges'], `${rule} has no ranges`);
    checkRanges(ranges, field);
  }
  checkRanges(spec.hostPorts ?? [], 'hostPorts');
  for (const [i, { pathPrefix }] of (spec.allowedHostPaths ?? []).entries()) {
    const at = ['allowedHostPaths', i, 'pathPrefix'] as const;
    if (!pathPrefix.startsWith('/') || pathPrefix.split('/').includes('..'))
      refuse(at[0], at.slice(1), `"${pathPrefix}" is no whole path of the node`, 'write it like /var/log');
  }
  for (const [field, type] of [
    ['allowedHostPaths', 'hostPath'],
    ['allowedFlexVolumes', 'flexVolume'],
    ['allowedCSIDrivers', 'csi'],
  ] as const)
    if (spec[field] !== undefined && spec.volumes?.some(one => one === '*' || one === type) === false)
      refuse(field, [], `volumes does not list ${type}, so ${field} says nothing`, `add ${type} to volumes`);
  if (spec.seLinux !== undefined) {
    const { rule, seLinuxOptions, forbiddenAccess = [], files: _, ...lists } = spec.seLinux;
    if (rule === 'MustRunAs' && seLinuxOptions === undefined)
      refuse('seLinux', [], 'MustRunAs needs seLinuxOptions', 'seLinuxOptions: { level: "s0:c1,c2" }');
    if (rule !== 'MustRunAs' && seLinuxOptions !== undefined)
      refuse('seLinux', ['seLinuxOptions'], `${rule ?? 'no rule'} has no seLinuxOptions`);
    const [stated] = Object.keys(lists);
    if (rule !== 'MayRunAs' && stated !== undefined)
      refuse('seLinux', [stated], `${rule ?? 'no rule'} has no ${stated}`);
    if (Object.keys(spec.seLinux).length === 0)
      refuse('seLinux', [], 'seLinux says nothing', 'state rule, or forbiddenAccess');
    for (const [i, access] of forbiddenAccess.entries()) {
      const read = selinuxAccessOf(access);
      if ('message' in read) refuse('seLinux', ['forbiddenAccess', i], read.message, read.hint);
    }
  }
  for (const field of ['seccomp', 'appArmor'] as const)
    for (const [i, word] of (spec[field]?.allowed ?? []).entries())
      if (!/^(?:RuntimeDefault|Unconfined|Unset|\*|Localhost\/.+)$/.test(word))
        refuse(
          field,
          ['allowed', i],
          `"${word}" is no profile`,
          'RuntimeDefault, Unconfined, Unset, Localhost/NAME, or *',
        );
  for (const [i, access] of (spec.appArmor?.forbiddenAccess ?? []).entries())
    if (accessOf(access) === undefined)
      refuse(
        'appArmor',
        ['forbiddenAccess', i],
        `"${access}" is not PATH:LETTER`,
        'such as /etc/shadow:r, or capability:sys_admin',
      );
  for (const [field, asks] of [
    ['seccomp', spec.seccomp?.forbiddenCalls],
    ['appArmor', spec.appArmor?.forbiddenAccess],
    ['seLinux', spec.seLinux?.forbiddenAccess],
  ] as const)
    if (spec[field]?.files !== undefined && asks === undefined)
      refuse(
        field,
        ['files'],
        'nothing asks what the files hold',
        field === 'seccomp' ? 'state forbiddenCalls' : 'state forbiddenAccess',
      );
  for (const [i, call] of (spec.seccomp?.forbiddenCalls ?? []).entries())
    if (!isSyscall(call)) refuse('seccomp', ['forbiddenCalls', i], `"${call}" is no known system call`);
  if (spec.allowPrivilegeEscalation === false && spec.defaultAllowPrivilegeEscalation === true)
    refuse(
      'defaultAllowPrivilegeEscalation',
      [],
      'it would write what allowPrivilegeEscalation: false refuses',
      'state false, or leave it out',
    );

  function checkRanges(ranges: readonly Range[], field: FieldName): void {
    for (const [i, { min, max }] of ranges.entries())
      if (min > max)
        refuse(field, field === 'hostPorts' ? [i] : ['ranges', i], `no number lies from ${min} to ${max}`);
  }
}
