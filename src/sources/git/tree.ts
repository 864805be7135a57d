/** The manifests of a commit, read out of the repository's store: the work tree is not touched, and not looked at. */
import ignore from 'ignore';
import type { ReadFolder } from '../helm/folder.ts';
import { LazyFiles } from '../kustomize/files.ts';
import type { ReadChart, SourceTree } from '../manifests/files.ts';
import { joinPath } from '../manifests/recognise.ts';
import { FOLDERS_NEVER_READ, type Found, isCandidate, type Skipped, type Walked } from '../manifests/walk.ts';
import type { Repository, TreeFile } from './repository.ts';

/** Content that Git keeps elsewhere: the file holds only its address. Source: git-lfs docs/spec.md. */
const LFS = 'version https://git-lfs.github.com/spec/';
const MAX_FILE_SIZE = 100 * 1024 * 1024;
/** A ConfigMap or a patch larger than this would be none. */
const MAX_KUSTOMIZE_SIZE = 16 * 1024 * 1024;
const MAX_CHART_FILES = 20_000;
const MAX_CHART_SIZE = 100 * 1024 * 1024;
const MAX_LINKS = 40;

/** The files of a commit, by name. Links are followed inside the commit, as on a disk, and nowhere else. */
export class CommitTree implements SourceTree {
  readonly #repository: Repository;
  readonly #entries: ReadonlyMap<string, TreeFile>;
  #sorted: readonly TreeFile[] | undefined;
  #names: readonly string[] | undefined;

  /** @throws GitError where the commit's trees are not in this clone */
  constructor(repository: Repository, commit: string) {
    this.#repository = repository;
    this.#entries = new Map(repository.files(commit).map(file => [file.path, file]));
  }

  /** The files that may hold manifests, in the order in which they are found on a disk; every one once. */
  walk(paths: readonly string[], exclude: readonly string[]): Walked {
    const excluded = exclude.length === 0 ? undefined : ignore().add([...exclude]);
    const files: Found[] = [];
    const skipped: Skipped[] = [];
    const seen = new Set<string>();
    const isNeverRead = neverRead();
    const add = (name: string, real: string, oid: string) => {
      if (seen.has(real)) return;
      seen.add(real);
      files.push({ path: oid, name, named: false, key: oid });
    };
    for (const { path, oid, is } of this.#entries.values()) {
      if (is !== 'submodule' && !isCandidate(path)) continue;
      if (!isBelow(path, paths) || isNeverRead(path) || excluded?.ignores(path) === true) continue;
      if (is === 'submodule')
        skipped.push({ name: path, reason: 'a submodule, whose files are in another repository' });
      else if (is === 'file') add(path, path, oid);
      else {
        const target = this.#real(path);
        const file = target === undefined ? undefined : this.#entries.get(target);
        if (file?.is === 'file') add(path, file.path, file.oid);
        // A folder is read where it stands.
        else if (target === undefined || !this.#isFolder(target))
          skipped.push({
            name: path,
            reason:
              target === undefined
                ? 'a link that leads out of the repository, or in a circle'
                : 'a link to what is not there',
          });
      }
    }
    return { files, skipped };
  }

  bytes({ path }: Found): Buffer {
    return this.#blob(path);
  }

  files(found: readonly Found[]): ReadonlyMap<string, Uint8Array> {
    return new FilesOfCommit(found, (name, oid) => {
      const entry = this.#entries.get(name);
      const blob = oid ?? (entry?.is === 'file' ? entry.oid : undefined);
      if (blob === undefined) return undefined;
      try {
        const bytes = this.#blob(blob);
        return bytes.length > MAX_KUSTOMIZE_SIZE ? undefined : bytes;
      } catch {
        return undefined;
      }
    });
  }

  async charts(): Promise<ReadChart> {
    return name => this.#chart(name);
  }

  text(name: string): string {
    const clean = joinPath('', name);
    const real = clean === undefined ? undefined : this.#real(clean);
    const entry = real === undefined ? undefined : this.#entries.get(real);
    if (entry?.is !== 'file') throw new Error(`values file ${name}: it is not in the commit`);
    try {
      return this.#blob(entry.oid).toString('utf8');
    } catch (error) {
      throw new Error(`values file ${name}: ${(error as Error).message}`);
    }
  }

  names(): readonly string[] {
    this.#names ??= [...this.#entries.keys()];
    return this.#names;
  }

  /**
   * The bytes of a file, or of what a link leads to; undefined where there are none that can be read.
   *
   * @param keep whether they may be asked for again; what is not kept is only there until the next file is read
   */
  content(name: string, keep = true): Buffer | undefined {
    const own = this.#entries.get(name);
    const real = own?.is === 'link' ? this.#real(name) : name;
    const entry = real === undefined ? undefined : this.#entries.get(real);
    try {
      return entry?.is === 'file' ? this.#blob(entry.oid, keep) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether a name is that of no plain file, but of a link or a submodule. */
  isOdd(name: string): boolean {
    const entry = this.#entries.get(name);
    return entry !== undefined && entry.is !== 'file';
  }

  keyOf(name: string): string {
    const own = this.#entries.get(name);
    if (own?.is === 'link') {
      const target = this.#real(name);
      return `${own.oid} ${target} ${target === undefined ? '' : this.#entries.get(target)?.oid}`;
    }
    if (own !== undefined) return own.oid;
    const below = name === '' ? '' : `${name}/`;
    return [...this.#below(below)].map(({ path, oid, is }) => `${path} ${oid} ${is}`).join('\n');
  }

  #blob(oid: string, keep = true): Buffer {
    const bytes = this.#repository.blob(oid, keep);
    if (bytes.length > MAX_FILE_SIZE) throw new Error(`it is larger than ${MAX_FILE_SIZE / 1024 / 1024} MiB`);
    if (bytes.length < 1024 && bytes.toString('latin1', 0, LFS.length) === LFS)
      throw new Error('its content is kept in Git LFS, and only its address here');
    return bytes;
  }

  /** The files of a chart's folder. Links are followed inside the commit, as on a disk inside the repository. */
  #chart(name: string): ReadFolder {
    const top = name === '' ? '' : `${name}/`;
    const files = new Map<string, Uint8Array>();
    const left: string[] = [];
    let total = 0;
    const add = (inner: string, oid: string) => {
      const bytes = this.#blob(oid);
      total += bytes.length;
      if (files.size >= MAX_CHART_FILES || total > MAX_CHART_SIZE)
        throw new Error('the chart is larger than a chart may be');
      files.set(inner, bytes);
    };
    for (const { path, oid, is } of this.#below(top)) {
      if (is === 'submodule') continue;
      const inner = path.slice(top.length);
      if (is === 'file') {
        add(inner, oid);
        continue;
      }
      const real = this.#real(path);
      // A folder above the chart would hold itself.
      if (real === undefined || real === '' || `${name}/`.startsWith(`${real}/`)) {
        left.push(inner);
        continue;
      }
      const target = this.#entries.get(real);
      if (target?.is === 'file') add(inner, target.oid);
      else
        for (const one of this.#below(`${real}/`))
          if (one.is === 'file') add(`${inner}${one.path.slice(real.length)}`, one.oid);
    }
    return { files, left };
  }

  /** The files whose paths begin so. */
  *#below(prefix: string): Iterable<TreeFile> {
    this.#sorted ??= [...this.#entries.values()].sort((a, b) =>
      a.path < b.path ? -1 : a.path > b.path ? 1 : 0,
    );
    let low = 0;
    for (let high = this.#sorted.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]!.path < prefix) low = middle + 1;
      else high = middle;
    }
    for (; this.#sorted[low]?.path.startsWith(prefix) === true; low++) yield this.#sorted[low]!;
  }

  #isFolder(path: string): boolean {
    for (const _ of this.#below(`${path}/`)) return true;
    return path === '';
  }

  /** Where a path leads when all links on its way are followed; undefined where that is outside, or a circle. */
  #real(path: string): string | undefined {
    let rest = path.split('/');
    let done: string[] = [];
    for (let links = 0; rest.length > 0; ) {
      const step = rest.shift()!;
      if (step === '' || step === '.') continue;
      if (step === '..') {
        if (done.length === 0) return undefined;
        done.pop();
        continue;
      }
      done.push(step);
      const entry = this.#entries.get(done.join('/'));
      if (entry?.is !== 'link') continue;
      if (++links > MAX_LINKS) return undefined;
      let target: string;
      try {
        target = this.#repository.blob(entry.oid).toString('utf8');
      } catch {
        return undefined;
      }
      if (target.startsWith('/')) return undefined;
      done = done.slice(0, -1);
      rest = [...target.split('/'), ...rest];
    }
    return done.join('/');
  }
}

/** Files by name, read when they are asked for; its keys are those that were found. */
class FilesOfCommit extends LazyFiles {
  readonly #found: ReadonlyMap<string, string>;
  readonly #bytes: (name: string, oid: string | undefined) => Uint8Array | undefined;

  constructor(
    found: readonly Found[],
    bytes: (name: string, oid: string | undefined) => Uint8Array | undefined,
  ) {
    super();
    this.#found = new Map(found.map(({ name, path }) => [name, path]));
    this.#bytes = bytes;
  }

  protected override names(): Iterable<string> {
    return this.#found.keys();
  }

  protected override read(name: string): Uint8Array | undefined {
    return this.#bytes(name, this.#found.get(name));
  }

  override has(name: string): boolean {
    return this.#found.has(name) || super.has(name);
  }
}

function isBelow(path: string, paths: readonly string[]): boolean {
  return paths.length === 0 || paths.some(one => path === one || path.startsWith(`${one}/`));
}

/** Whether a path leads through a folder, or to a file, of which nothing is read; asked once for each folder. */
function neverRead(): (path: string) => boolean {
  const folders = new Map<string, boolean>([['', false]]);
  const isIn = (path: string): boolean => {
    const slash = path.lastIndexOf('/');
    const folder = slash < 0 ? '' : path.slice(0, slash);
    let answer = folders.get(folder);
    if (answer === undefined) {
      answer = isIn(folder);
      folders.set(folder, answer);
    }
    return answer || FOLDERS_NEVER_READ.has(path.slice(slash + 1));
  };
  return isIn;
}
