/** YAML texts as Go values: what sigs.k8s.io/yaml gives, every number a float64, with the place of each key. */
import { readDocuments } from '#yaml/read.ts';
import { LineIndex } from '#yaml/lines.ts';
import type { PlacedNode } from '#yaml/recorder.ts';
import { GoError, GoMap, GoSlice, type Place, type Value } from './value.ts';

/** The first document of a text; null where it holds none. */
export function readYaml(text: string, file?: string): Value {
  const clean = text.startsWith('\ufeff') ? text.slice(1) : text;
  const document = readDocuments(clean).find((one) => one.is !== 'empty');
  if (document === undefined) return null;
  if (document.is === 'error') throw new GoError(`error converting YAML to JSON: yaml: line ${document.line}: ${document.message}`);
  const value = fromPlain(document.value);
  if (file !== undefined) {
    const lines = new LineIndex(clean, { start: 0, end: clean.length, startLine: 1 });
    place(value, document.place(), document.start, file, '', lines);
  }
  return value;
}

export function fromPlain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return new GoSlice(value.map(fromPlain));
  if (typeof value === 'object') {
    const entries = new Map<string, Value>();
    for (const key of Object.keys(value)) entries.set(key, fromPlain((value as Record<string, unknown>)[key]));
    return new GoMap(entries);
  }
  return value as Value;
}

function place(value: Value, node: PlacedNode, start: number, file: string, path: string, lines: LineIndex): void {
  if (value instanceof GoMap && node.entries !== undefined) {
    value.places = new Map();
    for (const [key, entry] of node.entries) {
      const { line, column } = lines.position(start + entry.start);
      const below = path === '' ? key : `${path}.${key}`;
      value.places.set(key, { file, line, column, path: below });
      const inner = value.entries.get(key);
      if (inner !== undefined && inner !== null && typeof inner === 'object') place(inner, entry.node, start, file, below, lines);
    }
  } else if (value instanceof GoSlice && node.items !== undefined) {
    const places: Place[] = [];
    node.items.forEach((item, at) => {
      const { line, column } = lines.position(start + item.start);
      const below = `${path}[${at}]`;
      places.push({ file, line, column, path: below });
      const inner = value.items[at];
      if (inner !== undefined && inner !== null && typeof inner === 'object') place(inner, item.node, start, file, below, lines);
    });
    value.places = places;
  }
}

/** The type that sigs.k8s.io/yaml names when a document is no map, or no list. */
export function kindInJson(value: Value): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'bool';
  return value instanceof GoSlice ? 'array' : 'object';
}
