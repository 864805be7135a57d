/**
 * Nodes as plain data in kubectl's own dialect (YAML 1.1, then JSON), in which kustomizations, JSON patches and
 * configurations are read. Source: sigs.k8s.io/yaml, which kustomize calls for them.
 */
import {
  NOT_IN_JSON,
  plainKeyText,
  resolvePlain,
  resolveTagged,
  ScalarError,
  taggedKeyText,
} from '#yaml/scalars.ts';
import { readValue } from './compose.ts';
import { BuildError, type Node } from './node.ts';
import { type Json, MAX_DEPTH } from './scalars.ts';
import type { Source } from './source.ts';

export function readValueOf(source: Source): Node | undefined {
  try {
    return readValue(source);
  } catch (error) {
    if (error instanceof BuildError) error.message = error.message.replace(/^MalformedYAMLError: /, '');
    throw error;
  }
}

export function plainData(node: Node, depth = 0): Json {
  if (depth > MAX_DEPTH) throw new BuildError(`more than ${MAX_DEPTH} mappings and lists inside each other`);
  if (node.kind === 'list') return node.content.map(item => plainData(item, depth + 1));
  if (node.kind === 'map') {
    const result: { [key: string]: Json } = {};
    for (let i = 0; i + 1 < node.content.length; i += 2) {
      const value = plainData(node.content[i + 1]!, depth + 1);
      Object.defineProperty(result, plainKey(node.content[i]!), {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return result;
  }
  if (node.kind !== 'scalar') return null;
  const value = careful(() =>
    isPlain(node)
      ? resolvePlain(node.value)
      : node.tagged
        ? resolveTagged(longTag(node), node.value)
        : node.value,
  );
  if (value === NOT_IN_JSON) throw new BuildError(`json: unsupported value: ${node.value}`);
  return value as Json;
}

function isPlain(node: Node): boolean {
  return !node.tagged && node.style === '';
}

function longTag({ tag }: Node): string {
  return tag.startsWith('!!') ? `tag:yaml.org,2002:${tag.slice(2)}` : tag;
}

export function plainKey(key: Node): string {
  if (key.kind !== 'scalar') throw new BuildError('a key cannot be a mapping or a list');
  const name = careful(() =>
    key.tagged ? taggedKeyText(longTag(key), key.value) : isPlain(key) ? plainKeyText(key.value) : key.value,
  );
  if (name === undefined) throw new BuildError(`Unsupported map key: ${key.value || 'null'}`);
  return name;
}

function careful<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof ScalarError) throw new BuildError(error.message);
    throw error;
  }
}
