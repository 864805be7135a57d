/** The usual way to read a file: fast, and silent about files that need the thorough reader. */
import { defaultLimits, type Limits, type OneReader, type ReadDocument, readWith } from './documents.ts';
import { ScalarError } from './scalars.ts';
import { isOdd, Scanner, StructureError, UNUSUAL } from './scanner.ts';

/** Reads one document, or throws UNUSUAL. */
export const readFastOne: OneReader = (text, recorder, limits) => {
  const scanner = new Scanner(text, recorder, limits.maxDepth);
  try {
    const value = scanner.read();
    return value === undefined
      ? { is: 'empty' }
      : { is: 'value', value, hasDuplicates: scanner.hasDuplicates };
  } catch (error) {
    // What is wrong with it, and where, is for the thorough reader to say.
    if (error instanceof ScalarError) throw UNUSUAL;
    if (error instanceof StructureError) return { is: 'error', message: error.message, at: error.at };
    throw error;
  }
};

/**
 * The documents of a YAML or JSON text.
 *
 * @returns undefined where something in it needs `readDocuments` (read.ts), which is slower and takes longer to load
 */
export function readFast(text: string, limits: Limits = defaultLimits): ReadDocument[] | undefined {
  if (isOdd(text) || startsLikeJson(text)) return undefined;
  try {
    return readWith(text, readFastOne, limits);
  } catch (error) {
    if (error === UNUSUAL) return undefined;
    throw error;
  }
}

/** kubectl takes a text that begins with a brace for JSON first. Source: decoder.go (IsJSONBuffer). */
export function startsLikeJson(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 32 && (code < 9 || code > 13)) return code === 123;
  }
  return false;
}
