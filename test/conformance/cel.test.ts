/**
 * CEL against the conformance data of the specification, as far as Kubernetes uses the language: protocol buffer
 * messages, their enums and their wrappers are not part of it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tests as suite } from '@bufbuild/cel-spec/testdata/conformance.js';
import { compile, type Declarations } from '#decide/cel/cel.ts';
import { CelCompileError } from '#decide/cel/issues.ts';
import { parseDuration, parseTimestamp } from '#decide/cel/time.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  NULL,
  optionalOf,
  STRING,
  TIMESTAMP,
  type Type,
  typeOf,
  typeText,
  UINT,
} from '#decide/cel/types.ts';
import {
  CelError,
  CelMap,
  type CelValue,
  equal,
  isList,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
} from '#decide/cel/values.ts';

type Json = Readonly<Record<string, unknown>>;

interface Suite {
  readonly name: string;
  readonly suites?: readonly Suite[];
  readonly tests?: readonly { readonly original: Json; readonly type?: string; readonly error?: string }[];
}

/** Thrown for what is about protocol buffers. */
class Foreign extends Error {}

function valueFrom(json: Json): CelValue {
  const [kind, value] = Object.entries(json)[0]! as [string, never];
  switch (kind) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'stringValue':
      return value;
    case 'int64Value':
      return BigInt(value);
    case 'uint64Value':
      return new Uint(BigInt(value));
    case 'doubleValue':
      return Number(value === 'Infinity' ? Infinity : value === '-Infinity' ? -Infinity : value);
    case 'bytesValue':
      return Uint8Array.from(Buffer.from(value, 'base64'));
    case 'typeValue':
      return new TypeValue(value);
    case 'listValue':
      return ((value as Json)['values'] as Json[] | undefined)?.map(valueFrom) ?? [];
    case 'mapValue': {
      const map = new CelMap();
      for (const entry of ((value as Json)['entries'] as { key: Json; value: Json }[] | undefined) ?? [])
        map.set(valueFrom(entry.key), valueFrom(entry.value));
      return map;
    }
    case 'objectValue': {
      const { '@type': type, value: inner } = value as { '@type': string; value: string };
      if (type.endsWith('/google.protobuf.Duration')) return parseDuration(inner)!;
      if (type.endsWith('/google.protobuf.Timestamp')) return parseTimestamp(inner)!;
      throw new Foreign(type);
    }
    default:
      throw new Foreign(kind);
  }
}

const PRIMITIVE: Readonly<Record<string, Type>> = {
  BOOL,
  INT64: INT,
  UINT64: UINT,
  DOUBLE,
  STRING,
  BYTES,
};

function declared(json: Json): Type {
  const [kind, value] = Object.entries(json)[0]! as [string, never];
  switch (kind) {
    case 'dyn':
      return DYN;
    case 'null':
      return NULL;
    case 'primitive':
      return PRIMITIVE[value]!;
    case 'wellKnown':
      if (value === 'DURATION') return DURATION;
      if (value === 'TIMESTAMP') return TIMESTAMP;
      throw new Foreign(value);
    case 'listType':
      return listOf(declared((value as { elemType: Json }).elemType));
    case 'mapType':
      return mapOf(
        declared((value as { keyType: Json }).keyType),
        declared((value as { valueType: Json }).valueType),
      );
    case 'type':
      return typeOf(DYN);
    case 'abstractType': {
      const { name, parameterTypes } = value as { name: string; parameterTypes: Json[] };
      if (name === 'optional_type') return optionalOf(declared(parameterTypes[0]!));
      throw new Foreign(name);
    }
    default:
      throw new Foreign(kind);
  }
}

/** What Kubernetes has not: messages, enums, and libraries that it does not load. */
const LEFT_OUT =
  /^(?:proto2|proto3|proto2_ext|enums|wrappers|dynamic|encoders_ext|math_ext|block_ext|bindings_ext|network_ext|unknowns)$/;
const FOREIGN =
  /TestAllTypes|google\.protobuf\.(?!Duration\b|Timestamp\b)|NestedEnum|GlobalEnum|cel\.(?:bind|expr)|NestedTestAllTypes/;

let ran = 0;

/**
 * Cases that Kubernetes decides otherwise: it has version 2 of the string library, whose numbers are those of en_US, and
 * releases of cel-go in which a value without places is one without the key.
 */
const OTHERWISE = new Set([
  ...[
    'NaN support for decimal',
    'NaN support for scientific notation',
    'default precision for scientific notation',
  ],
  ...['dyntype NaN/infinity support', 'dyntype support for scientific notation'],
  ...['decimal', 'fixed-point', 'scientific notation'].flatMap(what => [
    `negative infinity support for ${what}`,
    `positive infinity support for ${what}`,
  ]),
  'scientific notation formatting clause in a string variable',
  'scientific notation formatting clause',
  'indexof_out_of_range',
  'lastindexof_out_of_range',
  'map_null_entry_no_such_key',
  'map_present_key_invalid_field',
]);

function visit(part: Suite, path: readonly string[]): void {
  for (const inner of part.suites ?? []) visit(inner, [...path, inner.name]);
  for (const { original, type, error } of part.tests ?? []) {
    const { expr, name } = original as { expr: string; name: string };
    if (FOREIGN.test(expr) || original['container'] !== undefined) continue;
    if (OTHERWISE.has(name)) continue;
    const title = `${path.join('/')}/${name}: ${expr}`;
    if (EXPECTED_DIFFERENCES.some(one => title.startsWith(one))) continue;
    let declarations: Declarations;
    let bindings: Record<string, CelValue>;
    let wanted: CelValue | undefined;
    try {
      declarations = {
        variables: Object.fromEntries(
          ((original['typeEnv'] as { name: string; ident?: { type: Json } }[] | undefined) ?? []).map(one => {
            if (one.ident === undefined) throw new Foreign('function');
            return [one.name, declared(one.ident.type)];
          }),
        ),
      };
      bindings = Object.fromEntries(
        Object.entries((original['bindings'] as Record<string, { value: Json }> | undefined) ?? {}).map(
          ([key, one]) => [key, valueFrom(one.value)],
        ),
      );
      const { value } = original as { value?: Json };
      wanted =
        value !== undefined
          ? valueFrom(value)
          : original['evalError'] !== undefined
            ? undefined
            : original['typedResult'] !== undefined
              ? typedResult(original['typedResult'] as { result?: Json })
              : true;
    } catch (foreign) {
      if (!(foreign instanceof Foreign)) throw foreign;
      continue;
    }
    ran++;
    it(title.slice(0, 150), () => {
      let program: ReturnType<typeof compile>;
      try {
        program = compile(expr, declarations);
      } catch (refused) {
        if (!(refused instanceof CelCompileError)) throw refused;
        // Kubernetes has no programs that are not checked.
        // Nor has it lists and maps of several types.
        const mixed = refused.message.includes("expected type '");
        assert.ok(
          wanted === undefined || error !== undefined || original['disableCheck'] === true || mixed,
          refused.message,
        );
        return;
      }
      const { value } = program.evaluate(bindings);
      if (wanted === undefined) {
        assert.ok(value instanceof CelError, `an error is wanted, not ${show(value)}`);
        return;
      }
      if (wanted !== UNSTATED)
        assert.ok(
          !(value instanceof CelError) && (equal(value, wanted) || bothNaN(value, wanted)),
          `${show(value)} is not ${show(wanted)}`,
        );
      if (
        type !== undefined &&
        !/^(?:type|wrapper)|optional|\.|_var/.test(type) &&
        !/google/.test(typeText(program.output))
      )
        assert.equal(typeText(program.output).replaceAll('null_type', 'null'), type);
    });
  }
}

/** Where only the type is stated. */
const UNSTATED = new CelError('not stated');

function typedResult({ result }: { readonly result?: Json }): CelValue {
  return result === undefined ? UNSTATED : valueFrom(result);
}

/** Differences on purpose, each with its reason. */
const EXPECTED_DIFFERENCES: readonly string[] = [
  // The value is the same; an index into an optional without a value has the static type dyn here.
  'optionals/optionals/optional_chaining_5',
];

function bothNaN(a: CelValue, b: CelValue): boolean {
  return typeof a === 'number' && typeof b === 'number' && Number.isNaN(a) && Number.isNaN(b);
}

function show(value: CelValue): string {
  if (value instanceof CelError) return `error ${value.message}`;
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Timestamp) return `timestamp ${value.nanos}`;
  if (value instanceof Optional) return `optional(${value.value === undefined ? '' : show(value.value)})`;
  if (isList(value)) return `[${value.map(show).join(', ')}]`;
  if (value instanceof CelMap)
    return `{${[...value.entries()].map(({ key, value: one }) => `${show(key)}: ${show(one)}`).join(', ')}}`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

describe('the conformance data of CEL', () => {
  for (const part of (suite as Suite).suites ?? []) if (!LEFT_OUT.test(part.name)) visit(part, [part.name]);
  it('is there', () => assert.ok(ran > 1000, `${ran} cases ran`));
});
