/** The usual way to read a file: fast, and silent about files that need the thorough reader. */

import { isOdd } from './characters.ts';
import { Documents, defaultLimits, type Limits, type OneReader, type ReadDocument } from './documents.ts';
import { Scanner, type Skip, UNUSUAL } from './scanner.ts';

/** Reads one document, or throws UNUSUAL. */
export const readFastOne: OneReader = (file, { chunk, start, end, isCommon }, recorder, limits) => {
  if (!isCommon && isOdd(file.slice(chunk, end))) throw UNUSUAL;
  recorder?.begin(0);
  const scanner = new Scanner(file, start, end, recorder, limits.maxDepth);
  const value = scanner.read();
  return value === undefined ? { is: 'empty' } : { is: 'value', value, hasDuplicates: scanner.hasDuplicates };
};

/**
 * Reads one document without the values below a key, as long as nobody misses them.
 *
 * @param isMissed asked with what was read, and whether the key to look out for was met: if so it is read again, whole
 */
export function readFastWithout(
  skip: Skip,
  isMissed: (value: unknown, hasNoted: boolean) => boolean,
): OneReader {
  return (file, extent, recorder, limits) => {
    const { chunk, start, end, isCommon } = extent;
    if (recorder !== null || (!isCommon && isOdd(file.slice(chunk, end))))
      return readFastOne(file, extent, recorder, limits);
    const scanner = new Scanner(file, start, end, null, limits.maxDepth, skip);
    const value = scanner.read();
    if (value === undefined) return { is: 'empty' };
    if (scanner.hasSkipped && isMissed(value, scanner.hasNoted))
      return readFastOne(file, extent, recorder, limits);
    return { is: 'value', value, hasDuplicates: scanner.hasDuplicates };
  };
}

/**
 * The documents of a YAML text.
 *
 * @param read one of them
 * @returns undefined where something in it needs `readDocuments` (read.ts), which is slower and takes longer to load
 */
export function readFast(
  text: string,
  limits: Limits = defaultLimits,
  read: OneReader = readFastOne,
): ReadDocument[] | undefined {
  if (startsLikeJson(text)) return undefined;
  try {
    return new Documents(text, limits).yaml(0, read);
  } catch (error) {
    if (error === UNUSUAL) return undefined;
    throw error;
  }
}

const GO_SPACE = /[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
/** How far kubectl looks for the brace. */
const PEEK = 4096;

/** kubectl takes a text that begins with a brace for JSON first. Source: decoder.go (GuessJSONStream). */
export function startsLikeJson(text: string): boolean {
  for (let at = 0; at < text.length && at < PEEK; at++) {
    const code = text.charCodeAt(at);
    if (code === 123) return true;
    if (code !== 32 && (code < 9 || code > 13) && !GO_SPACE.test(text[at]!)) return false;
  }
  return false;
}
