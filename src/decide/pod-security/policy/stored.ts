/**
 * A pod written as the API server of Kubernetes 1.24 would write it: fields that it does not know are gone, and so are
 * those that are empty and may be left out. Two pods that are written alike are semantically equal
 * (apimachinery api/equality), once the remaining defaults are in.
 */
import { isRecord } from '#kube/objects.ts';
import { podTypes124 } from './pod-types.generated.ts';

interface Field {
  readonly name: string;
  /** A field that can tell unset from empty. */
  readonly isPointer: boolean;
  /** Written even if empty. */
  readonly isAlways: boolean;
  readonly type: string;
}

const tables = new Map<string, readonly Field[]>();

function fieldsOf(type: string): readonly Field[] {
  let fields = tables.get(type);
  if (fields === undefined) {
    fields = podTypes124[type]!.split(' ').map(text => {
      const [, name, mark, pointer, of] = /^(\w+)([:!])(\*?)(.*)$/.exec(text)!;
      return { name: name!, isPointer: pointer === '*', isAlways: mark === '!', type: of! };
    });
    tables.set(type, fields);
  }
  return fields;
}

/** A submitted value without the fields that Kubernetes 1.24 does not know, whatever they hold. */
export function known(type: string, value: unknown): unknown {
  if (Array.isArray(value))
    return type.startsWith('[]') ? value.map(one => known(type.slice(2), one)) : value;
  if (!isRecord(value) || !Object.hasOwn(podTypes124, type)) return value;
  return Object.fromEntries(
    fieldsOf(type)
      .filter(({ name }) => Object.hasOwn(value, name))
      .map(({ name, type: of }) => [name, known(of, value[name])]),
  );
}

/** What else is to be done to values of a type before they are written. */
export interface Finish {
  /** Fields of a type that are set where they are absent. */
  readonly defaults: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** A value of a scalar type in the form in which equal ones are the same. */
  readonly canonical: Readonly<Record<string, (value: never) => unknown>>;
}

const AS_IT_IS: Finish = { defaults: {}, canonical: {} };

/**
 * @param type of the table: `SecurityContext`, `[]Container`
 * @param value decoded
 */
export function written(type: string, value: unknown, finish: Finish = AS_IT_IS): unknown {
  if (type.startsWith('[]'))
    return (value as readonly unknown[]).map(item => written(type.slice(2), item, finish));
  if (type.startsWith('{}'))
    return Object.fromEntries(
      Object.entries(value as object).map(([key, item]) => [key, written(type.slice(2), item, finish)]),
    );
  if (Object.hasOwn(podTypes124, type)) return writtenStruct(type, value as Record<string, unknown>, finish);
  const canonical = finish.canonical[type];
  return canonical === undefined ? value : canonical(value as never);
}

function writtenStruct(type: string, value: Readonly<Record<string, unknown>>, finish: Finish): unknown {
  const result: Record<string, unknown> = {};
  for (const { name, isPointer, isAlways, type: of } of fieldsOf(type)) {
    const given = value[name];
    const one = given === undefined ? undefined : written(of, given, finish);
    if (one !== undefined && (isPointer || !isEmpty(one))) result[name] = one;
    else if (isAlways && !isPointer) result[name] = zeroOf(of);
  }
  const defaults = finish.defaults[type];
  for (const name in defaults) result[name] ??= defaults[name];
  return result;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value)) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false;
}

const ZEROS: Readonly<Record<string, unknown>> = { string: '', int: 0, bool: false, any: 0 };

function zeroOf(type: string): unknown {
  if (Object.hasOwn(ZEROS, type)) return ZEROS[type];
  return type.startsWith('[]') ? [] : {};
}
