/**
 * The whole disk as a tree of files, from its root, each read when it is asked for: what a user names may be made of
 * folders anywhere, as for kubectl. A file behind a link is not there.
 */
import { lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { parse, resolve, sep } from 'node:path';
import type { FilesWithFolders } from '#sources/kustomize/loader.ts';

/** A ConfigMap or a patch larger than this would be none. */
const MAX_FILE_SIZE = 16 * 1024 * 1024;

export class DiskFiles extends Map<string, Uint8Array> implements FilesWithFolders {
  readonly #root: string;
  readonly #folders = new Map<string, boolean>();

  constructor(root: string) {
    super();
    this.#root = root;
  }

  isFolder(name: string): boolean {
    let known = this.#folders.get(name);
    if (known === undefined) {
      try {
        known = statSync(resolve(this.#root, name)).isDirectory();
      } catch {
        known = false;
      }
      this.#folders.set(name, known);
    }
    return known;
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  override get(name: string): Uint8Array | undefined {
    const known = super.get(name);
    if (known !== undefined) return known;
    const path = resolve(this.#root, name);
    try {
      const stats = lstatSync(path);
      if (!stats.isFile() || stats.size > MAX_FILE_SIZE || realpathSync(path) !== path) return undefined;
      const bytes = readFileSync(path);
      this.set(name, bytes);
      return bytes;
    } catch {
      return undefined;
    }
  }
}

/** The files of the disk that a path lies on, and the path's name among them. */
export function onDisk(path: string): { readonly files: DiskFiles; readonly name: string } {
  let real = resolve(path);
  try {
    real = realpathSync(real);
  } catch {
    // What is not there is said by whoever looks for it.
  }
  const { root } = parse(real);
  return { files: new DiskFiles(root), name: real.slice(root.length).split(sep).join('/') };
}
