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
import { readArchive } from './archive.ts';
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
 * lies beside the chart.
 */
export function readChartFolder(path: string): ReadFolder {
  if (statSync(path).isFile()) return { files: readArchive(readFileSync(path)), left: [] };
  const root = realpathSync(path);
  const files = new Map<string, Uint8Array>();
  const left: string[] = [];
  let broken: string | undefined;
  let total = 0;
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
        const data = readFileSync(full);
        total += data.length;
        if (files.size >= MAX_FILES || total > MAX_TOTAL)
          throw new GoError('the chart is larger than a chart may be');
        files.set(name + entry.name, data);
      }
    }
  };
  walk(root, '', 0, root);
  return { files, left, ...(broken === undefined ? {} : { broken }) };
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
 * what lies beside the chart; a dependency may lie anywhere in the working directory. Not to Git's own files, which may
 * hold credentials, and not to a folder above, which would hold itself.
 */
function isOfRepository(target: string, root: string): boolean {
  if (isWithin(root, target)) return false;
  const top = repositoryOf(root) ?? dirname(root);
  if (isWithin(target, top)) return !target.slice(top.length).split(sep).includes('.git');
  const here = process.cwd();
  return existsSync(join(target, 'Chart.yaml')) && isWithin(root, here) && isWithin(target, here);
}

function repositoryOf(folder: string): string | undefined {
  for (let above = folder; ; above = dirname(above)) {
    if (existsSync(join(above, '.git'))) return above;
    if (dirname(above) === above) return undefined;
  }
}
