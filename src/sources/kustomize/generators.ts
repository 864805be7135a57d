/**
 * ConfigMaps and Secrets made of literals, files and environment files, and the hash in their names.
 * Source: api/internal/generators, api/kv/kv.go, api/hasher/hasher.go.
 */
import { createHash } from 'node:crypto';
import type { GeneratorArgs, PlaceOf } from './kustomization.ts';
import type { Loader } from './loader.ts';
import { BOOL, BuildError, field, lookup, Node, prefixed, STR, setField, text } from './node.ts';
import { Resource } from './resource.ts';
import { isNonString, type Json, toJson } from './scalars.ts';
import type { Schemas } from './schemas.ts';
import type { Place } from './source.ts';

interface Pair {
  readonly key: string;
  readonly value: string | undefined;
  readonly bytes: Uint8Array | undefined;
  readonly at: Place | undefined;
}

/** A generated ConfigMap or Secret. @param placeOf where the generator's own fields are written */
export function generate(
  kind: 'ConfigMap' | 'Secret',
  args: GeneratorArgs,
  loader: Loader,
  schemas: Schemas,
  placeOf: PlaceOf,
): Resource {
  const node = new Node('map', '!!map');
  node.at = placeOf();
  put(node, [], 'apiVersion', 'v1', placeOf());
  put(node, [], 'kind', kind, placeOf());
  if (args.name === undefined || args.name === '') throw new BuildError('a configmap must have a name');
  put(node, ['metadata'], 'name', args.name, placeOf('name'));
  if (args.namespace) put(node, ['metadata'], 'namespace', args.namespace, placeOf('namespace'));
  if (kind === 'Secret') put(node, [], 'type', args.type || 'Opaque', placeOf('type'));
  const pairs = dataOf(args, loader, placeOf);
  if (kind === 'Secret') lookup(node, ['data'], 'map')!.at = placeOf();
  for (const pair of pairs) {
    const isBinary = pair.value === undefined;
    const encoded = kind === 'Secret' || isBinary ? base64(pair) : pair.value!;
    const name = kind === 'ConfigMap' && isBinary ? 'binaryData' : 'data';
    const value = new Node('scalar', STR, encoded, encoded.includes('\n') ? 'literal' : '');
    value.at = pair.at;
    const map = lookup(node, [name], 'map')!;
    map.at ??= placeOf();
    setField(map, pair.key, value, isNonString);
  }
  const { options } = args;
  for (const [name, values] of [
    ['labels', options?.labels],
    ['annotations', options?.annotations],
  ] as const)
    for (const key of Object.keys(values ?? {}).sort())
      put(node, ['metadata', name], key, values![key]!, placeOf('options', name, key));
  if (options?.immutable === true) {
    const value = new Node('scalar', BOOL, 'true');
    value.at = placeOf('options', 'immutable') ?? placeOf();
    setField(node, 'immutable', value, isNonString);
  }
  const resource = new Resource(node, schemas);
  if (options?.disableNameSuffixHash !== true) resource.enableHash();
  resource.behavior = args.behavior ?? '';
  return resource;
}

function put(node: Node, path: readonly string[], name: string, value: string, at: Place | undefined): void {
  setField(lookup(node, path, 'map')!, name, text(value, at), isNonString);
}

function dataOf(args: GeneratorArgs, loader: Loader, placeOf: PlaceOf): Pair[] {
  const pairs: Pair[] = [];
  try {
    gather('env source files', args.envs, (file, i) => {
      pairs.push(...envFile(file, loader, placeOf('envs', i) ?? placeOf('env')));
    });
    gather('literal sources', args.literals, (literal, i) => {
      pairs.push(literalPair(literal, placeOf('literals', i)));
    });
    gather('file sources', args.files, (file, i) => {
      pairs.push(filePair(file, loader, placeOf('files', i)));
    });
  } catch (error) {
    throw prefixed(error, 'loading KV pairs');
  }
  const seen = new Set<string>();
  for (const { key } of pairs) {
    if (seen.has(key)) throw new BuildError(`configmap ${args.name} illegally repeats the key \`${key}\``);
    seen.add(key);
  }
  return pairs.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function gather(
  what: string,
  list: readonly string[] | undefined,
  each: (one: string, index: number) => void,
): void {
  try {
    list?.forEach(each);
  } catch (error) {
    const shown = `[${(list ?? []).join(' ')}]`;
    throw prefixed(error, what === 'literal sources' ? `${what} ${shown}` : `${what}: ${shown}`);
  }
}

function literalPair(literal: string, at: Place | undefined): Pair {
  const equal = literal.indexOf('=');
  if (equal <= 0) throw new BuildError(`invalid literal source ${literal}, expected key=value`);
  const value = literal.slice(equal + 1);
  const isQuoted = value.length >= 2 && value[0] === value.at(-1) && (value[0] === '"' || value[0] === "'");
  return { key: literal.slice(0, equal), value: isQuoted ? value.slice(1, -1) : value, bytes: undefined, at };
}

function filePair(source: string, loader: Loader, at: Place | undefined): Pair {
  const parts = source.split('=');
  let key: string;
  let path: string;
  if (parts.length === 1) {
    key = source.slice(source.replace(/\/+$/, '').lastIndexOf('/') + 1);
    path = source;
  } else if (parts.length > 2) {
    throw new BuildError(`source ${JSON.stringify(source)} key name or file path contains '='`);
  } else {
    [key, path] = parts as [string, string];
    if (key === '')
      throw new BuildError(
        `missing key name for file path ${JSON.stringify(path)} in source ${JSON.stringify(source)}`,
      );
    if (path === '')
      throw new BuildError(
        `missing file path for key name ${JSON.stringify(key)} in source ${JSON.stringify(source)}`,
      );
  }
  const { bytes, text: value } = loader.content(path);
  const file = loader.tree.source(loader.find(path));
  return { key, value, bytes, at: value === undefined ? at : { source: file, start: 0, end: 0 } };
}

function envFile(path: string, loader: Loader, at: Place | undefined): Pair[] {
  const { text: content } = loader.content(path);
  if (content === undefined) throw new BuildError(`line 0 has invalid utf8 bytes : ${path}`);
  const source = loader.tree.source(loader.find(path));
  const pairs: Pair[] = [];
  let offset = 0;
  for (const [i, raw] of content.split('\n').entries()) {
    const start = offset;
    const withoutReturn = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    offset += withoutReturn.length + 1;
    const line = (i === 0 ? withoutReturn.replace(/^\ufeff/, '') : withoutReturn).trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const equal = line.indexOf('=');
    const key = equal < 0 ? line : line.slice(0, equal);
    if (key === '') continue;
    pairs.push({
      key,
      value: equal < 0 ? '' : line.slice(equal + 1),
      bytes: undefined,
      at: at === undefined ? undefined : { source, start, end: start + withoutReturn.length },
    });
  }
  return pairs;
}

/** Lines of 70 characters, where there are several. Source: kyaml/yaml/datamap.go (encodeBase64). */
function base64({ value, bytes }: Pair): string {
  const encoded = Buffer.from(bytes ?? Buffer.from(value!, 'utf8')).toString('base64');
  if (Math.floor(encoded.length / 70) + 1 <= 1) return encoded;
  return (encoded.match(/.{1,70}/g) ?? []).map(line => `${line}\n`).join('');
}

/** The suffix for the content that a ConfigMap or a Secret has. */
export function hashOf(resource: Resource): string {
  const { node } = resource;
  const { kind } = resource.gvk;
  if (kind !== 'ConfigMap' && kind !== 'Secret')
    throw new BuildError(`a name hash for a ${kind} is not supported: only for ConfigMap and Secret`);
  const value = (path: readonly string[]): Json => {
    const found = lookup(node, path);
    if (found === undefined) return '';
    return found.kind === 'scalar' ? found.value : toJson(found);
  };
  // Kustomize looks for a field called `metadata/name`, which there is not: the name is no part of the hash.
  const content: { [key: string]: Json } = { kind, name: '', data: value(['data']) };
  if (kind === 'Secret') content['type'] = value(['type']);
  const extra = kind === 'Secret' ? 'stringData' : 'binaryData';
  if (field(node, extra)?.kind === 'map') content[extra] = value([extra]);
  const hash = createHash('sha256').update(goJson(content)).digest('hex').slice(0, 10);
  return hash.replaceAll(/[013ae]/g, character => HASH_LETTERS[character]!);
}

/** No vowels and nothing that looks like one: a hash must not become a word. */
const HASH_LETTERS: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** Go's JSON: keys sorted, markup and line separators escaped. */
export function goJson(value: Json): string {
  if (typeof value === 'string')
    return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029\x7f]/g, character =>
      character === '\x7f' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.keys(value)
      .sort()
      .map(key => `${goJson(key)}:${goJson(value[key]!)}`)
      .join(',')}}`;
  return JSON.stringify(value);
}
