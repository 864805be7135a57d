/** Texts to resources. Source: api/resource/factory.go, api/resmap/factory.go. */
import { readNodes } from './compose.ts';
import { BuildError, field, fieldsOf, isNilOrEmpty, type Node } from './node.ts';
import { kindOf, Resource } from './resource.ts';
import { throughJson } from './scalars.ts';
import type { Schemas } from './schemas.ts';
import { Source } from './source.ts';

/** @throws BuildError for a text that holds anything but resources */
export function readResources(source: Source, schemas: Schemas): Resource[] {
  const result: Resource[] = [];
  const queue = keepGood(readNodes(source));
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at]!;
    const kind = kindOf(node);
    const items = kind.endsWith('List') ? field(node, 'items') : undefined;
    if (items === undefined) {
      result.push(new Resource(node, schemas));
      continue;
    }
    if (items.tag === '!!null') continue;
    if (items.kind !== 'list')
      throw new BuildError(
        `expected array in ${kind}/items, but found ${items.kind === 'map' ? 'map[string]interface {}' : 'string'}`,
      );
    for (const item of items.content) if (item.kind === 'map') throughJson(item);
    queue.push(...keepGood(items.content));
  }
  return result;
}

function keepGood(nodes: readonly Node[]): Node[] {
  return nodes.filter(node => {
    if (isNilOrEmpty(node)) return false;
    expectMetadata(node);
    return true;
  });
}

/** Source: kyaml/yaml/rnode.go (GetValidatedMetadata). */
export function expectMetadata(node: Node): void {
  const text = (value: Node | undefined): string => (isNilOrEmpty(value) ? '' : value!.value);
  const apiVersion = text(field(node, 'apiVersion'));
  const kind = text(field(node, 'kind'));
  const metadata = field(node, 'metadata');
  const name = text(field(metadata, 'name'));
  const namespace = text(field(metadata, 'namespace'));
  const labels = goMap(field(metadata, 'labels'));
  const annotations = goMap(field(metadata, 'annotations'));
  if (`${apiVersion}${kind}${name}${namespace}` === '' && labels === 'map[]' && annotations === 'map[]')
    throw new BuildError('missing Resource metadata');
  const object = `{{${apiVersion} ${kind}} {{${name} ${namespace}} ${labels} ${annotations}}}`;
  if (kind === '') throw new BuildError(`missing kind in object ${object}`);
  if (!kind.endsWith('List') && name === '')
    throw new BuildError(`missing metadata.name in object ${object}`);
}

function goMap(node: Node | undefined): string {
  const entries = [...fieldsOf(node)].map(([key, value]) => `${key.value}:${value.value}`).sort();
  return `map[${entries.join(' ')}]`;
}

/** A text that stands in a node, with the places that its lines have in the node's file. */
export function insideSource(node: Node | undefined, text: string, file: string): Source {
  const at = node?.at;
  if (node === undefined || at === undefined) return new Source(file, text);
  // A transformer's configuration may be a file of its own.
  file = at.source.file;
  if (node.style !== 'literal') return new Source(file, text, at);
  const header = at.source.lineOf(at.start);
  const lines = at.source.text.split('\n');
  const start = node.value.indexOf(text.split('\n', 1)[0] ?? '');
  const skipped = start <= 0 ? 0 : node.value.slice(0, start).split('\n').length - 1;
  const first = lines[header + skipped] ?? '';
  const indent = Math.max(0, first.length - first.trimStart().length - leading(text));
  return new Source(file, text, { line: header + 1 + skipped, indent });
}

function leading(text: string): number {
  const first = text.split('\n', 1)[0]!;
  return first.length - first.trimStart().length;
}
