/** From paths on the command line to a world: the same for every command that reads manifests. */
import { readFileSync } from 'node:fs';
import { type Manifests, readManifests } from '#sources/manifests/manifests.ts';
import { PathError } from '#sources/manifests/walk.ts';
import type { Parsed } from './command.ts';
import { UsageError } from './errors.ts';

/**
 * Reads what the command line names.
 *
 * @param roots paths; the working directory where there are none
 * @param ignored patterns that the configuration leaves out
 * @throws UsageError for a path that is not there or may not be read
 */
export async function readInput(
  parsed: Parsed,
  roots: readonly string[],
  ignored: readonly string[],
): Promise<Manifests> {
  try {
    return await readManifests(roots.length === 0 ? ['.'] : [...new Set(roots)], {
      cwd: process.cwd(),
      noIgnore: parsed.has('no-ignore'),
      exclude: [...ignored, ...parsed.values('exclude')],
      stdin: () => readFileSync(0),
    });
  } catch (error) {
    if (error instanceof PathError) throw new UsageError(error.message);
    throw error;
  }
}
