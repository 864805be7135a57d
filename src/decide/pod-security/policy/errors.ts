/** What a policy objects to in a pod, as the API server's field errors put it. Source: apimachinery util/validation/field. */
import { quoted } from '#kube/go-text.ts';

export type ErrorType = 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';

export interface FieldError {
  readonly field: string;
  readonly type: ErrorType;
  readonly detail: string;
  /** The offending value as Go prints it, for errors of type `FieldValueInvalid`. */
  readonly value?: string;
}

/** A user or group id: 64 bits, so perhaps a `bigint`. */
export type Id = number | bigint;

/** @param value as Go prints it; see {@link quoted}, {@link goList} */
export function invalid(field: string, value: string, detail: string): FieldError {
  return { field, type: 'FieldValueInvalid', detail, value };
}

export function forbidden(field: string, detail: string): FieldError {
  return { field, type: 'FieldValueForbidden', detail };
}

/** A list as Go's %#v prints it; one that is not there is nil. */
export function goList(type: string, items: readonly (string | Id)[] | undefined): string {
  if (items === undefined) return `[]${type}(nil)`;
  return `[]${type}{${items.map(item => (typeof item === 'string' ? quoted(item) : String(item))).join(', ')}}`;
}

const TITLES: Readonly<Record<ErrorType, string>> = {
  FieldValueInvalid: 'Invalid value',
  FieldValueForbidden: 'Forbidden',
  FieldValueRequired: 'Required value',
};

/** The whole text of an error, as it stands in messages of the API server. */
export function textOf({ field, type, detail, value }: FieldError): string {
  return [field, TITLES[type], value, detail].filter(part => part !== undefined && part !== '').join(': ');
}
