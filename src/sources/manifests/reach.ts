/**
 * Which files a kustomization may be made of, told from its text without building it. More than it is made of, never
 * less: whatever in the text could be a path counts as one, and a text that may name files in other ways reaches all.
 */
import { folderOf, joinPath } from './recognise.ts';

/** The files of a tree. */
export interface Named {
  readonly names: readonly string[];
  /** Undefined for what cannot be read. */
  text(name: string): string | undefined;
}

/** Fields whose files name further files; and words that are not written as they are read. */
const FARTHER = /(?:generators|transformers|validators)\s*["']?\s*:|"[^"\n]*\\|!!|[:-]\s+>/;
const HELM = /helm/i;

/** By kustomization file: the files that it may be made of, itself among them; undefined for all files. */
export type Reach = ReadonlyMap<string, ReadonlySet<string> | undefined>;

/** @param kustomizations the names of the files whose reach is asked for */
export function reachOf(kustomizations: readonly string[], tree: Named): Reach {
  const folders = foldersOf(tree.names);
  const own = new Map<string, { files: Set<string>; folders: Set<string> } | undefined>();
  const names = new Set(tree.names);
  for (const name of kustomizations) own.set(name, namedBy(name, tree, names, folders));
  const byFolder = new Map(kustomizations.map(name => [folderOf(name), name]));
  const reach = new Map<string, ReadonlySet<string> | undefined>();
  for (const name of kustomizations) {
    const files = new Set<string>();
    const seen = new Set<string>([name]);
    let all = false;
    for (const next of seen) {
      const named = own.get(next);
      if (named === undefined) {
        all = true;
        break;
      }
      files.add(next);
      for (const file of named.files) files.add(file);
      for (const folder of named.folders) {
        const other = byFolder.get(folder);
        if (other === undefined) for (const file of folders.get(folder) ?? []) files.add(file);
        else seen.add(other);
      }
    }
    reach.set(name, all ? undefined : files);
  }
  return reach;
}

/** Each folder with all files below it. */
function foldersOf(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const folders = new Map<string, string[]>();
  for (const name of names)
    for (let folder = folderOf(name); folder !== ''; folder = folderOf(folder)) {
      const list = folders.get(folder);
      if (list === undefined) folders.set(folder, [name]);
      else list.push(name);
    }
  return folders;
}

function namedBy(
  name: string,
  tree: Named,
  names: ReadonlySet<string>,
  folders: ReadonlyMap<string, readonly string[]>,
): { files: Set<string>; folders: Set<string> } | undefined {
  const text = tree.text(name);
  if (text === undefined || FARTHER.test(text)) return undefined;
  const found = { files: new Set<string>(), folders: new Set<string>() };
  const folder = folderOf(name);
  const add = (path: string) => {
    const clean = joinPath(folder, path);
    if (clean === undefined || clean === folder) return;
    if (names.has(clean)) found.files.add(clean);
    else if (folders.has(clean)) found.folders.add(clean);
  };
  for (const word of wordsOf(text)) {
    add(word);
    // Generators name files as key=path.
    const equals = word.indexOf('=');
    if (equals >= 0) add(word.slice(equals + 1));
  }
  if (HELM.test(text)) add('charts');
  return found;
}

/** Whatever may be a path: each word, what stands in quotes, and the rest of each line behind a dash or a colon. */
function* wordsOf(text: string): Iterable<string> {
  for (const [, word = '', quoted = ''] of text.matchAll(/([^\s"'[\]{},]+)|["']([^"'\n]*)["']/g))
    yield word === '' ? quoted : word;
  for (const line of text.split('\n')) {
    const rest = /(?:^\s*-|:)\s+(.*?)\s*$/.exec(line)?.[1];
    if (rest === undefined) continue;
    yield rest;
    yield rest.replace(/^-\s+/, '').replace(/\s+#.*$/, '');
  }
}

/**
 * The kustomizations that have to be built: those that may be made of a file that matters, and whatever may share a
 * file with one of them, for it is another environment of the same.
 */
export function concerned(reach: Reach, matters: (name: string) => boolean): ReadonlySet<string> {
  const users = new Map<string, string[]>();
  for (const [name, files] of reach)
    for (const file of files ?? []) {
      const list = users.get(file);
      if (list === undefined) users.set(file, [name]);
      else list.push(name);
    }
  const found = new Set<string>();
  for (const [name, files] of reach) if (files === undefined || [...files].some(matters)) found.add(name);
  for (const name of found)
    for (const file of reach.get(name) ?? []) for (const other of users.get(file) ?? []) found.add(other);
  return found;
}
