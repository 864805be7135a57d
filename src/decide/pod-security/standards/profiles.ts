/** Controls on the Linux security modules: AppArmor, SELinux, seccomp. */
import { compareBytes, quoted } from '#kube/go-text.ts';
import type { Path } from '#kube/objects.ts';
import type { Pod, SELinuxOptions } from '#kube/pods.ts';
import {
  type Breach,
  type Control,
  containersOf,
  isWindows,
  joinQuoted,
  named,
  plural,
  setters,
  sortedSet,
  type Violation,
} from './check.ts';

const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

function isConfined(type: string | undefined): boolean {
  return type === 'RuntimeDefault' || type === 'Localhost';
}

/** Source: policy/check_appArmorProfile.go. */
export const appArmorProfile: Control = {
  id: 'appArmorProfile',
  level: 'baseline',
  revisions: [
    {
      since: 0,
      breach(pod) {
        const { ofPod, containers, values, violations } = badProfiles(pod, 'appArmorProfile');
        const annotations = Object.entries(pod.metadata?.annotations ?? {})
          .filter(
            ([key, value]) =>
              key.startsWith(APPARMOR_ANNOTATION) &&
              value !== '' &&
              value !== 'runtime/default' &&
              !value.startsWith('localhost/'),
          )
          .map(([key, value]) => ({ key, value, text: `${key}=${quoted(value)}` }))
          .sort((a, b) => compareBytes(a.text, b.text));
        if (!ofPod && containers.length === 0 && annotations.length === 0) return undefined;
        const all = [...sortedSet(values), ...annotations.map(({ text }) => text)];
        const who = [
          setters(ofPod, containers),
          annotations.length > 0 ? plural('annotation', 'annotations', annotations.length) : '',
        ]
          .filter(text => text !== '')
          .join(' and ');
        return {
          reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', all.length),
          detail: `${who} must not set AppArmor profile type to ${joinQuoted(all)}`,
          violations: [
            ...violations,
            ...annotations.map(({ key, value }) => ({ path: ['metadata', 'annotations', key], value })),
          ],
        };
      },
    },
  ],
};

function badProfiles(
  pod: Pod,
  field: 'appArmorProfile' | 'seccompProfile',
): {
  readonly ofPod: boolean;
  readonly containers: string[];
  readonly values: string[];
  readonly violations: Violation[];
} {
  const values: string[] = [];
  const violations: Violation[] = [];
  const containers: string[] = [];
  const at: Path = ['securityContext', field, 'type'];
  const profile = pod.spec.securityContext?.[field];
  const ofPod = profile !== undefined && !isConfined(profile.type);
  if (ofPod) {
    values.push(profile.type ?? '');
    violations.push({ path: ['spec', ...at], value: profile.type });
  }
  for (const { container, path, name } of containersOf(pod)) {
    const own = container.securityContext?.[field];
    if (own === undefined || isConfined(own.type)) continue;
    containers.push(name);
    values.push(own.type ?? '');
    violations.push({ path: [...path, ...at], value: own.type, container: name });
  }
  return { ofPod, containers, values, violations };
}

export const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t'];

function selinux(pod: Pod, allowed: readonly string[]): Breach | undefined {
  const types: string[] = [];
  let user = false;
  let role = false;
  const violations: Violation[] = [];
  const isBad = (options: SELinuxOptions | undefined, path: Path, container?: string): boolean => {
    if (options === undefined) return false;
    const before = violations.length;
    const add = (field: 'type' | 'user' | 'role') =>
      violations.push({
        path: [...path, 'securityContext', 'seLinuxOptions', field],
        value: options[field],
        ...(container === undefined ? {} : { container }),
      });
    if (!allowed.includes(options.type ?? '')) {
      types.push(options.type!);
      add('type');
    }
    if (options.user !== undefined && options.user !== '') {
      user = true;
      add('user');
    }
    if (options.role !== undefined && options.role !== '') {
      role = true;
      add('role');
    }
    return violations.length > before;
  };
  const ofPod = isBad(pod.spec.securityContext?.seLinuxOptions, ['spec']);
  const containers = containersOf(pod)
    .filter(({ container, path, name }) => isBad(container.securityContext?.seLinuxOptions, path, name))
    .map(({ name }) => name);
  if (violations.length === 0) return undefined;
  const bad = sortedSet(types);
  const data = [
    ...(bad.length > 0 ? [`${plural('type', 'types', bad.length)} ${joinQuoted(bad)}`] : []),
    ...(user ? ['user may not be set'] : []),
    ...(role ? ['role may not be set'] : []),
  ];
  return {
    reason: 'seLinuxOptions',
    detail: `${setters(ofPod, containers)} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}`,
    violations,
  };
}

/** Source: policy/check_seLinuxOptions.go. */
export const seLinuxOptions: Control = {
  id: 'seLinuxOptions',
  level: 'baseline',
  revisions: [
    { since: 0, breach: pod => selinux(pod, SELINUX_TYPES) },
    { since: 31, breach: pod => selinux(pod, [...SELINUX_TYPES, 'container_engine_t']) },
  ],
};

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';

/** Before 1.19 seccomp was asked for by annotations, of the pod and of containers that exist. */
function seccompAnnotations(pod: Pod): Breach | undefined {
  const annotations = pod.metadata?.annotations ?? {};
  const keys = new Set([SECCOMP_POD, ...containersOf(pod).map(({ name }) => SECCOMP_CONTAINER + name)]);
  const bad = [...keys].filter(key => {
    if (!Object.hasOwn(annotations, key)) return false;
    const value = annotations[key]!;
    return value !== 'runtime/default' && value !== 'docker/default' && !value.startsWith('localhost/');
  });
  if (bad.length === 0) return undefined;
  const texts = sortedSet(bad.map(key => `${key}=${quoted(annotations[key]!)}`));
  return {
    reason: 'seccompProfile',
    detail: `forbidden ${plural('annotation', 'annotations', texts.length)} ${texts.join(', ')}`,
    violations: bad.map(key => ({ path: ['metadata', 'annotations', key], value: annotations[key] })),
  };
}

function seccompStated(pod: Pod): Breach | undefined {
  const { ofPod, containers, values, violations } = badProfiles(pod, 'seccompProfile');
  if (violations.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `${setters(ofPod, containers)} must not set securityContext.seccompProfile.type to ${joinQuoted(sortedSet(values))}`,
    violations,
  };
}

/** Source: policy/check_seccompProfile_baseline.go. */
export const seccompBaseline: Control = {
  id: 'seccompProfile_baseline',
  level: 'baseline',
  revisions: [
    { since: 0, breach: seccompAnnotations },
    { since: 19, breach: seccompStated },
  ],
};

function seccompMissing(pod: Pod): Breach | undefined {
  const stated = seccompStated(pod);
  if (stated !== undefined) return stated;
  if (pod.spec.securityContext?.seccompProfile !== undefined) return undefined;
  const bad = containersOf(pod).filter(
    ({ container }) => container.securityContext?.seccompProfile === undefined,
  );
  if (bad.length === 0) return undefined;
  return {
    reason: 'seccompProfile',
    detail: `pod or ${named(bad.map(({ name }) => name))} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
    violations: bad.map(({ path, name }) => ({
      path: [...path, 'securityContext', 'seccompProfile', 'type'],
      value: undefined,
      container: name,
    })),
  };
}

/** Source: policy/check_seccompProfile_restricted.go. */
export const seccompRestricted: Control = {
  id: 'seccompProfile_restricted',
  level: 'restricted',
  revisions: [
    { since: 19, overrides: ['seccompProfile_baseline'], breach: seccompMissing },
    {
      since: 25,
      overrides: ['seccompProfile_baseline'],
      breach: pod => (isWindows(pod) ? undefined : seccompMissing(pod)),
    },
  ],
};
