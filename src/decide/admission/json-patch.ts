/**
 * JSON patches (RFC 6902) as the API server applies them, with its words where one does not apply.
 * Source: gopkg.in/evanphx/json-patch.v4 (patch.go).
 */
import { isEqual } from '#kube/equal.ts';
import { isRecord } from '#kube/objects.ts';

export interface JsonPatchOperation {
  readonly op: string;
  readonly path: string;
  /** Undefined where none is stated. */
  readonly from?: string;
  readonly value?: unknown;
}

/** An operation that does not apply. */
export class JsonPatchError extends Error {
  override readonly name = 'JsonPatchError';
  /** A `test` that came out false: the patch is then left alone. */
  readonly isFailedTest: boolean;

  constructor(message: string, isFailedTest = false) {
    super(message);
    this.isFailedTest = isFailedTest;
  }
}

const MISSING = 'missing value';
const INVALID = 'invalid index referenced';

type Parent = Record<string, unknown> | unknown[];

/**
 * @param document stays as it is
 * @returns the document with all operations applied
 * @throws JsonPatchError for the first that does not apply
 */
export function applyJsonPatch(document: unknown, operations: readonly JsonPatchOperation[]): unknown {
  const root = { '': copyOf(document) };
  for (const operation of operations) apply(root, operation);
  return root[''];
}

type Root = { '': unknown };

function apply(root: Root, { op, path, from, value }: JsonPatchOperation): void {
  switch (op) {
    case 'add': {
      const { parent, key } = find(
        root,
        path,
        `add operation does not apply: doc is missing path: "${path}"`,
      );
      during(`error in add for path: '${path}'`, () => add(parent, key, copyOf(value ?? null)));
      return;
    }
    case 'remove': {
      const { parent, key } = find(
        root,
        path,
        `remove operation does not apply: doc is missing path: "${path}"`,
      );
      during(`error in remove for path: '${path}'`, () => remove(parent, key));
      return;
    }
    case 'replace':
      replace(root, path, value);
      return;
    case 'test':
      test(root, path, value);
      return;
    case 'move':
    case 'copy':
      transfer(root, op, from, path);
      return;
    default:
      throw new JsonPatchError(`Unexpected kind: ${op}`);
  }
}

/** The mapping or list in which the last part of a path stands. */
function find(root: Root, path: string, missing: string): { readonly parent: Parent; readonly key: string } {
  const parts = path.split('/').slice(1).map(decode);
  let parent: unknown = parts.length === 0 ? undefined : root[''];
  for (const part of parts.slice(0, -1)) parent = isParent(parent) ? peek(parent, part) : undefined;
  if (!isParent(parent)) throw new JsonPatchError(`${missing}: ${MISSING}`);
  return { parent, key: parts.at(-1)! };
}

function decode(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

function isParent(value: unknown): value is Parent {
  return Array.isArray(value) || isRecord(value);
}

/** On the way to a place, an index that there is not is as good as a key that there is not. */
function peek(parent: Parent, part: string): unknown {
  try {
    return get(parent, part);
  } catch (error) {
    if (error instanceof JsonPatchError) return undefined;
    throw error;
  }
}

function indexOf(key: string): number {
  if (!/^[-+]?[0-9]+$/.test(key))
    throw new JsonPatchError(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  return Number(key);
}

function checked(index: number, size: number): number {
  if (index >= size || index < -size)
    throw new JsonPatchError(`Unable to access invalid index: ${index}: ${INVALID}`);
  return index < 0 ? index + size : index;
}

function get(parent: Parent, key: string): unknown {
  if (Array.isArray(parent)) return parent[checked(indexOf(key), parent.length)];
  return Object.hasOwn(parent, key) ? parent[key] : undefined;
}

function set(parent: Record<string, unknown>, key: string, value: unknown): void {
  // A key such as __proto__ is a key like any other.
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

function add(parent: Parent, key: string, value: unknown): void {
  if (!Array.isArray(parent)) set(parent, key, value);
  else if (key === '-') parent.push(value);
  else {
    const index = during(`value was not a proper array index: '${key}'`, () => indexOf(key));
    parent.splice(checked(index, parent.length + 1), 0, value);
  }
}

function remove(parent: Parent, key: string): void {
  if (Array.isArray(parent)) parent.splice(checked(indexOf(key), parent.length), 1);
  else if (Object.hasOwn(parent, key)) delete parent[key];
  else throw new JsonPatchError(`Unable to remove nonexistent key: ${key}: ${MISSING}`);
}

function during<T>(prefix: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    throw new JsonPatchError(`${prefix}: ${error.message}`);
  }
}

function replace(root: Root, path: string, value: unknown): void {
  if (path === '') {
    if (!isParent(value))
      throw new JsonPatchError('replace operation value must be object or array: %!w(<nil>)');
    root[''] = copyOf(value);
    return;
  }
  const { parent, key } = find(root, path, `replace operation does not apply: doc is missing path: ${path}`);
  // Only in a list must there be something to replace.
  try {
    get(parent, key);
  } catch (error) {
    if (!(error instanceof JsonPatchError)) throw error;
    throw new JsonPatchError(`replace operation does not apply: doc is missing key: ${path}: ${MISSING}`);
  }
  const fresh = copyOf(value ?? null);
  if (Array.isArray(parent)) parent[checked(indexOf(key), parent.length)] = fresh;
  else set(parent, key, fresh);
}

function test(root: Root, path: string, value: unknown): void {
  const known =
    path === ''
      ? root['']
      : (() => {
          const { parent, key } = find(root, path, `test operation does not apply: is missing path: ${path}`);
          return during(`error in test for path: '${path}'`, () => get(parent, key));
        })();
  if (!isEqual(known ?? null, value ?? null))
    throw new JsonPatchError(`testing value ${path} failed: test failed`, true);
}

function transfer(root: Root, op: 'move' | 'copy', from: string | undefined, path: string): void {
  if (from === undefined) throw new JsonPatchError(`${op} operation failed to decode from: ${MISSING}`);
  const source = find(root, from, `${op} operation does not apply: doc is missing from path: ${from}`);
  const where =
    op === 'move' ? `error in move for path: '${source.key}'` : `error in copy for from: '${from}'`;
  const value = during(where, () => {
    const found = get(source.parent, source.key);
    if (op === 'move') remove(source.parent, source.key);
    return found;
  });
  const target = find(root, path, `${op} operation does not apply: doc is missing destination path: ${path}`);
  during(op === 'move' ? `error in move for path: '${path}'` : 'error while adding value during copy', () =>
    add(target.parent, target.key, copyOf(value ?? null)),
  );
}

function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (!isRecord(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) set(copy, key, copyOf(value[key]));
  return copy;
}
