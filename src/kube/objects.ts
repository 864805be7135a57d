/** The shapes of Kubernetes objects as they are read: plain, readonly, and trusted only as far as they were checked. */

/** A place inside an object: keys and list indexes from its root. */
export type Path = readonly (string | number)[];

export interface ObjectMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly [field: string]: unknown;
}

export interface OwnerReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly controller?: boolean;
}

/**
 * One object as a client submits it. Fields beyond the four common ones are untyped on purpose: input is hostile,
 * so each reader checks what it uses. Whole numbers beyond 2^53 are `bigint`.
 */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: ObjectMeta;
  readonly [field: string]: unknown;
}

/** What names an object in reports. `namespace` is absent where the manifest states none. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** Why a decider decided so: the object (by identity, so that a caller can find its file) and the place inside it. */
export interface Because {
  readonly object?: KubeObject;
  readonly path?: Path;
  readonly text: string;
}

/** The group of an apiVersion: `''` for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** The name in reports: `generateName` gets the asterisk that stands for what the API server adds. */
export function nameOf(object: KubeObject): string {
  const { name, generateName } = object.metadata ?? {};
  if (typeof name === 'string' && name !== '') return name;
  return typeof generateName === 'string' && generateName !== '' ? `${generateName}*` : '';
}

export function referenceOf(object: KubeObject): ObjectReference {
  const namespace = object.metadata?.namespace;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    ...(typeof namespace === 'string' && namespace !== '' ? { namespace } : {}),
    name: nameOf(object),
  };
}

/** Whether a value is a JSON object (not a list, not null). */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path, or undefined where the path leads nowhere. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof step === 'number') value = Array.isArray(value) ? value[step] : undefined;
    else value = isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}

/** A path as people write it: `spec.containers[0].image`, keys that are no plain words quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
