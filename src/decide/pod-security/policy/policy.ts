/** PodSecurityPolicy objects of policy/v1beta1, decoded as the API server of Kubernetes 1.24 decodes them. */
import { DecodeError } from '#kube/decode.ts';
import { isRecord } from '#kube/objects.ts';
import type { SELinuxOptions } from '#kube/pods.ts';
import type { Id } from './errors.ts';

export interface Range {
  readonly min: Id;
  readonly max: Id;
}

/** How ids are chosen and judged: a rule's name, and the ranges that some rules need. */
export interface IdStrategy {
  readonly rule: string;
  readonly ranges: readonly Range[];
}

export interface PolicySpec {
  readonly privileged: boolean;
  readonly defaultAddCapabilities: readonly string[];
  readonly requiredDropCapabilities: readonly string[];
  readonly allowedCapabilities: readonly string[];
  readonly volumes: readonly string[];
  readonly hostNetwork: boolean;
  readonly hostPorts: readonly Range[];
  readonly hostPID: boolean;
  readonly hostIPC: boolean;
  readonly seLinux: { readonly rule: string; readonly seLinuxOptions?: SELinuxOptions };
  readonly runAsUser: IdStrategy;
  readonly runAsGroup?: IdStrategy;
  readonly supplementalGroups: IdStrategy;
  readonly fsGroup: IdStrategy;
  readonly readOnlyRootFilesystem: boolean;
  readonly defaultAllowPrivilegeEscalation?: boolean;
  /** True where the policy says nothing. */
  readonly allowPrivilegeEscalation: boolean;
  readonly allowedHostPaths: readonly { readonly pathPrefix: string; readonly readOnly: boolean }[];
  readonly allowedFlexVolumes: readonly { readonly driver: string }[];
  readonly allowedCSIDrivers: readonly { readonly name: string }[];
  readonly allowedUnsafeSysctls: readonly string[];
  readonly forbiddenSysctls: readonly string[];
  readonly allowedProcMountTypes: readonly string[];
  readonly runtimeClass?: {
    readonly allowedRuntimeClassNames: readonly string[];
    readonly defaultRuntimeClassName?: string;
  };
}

export interface Policy {
  readonly name: string;
  readonly annotations: ReadonlyMap<string, string>;
  readonly spec: PolicySpec;
}

type Path = readonly (string | number)[];
type Reader<T> = (value: unknown, path: Path) => T;

const text: Reader<string> = (value, path) => {
  if (typeof value !== 'string') throw new DecodeError(path, 'a string', value);
  return value;
};

const flag: Reader<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new DecodeError(path, 'true or false', value);
  return value;
};

const whole =
  (bits: 32 | 64): Reader<Id> =>
  (value, path) => {
    const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
    if (!isWhole || BigInt.asIntN(bits, BigInt(value)) !== BigInt(value))
      throw new DecodeError(path, `a whole number of ${bits} bits`, value);
    return value;
  };

/** A value that may be absent; null is absent. */
function optional<T>(read: Reader<T>): Reader<T | undefined> {
  return (value, path) => (value === undefined || value === null ? undefined : read(value, path));
}

function or<T>(read: Reader<T>, zero: T): Reader<T> {
  return (value, path) => (value === undefined || value === null ? zero : read(value, path));
}

function list<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value, path) => {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw new DecodeError(path, 'a list', value);
    return value.map((item: unknown, index) => read(item, [...path, index]));
  };
}

type Shape = Readonly<Record<string, Reader<unknown>>>;
type Read<S extends Shape> = { readonly [K in keyof S]: ReturnType<S[K]> };

/** A mapping with the fields of the shape; those that are absent and optional are left out. */
function mapping<S extends Shape>(shape: S): Reader<Defined<Read<S>>> {
  const fields = Object.entries(shape);
  return (value, path) => {
    const given = value ?? {};
    if (!isRecord(given)) throw new DecodeError(path, 'a mapping', given);
    const result: Record<string, unknown> = {};
    for (const [field, read] of fields) {
      const one = read(Object.hasOwn(given, field) ? given[field] : undefined, [...path, field]);
      if (one !== undefined) result[field] = one;
    }
    return result as Defined<Read<S>>;
  };
}

/** Fields that may be undefined become optional ones. */
type Defined<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

const word = or(text, '');
const words = list(word);
const no = or(flag, false);
const ranges = (bits: 32 | 64) => list(mapping({ min: or(whole(bits), 0), max: or(whole(bits), 0) }));
const ids = mapping({ rule: word, ranges: ranges(64) });

const spec = mapping({
  privileged: no,
  defaultAddCapabilities: words,
  requiredDropCapabilities: words,
  allowedCapabilities: words,
  volumes: words,
  hostNetwork: no,
  hostPorts: ranges(32),
  hostPID: no,
  hostIPC: no,
  seLinux: mapping({
    rule: word,
    seLinuxOptions: optional(
      mapping({
        user: optional(text),
        role: optional(text),
        type: optional(text),
        level: optional(text),
      }),
    ),
  }),
  runAsUser: ids,
  runAsGroup: optional(ids),
  supplementalGroups: ids,
  fsGroup: ids,
  readOnlyRootFilesystem: no,
  defaultAllowPrivilegeEscalation: optional(flag),
  allowPrivilegeEscalation: or(flag, true),
  allowedHostPaths: list(mapping({ pathPrefix: word, readOnly: no })),
  allowedFlexVolumes: list(mapping({ driver: word })),
  allowedCSIDrivers: list(mapping({ name: word })),
  allowedUnsafeSysctls: words,
  forbiddenSysctls: words,
  allowedProcMountTypes: words,
  runtimeClass: optional(
    mapping({ allowedRuntimeClassNames: words, defaultRuntimeClassName: optional(text) }),
  ),
});

const object = mapping({
  metadata: mapping({
    name: word,
    annotations: (value, path): ReadonlyMap<string, string> => {
      const given = value ?? {};
      if (!isRecord(given)) throw new DecodeError(path, 'a mapping', given);
      return new Map(Object.entries(given).map(([key, one]) => [key, word(one, [...path, key])]));
    },
  }),
  spec,
});

/**
 * A policy as the API server serves it.
 *
 * @throws DecodeError with the path of what it would refuse to decode
 */
export function decodePolicy(policy: unknown): Policy {
  const { metadata, spec } = object(policy, []);
  return { ...metadata, spec };
}
