/** From paths on the command line to a world: the same for every command that reads manifests. */
import { readFileSync } from 'node:fs';
import { type Manifests, readManifests } from '#sources/manifests/manifests.ts';
import { PathError } from '#sources/manifests/walk.ts';
import type { Parsed } from './command.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';

/**
 * From this many files on, memory matters more than the last tenth of a second: the nursery of the garbage collector
 * is kept small. Measured on 9,396 files: 345 MB without, 235 MB with, in the same time.
 */
const MANY = 2000;

type Settings = Partial<Pick<Config, 'ignore' | 'charts'>>;

interface InputOptions {
  /** Without the schemas of CustomResourceDefinitions. */
  readonly lean?: boolean;
  /** Texts that stand for those of the files of these names. */
  readonly edited?: ReadonlyMap<string, string>;
}

/**
 * Reads what the command line names.
 *
 * @param roots paths; the working directory where there are none
 * @param settings what the configuration leaves out, and how it installs charts
 * @throws UsageError for a path that is not there or may not be read
 */
export async function readInput(
  parsed: Parsed,
  roots: readonly string[],
  { ignore = [], charts }: Settings = {},
  { lean = true, edited }: InputOptions = {},
): Promise<Manifests> {
  try {
    return await readManifests(roots.length === 0 ? ['.'] : [...new Set(roots)], {
      cwd: process.cwd(),
      noIgnore: parsed.has('no-ignore'),
      exclude: [...ignore, ...parsed.values('exclude')],
      lean,
      ...(parsed.has('no-hooks') ? { noHooks: true } : {}),
      ...(edited === undefined ? {} : { edited }),
      ...(charts === undefined ? {} : { charts }),
      onFiles: count => {
        // Loaded only here: node:v8 brings streams along, which cost 3 ms.
        if (count > MANY)
          process.getBuiltinModule('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
      },
      stdin: () => readFileSync(0),
    });
  } catch (error) {
    if (error instanceof PathError) throw new UsageError(error.message);
    throw error;
  }
}
