/** What a policy objects to in a pod, as the API server's field errors put it. Source: apimachinery util/validation/field. */

export type ErrorType = 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';

export interface FieldError {
  readonly field: string;
  readonly type: ErrorType;
  readonly detail: string;
  /** The offending value as Go prints it, for errors of type `FieldValueInvalid`; only where it was asked for. */
  readonly value?: string;
}

/** A user or group id: 64 bits, so perhaps a `bigint`. */
export type Id = number | bigint;

/** What rules object to, in their order. Most objections are only counted, so values are printed only on demand. */
export class Objections {
  readonly errors: FieldError[] = [];
  readonly #isPrinted: boolean;

  /** @param isPrinted whether errors hold the offending values too */
  constructor(isPrinted: boolean) {
    this.#isPrinted = isPrinted;
  }

  /** @param print writes the value as Go does; see {@link quoted}, {@link goIds} */
  invalid<Value>(field: string, value: Value, print: (value: Value) => string, detail: string): void {
    this.errors.push(
      this.#isPrinted
        ? { field, type: 'FieldValueInvalid', detail, value: print(value) }
        : { field, type: 'FieldValueInvalid', detail },
    );
  }

  forbidden(field: string, detail: string): void {
    this.errors.push({ field, type: 'FieldValueForbidden', detail });
  }
}

/** A list of ids as Go's %#v prints it; one that is not there is nil. */
export function goIds(ids: readonly Id[] | undefined): string {
  return ids === undefined ? '[]int64(nil)' : `[]int64{${ids.join(', ')}}`;
}

const TITLES: Readonly<Record<ErrorType, string>> = {
  FieldValueInvalid: 'Invalid value',
  FieldValueForbidden: 'Forbidden',
  FieldValueRequired: 'Required value',
};

/** The whole text of an error with its value, as it stands in messages of the API server. */
export function textOf({ field, type, detail, value }: FieldError): string {
  return [field, TITLES[type], value, detail].filter(part => part !== undefined && part !== '').join(': ');
}
