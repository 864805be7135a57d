/**
 * Field specs of one's own: `configurations`, and `crds` with their `x-kubernetes-…` hints.
 * Source: api/internal/plugins/builtinconfig, api/internal/accumulator/loadconfigfromcrds.go.
 */
import { isRecord } from '#kube/objects.ts';
import {
  type Config,
  EMPTY_CONFIG,
  type FieldSpec,
  LISTS,
  mergeConfigs,
  mergeReference,
  mergeSpec,
  type NameReference,
  sorted,
} from './field-specs.ts';
import { NO_GVK } from './ids.ts';
import { decodeAs, FIELD_SPEC, type FieldSpecArgs } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { BuildError, prefixed } from './node.ts';
import { plainData, readValueOf } from './plain.ts';
import type { Json } from './scalars.ts';

const REFERENCE = {
  name: 'NameBackReferences',
  fields: { group: 'string', version: 'string', kind: 'string', fieldSpecs: [FIELD_SPEC] },
} as const;
const CONFIG = {
  name: 'TransformerConfig',
  fields: {
    ...(Object.fromEntries(LISTS.map(name => [name, [FIELD_SPEC] as const])) as Record<
      (typeof LISTS)[number],
      readonly [typeof FIELD_SPEC]
    >),
    nameReference: [REFERENCE],
  },
} as const;

export function fieldSpec({
  group = '',
  version = '',
  kind = '',
  path = '',
  create = false,
}: FieldSpecArgs): FieldSpec {
  return { group, version, kind, path, create };
}

export function readConfigurations(loader: Loader, paths: readonly string[]): Config {
  return paths.reduce<Config>((config, path) => {
    const node = readValueOf(loader.source(path));
    let data: Record<string, Json>;
    try {
      data = decodeAs<Record<string, Json>>(node === undefined ? null : plainData(node), CONFIG, true);
    } catch (error) {
      throw prefixed(error, 'error unmarshaling JSON: while decoding JSON');
    }
    const read: Record<string, unknown> = {};
    for (const name of LISTS) read[name] = ((data[name] ?? []) as unknown as FieldSpecArgs[]).map(fieldSpec);
    const references = (data['nameReference'] ?? []) as unknown as (FieldSpecArgs & {
      readonly fieldSpecs?: readonly FieldSpecArgs[];
    })[];
    read['nameReference'] = references.map(
      ({ group = '', version = '', kind = '', fieldSpecs = [] }): NameReference => ({
        group,
        version,
        kind,
        referrers: fieldSpecs.map(fieldSpec),
      }),
    );
    return mergeConfigs(config, sorted(read as unknown as Config));
  }, EMPTY_CONFIG);
}

interface Definition {
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Of a file that maps names of types to their OpenAPI definitions. */
export function configFromCrds(loader: Loader, paths: readonly string[]): Config {
  return paths.reduce<Config>((config, path) => {
    const source = loader.source(path);
    const node = readValueOf(source);
    const data = node === undefined ? null : plainData(node);
    if (!isRecord(data)) throw new BuildError(`unable to parse open API definition from '${path}'`);
    const definitions = new Map<string, Definition>();
    for (const [name, one] of Object.entries(data)) {
      const schema = isRecord(one) ? (one['Schema'] ?? one['schema']) : undefined;
      const properties = isRecord(schema) ? schema['properties'] : undefined;
      definitions.set(name, { properties: isRecord(properties) ? properties : {} });
    }
    let result = config;
    for (const [name, { properties }] of definitions) {
      if (!['kind', 'apiVersion', 'metadata'].every(field => Object.hasOwn(properties, field))) continue;
      const gathered = { ...EMPTY_CONFIG };
      gather(gathered, name.slice(name.lastIndexOf('.') + 1), definitions, name, []);
      result = mergeConfigs(result, gathered);
    }
    return result;
  }, EMPTY_CONFIG);
}

type Mutable = { -readonly [Name in keyof Config]: Config[Name] };

function gather(
  config: Mutable,
  kind: string,
  definitions: ReadonlyMap<string, Definition>,
  name: string,
  path: readonly string[],
): void {
  // A type that holds itself would go on for ever.
  if (path.length > 50) return;
  for (const [field, property] of Object.entries(definitions.get(name)?.properties ?? {})) {
    if (!isRecord(property)) continue;
    const at = [...path, field];
    const spec = (...more: readonly string[]): FieldSpec => ({
      ...NO_GVK,
      kind,
      path: [...at, ...more].join('/'),
      create: false,
    });
    const hint = (hintName: string): string | undefined => {
      const value = property[`x-kubernetes-${hintName}`];
      return typeof value === 'string' ? value : undefined;
    };
    if (hint('annotation') !== undefined)
      config.commonAnnotations = mergeSpec(config.commonAnnotations, spec());
    if (hint('label-selector') !== undefined) config.commonLabels = mergeSpec(config.commonLabels, spec());
    if (hint('identity') !== undefined) config.namePrefix = mergeSpec(config.namePrefix, spec());
    const version = hint('object-ref-api-version');
    const target = hint('object-ref-kind');
    if (version !== undefined && target !== undefined)
      config.nameReference = mergeReference(config.nameReference, {
        group: '',
        version,
        kind: target,
        referrers: [spec(hint('object-ref-name-key') ?? 'name')],
      });
    const reference = property['$ref'];
    if (typeof reference === 'string') gather(config, kind, definitions, reference, at);
  }
}
