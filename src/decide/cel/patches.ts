/**
 * The objects that expressions of MutatingAdmissionPolicies make: `Object{…}`, `Object.spec{…}`, `JSONPatch{…}`, and
 * what they are as JSON. Sources: apiserver pkg/cel/mutation/{typeresolver,jsonpatch}.go,
 * pkg/cel/mutation/dynamic/objects.go.
 */
import { DYN, listOf, objectOf, STRING, type Type } from './types.ts';
import { CelMap, CelStruct, type CelValue, isList, keyText, Optional, Uint } from './values.ts';

/** An object of which nothing is known but its place: it may have any fields. */
const anyObject = (name: string): Type => ({ kind: 'object', name, fields: { get: () => DYN } });
const JSON_PATCH = objectOf('JSONPatch', { op: STRING, path: STRING, from: STRING, value: DYN });

/** What an expression of `applyConfiguration` evaluates to. */
export const APPLY_CONFIGURATION: Type = anyObject('Object');
/** What an expression of `jsonPatch` evaluates to. */
export const JSON_PATCHES: Type = listOf(JSON_PATCH);

/** The type that an expression names when it makes an object; undefined where there is none. */
export function patchType(name: string): Type | undefined {
  if (name === 'JSONPatch') return JSON_PATCH;
  return name === 'Object' || name.startsWith('Object.') ? anyObject(name) : undefined;
}

/**
 * Mistakes that the compiler lets pass: an object whose type names another place than the one where it stands.
 *
 * @returns the API server's words, one for each
 */
export function misplaced(value: CelStruct): string[] {
  const wrong: string[] = [];
  const look = (one: CelValue, place: string): void => {
    if (one instanceof CelStruct) {
      if (one.typeName !== place)
        wrong.push(
          `unexpected type name "${one.typeName}", expected "${place}", which matches field name path from root Object type`,
        );
      for (const [name, field] of one.fields) look(field, `${place}.${name}`);
    } else if (one instanceof CelMap) for (const entry of one.entries()) look(entry.value, place);
    else if (isList(one)) for (const element of one) look(element, place);
  };
  look(value, value.typeName);
  return wrong;
}

/** A value that no object of Kubernetes could hold. */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError';
}

/**
 * A value as a manifest would hold it. Whole numbers beyond what JSON carries exactly stay `bigint`.
 *
 * @param isOfPatch whether it is the value of a JSON patch, where such numbers become texts (cel-go common/types/int.go)
 * @throws NotJsonError for bytes, times and mappings with keys that are no texts
 */
export function jsonOf(value: CelValue, isOfPatch = false): unknown {
  switch (typeof value) {
    case 'bigint':
      if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return Number(value);
      return isOfPatch ? String(value) : value;
    case 'object':
      if (value === null) return null;
      if (isList(value)) return value.map(one => jsonOf(one, isOfPatch));
      if (value instanceof CelStruct)
        return Object.fromEntries([...value.fields].map(([name, one]) => [name, jsonOf(one, isOfPatch)]));
      if (value instanceof CelMap)
        return Object.fromEntries(
          [...value.entries()].map(({ key, value: one }) => {
            if (typeof key !== 'string') throw new NotJsonError(`map key "${keyText(key)}" is not a string`);
            return [key, jsonOf(one, isOfPatch)];
          }),
        );
      if (value instanceof Uint) return jsonOf(value.value, isOfPatch);
      if (isOfPatch && value instanceof Optional) {
        if (value.value === undefined) throw new NotJsonError('optional.none() dereference');
        return jsonOf(value.value, true);
      }
      throw new NotJsonError('the expression makes a value that no object can hold');
    default:
      return value;
  }
}
