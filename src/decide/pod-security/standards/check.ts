/** The form of a control of the Pod Security Standards, and the words that all of them share. */
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

/** The order of UTF-8 bytes, which is that of code points and not of UTF-16 units. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return isSurrogate(x) !== isSurrogate(y) ? (isSurrogate(x) ? 1 : -1) : x - y;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Go's %q. Source: strconv/quote.go. */
export function quoted(text: string): string {
  let result = '"';
  for (const character of text) {
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) result += short;
    else if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) result += character;
    else {
      const code = character.codePointAt(0)!;
      if (code < 0x80) result += `\\x${code.toString(16).padStart(2, '0')}`;
      else if (code < 0x10000) result += `\\u${code.toString(16).padStart(4, '0')}`;
      else result += `\\U${code.toString(16).padStart(8, '0')}`;
    }
  }
  return `${result}"`;
}
