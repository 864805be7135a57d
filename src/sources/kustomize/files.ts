/** The files that a build may ask for: by name, most of them read only then. */

export type Files = ReadonlyMap<string, Uint8Array>;

/** Files that know their folders, whether or not they list all of their names. */
export interface FilesWithFolders extends Files {
  isFolder(name: string): boolean;
}

export const knowsFolders = (files: Files): files is FilesWithFolders => 'isFolder' in files;

/** Every folder that files lie in or below, but for the top. */
export function foldersOf(files: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const file of files)
    for (let at = file.lastIndexOf('/'); at > 0; at = file.lastIndexOf('/', at - 1)) {
      const folder = file.slice(0, at);
      // Those above it are known with it.
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  return folders;
}

/** Files that are read when they are asked for, and once. */
export abstract class LazyFiles extends Map<string, Uint8Array> implements FilesWithFolders {
  #folders: ReadonlySet<string> | undefined;

  /** The names that are known; more may be asked for. */
  protected abstract names(): Iterable<string>;
  /** Undefined where there is no such file. */
  protected abstract read(name: string): Uint8Array | undefined;

  override *keys(): MapIterator<string> {
    yield* this.names();
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  override get(name: string): Uint8Array | undefined {
    let bytes = super.get(name);
    if (bytes === undefined) {
      bytes = this.read(name);
      if (bytes !== undefined) this.set(name, bytes);
    }
    return bytes;
  }

  isFolder(name: string): boolean {
    this.#folders ??= foldersOf(this.names());
    return name === '' || this.#folders.has(name);
  }
}

/** Other files, with some in place of theirs and some beside them. */
export class OverlaidFiles extends LazyFiles {
  readonly #files: Files;
  readonly #own: ReadonlyMap<string, Uint8Array>;
  readonly #more: readonly string[];

  /** @param more names of the other files that these do not list */
  constructor(files: Files, own: ReadonlyMap<string, Uint8Array>, more: readonly string[] = []) {
    super();
    this.#files = files;
    this.#own = own;
    this.#more = more;
  }

  protected override *names(): Iterable<string> {
    yield* this.#files.keys();
    yield* this.#own.keys();
    yield* this.#more;
  }

  protected override read(name: string): Uint8Array | undefined {
    return this.#own.get(name) ?? this.#files.get(name);
  }

  override has(name: string): boolean {
    return this.#own.has(name) || this.#files.has(name);
  }

  override isFolder(name: string): boolean {
    return super.isFolder(name) || (knowsFolders(this.#files) && this.#files.isFolder(name));
  }
}
