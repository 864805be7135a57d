/** The files of a chart's folder, or of its archive: nothing outside it is read, whatever links it holds. */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { MAX_FILE, readArchive } from './archive.ts';
import { LazyChartFiles } from './chart-files.ts';
import { GoError } from './value.ts';

const MAX_FILES = 20_000;
const MAX_FOLDERS = 20_000;
const MAX_TOTAL = 100 * 1024 * 1024;
const MAX_DEPTH = 60;

export interface ReadFolder {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Links that were not followed: they lead nowhere, out of the repository, or to a folder that holds the chart. */
  readonly left: readonly string[];
  /** What helm says of the first link that leads nowhere: it does not render such a chart. */
  readonly broken?: string;
}

/** Reads a chart from a folder or a .tgz; names are relative to the chart, with forward slashes. */
export function readChart(path: string): ReadonlyMap<string, Uint8Array> {
  return readChartFolder(path).files;
}

/**
 * As `readChart`, with the links that were left out. helm follows links anywhere; a scan of strangers' charts must not:
 * only those inside the chart, those to files and folders of the same repository, and without a repository those to what
 * lies beside the chart and is not hidden.
 */
export function readChartFolder(path: string): ReadFolder {
  if (statSync(path).isFile()) return { files: readArchive(readFileSync(path)), left: [] };
  const root = realpathSync(path);
  const paths = new Map<string, string>();
  const left: string[] = [];
  let broken: string | undefined;
  let folders = 0;
  const walk = (folder: string, name: string, depth: number, top: string): void => {
    if (depth > MAX_DEPTH) throw new GoError(`folders lie in each other more than ${MAX_DEPTH} deep`);
    if (++folders > MAX_FOLDERS) throw new GoError(`the chart has more than ${MAX_FOLDERS} folders`);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const full = join(folder, entry.name);
      let kind: { isDirectory(): boolean; isFile(): boolean } = entry;
      let inside = top;
      if (entry.isSymbolicLink()) {
        const real = linked(full);
        if (real !== undefined && !isWithin(real, top) && isOfRepository(real, root)) inside = real;
        else if (real === undefined || !isWithin(real, top)) {
          left.push(name + entry.name);
          if (real === undefined)
            broken ??= `error evaluating symlink ${join(path, name, entry.name)}: ${problem(full)}`;
          continue;
        }
        kind = statSync(real);
      }
      if (kind.isDirectory()) walk(full, `${name}${entry.name}/`, depth + 1, inside);
      else if (kind.isFile()) {
        if (paths.size >= MAX_FILES) throw new GoError(TOO_LARGE);
        paths.set(name + entry.name, full);
      }
    }
  };
  walk(root, '', 0, root);
  return { files: new FilesOfFolder(paths), left, ...(broken === undefined ? {} : { broken }) };
}

const TOO_LARGE = 'the chart is larger than a chart may be';

/** Files that are read when somebody asks for them: of pictures, licences and what is ignored nobody does. */
class FilesOfFolder extends LazyChartFiles {
  readonly #paths: ReadonlyMap<string, string>;
  #total = 0;

  constructor(paths: ReadonlyMap<string, string>) {
    super(paths.keys());
    this.#paths = paths;
  }

  protected override read(name: string): Uint8Array {
    const data = this.#data(name);
    this.#bounded(name, data.length);
    this.#total += data.length;
    if (this.#total > MAX_TOTAL) throw new GoError(TOO_LARGE);
    return data;
  }

  override check(name: string): void {
    const path = this.#paths.get(name);
    if (path === undefined || this.isRead(name)) return;
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined)
      throw new GoError(`error reading ${name}: open ${path}: no such file or directory`);
    this.#bounded(name, size);
  }

  #data(name: string): Uint8Array {
    const path = this.#paths.get(name)!;
    try {
      return readFileSync(path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const why = code === 'EACCES' ? `open ${path}: permission denied` : message;
      throw new GoError(`error reading ${name}: ${why}`);
    }
  }

  /** LoadDir of pkg/chart/v2/loader/directory.go. */
  #bounded(name: string, size: number): void {
    if (size <= MAX_FILE) return;
    const base = name.slice(name.lastIndexOf('/') + 1);
    throw new GoError(`chart file "${base}" is larger than the maximum file size ${MAX_FILE}`);
  }
}

/** Why a link cannot be followed, in Go's words: the first part of its way that is not there. */
function problem(link: string): string {
  let at = link;
  try {
    at = resolve(realpathSync(dirname(link)), readlinkSync(link));
    while (!existsSync(dirname(at))) at = dirname(at);
    lstatSync(at);
    return 'EvalSymlinks: too many links';
  } catch {
    return `lstat ${at}: no such file or directory`;
  }
}

function linked(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/**
 * Whether a link leads to what belongs with the chart at `root`: a file or folder of the same repository, without one of
 * what lies beside the chart and is not hidden; a dependency may lie anywhere in the working directory. Not to Git's own files, which may
 * hold credentials, and not to a folder above, which would hold itself.
 */
function isOfRepository(target: string, root: string): boolean {
  if (isWithin(root, target)) return false;
  const repository = repositoryOf(root);
  const top = repository ?? dirname(root);
  if (isWithin(target, top)) {
    const names = target.slice(top.length).split(sep);
    // Beside a chart in somebody's home lie .ssh and .aws.
    return !names.some(name => name === '.git' || (repository === undefined && name.startsWith('.')));
  }
  const here = process.cwd();
  return existsSync(join(target, 'Chart.yaml')) && isWithin(root, here) && isWithin(target, here);
}

function repositoryOf(folder: string): string | undefined {
  for (let above = folder; ; above = dirname(above)) {
    if (existsSync(join(above, '.git'))) return above;
    if (dirname(above) === above) return undefined;
  }
}
