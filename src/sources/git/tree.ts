/** The manifests of a commit, read out of the repository's store: the work tree is not touched, and not looked at. */
import ignore from 'ignore';
import { type Manifests, type ReadOptions, readFound, type SharedFiles } from '../manifests/manifests.ts';
import { FOLDERS_NEVER_READ, type Found, isCandidate, type Skipped } from '../manifests/walk.ts';
import type { Repository, TreeFile } from './repository.ts';

export interface TreeOptions {
  /** Only what lies at or below these paths of the repository; all where there is none. */
  readonly paths: readonly string[];
  /** Patterns (gitignore syntax) that are left out. */
  readonly exclude: readonly string[];
  readonly lean?: boolean;
  /** What was read of files that both sides have. */
  readonly shared: SharedFiles;
}

/** Content that Git keeps elsewhere: the file holds only its address. Source: git-lfs docs/spec.md. */
const LFS = 'version https://git-lfs.github.com/spec/';
const MAX_FILE_SIZE = 100 * 1024 * 1024;

/** @throws GitError where the commit's trees are not in this clone */
export async function readCommit(
  repository: Repository,
  commit: string,
  { paths, exclude, lean, shared }: TreeOptions,
): Promise<Manifests> {
  const excluded = exclude.length === 0 ? undefined : ignore().add([...exclude]);
  const files: Found[] = [];
  const skipped: Skipped[] = [];
  for (const file of repository.files(commit)) {
    if (!isBelow(file.path, paths) || isNeverRead(file.path)) continue;
    if (excluded?.ignores(file.path) === true) continue;
    if (file.is === 'submodule')
      skipped.push({ name: file.path, reason: 'a submodule, whose files are in another repository' });
    else if (!isCandidate(file.path)) continue;
    else if (file.is === 'link') {
      // What a link inside the tree leads to is read where it stands.
      if (leadsOut(file, repository))
        skipped.push({ name: file.path, reason: 'a link that leads out of the repository' });
    } else files.push({ path: file.oid, name: file.path, named: false, key: file.oid });
  }
  const options: ReadOptions = {
    cwd: repository.root,
    noIgnore: false,
    exclude: [],
    ...(lean === undefined ? {} : { lean }),
    shared,
    open: ({ path }) => {
      const bytes = repository.blob(path);
      if (bytes.length > MAX_FILE_SIZE)
        throw new Error(`it is larger than ${MAX_FILE_SIZE / 1024 / 1024} MiB`);
      if (bytes.length < 1024 && bytes.toString('latin1', 0, LFS.length) === LFS)
        throw new Error('its content is kept in Git LFS, and only its address here');
      return bytes;
    },
  };
  return readFound({ files, skipped }, options);
}

function isBelow(path: string, paths: readonly string[]): boolean {
  return paths.length === 0 || paths.some(one => path === one || path.startsWith(`${one}/`));
}

function isNeverRead(path: string): boolean {
  return path.split('/').some(name => FOLDERS_NEVER_READ.has(name));
}

function leadsOut({ path, oid }: TreeFile, repository: Repository): boolean {
  let target: string;
  try {
    target = repository.blob(oid).toString('utf8');
  } catch {
    return true;
  }
  if (target.startsWith('/')) return true;
  let depth = path.split('/').length - 1;
  for (const step of target.split('/')) {
    if (step === '..') depth--;
    else if (step !== '' && step !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
