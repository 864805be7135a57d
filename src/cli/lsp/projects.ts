/** Which chart or overlays a file is a part of: they are judged as what they become, not as they are written. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DiskTree } from '#sources/manifests/files.ts';
import { readKustomizations } from '#sources/manifests/kustomizations.ts';
import { folderOf, isKustomizationName } from '#sources/manifests/recognise.ts';
import { walk } from '#sources/manifests/walk.ts';

/** A tree with more files is not searched for kustomizations while somebody types. */
const MOST_FILES = 20_000;

export class Projects {
  /** Folders of kustomizations that are built, by the files that they are made of. */
  #overlays:
    | { readonly root: string; readonly roots: Promise<ReadonlyMap<string, readonly string[]>> }
    | undefined;

  /** Something was saved: what the overlays are made of is looked up again. */
  forget(): void {
    this.#overlays = undefined;
  }

  /**
   * The folders whose rendering shows what a file becomes; none for a manifest that stands for itself.
   *
   * @param root the folder that the editor has open
   * @param name the file, relative to it
   */
  async foldersOf(root: string, name: string): Promise<readonly string[]> {
    if (name.startsWith('/') || name.startsWith('../')) return [];
    const chart = chartOf(root, name);
    if (chart !== undefined) return [chart === '' ? '.' : chart];
    this.#overlays ??= { root, roots: overlaysIn(root) };
    return (await this.#overlays.roots).get(name) ?? [];
  }
}

/** The chart that a file lies in; of charts inside of each other the outermost, which renders them all. */
function chartOf(root: string, name: string): string | undefined {
  let found: string | undefined;
  for (let folder = folderOf(name); ; folder = folderOf(folder)) {
    if (existsSync(resolve(root, folder, 'Chart.yaml')) && (found === undefined || isInCharts(found, folder)))
      found = folder;
    if (folder === '') break;
  }
  const inside = found === undefined ? name : name.slice(found === '' ? 0 : found.length + 1);
  return inside.startsWith('crds/') ? undefined : found;
}

const isInCharts = (inner: string, outer: string): boolean =>
  inner.startsWith(`${outer === '' ? '' : `${outer}/`}charts/`);

async function overlaysIn(root: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const roots = new Map<string, string[]>();
  const { files } = walk([root], { cwd: root, noIgnore: false, exclude: [] });
  if (files.length > MOST_FILES || !files.some(({ name }) => isKustomizationName(name))) return roots;
  const built = await readKustomizations(files, new DiskTree(root, Infinity));
  for (const [folder, used] of built?.usedBy ?? [])
    for (const file of used) roots.set(file, [...(roots.get(file) ?? []), folder === '' ? '.' : folder]);
  return roots;
}

/** The text of a file, as an editor that does not have it open would find it. */
export function textOnDisk(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
