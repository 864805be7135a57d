/**
 * The files of a build: a tree in memory, in which a kustomization reaches what lies in or below its own folder, and
 * other kustomizations by their folder. Nothing else is read, and nothing is fetched.
 * Source: api/internal/loader/fileloader.go, loadrestrictions.go, api/internal/git/repospec.go.
 */
import { type Files, foldersOf, knowsFolders } from './files.ts';
import { BuildError, NotLocalError, prefixed } from './node.ts';
import { Source } from './source.ts';

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A tree of files, shared by all loaders of a build. */
export class Tree {
  readonly files: Files;
  readonly folders: { has(path: string): boolean };
  /** How messages and places call the tree's top. */
  readonly top: string;
  readonly unrestricted: boolean;
  /** Files that were read: what a build is made of. */
  readonly used = new Set<string>();
  readonly #sources = new Map<string, Source>();

  constructor(files: Files, top: string, unrestricted: boolean) {
    this.files = files;
    this.top = top;
    this.unrestricted = unrestricted;
    this.folders = knowsFolders(files)
      ? { has: name => files.isFolder(name) }
      : foldersOf(files.keys()).add('');
  }

  /** How messages call a path; the path of a folder above the tree begins with dots. */
  show(path: string): string {
    if (path === '') return this.top === '' ? '/' : this.top;
    if (path === '..' || path.startsWith('../')) {
      const slash = this.top.lastIndexOf('/');
      const above = this.top.startsWith('<') ? '<TMP>' : slash < 0 ? '..' : this.top.slice(0, slash);
      return `${above}${path.slice(2)}`;
    }
    return `${this.top}/${path}`;
  }

  source(path: string): Source {
    let source = this.#sources.get(path);
    if (source === undefined) {
      source = new Source(path, UTF8.decode(this.files.get(path)!).replaceAll('\r\n', '\n'));
      this.#sources.set(path, source);
    }
    return source;
  }
}

/** Works out `.` and `..`; what leads out of the tree keeps its dots in front. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/** A path below a folder, as it is written from there. */
function within(folder: string, path: string): boolean {
  return folder === ''
    ? path !== '..' && !path.startsWith('../')
    : path === folder || path.startsWith(`${folder}/`);
}

/** Kustomizations inside each other. Nothing real comes near. */
const MAX_NESTING = 100;

export class Loader {
  readonly tree: Tree;
  readonly root: string;
  readonly #referrer: Loader | undefined;
  readonly #depth: number;

  constructor(tree: Tree, root: string, referrer?: Loader) {
    this.tree = tree;
    this.root = root;
    this.#referrer = referrer;
    this.#depth = referrer === undefined ? 0 : referrer.#depth + 1;
    if (this.#depth > MAX_NESTING)
      throw new BuildError(`kustomizations nest more than ${MAX_NESTING} deep at '${tree.show(root)}'`);
  }

  get shownRoot(): string {
    return this.tree.show(this.root);
  }

  /** A loader for the folder of another kustomization. */
  enter(path: string): Loader {
    if (path === '') throw new BuildError('new root cannot be empty');
    if (isRepository(path)) throw new NotLocalError(`remote base ${path} is not fetched`);
    if (path.startsWith('/')) throw new BuildError(`new root '${path}' cannot be absolute`);
    const root = cleanPath(`${this.root}/${path}`);
    const { tree } = this;
    if (!tree.folders.has(root))
      throw tree.files.has(root)
        ? new BuildError(`must build at directory: '${tree.show(root)}': file is not directory`)
        : new BuildError(`must build at directory: not a valid directory: ${missing(tree, root)}`);
    for (let loader: Loader | undefined = this; loader !== undefined; loader = loader.#referrer)
      if (within(root, loader.root))
        throw new BuildError(
          `cycle detected: candidate root '${tree.show(root)}' contains visited root '${loader.shownRoot}'`,
        );
    return new Loader(tree, root, this);
  }

  /** The path of a file that may be read from here. */
  find(path: string): string {
    if (isRemoteFile(path)) throw new NotLocalError(`remote file ${path} is not fetched`);
    const { tree } = this;
    const found = path.startsWith('/') ? cleanAbsolute(tree, path) : cleanPath(`${this.root}/${path}`);
    if (!tree.files.has(found)) {
      if (tree.folders.has(found)) throw new BuildError(`'${tree.show(found)}' must resolve to a file`);
      throw new BuildError(missing(tree, found));
    }
    if (!tree.unrestricted && !within(this.root, found))
      throw new BuildError(`security; file '${tree.show(found)}' is not in or below '${this.shownRoot}'`);
    tree.used.add(found);
    return found;
  }

  has(path: string): boolean {
    return this.tree.files.has(cleanPath(`${this.root}/${path}`));
  }

  source(path: string): Source {
    return this.tree.source(this.find(path));
  }

  /** A file's content, for a ConfigMap or a Secret. */
  content(path: string): { readonly bytes: Uint8Array; readonly text: string | undefined } {
    const bytes = this.tree.files.get(this.find(path))!;
    try {
      return { bytes, text: STRICT_UTF8.decode(bytes) };
    } catch {
      return { bytes, text: undefined };
    }
  }
}

/** A loader for the build's own root. */
export function rootLoader(tree: Tree, path: string): Loader {
  const root = cleanPath(path);
  if (tree.folders.has(root)) return new Loader(tree, root);
  const problem = tree.files.has(root)
    ? `'${tree.show(root)}': file is not directory`
    : `not a valid directory: ${missing(tree, root)}`;
  throw prefixed(new BuildError(problem), 'must build at directory');
}

function cleanAbsolute(tree: Tree, path: string): string {
  const top = tree.top === '' ? '/' : `${tree.top}/`;
  return path.startsWith(top) ? cleanPath(path.slice(top.length)) : `..${path}`;
}

function missing(tree: Tree, path: string): string {
  const shown = tree.show(path);
  // The system names the first part of the path that is not there.
  const parts = path.split('/');
  let at = parts.length;
  for (let i = 1; i <= parts.length; i++) {
    const part = parts.slice(0, i).join('/');
    if (!tree.folders.has(part) && part !== '..' && !part.endsWith('/..')) {
      at = i;
      break;
    }
  }
  const first = parts.slice(0, at).join('/');
  const problem =
    tree.files.has(first) && at < parts.length ? 'not a directory' : 'no such file or directory';
  const name = problem === 'not a directory' ? tree.show(parts.slice(0, at + 1).join('/')) : tree.show(first);
  return `evalsymlink failure on '${shown}' : lstat ${name}: ${problem}`;
}

function isRemoteFile(path: string): boolean {
  return /^https?:/i.test(path);
}

const SCHEME = /^(?:ssh|https?|file):\/\//i;

/** Does git have to be asked for it? Source: repospec.go (NewRepoSpecFromURL). */
export function isRepository(path: string): boolean {
  if (path.startsWith('/')) return false;
  let rest = path.replace(/\?.*$/s, '').replace(/^git::/i, '');
  const scheme = SCHEME.exec(rest)?.[0] ?? '';
  rest = rest.slice(scheme.length);
  const user = /^[a-zA-Z][a-zA-Z0-9-]*@/.exec(rest)?.[0] ?? '';
  rest = rest.slice(user.length);
  const github = /^(?:www\.)?github\.com[:/]/i.test(rest);
  const likeScp = scheme === '' && (user !== '' || github);
  if (scheme === '' && !likeScp) return false;
  if (/^file:/i.test(scheme)) return true;
  const slash = rest.indexOf('/');
  const colon = likeScp ? rest.indexOf(':') : -1;
  const end = colon >= 0 && (slash < 0 || colon < slash) ? colon : slash;
  if (end < 0) return false;
  const repository = rest.slice(end + 1);
  return /_git\/|\/\/|\.git/.test(repository) || repository.split('/').length >= 2;
}
