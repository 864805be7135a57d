/** Where the bytes of files come from: the disk, or somewhere else, as a commit. */
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ReadFolder } from '#sources/helm/folder.ts';
import { type Found, problem } from './walk.ts';

/** A tree of files that are asked for by name. What cannot be read is an Error with words for people. */
export interface SourceTree {
  /** The bytes of a file that was found. */
  bytes(found: Found): Buffer;
  /** What a kustomization may ask for by name, beside the files that were found: its keys are those only. */
  files(found: readonly Found[]): ReadonlyMap<string, Uint8Array>;
  /** Reads a chart: the files of its folder or archive, by their names in it. */
  charts(): Promise<ReadChart>;
  /** The text of a file that an option names: of values, say. */
  text(name: string): string;
  /** The names of all files, where they are known from the start. */
  names?(): readonly string[];
  /** Names the content of a file, or of all that lies below a folder; absent where content has no name. */
  keyOf?(name: string): string;
}

export type ReadChart = (name: string) => ReadFolder;

/** The files of the disk. */
export class DiskTree implements SourceTree {
  readonly #cwd: string;
  readonly #maxFileSize: number;

  /** @param maxFileSize bytes; a larger file is not read */
  constructor(cwd: string, maxFileSize: number) {
    this.#cwd = cwd;
    this.#maxFileSize = maxFileSize;
  }

  bytes({ path }: Found): Buffer {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, 'r');
      if (fstatSync(descriptor).size <= this.#maxFileSize) return readFileSync(descriptor);
    } catch (error) {
      throw new Error(problem(error));
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
    throw new Error(`it is larger than ${Math.floor(this.#maxFileSize / 1024 / 1024)} MiB`);
  }

  files(found: readonly Found[]): ReadonlyMap<string, Uint8Array> {
    return new FilesOnDisk(this.#cwd, found);
  }

  /** Loaded only for the first chart: most repositories have none. */
  async charts(): Promise<ReadChart> {
    const { readChartFolder } = await import('#sources/helm/folder.ts');
    return name => readChartFolder(resolve(this.#cwd, name));
  }

  text(name: string): string {
    try {
      return readFileSync(resolve(this.#cwd, name), 'utf8');
    } catch (error) {
      throw new Error(`values file ${name}: ${problem(error)}`);
    }
  }
}

/** Another tree, in which some files say something else: edits that are not written yet. */
export class EditedTree implements SourceTree {
  readonly #tree: SourceTree;
  readonly #edited: ReadonlyMap<string, string>;

  /** @param edited texts that stand for those of the files of these names, as reports show them */
  constructor(tree: SourceTree, edited: ReadonlyMap<string, string>) {
    this.#tree = tree;
    this.#edited = edited;
  }

  bytes(found: Found): Buffer {
    const text = this.#edited.get(found.name);
    return text === undefined ? this.#tree.bytes(found) : Buffer.from(text);
  }

  files(found: readonly Found[]): ReadonlyMap<string, Uint8Array> {
    return new EditedFiles(this.#tree.files(found), this.#edited);
  }

  async charts(): Promise<ReadChart> {
    const read = await this.#tree.charts();
    return name => {
      const folder = read(name);
      const files = new Map(folder.files);
      const inside = name === '' ? '' : `${name}/`;
      for (const [file, text] of this.#edited)
        if (file.startsWith(inside)) files.set(file.slice(inside.length), Buffer.from(text));
      return { ...folder, files };
    };
  }

  text(name: string): string {
    return this.#edited.get(name) ?? this.#tree.text(name);
  }
}

class EditedFiles extends Map<string, Uint8Array> {
  readonly #files: ReadonlyMap<string, Uint8Array>;

  constructor(files: ReadonlyMap<string, Uint8Array>, edited: ReadonlyMap<string, string>) {
    super();
    for (const [name, text] of edited) this.set(name, Buffer.from(text));
    this.#files = files;
  }

  override keys(): MapIterator<string> {
    return this.#files.keys() as MapIterator<string>;
  }

  override has(name: string): boolean {
    return super.has(name) || this.#files.has(name);
  }

  override get(name: string): Uint8Array | undefined {
    return super.get(name) ?? this.#files.get(name);
  }
}

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

  constructor(cwd: string, found: readonly Found[]) {
    super();
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
