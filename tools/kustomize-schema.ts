/**
 * Writes src/sources/kustomize/schema.generated.ts: what Kustomize knows of the built-in types when it merges a
 * strategic patch. The source is the OpenAPI document of Kubernetes that Kustomize carries with it:
 * kyaml/openapi/kubernetesapi/v1_21_2/swagger.pb of sigs.k8s.io/kustomize (Apache-2.0), in protobuf (openapi_v2.Document
 * of gnostic). Run it by hand when Kustomize takes a newer one:
 *
 *     node tools/kustomize-schema.ts path/to/swagger.pb
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

type Fields = Map<number, (Uint8Array | number)[]>;

/** The fields of a protobuf message, by number. */
function message(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const type = key & 7;
    const list = fields.get(key >> 3) ?? [];
    fields.set(key >> 3, list);
    if (type === 0) list.push(varint());
    else if (type === 1) at += 8;
    else if (type === 5) at += 4;
    else {
      const length = varint();
      list.push(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return fields;
}

const inner = (fields: Fields, number: number): Fields[] =>
  (fields.get(number) ?? []).map(value => message(value as Uint8Array));
const string = (fields: Fields, number: number): string =>
  Buffer.from((fields.get(number)?.[0] ?? new Uint8Array()) as Uint8Array).toString();

/** Names of numbers in OpenAPIv2.proto. */
const DEFINITIONS = 9;
const NAMED = 1;
const REF = 1;
const ADDITIONAL = 21;
const ITEMS = 23;
const PROPERTIES = 25;
const EXTENSIONS = 31;

interface Schema {
  readonly ref: string;
  readonly properties: ReadonlyMap<string, Schema>;
  readonly items: Schema | undefined;
  readonly additional: Schema | undefined;
  readonly extensions: ReadonlyMap<string, string>;
}

function schemaOf(fields: Fields): Schema {
  const named = inner(fields, PROPERTIES).flatMap(properties => inner(properties, NAMED));
  const items = inner(fields, ITEMS).flatMap(one => inner(one, 1))[0];
  const additional = inner(fields, ADDITIONAL).flatMap(one => inner(one, 1))[0];
  return {
    ref: string(fields, REF).replace('#/definitions/', ''),
    properties: new Map(named.map(one => [string(one, 1), schemaOf(inner(one, 2)[0]!)])),
    items: items === undefined ? undefined : schemaOf(items),
    additional: additional === undefined ? undefined : schemaOf(additional),
    extensions: new Map(
      inner(fields, EXTENSIONS).map(one => [string(one, 1), string(inner(one, 2)[0]!, 2).trim()]),
    ),
  };
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node tools/kustomize-schema.ts path/to/swagger.pb');
const definitions = new Map(
  inner(message(readFileSync(file)), DEFINITIONS)
    .flatMap(one => inner(one, NAMED))
    .map(one => [string(one, 1), schemaOf(inner(one, 2)[0]!)] as const),
);

/** Everything below a definition that a merge asks for: lists that merge, and the way to them. */
const table = new Map<string, Record<string, readonly [string, string, string]>>();
const listOf = (yaml: string | undefined): string =>
  (yaml ?? '').replaceAll(/^- /gm, '').split('\n').filter(Boolean).join(',');

function visit(name: string): boolean {
  const known = table.get(name);
  if (known !== undefined) return Object.keys(known).length > 0;
  const fields: Record<string, readonly [string, string, string]> = {};
  table.set(name, fields);
  const schema = definitions.get(name)!;
  for (const [field, property] of schema.properties) {
    const strategy = property.extensions.get('x-kubernetes-patch-strategy') ?? '';
    const mapKeys = listOf(property.extensions.get('x-kubernetes-list-map-keys'));
    const keys = mapKeys === '' ? (property.extensions.get('x-kubernetes-patch-merge-key') ?? '') : mapKeys;
    const target = property.ref || property.items?.ref || property.additional?.ref || '';
    const below = target !== '' && definitions.has(target) && (visit(target) || isRecursive(target));
    if (strategy !== '' || below)
      fields[field] = [strategy, strategy === '' ? '' : keys, below ? target : ''];
  }
  return Object.keys(fields).length > 0;
}

/** A definition that was begun and not finished: it holds itself, so what is below it is not known yet. */
function isRecursive(name: string): boolean {
  return name.endsWith('JSONSchemaProps');
}

const kinds: Record<string, string> = {};
for (const [name, schema] of definitions) {
  const kind = schema.extensions.get('x-kubernetes-group-version-kind');
  if (kind === undefined) continue;
  visit(name);
  for (const entry of kind.split(/^- /m).filter(Boolean)) {
    const value = (key: string) =>
      new RegExp(`${key}: *(.*)`).exec(entry)?.[1]?.replaceAll(/["']/g, '').trim() ?? '';
    const group = value('group');
    kinds[`${group === '' ? '' : `${group}/`}${value('version')}/${value('kind')}`] = name;
  }
}

const used = new Set<string>();
const follow = (name: string): void => {
  if (used.has(name) || Object.keys(table.get(name) ?? {}).length === 0) return;
  used.add(name);
  for (const [, , target] of Object.values(table.get(name)!)) follow(target);
};
Object.values(kinds).forEach(follow);
const short = new Map([...used].sort().map((name, index) => [name, index]));
const rows = [...short.keys()].map(name => {
  const fields = Object.entries(table.get(name)!).map(([field, [strategy, keys, target]]) => {
    const parts = [strategy, keys, short.get(target) ?? ''].join('|').replace(/\|+$/, '');
    return `${field}=${parts}`;
  });
  return `  // ${name}\n  '${fields.join(' ')}',`;
});
const lines = Object.entries(kinds)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([kind, name]) => `  ['${kind}', ${short.get(name) ?? -1}],`);
writeFileSync(
  join(resolve(import.meta.dirname, '..'), 'src/sources/kustomize/schema.generated.ts'),
  `// Generated by tools/kustomize-schema.ts from the OpenAPI document that Kustomize carries. Do not edit.

/** Fields as \`name=strategy|keys|row\`: the patch strategy, the merge keys, and the row of what is below. */
export const rows: readonly string[] = [
${rows.join('\n')}
];

/** apiVersion/kind with its row, or -1 where nothing in it merges. */
export const kinds: readonly (readonly [string, number])[] = [
${lines.join('\n')}
];
`,
);
console.log(`${rows.length} definitions, ${lines.length} kinds`);
