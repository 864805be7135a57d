/** The form of a control of the Pod Security Standards, and the words that all of them share. */
import { compareBytes } from '#kube/go-text.ts';
import type { Path } from '#kube/objects.ts';
import type { Container, Pod } from '#kube/pods.ts';

/** One place in the pod that breaks a control: where it is (or should be) written, and what is there. */
export interface Violation {
  /** In the pod: `['spec', 'containers', 0, 'securityContext', 'privileged']`. */
  readonly path: Path;
  /** Undefined where the field is absent and should not be. */
  readonly value: unknown;
  /** The container that the place lies in. */
  readonly container?: string;
}

/** What a control finds. The strings are the API server's own. */
export interface Breach {
  readonly reason: string;
  readonly detail: string;
  readonly violations: readonly Violation[];
}

/** A control as it is from one minor version of Kubernetes 1 on. */
export interface Revision {
  readonly since: number;
  /** Baseline controls that are not asked at level restricted, for this one asks for more. */
  readonly overrides?: readonly string[];
  /** @returns undefined where the pod keeps it */
  breach(pod: Pod): Breach | undefined;
}

export interface Control {
  readonly id: string;
  readonly level: 'baseline' | 'restricted';
  /** Ascending by `since`. */
  readonly revisions: readonly Revision[];
}

/** A container with its place in the pod. */
export interface Placed {
  readonly container: Container;
  readonly path: Path;
  readonly name: string;
}

/** Every container in the order in which the library visits them. Source: policy/visitor.go. */
export function containersOf(pod: Pod): Placed[] {
  const placed: Placed[] = [];
  for (const field of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    const list = pod.spec[field];
    if (list === undefined) continue;
    for (let i = 0; i < list.length; i++)
      placed.push({ container: list[i]!, path: ['spec', field, i], name: list[i]!.name ?? '' });
  }
  return placed;
}

export function isWindows(pod: Pod): boolean {
  return pod.spec.os?.name === 'windows';
}

/** Whether the pod has a user namespace of its own, in which root is nobody on the node. */
export function hasUserNamespace(pod: Pod): boolean {
  return pod.spec.hostUsers === false;
}

export function joinQuoted(items: readonly string[]): string {
  return items.map(item => `"${item}"`).join(', ');
}

export function plural(one: string, many: string, count: number): string {
  return count === 1 ? one : many;
}

/** `container "a"`, `containers "a", "b"`. */
export function named(containers: readonly string[]): string {
  return `${plural('container', 'containers', containers.length)} ${joinQuoted(containers)}`;
}

/** `pod and container "a"`: who sets something, the pod first. */
export function setters(pod: boolean, containers: readonly string[]): string {
  return [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [named(containers)] : [])].join(' and ');
}

/** Each value once, in the order of their bytes, as Go sorts strings. */
export function sortedSet(values: Iterable<string>): string[] {
  return [...new Set(values)].sort(compareBytes);
}
