/** From paths on the command line to a world: the same for every command that reads manifests. */
import { readFileSync } from 'node:fs';
import { type Manifests, readManifests } from '#sources/manifests/manifests.ts';
import { PathError } from '#sources/manifests/walk.ts';
import { isMeant, seenFrom } from '#world/environments.ts';
import type { Parsed } from './command.ts';
import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { tell } from './output.ts';

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
  let manifests: Manifests;
  try {
    manifests = await readManifests(roots.length === 0 ? ['.'] : [...new Set(roots)], {
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
  return inEnvironment(parsed, manifests);
}

/** What of the input is applied in the environment that was asked for. @throws UsageError where there is none */
export function inEnvironment(parsed: Parsed, manifests: Manifests): Manifests {
  const environment = parsed.value('environment');
  return environment === undefined
    ? manifests
    : { ...whole(manifests), declared: ofEnvironment(manifests, environment) };
}

/** A reader is no plain record: its parts by name. */
function whole({ files, declared, gaps, comments, renderings }: Manifests): Manifests {
  return { files, declared, gaps, comments, renderings };
}

/** @throws UsageError for an environment that no chart or overlay of the input has */
function ofEnvironment({ declared }: Manifests, environment: string): Manifests['declared'] {
  const names = environmentsOf(declared);
  if (!names.some(name => isMeant(environment, name)))
    throw new UsageError(
      `--environment: no chart or overlay has an environment ${environment}`,
      names.length === 0
        ? 'nothing of the input has several environments'
        : `there are ${shown(names, MOST_SHOWN)}`,
    );
  const seen = seenFrom(environment);
  return declared.flatMap(one => {
    const environments = seen(one);
    if (environments === undefined) return [one];
    return environments.length === 0 ? [] : [{ ...one, environments }];
  });
}

function environmentsOf(declared: Manifests['declared']): readonly string[] {
  return [
    ...new Set(declared.flatMap(({ environments = [], apart }) => (apart === undefined ? [] : environments))),
  ];
}

const shown = (names: readonly string[], most: number): string =>
  `${names.slice(0, most).join(', ')}${names.length > most ? ` and ${names.length - most} more` : ''}`;
/** Of names to choose from; and of those that are told in passing, which are long. */
const MOST_SHOWN = 8;
const MOST_TOLD = 3;

/** Says that what excludes each other is taken for one cluster, where a command asks about one. */
export function tellOfEnvironments(parsed: Parsed, { declared }: Pick<Manifests, 'declared'>): void {
  const names = parsed.has('environment') || parsed.has('quiet') ? [] : environmentsOf(declared);
  if (names.length > 1)
    tell(
      `sallyport: ${names.length} environments are taken for one cluster (${shown(names, MOST_TOLD)}); --environment NAME asks about one\n`,
    );
}
