/** What the checks of SELinux share: the labels of the pods of a world, each worked out once. */

import { podsOf } from '#decide/pod-security/pods.ts';
import {
  confinementOf,
  contextOf,
  type EffectiveContext,
  parseRange,
  type Range,
  type StatedPart,
} from '#decide/pod-security/profiles/selinux.ts';
import { type KubeObject, valueAt } from '#kube/objects.ts';
import type { PodSubject } from '#world/subjects.ts';
import type { World } from '#world/world.ts';

/** Asked first, so that pods without SELinux options cost nothing. */
export function hasSelinuxOptions({ spec, containers }: PodSubject): boolean {
  return (
    spec.os?.name !== 'windows' &&
    (spec.securityContext?.seLinuxOptions !== undefined ||
      containers.some(({ container }) => container.securityContext?.seLinuxOptions !== undefined))
  );
}

/** The types that some container may run with, each place once. Privileged containers get no label at all. */
export function typesOf(pod: PodSubject): StatedPart[] {
  return partsOf(pod, 'type');
}

export function levelsOf(pod: PodSubject): StatedPart[] {
  return partsOf(pod, 'level');
}

function partsOf(pod: PodSubject, field: 'type' | 'level'): StatedPart[] {
  const parts = new Map<string, StatedPart>();
  // The two runtimes differ where a container has half of the options: either may be the one.
  for (const container of pod.containers)
    for (const runtime of ['containerd', 'cri-o'] as const) {
      const context = contextOf(container, runtime);
      const part = context[field];
      if (part !== undefined && context.unlabelled === undefined) parts.set(part.path.join('\0'), part);
    }
  return [...parts.values()];
}

export interface Labelled {
  readonly object: KubeObject;
  readonly namespace: string | undefined;
  readonly level: string;
  readonly range: Range;
}

/** The pods of a world whose levels are stated and kept apart by the policy: an unconfined type is above levels. */
export function labelledPods(world: World): Labelled[] {
  return world.declared.flatMap(({ object }) =>
    podsOf(world, object).pods.flatMap(pod => {
      if (!hasSelinuxOptions(pod)) return [];
      const seen = new Set<string>();
      return pod.containers.flatMap((container): Labelled[] => {
        const { level, type, unlabelled } = contextOf(container);
        if (level === undefined || unlabelled !== undefined || seen.has(level.value)) return [];
        seen.add(level.value);
        if (type !== undefined && confinementOf(type.value).is === 'unconfined') return [];
        const range = parseRange(level.value);
        return typeof range === 'string'
          ? []
          : [{ object, namespace: pod.namespace, level: level.value, range }];
      });
    }),
  );
}

export interface ClaimUse {
  readonly pod: PodSubject;
  readonly volume: number;
  /** Of the containers that mount it. */
  readonly contexts: readonly EffectiveContext[];
}

/** Who mounts each PersistentVolumeClaim, by `namespace/claim`, where anybody has SELinux options. */
export function claimUses(world: World): ReadonlyMap<string, readonly ClaimUse[]> {
  const mounts: { readonly key: string; readonly pod: PodSubject; readonly volume: number }[] = [];
  const concerned = new Set<string>();
  for (const { object } of world.declared)
    for (const pod of podsOf(world, object).pods)
      for (const [volume, { persistentVolumeClaim }] of (pod.spec.volumes ?? []).entries()) {
        const claim = persistentVolumeClaim?.claimName;
        if (claim === undefined || claim === '') continue;
        const key = `${pod.namespace ?? ''}/${claim}`;
        mounts.push({ key, pod, volume });
        if (hasSelinuxOptions(pod)) concerned.add(key);
      }
  const uses = new Map<string, ClaimUse[]>();
  for (const { key, pod, volume } of mounts) {
    if (!concerned.has(key)) continue;
    const name = pod.spec.volumes?.[volume]?.name;
    const contexts = pod.containers
      .filter(({ container }) => (container.volumeMounts ?? []).some(mount => mount.name === name))
      .map(container => contextOf(container));
    const known = uses.get(key);
    if (known === undefined) uses.set(key, [{ pod, volume, contexts }]);
    else known.push({ pod, volume, contexts });
  }
  return uses;
}

/** What the input says of a claim's volume: its access modes, and whether its driver mounts with a label. */
export function claimFacts(
  world: World,
  namespace: string | undefined,
  claim: string,
): { readonly accessModes?: readonly string[]; readonly driver?: boolean } {
  const object = world.find('/PersistentVolumeClaim', namespace, claim);
  const modes = valueAt(object, ['spec', 'accessModes']);
  const className = valueAt(object, ['spec', 'storageClassName']);
  const storage =
    typeof className === 'string'
      ? world.find('storage.k8s.io/StorageClass', undefined, className)
      : undefined;
  const provisioner = valueAt(storage, ['provisioner']);
  const driver =
    typeof provisioner === 'string'
      ? world.find('storage.k8s.io/CSIDriver', undefined, provisioner)
      : undefined;
  return {
    ...(Array.isArray(modes) ? { accessModes: modes.filter(mode => typeof mode === 'string') } : {}),
    ...(driver === undefined ? {} : { driver: valueAt(driver, ['spec', 'seLinuxMount']) === true }),
  };
}
