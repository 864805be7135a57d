/** From a place in a text to the path of what begins there: the way back of {@link Locator}. */
import type { Path } from '#kube/objects.ts';
import type { ReadDocument } from './documents.ts';
import type { PlacedNode } from './recorder.ts';

export interface PlacedPath {
  readonly document: number;
  readonly path: Path;
}

/**
 * The key, or the list item (by its dash or its value), that begins at a place. Of several that begin there (`- name`
 * behind its dash) the deepest. What an anchor brought in stands elsewhere and is not found here.
 *
 * @param line from 1
 * @param column from 1, in UTF-16 code units
 */
export function pathAt(
  text: string,
  documents: readonly ReadDocument[],
  line: number,
  column: number,
): PlacedPath | undefined {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const next = text.indexOf('\n', start);
    if (next < 0) return undefined;
    start = next + 1;
  }
  const offset = start + column - 1;
  for (const document of documents) {
    if (document.is !== 'value' || offset < document.start || offset >= document.end) continue;
    const path = find(document.place(), offset - document.start, []);
    return path === undefined ? undefined : { document: document.index, path };
  }
  return undefined;
}

function find(node: PlacedNode, offset: number, path: Path): Path | undefined {
  if (node.borrowed === true) return undefined;
  for (const [key, entry] of node.entries ?? []) {
    if (entry.merged === true || offset < entry.start || offset > Math.max(entry.node.end, entry.key.end))
      continue;
    const below = [...path, key];
    return (
      find(entry.node, offset, below) ??
      (entry.key.start === offset || entry.start === offset ? below : undefined)
    );
  }
  for (const [index, item] of (node.items ?? []).entries()) {
    if (offset < item.start || offset > item.node.end) continue;
    const below = [...path, index];
    return (
      find(item.node, offset, below) ??
      (item.start === offset || item.node.start === offset ? below : undefined)
    );
  }
  return undefined;
}
