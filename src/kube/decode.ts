/**
 * Decoding as the API server does it: field names are case-sensitive, unknown fields are dropped, null is the zero
 * value, and a value of the wrong type is refused. Source: sigs.k8s.io/json, and the types of k8s.io/api.
 */
import { parseRfc3339 } from './go-time.ts';
import { formatPath, isRecord, type Path } from './objects.ts';
import { podTypes } from './pod-types.generated.ts';
import type { Pod } from './pods.ts';
import { isQuantity } from './quantities.ts';

/** The API server would answer this with 400: the value at the path has a type that cannot be decoded. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly path: Path;

  constructor(path: Path, expected: string, value: unknown) {
    super(`${formatPath(path)}: expected ${expected}, got ${describe(value)}`);
    this.path = path;
  }
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'a mapping';
  if (typeof value === 'string')
    return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (typeof value === 'boolean') return `the boolean ${value}`;
  return `the number ${String(value)}`;
}

/** Decodes a value; the path is only made when something is wrong, so it is handed down as a stack. */
type Decoder = (value: unknown, path: (string | number)[]) => unknown;

const MAX_INT32 = 2147483647;
const MAX_INT64 = 2n ** 63n - 1n;
const BASE64 = /^(?:[A-Za-z0-9+/\r\n]{4})*(?:[A-Za-z0-9+/\r\n]{2,4}={0,2})?$/;

const scalars: Readonly<Record<string, Decoder>> = {
  any: value => value,
  string: (value, path) => {
    if (typeof value !== 'string') throw new DecodeError([...path], 'a string', value);
    return value;
  },
  bool: (value, path) => {
    if (typeof value !== 'boolean') throw new DecodeError([...path], 'true or false', value);
    return value;
  },
  int32: (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw new DecodeError([...path], 'a whole number', value);
    if (value > MAX_INT32 || value < -MAX_INT32 - 1)
      throw new DecodeError([...path], 'a number of 32 bits', value);
    return value;
  },
  int64: (value, path) => {
    if (typeof value === 'bigint') {
      if (value > MAX_INT64 || value < -MAX_INT64 - 1n)
        throw new DecodeError([...path], 'a number of 64 bits', value);
      return value;
    }
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw new DecodeError([...path], 'a whole number', value);
    if (Math.abs(value) >= 2 ** 63) throw new DecodeError([...path], 'a number of 64 bits', value);
    return value;
  },
  float: (value, path) => {
    if (typeof value !== 'number' && typeof value !== 'bigint')
      throw new DecodeError([...path], 'a number', value);
    return Number(value);
  },
  quantity: (value, path) => {
    if (typeof value === 'number' || typeof value === 'bigint') return value;
    if (typeof value !== 'string' || !isQuantity(value))
      throw new DecodeError([...path], 'a quantity such as 500m or 1Gi', value);
    return value;
  },
  intOrString: (value, path) => {
    if (typeof value === 'string') return value;
    return scalars['int32']!(value, path);
  },
  time: (value, path) => {
    if (typeof value !== 'string' || parseRfc3339(value) === undefined)
      throw new DecodeError([...path], 'a time such as 2026-01-31T12:00:00Z', value);
    return value;
  },
  bytes: (value, path) => {
    if (typeof value !== 'string' || !BASE64.test(value)) throw new DecodeError([...path], 'base64', value);
    return value;
  },
};

const zeros: Readonly<Record<string, unknown>> = {
  string: '',
  bool: false,
  int32: 0,
  int64: 0,
  float: 0,
  quantity: 0,
  intOrString: 0,
};

const decoders = new Map<string, Decoder>();

function decoderOf(type: string): Decoder {
  const scalar = scalars[type];
  if (scalar !== undefined) return scalar;
  let decoder = decoders.get(type);
  if (decoder === undefined) {
    decoder = type.startsWith('[]')
      ? listOf(type.slice(2))
      : type.startsWith('{}')
        ? mapOf(type.slice(2))
        : structOf(type);
    decoders.set(type, decoder);
  }
  return decoder;
}

function listOf(item: string): Decoder {
  let decode: Decoder | undefined;
  const zero = Object.hasOwn(zeros, item) ? zeros[item] : {};
  return (value, path) => {
    if (!Array.isArray(value)) throw new DecodeError([...path], 'a list', value);
    decode ??= decoderOf(item);
    return value.map((one: unknown, index) => {
      if (one === null) return zero;
      path.push(index);
      const result = decode!(one, path);
      path.pop();
      return result;
    });
  };
}

function mapOf(item: string): Decoder {
  let decode: Decoder | undefined;
  const zero = Object.hasOwn(zeros, item) ? zeros[item] : {};
  return (value, path) => {
    if (!isRecord(value)) throw new DecodeError([...path], 'a mapping', value);
    decode ??= decoderOf(item);
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => {
        if (one === null) return [key, zero];
        path.push(key);
        const result = decode!(one, path);
        path.pop();
        return [key, result];
      }),
    );
  };
}

function structOf(type: string): Decoder {
  const fields = fieldsOf(type)!;
  const known = new Map<string, Decoder | undefined>([...fields.keys()].map(name => [name, undefined]));
  return (value, path) => {
    if (!isRecord(value)) throw new DecodeError([...path], 'a mapping', value);
    const result: Record<string, unknown> = {};
    for (const name in value) {
      const one = value[name];
      // Null is the zero value, and a field that is not set reads the same.
      if (one === null || one === undefined || !known.has(name)) continue;
      let decode = known.get(name);
      if (decode === undefined) {
        decode = decoderOf(fields.get(name)!);
        known.set(name, decode);
      }
      path.push(name);
      result[name] = decode(one, path);
      path.pop();
    }
    return result;
  };
}

const fieldTables = new Map<string, ReadonlyMap<string, string>>();

/** The fields of a type of the pod API with the types of their values; undefined for a type that has no fields. */
export function fieldsOf(type: string): ReadonlyMap<string, string> | undefined {
  let fields = fieldTables.get(type);
  if (fields === undefined && Object.hasOwn(podTypes, type)) {
    fields = new Map(
      podTypes[type]!.split(' ').map(field => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon), field.slice(colon + 1)];
      }),
    );
    fieldTables.set(type, fields);
  }
  return fields;
}

/**
 * A pod, or a pod template, as the API server decodes it.
 *
 * @param pod what a client submits; `metadata` and `spec` may be anything
 * @throws DecodeError where a value has the wrong type, with its path in the pod
 */
export function decodePod(pod: { readonly metadata?: unknown; readonly spec?: unknown }): Pod {
  const { metadata, spec } = pod;
  return decoderOf('PodTemplateSpec')({ metadata, spec: spec ?? {} }, []) as Pod;
}
