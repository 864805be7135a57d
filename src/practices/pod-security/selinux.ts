/** What the checks of SELinux share: the labels of the pods of a world, each worked out once. */

import { podsOf } from '#decide/pod-security/pods.ts';
import {
  confinementOf,
  contextOf,
  parseRange,
  type Range,
  type StatedPart,
} from '#decide/pod-security/profiles/selinux.ts';
import type { KubeObject } from '#kube/objects.ts';
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

/** The types that some container runs with, each place once. Privileged containers get no label at all. */
export function typesOf(pod: PodSubject): StatedPart[] {
  return partsOf(pod, 'type');
}

export function levelsOf(pod: PodSubject): StatedPart[] {
  return partsOf(pod, 'level');
}

function partsOf(pod: PodSubject, field: 'type' | 'level'): StatedPart[] {
  const parts = new Map<string, StatedPart>();
  for (const container of pod.containers) {
    const context = contextOf(container);
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
