/** Where the bytes of files come from: the disk, or somewhere else, as a commit. */
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { parse, resolve, sep } from 'node:path';
import type { ReadFolder } from '#sources/helm/folder.ts';
import { LazyFiles, OverlaidFiles } from '#sources/kustomize/files.ts';
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
    const texts = new Map(Array.from(this.#edited, ([name, text]) => [name, Buffer.from(text)]));
    return new OverlaidFiles(this.#tree.files(found), texts);
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

/** A ConfigMap or a patch larger than this would be none. */
const MAX_FILE_SIZE = 16 * 1024 * 1024;

/**
 * Files by name, read when they are asked for. Beside what the walk found, whatever kind of file a generator names
 * can be asked for, as long as it is a regular file reached without links: a kustomization only reaches what lies in or
 * below its own folder.
 */
export class FilesOnDisk extends LazyFiles {
  readonly #cwd: string;
  readonly #found: ReadonlyMap<string, string>;

  constructor(cwd: string, found: readonly Found[]) {
    super();
    this.#cwd = cwd;
    this.#found = new Map(found.map(({ name, path }) => [name, path]));
  }

  protected override names(): Iterable<string> {
    return this.#found.keys();
  }

  protected override read(name: string): Uint8Array | undefined {
    const found = this.#found.get(name);
    return regularFile(found ?? resolve(this.#cwd, name), found !== undefined);
  }
}

/**
 * The whole disk, from its root: what a user names may be made of folders anywhere, as for kubectl. A file behind a link
 * is not there.
 */
export class WholeDisk extends LazyFiles {
  readonly #root: string;

  constructor(root: string) {
    super();
    this.#root = root;
  }

  protected override names(): Iterable<string> {
    return [];
  }

  protected override read(name: string): Uint8Array | undefined {
    return regularFile(resolve(this.#root, name), false);
  }

  override isFolder(name: string): boolean {
    try {
      return statSync(resolve(this.#root, name)).isDirectory();
    } catch {
      return false;
    }
  }
}

/** The files of the disk that a path lies on, and the path's name among them. */
export function onWholeDisk(path: string): { readonly files: WholeDisk; readonly name: string } {
  let real = resolve(path);
  try {
    real = realpathSync(real);
  } catch {
    // What is not there is said by whoever looks for it.
  }
  const { root } = parse(real);
  return { files: new WholeDisk(root), name: real.slice(root.length).split(sep).join('/') };
}

/** @param throughLinks whether the path may lead over links; what it leads to was looked at then */
function regularFile(path: string, throughLinks: boolean): Buffer | undefined {
  try {
    const real = realpathSync(path);
    if (!throughLinks && real !== path) return undefined;
    const stats = lstatSync(real);
    return stats.isFile() && stats.size <= MAX_FILE_SIZE ? readFileSync(real) : undefined;
  } catch {
    return undefined;
  }
}
