/** Reads any YAML or JSON text as kubectl reads it. */
import { Documents, defaultLimits, type Limits, type OneReader, type ReadDocument } from './documents.ts';
import { readFastOne, startsLikeJson } from './fast.ts';
import { readJson } from './json.ts';
import { UNUSUAL } from './scanner.ts';
import { readThoroughOne } from './thorough.ts';

export type { DuplicateKey, Limits, ReadDocument } from './documents.ts';

/**
 * The documents of a text, in order. A broken one is an `error` with its place, and those behind it are still read.
 *
 * Texts in the values are cut out of the file's text, and keep it alive: whoever keeps values for long keeps the
 * text anyway, for the places are found in it.
 *
 * @param text decoded, without byte order mark
 * @param isMarked such a mark stood in front of it: to kubectl it is no JSON stream then, and its first line no separator
 */
export function readDocuments(text: string, options?: Partial<Limits>, isMarked = false): ReadDocument[] {
  const limits = options === undefined ? defaultLimits : { ...defaultLimits, ...options };
  const documents = new Documents(text, limits, isMarked);
  return !isMarked && startsLikeJson(text) ? documents.json(readJson, readOne) : documents.yaml(0, readOne);
}

const readOne: OneReader = (file, extent, recorder, limits) => {
  try {
    return readFastOne(file, extent, recorder, limits);
  } catch (error) {
    if (error !== UNUSUAL) throw error;
    return readThoroughOne(file, extent, recorder, limits);
  }
};
