/** Reads any YAML or JSON text as kubectl reads it. */
import { defaultLimits, type Limits, type OneReader, type ReadDocument, readWith } from './documents.ts';
import { readFastOne, startsLikeJson } from './fast.ts';
import { readJsonOne } from './json.ts';
import { isOdd, UNUSUAL } from './scanner.ts';
import { readThoroughOne } from './thorough.ts';

export type { DuplicateKey, Limits, ReadDocument } from './documents.ts';

/**
 * The documents of a text, in order. A broken one is an `error` with its place, and those behind it are still read.
 *
 * @param text decoded, without byte order mark
 */
export function readDocuments(text: string, options?: Partial<Limits>): ReadDocument[] {
  const limits = { ...defaultLimits, ...options };
  return readWith(text, startsLikeJson(text) ? jsonFirst : readOne, limits);
}

const readOne: OneReader = (text, recorder, limits) => {
  if (isOdd(text)) return readThoroughOne(text, recorder, limits);
  try {
    return readFastOne(text, recorder, limits);
  } catch (error) {
    if (error !== UNUSUAL) throw error;
    recorder?.reset();
    return readThoroughOne(text, recorder, limits);
  }
};

const jsonFirst: OneReader = (text, recorder, limits) => {
  const json = readJsonOne(text, recorder, limits);
  if (json !== undefined) return json;
  recorder?.reset();
  return readOne(text, recorder, limits);
};
