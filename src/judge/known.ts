/** Which failing places were known before: from a baseline, or from the other side of a comparison. */

import type { Accept, Place } from './scan.ts';

export interface KnownPlace {
  readonly identity: string;
  readonly file: string;
}

/** What accepted a place that was known. */
export interface ByKnown {
  readonly is: 'known';
}

const BY_KNOWN: ByKnown = { is: 'known' };

export interface Matched<Known extends KnownPlace> {
  /** The places that were known. */
  readonly accept: Accept;
  /** What was known and is gone. */
  readonly gone: readonly Known[];
  /** Pairs that are the same in another file: its name, or the folder that it lies in, changed. */
  readonly moved: readonly { readonly known: Known; readonly file: string }[];
}

/**
 * Matches places with what was known: first in the same file, then what is left in any other. An object keeps its
 * kind, namespace and name when its file is renamed, so nothing has to be asked of version control; of two copies of
 * an object one that is new stays new.
 */
export function matchKnown<Known extends KnownPlace>(
  places: readonly Place[],
  known: readonly Known[],
): Matched<Known> {
  const byFile = new Map<string, Known[]>();
  const byIdentity = new Map<string, Known[]>();
  for (const one of known) push(byFile, `${one.identity}\0${one.file}`, one);
  const matched = new Set<Place>();
  const used = new Set<Known>();
  const rest: Place[] = [];
  for (const place of places) {
    const one = byFile.get(`${place.identity}\0${place.declared.origin.file}`)?.pop();
    if (one === undefined) rest.push(place);
    else {
      matched.add(place);
      used.add(one);
    }
  }
  for (const one of known) if (!used.has(one)) push(byIdentity, one.identity, one);
  const moved: { known: Known; file: string }[] = [];
  for (const place of rest) {
    const one = byIdentity.get(place.identity)?.shift();
    if (one === undefined) continue;
    matched.add(place);
    used.add(one);
    moved.push({ known: one, file: place.declared.origin.file });
  }
  return {
    accept: place => (matched.has(place) ? BY_KNOWN : undefined),
    gone: known.filter(one => !used.has(one)),
    moved,
  };
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
