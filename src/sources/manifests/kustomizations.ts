/** The kustomizations among the files of a scan, built; their files are read only now, and only if there are any. */
import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RenderChart } from '#sources/kustomize/door.ts';
import type { Roots } from '#sources/kustomize/roots.ts';
import { folderOf, isKustomizationName } from './recognise.ts';
import type { Found } from './walk.ts';

/** A ConfigMap or a patch larger than this would be none. */
const MAX_FILE_SIZE = 16 * 1024 * 1024;

/**
 * Files by name, read when they are asked for. Beside what the walk found, whatever kind of file a generator names
 * can be asked for, as long as it is a regular file reached without links: a kustomization only reaches what lies in or
 * below its own folder.
 */
export class FilesOnDisk extends Map<string, Uint8Array> {
  readonly #cwd: string;
  readonly #found: ReadonlyMap<string, string>;

  /** @param edited texts that stand for those of the files of these names */
  constructor(cwd: string, found: readonly Found[], edited: ReadonlyMap<string, string> = new Map()) {
    super();
    for (const [name, text] of edited) this.set(name, new TextEncoder().encode(text));
    this.#cwd = cwd;
    this.#found = new Map(found.map(({ name, path }) => [name, path]));
  }

  override keys(): MapIterator<string> {
    return this.#found.keys() as MapIterator<string>;
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  override get(name: string): Uint8Array | undefined {
    const known = super.get(name);
    if (known !== undefined) return known;
    const path = this.#found.get(name) ?? resolve(this.#cwd, name);
    try {
      const { size } = lstatSync(path);
      const real = realpathSync(path);
      const isAllowed = this.#found.has(name) || real === path;
      if (!isAllowed || !lstatSync(real).isFile() || size > MAX_FILE_SIZE) return undefined;
      const bytes = readFileSync(real);
      this.set(name, bytes);
      return bytes;
    } catch {
      return undefined;
    }
  }
}

/** What was built, and the charts that took part in it. */
export interface Kustomizations extends Roots {
  readonly charts: ReadonlySet<string>;
  /** Builds again, with other texts for some files, and only for some of the roots. */
  readonly again: (edited: ReadonlyMap<string, string>, roots?: ReadonlySet<string>) => Promise<Roots>;
}

export async function readKustomizations(
  files: readonly Found[],
  cwd: string,
  edited: ReadonlyMap<string, string> = new Map(),
): Promise<Kustomizations | undefined> {
  const kustomizations = files.filter(({ name }) => isKustomizationName(name)).map(({ name }) => name);
  if (kustomizations.length === 0) return undefined;
  const { buildRoots, namedBy } = await import('#sources/kustomize/roots.ts');
  const bases = basesOutside(files, kustomizations, cwd, (from, name) => namedBy(from, name));
  const charts = new Set<string>();
  const build = async (texts: ReadonlyMap<string, string>, of: readonly string[]): Promise<Roots> => {
    const onDisk = new FilesOnDisk(cwd, [...files, ...bases], texts);
    const renderChart = await chartRenderer(onDisk, kustomizations, cwd, charts);
    return buildRoots(onDisk, of, { top: '.', ...(renderChart === undefined ? {} : { renderChart }) });
  };
  return {
    ...(await build(edited, kustomizations)),
    charts,
    again: (texts, roots) =>
      build(
        texts,
        roots === undefined ? kustomizations : kustomizations.filter(one => roots.has(folderOf(one))),
      ),
  };
}

/** Renders charts for kustomizations; loaded only where one of them speaks of charts. */
export async function chartRenderer(
  files: FilesOnDisk,
  kustomizations: readonly string[],
  cwd: string,
  used: Set<string> = new Set(),
): Promise<RenderChart | undefined> {
  const speaks = (file: string): boolean =>
    /helmChart|HelmChart/.test(new TextDecoder().decode(files.get(file)));
  if (!kustomizations.some(speaks)) return undefined;
  const { chartsForKustomize } = await import('#sources/helm/declared.ts');
  const { readChart } = await import('#sources/helm/folder.ts');
  await import('#sources/helm/re2.ts');
  return chartsForKustomize(chart => {
    used.add(chart);
    return readChart(resolve(cwd, chart));
  });
}

/** Kustomizations that others lead to, and that nobody named. Nothing real comes near. */
const MOST_BASES = 1000;

/**
 * Kustomizations that the found ones are made of and that were not named themselves: `scan overlays/prod` builds on
 * `../../base`. Only below the working directory, and never through a link.
 */
function basesOutside(
  files: readonly Found[],
  kustomizations: readonly string[],
  cwd: string,
  namedBy: (files: FilesOnDisk, kustomization: string) => readonly string[],
): Found[] {
  const known = new Set(kustomizations.map(folderOf));
  const onDisk = new FilesOnDisk(cwd, files);
  const bases: Found[] = [];
  const queue = [...kustomizations];
  for (const kustomization of queue)
    for (const folder of namedBy(onDisk, kustomization)) {
      if (known.has(folder) || folder === '..' || folder.startsWith('../') || bases.length >= MOST_BASES)
        continue;
      known.add(folder);
      const path = resolve(cwd, folder);
      try {
        if (realpathSync(path) !== path || !lstatSync(path).isDirectory()) continue;
        const own = readdirSync(path).find(isKustomizationName);
        if (own === undefined) continue;
        const name = folder === '' ? own : `${folder}/${own}`;
        bases.push({ name, path: resolve(path, own), named: false });
        queue.push(name);
      } catch {
        // What is not there is said by the build.
      }
    }
  return bases;
}
