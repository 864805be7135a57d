/**
 * Which files are read: the named ones, and below the named folders whatever may hold manifests. Links are followed
 * only inside the named roots, every real file is read once, loops end, and nothing but regular files is opened (a
 * FIFO would never end).
 */
import {
  type Dirent,
  lstatSync,
  readdirSync,
  readFileSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';

export interface Found {
  /** The absolute path. */
  readonly path: string;
  /** As reports show it. */
  readonly name: string;
  /** The user named this very file, so it is read whatever its name is. */
  readonly named: boolean;
  /** Names the content: what has the same key and name reads the same. Where content has no name, absent. */
  readonly key?: string;
}

export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

export interface WalkOptions {
  /** Names are shown relative to this folder. */
  readonly cwd: string;
  /** Read what `.gitignore` excludes, `.git` and `node_modules` too. */
  readonly noIgnore: boolean;
  /** Patterns (gitignore syntax, relative to `cwd`) that are left out. */
  readonly exclude: readonly string[];
}

/** What was found, and what could not be looked at: each of the latter is something the scan does not know. */
export interface Walked {
  readonly files: readonly Found[];
  readonly skipped: readonly Skipped[];
}

/** A named path that is not there, or cannot be read at all. */
export class PathError extends Error {
  override readonly name = 'PathError';
}

export const FOLDERS_NEVER_READ = new Set(['.git', 'node_modules', '.hg', '.svn', '.terraform']);
const MANIFEST = /\.(?:ya?ml|json)$/i;
/** Kustomize reads a file of this name too. */
const KUSTOMIZATION = 'Kustomization';
const MAX_DEPTH = 200;
const MAX_FILES = 1_000_000;

/** @throws PathError for a root that does not exist or may not be read */
export function walk(roots: readonly string[], options: WalkOptions): Walked {
  return new Walk(options).run(roots);
}

interface Rules {
  readonly folder: string;
  readonly rules: Ignore;
}

class Walk {
  readonly #files: Found[] = [];
  readonly #skipped: Skipped[] = [];
  readonly #seen = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #options: WalkOptions;
  readonly #excluded: Ignore | undefined;
  #roots: string[] = [];

  constructor(options: WalkOptions) {
    this.#options = options;
    if (options.exclude.length > 0) this.#excluded = ignore().add([...options.exclude]);
  }

  run(roots: readonly string[]): Walked {
    const resolved = roots.map(root => {
      const path = resolve(this.#options.cwd, root);
      try {
        return { path, real: realpathSync(path), stats: statSync(path) };
      } catch (error) {
        throw new PathError(rootProblem(root, error));
      }
    });
    this.#roots = resolved.map(({ real }) => real);
    for (const { path, real, stats } of resolved) {
      if (stats.isDirectory()) {
        this.#folder(path, real, this.#options.noIgnore ? [] : rulesAbove(real), 0);
      } else if (stats.isFile()) this.#file(path, real, true);
      else throw new PathError(`${this.#nameOf(path)} is ${typeOf(stats)}, not a file or folder`);
    }
    return { files: this.#files, skipped: this.#skipped };
  }

  #folder(path: string, real: string, above: readonly Rules[], depth: number): void {
    if (this.#folders.has(real)) return;
    this.#folders.add(real);
    if (depth > MAX_DEPTH) {
      this.#skipped.push({ name: this.#nameOf(path), reason: `folders nest more than ${MAX_DEPTH} deep` });
      return;
    }
    let entries: Dirent[];
    try {
      entries = readdirSync(path, { withFileTypes: true });
    } catch (error) {
      this.#skipped.push({ name: this.#nameOf(path), reason: problem(error) });
      return;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    const rules = this.#options.noIgnore ? above : withRulesOf(path, entries, above);
    for (const entry of entries)
      this.#entry(entry, join(path, entry.name), join(real, entry.name), rules, depth);
  }

  #entry(entry: Dirent, path: string, real: string, rules: readonly Rules[], depth: number): void {
    const folder = entry.isDirectory();
    if (!this.#options.noIgnore) {
      if (FOLDERS_NEVER_READ.has(entry.name) && (folder || entry.isSymbolicLink())) return;
      if (!folder && !entry.isSymbolicLink() && !isCandidate(entry.name)) return;
      if (rules.length > 0 && isIgnored(rules, path, folder)) return;
    }
    if (this.#excluded !== undefined && this.#isExcluded(path, folder)) return;
    if (folder) {
      this.#folder(path, real, rules, depth + 1);
      return;
    }
    if (entry.isFile()) {
      if (isCandidate(entry.name)) this.#file(path, real, false);
      return;
    }
    if (entry.isSymbolicLink()) this.#link(path, rules, depth);
    else if (isCandidate(entry.name))
      this.#skipped.push({
        name: this.#nameOf(path),
        reason: `it is ${typeOf(entry)}, which is never opened`,
      });
  }

  #link(path: string, rules: readonly Rules[], depth: number): void {
    let real: string;
    let stats: Stats;
    try {
      real = realpathSync(path);
      stats = statSync(real);
    } catch (error) {
      if (isCandidate(path))
        this.#skipped.push({ name: this.#nameOf(path), reason: `a link: ${problem(error)}` });
      return;
    }
    const inside = this.#roots.some(
      root => real === root || real.startsWith(root.endsWith(sep) ? root : root + sep),
    );
    if (stats.isDirectory()) {
      if (inside) this.#folder(path, real, rules, depth + 1);
      else
        this.#skipped.push({
          name: this.#nameOf(path),
          reason: 'a link to a folder outside what is scanned',
        });
    } else if (isCandidate(path)) {
      if (!stats.isFile())
        this.#skipped.push({
          name: this.#nameOf(path),
          reason: `a link to ${typeOf(stats)}, which is never opened`,
        });
      else if (inside) this.#file(path, real, false);
      else
        this.#skipped.push({ name: this.#nameOf(path), reason: 'a link to a file outside what is scanned' });
    }
  }

  #file(path: string, real: string, named: boolean): void {
    if (this.#files.length >= MAX_FILES || this.#seen.has(real)) return;
    this.#seen.add(real);
    this.#files.push({ path, name: this.#nameOf(path), named });
    if (this.#files.length === MAX_FILES)
      this.#skipped.push({ name: this.#nameOf(path), reason: `only the first ${MAX_FILES} files are read` });
  }

  #isExcluded(path: string, folder: boolean): boolean {
    const name = relative(this.#options.cwd, path).split(sep).join('/');
    return !name.startsWith('../') && name !== '' && this.#excluded!.ignores(folder ? `${name}/` : name);
  }

  #nameOf(path: string): string {
    return shownName(path, this.#options.cwd);
  }
}

/** A path as reports show it: relative to the working directory, with forward slashes. */
export function shownName(path: string, cwd: string): string {
  const name = path.startsWith(cwd + sep) ? path.slice(cwd.length + 1) : relative(cwd, path) || '.';
  return sep === '/' ? name : name.split(sep).join('/');
}

export function isCandidate(name: string): boolean {
  return MANIFEST.test(name) || name.endsWith(KUSTOMIZATION);
}

function withRulesOf(folder: string, entries: readonly Dirent[], above: readonly Rules[]): readonly Rules[] {
  if (!entries.some(entry => entry.name === '.gitignore' && entry.isFile())) return above;
  const rules = rulesIn(folder);
  return rules === undefined ? above : [...above, rules];
}

function rulesIn(folder: string, file = join(folder, '.gitignore')): Rules | undefined {
  try {
    return { folder, rules: ignore().add(readFileSync(file, 'utf8')) };
  } catch {
    return undefined;
  }
}

/** The rules that hold for a root inside a repository: those of the folders above it, up to the repository's own. */
function rulesAbove(root: string): Rules[] {
  const found: Rules[] = [];
  for (let folder = dirname(root), inner = root; ; inner = folder, folder = dirname(folder)) {
    if (isRepository(inner)) {
      const excluded = rulesIn(inner, join(inner, '.git', 'info', 'exclude'));
      if (excluded !== undefined) found.push(excluded);
      return found.reverse();
    }
    if (folder === inner) return [];
    const rules = rulesIn(folder);
    if (rules !== undefined) found.push(rules);
  }
}

function isRepository(folder: string): boolean {
  try {
    lstatSync(join(folder, '.git'));
    return true;
  } catch {
    return false;
  }
}

/** The innermost folder's word counts, as in Git. */
function isIgnored(rules: readonly Rules[], path: string, folder: boolean): boolean {
  for (let i = rules.length - 1; i >= 0; i--) {
    const { folder: base, rules: patterns } = rules[i]!;
    const name = relative(base, path).split(sep).join('/');
    if (name === '' || name.startsWith('..')) continue;
    const { ignored, unignored } = patterns.test(folder ? `${name}/` : name);
    if (ignored) return true;
    if (unignored) return false;
  }
  return false;
}

function typeOf(entry: Dirent | Stats): string {
  if (entry.isFIFO()) return 'a named pipe';
  if (entry.isSocket()) return 'a socket';
  if (entry.isBlockDevice() || entry.isCharacterDevice()) return 'a device';
  return 'no regular file';
}

function rootProblem(root: string, error: unknown): string {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
    ? `${root}: no such file or folder`
    : `${root}: ${problem(error)}`;
}

/** What the operating system said, in words. */
export function problem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOENT':
      return 'it is not there (a dangling link, or it was removed meanwhile)';
    case 'ELOOP':
      return 'links lead in a circle';
    case 'ENAMETOOLONG':
      return 'its name is too long';
    case 'EISDIR':
      return 'it is a folder';
    default:
      return message;
  }
}
