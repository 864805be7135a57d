/** Which containers are probed at all. */

import { groupOf } from '#kube/objects.ts';
import type { ContainerSubject } from '#world/subjects.ts';

const SERVING = new Set([
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'apps/ReplicaSet',
  '/ReplicationController',
]);

/** Why nobody would probe a container; undefined for one that serves. */
export function notProbed({ role, sidecar, pod }: ContainerSubject): string | undefined {
  if (role !== 'container' || sidecar) return 'only what serves is probed';
  const { apiVersion, kind } = pod.object;
  return SERVING.has(`${groupOf(apiVersion)}/${kind}`) ? undefined : 'it runs to its end';
}
