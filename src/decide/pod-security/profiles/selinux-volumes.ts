/**
 * How the volumes of a pod get their SELinux label, and which pods cannot share one.
 *
 * Sources: kubernetes pkg/volume/util/selinux.go (GetMountSELinuxLabel, VolumeSupportsSELinuxMount),
 * pkg/features/kube_features.go with the pull requests 130544, 139956 (gates by version), pkg/apis/core/validation
 * (which policies are taken), pkg/kubelet/volumemanager/cache/desired_state_of_world.go (conflicting labels);
 * opencontainers/selinux go-selinux/label (InitLabels: of the options only user and level reach the files).
 */
import { type EffectiveContext, isSameLevel, parseRange } from './selinux.ts';

/** `mount`: with -o context, for all files at once; `recursive`: file by file, by the container runtime. */
export type Labelling = 'mount' | 'recursive' | 'unknown';

export interface VolumeCase {
  /** The minor version of Kubernetes 1. */
  readonly minor: number;
  /** Of the PersistentVolumeClaim; undefined where it is not in the input. */
  readonly accessModes?: readonly string[];
  /** `seLinuxMount` of the CSIDriver; undefined where it is not known. */
  readonly driver?: boolean;
  /** seLinuxChangePolicy of the pod. */
  readonly changePolicy?: string;
  /** Whether the pod has SELinux options at all: without a label nothing is mounted with one. */
  readonly hasLabel: boolean;
}

const RWOP_MOUNT = 28;
const CHANGE_POLICY = 33;
const EVERY_MOUNT = 37;

export function labellingOf({ minor, accessModes, driver, changePolicy, hasLabel }: VolumeCase): Labelling {
  if (minor < RWOP_MOUNT || !hasLabel || driver === false) return 'recursive';
  if (minor >= CHANGE_POLICY && changePolicy === 'Recursive') return 'recursive';
  if (minor < EVERY_MOUNT) {
    if (accessModes === undefined) return 'unknown';
    if (accessModes.length !== 1 || accessModes[0] !== 'ReadWriteOncePod') return 'recursive';
  }
  return driver === undefined ? 'unknown' : 'mount';
}

/** What a version makes of seLinuxChangePolicy; undefined where it takes effect as written. */
export function changePolicyProblem(policy: string, minor: number): string | undefined {
  if (policy !== 'MountOption' && policy !== 'Recursive')
    return `seLinuxChangePolicy is MountOption or Recursive: the API server refuses "${policy}"`;
  if (minor < CHANGE_POLICY) return `seLinuxChangePolicy has no effect before Kubernetes 1.${CHANGE_POLICY}`;
  return policy === 'MountOption' && minor < EVERY_MOUNT
    ? `seLinuxChangePolicy MountOption is refused before Kubernetes 1.${EVERY_MOUNT}, unless the gate SELinuxMount is on`
    : undefined;
}

/** Whether two contexts give files different labels: `stated` by levels or users, `random` where one has no level. */
export function fileConflict(
  one: EffectiveContext,
  other: EffectiveContext,
): 'stated' | 'random' | undefined {
  if (one.unlabelled !== undefined || other.unlabelled !== undefined) return undefined;
  if (one.user !== undefined && other.user !== undefined && one.user.value !== other.user.value)
    return 'stated';
  if (one.level === undefined && other.level === undefined) return undefined;
  if (one.level === undefined || other.level === undefined) return 'random';
  const [left, right] = [parseRange(one.level.value), parseRange(other.level.value)];
  if (typeof left === 'string' || typeof right === 'string') return undefined;
  return isSameLevel(left.high, right.high) && isSameLevel(left.low, right.low) ? undefined : 'stated';
}
