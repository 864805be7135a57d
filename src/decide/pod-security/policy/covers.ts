/**
 * When one PodSecurityPolicy takes every pod from another: it comes first, lets in all that the other lets in, and
 * writes nothing. Of the policies that change nothing the first by name is chosen (see plugin.ts).
 */
import { compareBytes } from '#kube/go-text.ts';
import type { IdStrategy, Policy, PolicySpec, Range } from './policy.ts';

const SECCOMP = 'seccomp.security.alpha.kubernetes.io';
const APPARMOR = 'apparmor.security.beta.kubernetes.io';

/**
 * Whether no pod is ever under `policy` where whoever may use it may use `other` too. Only what can be seen field by
 * field is found: false says nothing.
 */
export function isShadowedBy(policy: Policy, other: Policy): boolean {
  return compareBytes(other.name, policy.name) < 0 && writesNothing(other) && letsInAll(policy, other);
}

function writesNothing({ annotations, spec }: Policy): boolean {
  const presets = (strategy: IdStrategy | undefined) => strategy?.rule === 'MustRunAs';
  return (
    spec.runAsUser.rule === 'RunAsAny' &&
    ![spec.runAsGroup, spec.fsGroup, spec.supplementalGroups].some(presets) &&
    spec.seLinux.rule === 'RunAsAny' &&
    !spec.readOnlyRootFilesystem &&
    spec.allowPrivilegeEscalation &&
    spec.defaultAllowPrivilegeEscalation === undefined &&
    spec.requiredDropCapabilities.length + spec.defaultAddCapabilities.length === 0 &&
    spec.runtimeClass?.defaultRuntimeClassName === undefined &&
    !annotations.has(`${SECCOMP}/defaultProfileName`) &&
    !annotations.has(`${APPARMOR}/defaultProfileName`)
  );
}

/** Whether a policy that writes nothing lets in all pods that the first one lets in, as they were sent. */
function letsInAll(policy: Policy, other: Policy): boolean {
  const [narrow, wide] = [policy.spec, other.spec];
  return (
    (['privileged', 'hostNetwork', 'hostPID', 'hostIPC'] as const).every(
      field => wide[field] || !narrow[field],
    ) &&
    narrow.hostPorts.every(range => isInside(range, wide.hostPorts)) &&
    holds(wide.volumes, narrow.volumes) &&
    letsInPaths(narrow, wide) &&
    // An empty list of drivers is every driver.
    (['allowedFlexVolumes', 'allowedCSIDrivers'] as const).every(field => {
      const names = (spec: PolicySpec) => spec[field].map(one => ('driver' in one ? one.driver : one.name));
      return wide[field].length === 0 || (narrow[field].length > 0 && isSubset(names(narrow), names(wide)));
    }) &&
    holds(wide.allowedCapabilities, [...narrow.allowedCapabilities, ...narrow.defaultAddCapabilities]) &&
    isSubset(procMounts(narrow), procMounts(wide)) &&
    isSubset(narrow.allowedUnsafeSysctls, wide.allowedUnsafeSysctls) &&
    isSubset(wide.forbiddenSysctls, narrow.forbiddenSysctls) &&
    letsInClasses(narrow, wide) &&
    groups(narrow.fsGroup, wide.fsGroup) &&
    groups(narrow.supplementalGroups, wide.supplementalGroups) &&
    groups(narrow.runAsGroup, wide.runAsGroup) &&
    seccomp(policy, other) &&
    apparmor(policy, other)
  );
}

const isSubset = (few: readonly string[], many: readonly string[]) => few.every(one => many.includes(one));
const holds = (many: readonly string[], few: readonly string[]) => many.includes('*') || isSubset(few, many);
const isInside = (range: Range, ranges: readonly Range[]) =>
  ranges.some(({ min, max }) => range.min >= min && range.max <= max);
const procMounts = ({ allowedProcMountTypes: types }: PolicySpec) =>
  types.length === 0 ? ['Default'] : types;

function letsInPaths(narrow: PolicySpec, wide: PolicySpec): boolean {
  if (wide.allowedHostPaths.length === 0) return true;
  if (!narrow.volumes.includes('*') && !narrow.volumes.includes('hostPath')) return true;
  const has = ({ pathPrefix, readOnly }: PolicySpec['allowedHostPaths'][number]) =>
    wide.allowedHostPaths.some(one => one.pathPrefix === pathPrefix && (!one.readOnly || readOnly));
  return narrow.allowedHostPaths.length > 0 && narrow.allowedHostPaths.every(has);
}

function letsInClasses({ runtimeClass: narrow }: PolicySpec, { runtimeClass: wide }: PolicySpec): boolean {
  if (wide === undefined || wide.allowedRuntimeClassNames.includes('*')) return true;
  return narrow !== undefined && holds(wide.allowedRuntimeClassNames, narrow.allowedRuntimeClassNames);
}

function groups(narrow: IdStrategy | undefined, wide: IdStrategy | undefined): boolean {
  if (wide?.rule !== 'MayRunAs') return true;
  if (narrow?.rule !== 'MayRunAs' && narrow?.rule !== 'MustRunAs') return false;
  return narrow.ranges.every(range => isInside(range, wide.ranges));
}

function seccomp({ annotations: narrow }: Policy, { annotations: wide }: Policy): boolean {
  const key = `${SECCOMP}/allowedProfileNames`;
  const names = (wide.get(key) ?? '').split(',');
  if (names.includes('*')) return true;
  // A profile that is written where none is stated is not there yet when the other is asked.
  if (narrow.has(`${SECCOMP}/defaultProfileName`)) return false;
  return isSubset((narrow.get(key) ?? '').split(','), names);
}

function apparmor({ annotations: narrow }: Policy, { annotations: wide }: Policy): boolean {
  const key = `${APPARMOR}/allowedProfileNames`;
  const names = wide.get(key)?.split(',');
  if (names === undefined) return true;
  const own = narrow.get(key)?.split(',');
  return own !== undefined && !narrow.has(`${APPARMOR}/defaultProfileName`) && isSubset(own, names);
}
