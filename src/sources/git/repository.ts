/**
 * A Git repository as far as two of its states are to be compared: where it lies, what its references mean, what its
 * trees hold. Sources: gitrepository-layout(5), gitrevisions(7), refs.c (ref_rev_parse_rules), commit-reach.c,
 * replace-object.c (do_lookup_replace_object), commit.c (read_graft_line).
 */
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { GitError, type GitObject, ObjectStore } from './objects.ts';

export { GitError } from './objects.ts';

/** An entry of a tree, with its path from the root. */
export interface TreeFile {
  readonly path: string;
  readonly oid: string;
  readonly is: 'file' | 'link' | 'submodule';
}

const MAX_TREE_DEPTH = 200;
const MAX_TREE_FILES = 2_000_000;
const MAX_SYMBOLIC = 5;
const RULES = ['', 'refs/', 'refs/tags/', 'refs/heads/', 'refs/remotes/'];

export class Repository {
  /** The folder with the work tree; that of the repository itself where it is bare. */
  readonly root: string;
  readonly #gitFolder: string;
  readonly #common: string;
  readonly #store: ObjectStore;
  readonly #hashDigits: number;
  readonly #trees = new Map<string, readonly TreeEntry[]>();
  /** By the path of a folder: what was found below it last, as a part of a list. Commits share most of their folders. */
  readonly #folders = new Map<
    string,
    {
      readonly oid: string;
      readonly found: readonly TreeFile[];
      readonly start: number;
      readonly end: number;
    }
  >();
  #packed: Map<string, string> | undefined;
  #shallow: Set<string> | undefined;
  readonly #replaces: boolean;
  #replacements: ReadonlyMap<string, string> | undefined;
  #grafts: ReadonlyMap<string, readonly string[]> | undefined;

  private constructor(root: string, gitFolder: string) {
    this.root = root;
    this.#gitFolder = gitFolder;
    this.#common = commonFolder(gitFolder);
    const config = text(join(this.#common, 'config')) ?? '';
    if (/^\s*refstorage\s*=\s*reftable\b/im.test(config))
      throw new GitError(
        'the repository keeps its references in a reftable, which is not read here yet; git refs migrate --ref-format=files writes them as files',
      );
    this.#replaces = !/^\s*usereplacerefs\s*=\s*(?:false|no|off|0)\b/im.test(config);
    const sha256 = /^\s*objectformat\s*=\s*sha256\b/im.test(config);
    this.#hashDigits = sha256 ? 64 : 40;
    this.#store = new ObjectStore(join(this.#common, 'objects'), sha256 ? 32 : 20);
  }

  /** The repository that a folder lies in, or is; undefined where there is none. */
  static find(from: string): Repository | undefined {
    for (let folder = resolve(from); ; folder = dirname(folder)) {
      const inner = join(folder, '.git');
      const found = isRepository(inner) ? inner : linkedFolder(inner, folder);
      if (found !== undefined) return new Repository(folder, found);
      if (isRepository(folder)) return new Repository(folder, folder);
      if (dirname(folder) === folder) return undefined;
    }
  }

  /**
   * The commit that a name means: a branch, tag, remote branch, hash or beginning of one, with `~2`, `^`, `^2` behind.
   *
   * @throws GitError with what to do where it is not there
   */
  commit(revision: string): string {
    const match = /^(.+?)((?:~\d*|\^(?:\d*|\{[a-z]*\})|@\{[^}]*\})*)$/s.exec(revision);
    if (match === null) throw new GitError(`"${revision}" is no revision`);
    let oid = this.#peeled(this.#named(match[1]!, revision), revision);
    for (const [step] of match[2]!.matchAll(/~\d*|\^(?:\d*|\{[a-z]*\})|@\{[^}]*\}/g)) {
      if (step.startsWith('@'))
        throw new GitError(
          `"${revision}": what a reference was earlier is not asked of its log; name a commit`,
        );
      if (step.startsWith('^{')) continue;
      const number = step.length === 1 ? 1 : Number(step.slice(1));
      if (step[0] === '~') for (let i = 0; i < number; i++) oid = this.#parent(oid, 1, revision);
      else if (number > 0) oid = this.#parent(oid, number, revision);
    }
    return oid;
  }

  /** Whether a name means a commit here, without a reason where it does not. */
  has(revision: string): boolean {
    try {
      this.commit(revision);
      return true;
    } catch (error) {
      if (error instanceof GitError) return false;
      throw error;
    }
  }

  /**
   * Where two branches parted. Source: commit-reach.c (paint_down_to_common).
   *
   * @throws GitError where they have nothing in common, or the clone is too shallow to tell
   */
  mergeBase(a: string, b: string): string {
    if (a === b) return a;
    const [ONE, TWO, STALE] = [1, 2, 4];
    const flags = new Map<string, number>([
      [a, ONE],
      [b, TWO],
    ]);
    const queue = new DateQueue();
    let cut = false;
    const add = (oid: string) => {
      const commit = this.#commitObject(oid);
      if (commit === undefined) cut = true;
      else queue.push({ oid, ...commit });
    };
    add(a);
    add(b);
    const found: { oid: string; date: number }[] = [];
    while (queue.some(({ oid }) => (flags.get(oid)! & STALE) === 0)) {
      const { oid, date, parents } = queue.pop();
      let own = flags.get(oid)!;
      if ((own & (ONE | TWO)) === (ONE | TWO)) {
        if ((own & STALE) === 0) found.push({ oid, date });
        own |= STALE;
      }
      if (this.#isShallow(oid)) {
        cut = true;
        continue;
      }
      for (const parent of parents) {
        const before = flags.get(parent) ?? 0;
        if ((before | own) === before) continue;
        flags.set(parent, before | own);
        add(parent);
      }
    }
    const bases = found.filter(({ oid }) => (flags.get(oid)! & STALE) === 0 || found.length === 1);
    const best = (bases.length > 0 ? bases : found).toSorted((x, y) => y.date - x.date)[0];
    if (best === undefined)
      throw new GitError(
        cut
          ? `the clone is too shallow to see where ${short(a)} and ${short(b)} parted; ${DEEPER}`
          : `${short(a)} and ${short(b)} have no commit in common`,
      );
    return best.oid;
  }

  /** All files of a commit, folder by folder, each in the order of its names. */
  files(commit: string): TreeFile[] {
    const tree = this.#commitObject(commit)?.tree;
    if (tree === undefined) throw new GitError(`commit ${short(commit)} is not in this clone; ${DEEPER}`);
    const found: TreeFile[] = [];
    this.#walk(tree, '', 0, found);
    return found;
  }

  /**
   * @param keep whether it may be asked for again; what is not kept is only there until the next one is read
   * @throws GitError where this clone does not have it
   */
  blob(oid: string, keep = true): Buffer {
    const object = this.#read(oid, keep);
    if (object === undefined) throw new GitError('its content is not in this clone (a partial clone)');
    if (object.type !== 'blob') throw new GitError(`object ${short(oid)} is no file`);
    return object.data;
  }

  #walk(oid: string, prefix: string, depth: number, found: TreeFile[]): void {
    if (depth > MAX_TREE_DEPTH) throw new GitError(`folders nest more than ${MAX_TREE_DEPTH} deep`);
    const start = found.length;
    const known = this.#folders.get(prefix);
    if (known?.oid === oid) for (let i = known.start; i < known.end; i++) found.push(known.found[i]!);
    else
      for (const { name, child, mode } of this.#tree(oid, prefix)) {
        const path = prefix + name;
        if (mode === FOLDER) this.#walk(child, `${path}/`, depth + 1, found);
        else found.push({ path, oid: child, is: KINDS[mode] ?? 'file' });
        if (found.length > MAX_TREE_FILES) throw new GitError(`there are more than ${MAX_TREE_FILES} files`);
      }
    this.#folders.set(prefix, { oid, found, start, end: found.length });
  }

  /** The entries of one tree; two commits share most of theirs. */
  #tree(oid: string, prefix: string): readonly TreeEntry[] {
    const known = this.#trees.get(oid);
    if (known !== undefined) return known;
    const object = this.#read(oid);
    if (object === undefined)
      throw new GitError(
        `${prefix === '' ? 'the top folder' : `folder ${prefix}`} is not in this clone (a partial clone); git fetch --refetch --filter=blob:none brings the folders`,
      );
    const { data } = object;
    const bytes = this.#hashDigits / 2;
    const entries: TreeEntry[] = [];
    // A few calls for all of it, not a few for each entry.
    const [characters, digits] = [data.toString('latin1'), data.toString('hex')];
    for (let at = 0; at < data.length; ) {
      const space = characters.indexOf(' ', at);
      const end = characters.indexOf('\0', space);
      if (space < 0 || end < 0) throw new GitError(`tree ${short(oid)} is broken`);
      const mode = characters.slice(at, space);
      const plain = characters.slice(space + 1, end);
      const name = NOT_ASCII.test(plain) ? data.toString('utf8', space + 1, end) : plain;
      const child = digits.slice((end + 1) * 2, (end + 1 + bytes) * 2);
      at = end + 1 + bytes;
      // Names that no honest tree holds: they would lead elsewhere if anybody wrote them to a disk.
      if (name === '' || name === '.' || name === '..' || name.includes('/')) continue;
      entries.push({ name, child, mode });
    }
    // As the folders of a disk are walked: a tree of Git puts `a-b` before the files of `a`.
    if (!isSorted(entries)) entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#trees.set(oid, entries);
    return entries;
  }

  #named(name: string, revision: string): string {
    const full = name === '@' ? 'HEAD' : name;
    if (isSafeName(full))
      for (const rule of [...RULES.map(prefix => prefix + full), `refs/remotes/${full}/HEAD`]) {
        const oid = this.#reference(rule, 0);
        if (oid !== undefined) return oid;
      }
    if (/^[0-9a-f]{4,64}$/i.test(name)) {
      const prefix = name.toLowerCase();
      const found =
        prefix.length === this.#hashDigits
          ? [prefix]
          : this.#store.named(prefix).filter(oid => this.#isCommitish(oid));
      if (found.length > 1) throw new GitError(`"${name}" is the beginning of several commits`);
      if (found.length === 1) return found[0]!;
    }
    throw new GitError(
      `"${revision}" is no branch, tag or commit of this repository${this.#shallows().size > 0 ? ` (a shallow clone: ${DEEPER})` : ''}`,
    );
  }

  #isCommitish(oid: string): boolean {
    const type = this.#read(oid)?.type;
    return type === 'commit' || type === 'tag';
  }

  #reference(name: string, depth: number): string | undefined {
    if (depth > MAX_SYMBOLIC) throw new GitError(`reference ${name} leads in a circle`);
    // HEAD and its like are each work tree's own, all others are shared.
    const own = name.startsWith('refs/') ? this.#common : this.#gitFolder;
    const content = text(join(own, name))?.trim();
    if (content?.startsWith('ref: ')) {
      const target = content.slice('ref: '.length).trim();
      return isSafeName(target) ? this.#reference(target, depth + 1) : undefined;
    }
    if (content !== undefined && this.#isOid(content)) return content;
    return this.#packedReferences().get(name);
  }

  #isOid(word: string): boolean {
    return word.length === this.#hashDigits && /^[0-9a-f]+$/.test(word);
  }

  #packedReferences(): ReadonlyMap<string, string> {
    if (this.#packed === undefined) {
      this.#packed = new Map();
      for (const line of (text(join(this.#common, 'packed-refs')) ?? '').split('\n')) {
        const [oid, name] = line.split(' ');
        if (name !== undefined && this.#isOid(oid!)) this.#packed.set(name, oid!);
      }
    }
    return this.#packed;
  }

  /** Through annotated tags to the commit. */
  #peeled(oid: string, revision: string): string {
    let at = oid;
    for (let i = 0; i < MAX_SYMBOLIC; i++) {
      const object = this.#read(at);
      if (object === undefined)
        throw new GitError(`"${revision}" means ${short(at)}, which is not in this clone; ${DEEPER}`);
      if (object.type === 'commit') return at;
      const target =
        object.type === 'tag' ? /^object ([0-9a-f]+)$/m.exec(object.data.toString('latin1'))?.[1] : undefined;
      if (target === undefined) throw new GitError(`"${revision}" is a ${object.type}, and no commit`);
      at = target;
    }
    throw new GitError(`"${revision}" is a tag of a tag without end`);
  }

  #parent(oid: string, number: number, revision: string): string {
    const parent = this.#commitObject(oid)?.parents[number - 1];
    if (this.#isShallow(oid) || (parent !== undefined && this.#read(parent) === undefined))
      throw new GitError(`"${revision}" is not in this clone, which is shallow; ${DEEPER}`);
    if (parent === undefined) throw new GitError(`"${revision}": ${short(oid)} has no such parent`);
    return parent;
  }

  /** An object, or what `git replace` put in its place, as Git itself reads it. */
  #read(oid: string, keep = true): GitObject | undefined {
    let at = oid;
    for (let i = 0; i < MAX_SYMBOLIC; i++) {
      const other = this.#replaced().get(at);
      if (other === undefined) return this.#store.read(at, keep);
      at = other;
    }
    throw new GitError(`object ${short(oid)} is replaced without end (git replace -l)`);
  }

  #replaced(): ReadonlyMap<string, string> {
    if (this.#replacements === undefined) {
      const found = new Map<string, string>();
      if (this.#replaces) {
        for (const [name, oid] of this.#packedReferences())
          if (name.startsWith(REPLACE)) found.set(name.slice(REPLACE.length), oid);
        for (const name of namesIn(join(this.#common, REPLACE))) {
          const oid = text(join(this.#common, REPLACE, name))?.trim();
          if (this.#isOid(name) && oid !== undefined && this.#isOid(oid)) found.set(name, oid);
        }
      }
      this.#replacements = found;
    }
    return this.#replacements;
  }

  /** Parents that somebody wrote down in place of a commit's own. */
  #grafted(): ReadonlyMap<string, readonly string[]> {
    if (this.#grafts === undefined) {
      const found = new Map<string, readonly string[]>();
      for (const line of (text(join(this.#common, 'info', 'grafts')) ?? '').split('\n')) {
        const words = line.trim().split(/\s+/);
        if (!line.startsWith('#') && words.every(word => this.#isOid(word)))
          found.set(words[0]!, words.slice(1));
      }
      this.#grafts = found;
    }
    return this.#grafts;
  }

  #isShallow(oid: string): boolean {
    return this.#shallows().has(oid);
  }

  #shallows(): ReadonlySet<string> {
    this.#shallow ??= new Set(
      (text(join(this.#common, 'shallow')) ?? '').split('\n').filter(line => line !== ''),
    );
    return this.#shallow;
  }

  #commitObject(oid: string): Commit | undefined {
    const object = this.#read(oid);
    if (object?.type !== 'commit') return undefined;
    const commit = parseCommit(object);
    const parents = this.#grafted().get(oid);
    return parents === undefined ? commit : { ...commit, parents };
  }
}

const DEEPER =
  'fetch more of it (GitHub: fetch-depth: 0 at actions/checkout; GitLab: GIT_DEPTH: "0"; git fetch --unshallow)';

const FOLDER = '40000';
const NOT_ASCII = /[^\0-\x7f]/;
const REPLACE = 'refs/replace/';

interface TreeEntry {
  readonly name: string;
  readonly child: string;
  readonly mode: string;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isSorted(entries: readonly TreeEntry[]): boolean {
  for (let i = 1; i < entries.length; i++) if (entries[i - 1]!.name > entries[i]!.name) return false;
  return true;
}

const KINDS: Readonly<Record<string, TreeFile['is']>> = { '120000': 'link', '160000': 'submodule' };

interface Commit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly date: number;
}

function parseCommit({ data }: GitObject): Commit {
  const end = data.indexOf('\n\n');
  const head = data.toString('latin1', 0, end < 0 ? data.length : end);
  const parents = [...head.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, oid]) => oid!);
  return {
    tree: /^tree ([0-9a-f]+)$/m.exec(head)?.[1] ?? '',
    parents,
    date: Number(/^committer .* (\d+) [+-]\d{4}$/m.exec(head)?.[1] ?? 0),
  };
}

/** The youngest commit first. */
class DateQueue {
  readonly #heap: (Commit & { readonly oid: string })[] = [];

  push(commit: Commit & { readonly oid: string }): void {
    const heap = this.#heap;
    let at = heap.push(commit) - 1;
    for (let above = (at - 1) >> 1; at > 0 && heap[above]!.date < heap[at]!.date; above = (at - 1) >> 1) {
      [heap[above], heap[at]] = [heap[at]!, heap[above]!];
      at = above;
    }
  }

  pop(): Commit & { readonly oid: string } {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      for (let at = 0; ; ) {
        const [left, right] = [2 * at + 1, 2 * at + 2];
        let best = at;
        if (left < heap.length && heap[left]!.date > heap[best]!.date) best = left;
        if (right < heap.length && heap[right]!.date > heap[best]!.date) best = right;
        if (best === at) break;
        [heap[best], heap[at]] = [heap[at]!, heap[best]!];
        at = best;
      }
    }
    return top;
  }

  some(test: (commit: { readonly oid: string }) => boolean): boolean {
    return this.#heap.some(test);
  }
}

function short(oid: string): string {
  return oid.slice(0, 12);
}

/** A name that stays inside the folder of references. Source: git-check-ref-format(1). */
function isSafeName(name: string): boolean {
  return (
    name !== '' &&
    !/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\.lock(?:\/|$)|(?:^|\/)\.|\/$|\.$/.test(name) &&
    !isAbsolute(name)
  );
}

function isRepository(folder: string): boolean {
  try {
    return statSync(join(folder, 'objects')).isDirectory() && existsSync(join(folder, 'HEAD'));
  } catch {
    return false;
  }
}

/** A work tree beside its repository, or a submodule: `.git` is a file that says where. */
function linkedFolder(file: string, folder: string): string | undefined {
  try {
    if (!lstatSync(file).isFile()) return undefined;
  } catch {
    return undefined;
  }
  const target = /^gitdir: (.+)$/m.exec(text(file) ?? '')?.[1]?.trim();
  if (target === undefined) return undefined;
  const found = isAbsolute(target) ? target : resolve(folder, target);
  return existsSync(join(found, 'HEAD')) ? found : undefined;
}

function commonFolder(gitFolder: string): string {
  const common = text(join(gitFolder, 'commondir'))?.trim();
  return common === undefined ? gitFolder : resolve(gitFolder, common);
}

const MAX_TEXT = 64 * 1024 * 1024;

/** Regular files only: a named pipe would never end. */
function text(path: string): string | undefined {
  try {
    const stats = statSync(path);
    return stats.isFile() && stats.size <= MAX_TEXT ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
