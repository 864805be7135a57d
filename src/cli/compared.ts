/** From two names to a comparison: commits of a repository, folders, or files, each read as what it is. */
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { idOf } from '#check/check.ts';
import type { Comparison } from '#check/comparison.ts';
import { compare, type Side } from '#judge/compare.ts';
import { CUSTOM_PROFILE } from '#judge/custom-profiles.ts';
import { AUTHORIZATION } from '#judge/facets.ts';
import type { Asks } from '#judge/scan.ts';
import { toJson } from '#kube/json.ts';
import { checks } from '#practices/index.ts';
import { GitError, Repository } from '#sources/git/repository.ts';
import { CommitTree } from '#sources/git/tree.ts';
import { type Manifests, readFound, readManifests } from '#sources/manifests/manifests.ts';
import { folderOf, isChartName, isKustomizationName, joinPath } from '#sources/manifests/recognise.ts';
import { authorizationChanges } from './authorization-changes.ts';
import type { Parsed } from './command.ts';
import { asksAbout, readCommits } from './commits.ts';
import {
  besides,
  CONFIG_FILE,
  type Config,
  emptyConfig,
  installed,
  parseConfig,
  readConfig,
} from './config.ts';
import { configChanges } from './config-changes.ts';
import { UsageError } from './errors.ts';
import { exceptionFindings, judgeManifests } from './judging.ts';
import { meshChanges } from './mesh-changes.ts';
import type { ProfileFiles } from './profile-contents.ts';
import { honoredTools, selection } from './selection.ts';
import { minorOf } from './version-range.ts';

export interface Compared {
  readonly comparison: Comparison;
  /** The configuration that judged both sides. */
  readonly config: Config;
  /** The lines of a file as the head has it. */
  readonly linesOf: (file: string) => readonly string[];
}

/** One side before it is judged. */
interface Read {
  readonly name: string;
  readonly commit?: string;
  /** Where it is a commit: the repository, its files, and what the comparison is confined to. */
  readonly tree?: {
    readonly root: string;
    readonly files: () => CommitTree;
    readonly paths: readonly string[];
  };
  /**
   * @param charts how the side's own configuration says that charts are installed
   * @param noHooks whether the hooks and tests of charts are left out
   */
  readonly manifests: (
    exclude: readonly string[],
    charts?: Config['charts'],
    noHooks?: boolean,
  ) => Promise<Manifests>;
  readonly config: () => Promise<Config | undefined>;
  /** Where the files are that profiles of a configuration name, and the folder that their names start at. */
  readonly profiles: { readonly files: ProfileFiles; readonly root: string };
  readonly linesOf: (file: string) => readonly string[];
  /** Names the content of a file; of a chart or a kustomization that of its folder. */
  readonly contentOf: (file: string) => string;
  /** All files, where they are known without reading. */
  readonly names?: () => readonly string[];
}

/** What stands for the content of a file: that of its whole folder where it is only the head of it. */
function contentName(file: string): string {
  return isChartName(file) || isKustomizationName(file) ? folderOf(file) : file;
}

/**
 * Compares what two names mean.
 *
 * @param paths confines a comparison of commits to what lies below them
 * @param whole everything is read and judged, whether the change concerns it or not: the same comes out, slower
 * @throws UsageError where one of them is nothing that can be read
 */
export async function compared(
  parsed: Parsed,
  baseName: string,
  headName: string,
  paths: readonly string[] = [],
  whole = false,
): Promise<Compared> {
  try {
    return await judged(parsed, whole, ...sides(baseName, headName, paths));
  } catch (error) {
    if (error instanceof GitError) throw new UsageError(error.message);
    throw error;
  }
}

/** What two names mean, before either is read. @throws GitError, UsageError for what is neither there nor a commit */
export function sides(baseName: string, headName: string, paths: readonly string[]): [Read, Read] {
  const repository = Repository.find(process.cwd());
  const named = (name: string): Read => {
    // What is both a branch and a folder is taken for the branch, as Git takes it; ./name means the folder.
    const isPath =
      name.startsWith('.') &&
      (name.startsWith('./') || name.startsWith('../') || name === '.' || name === '..');
    if (!isPath && repository?.has(name) === true)
      return ofCommit(repository, name, repository.commit(name), paths);
    if (existsSync(name)) return ofPath(name);
    if (repository === undefined)
      throw new UsageError(`${name}: no such file or folder, and no Git repository here`);
    // Says why: not there, or only not in this clone.
    return ofCommit(repository, name, repository.commit(name), paths);
  };
  return [named(baseName), named(headName)];
}

function ofCommit(repository: Repository, name: string, commit: string, paths: readonly string[]): Read {
  const below = paths.map(path => insideOf(repository.root, path));
  let tree: CommitTree | undefined;
  const files = () => {
    tree ??= new CommitTree(repository, commit);
    return tree;
  };
  const text = (path: string): string | undefined => {
    try {
      return files().text(path);
    } catch {
      return undefined;
    }
  };
  const profiles = {
    files: { content: (file: string) => files().content(file) },
    root: repository.root,
  };
  return {
    name,
    commit,
    profiles,
    tree: { root: repository.root, files, paths: below },
    manifests: (exclude, charts, noHooks) =>
      readFound(files().walk(below, exclude), {
        ...(noHooks === true ? { noHooks } : {}),
        cwd: repository.root,
        noIgnore: false,
        exclude: [],
        lean: true,
        tree: files(),
        ...(charts === undefined ? {} : { charts }),
      }),
    config: async () => {
      const own = text(CONFIG_FILE);
      if (own === undefined) return undefined;
      try {
        return await parseConfig(
          own,
          CONFIG_FILE,
          async () => checks,
          (word, from) => {
            const path = joinPath(folderOf(from), word);
            const found =
              path !== undefined && (/\.ya?ml$/.test(word) || word.startsWith('.')) ? text(path) : undefined;
            // What is shared as a package is installed beside the repository, and in none of its commits.
            return found === undefined ? installed(word, repository.root) : { text: found, file: path! };
          },
          profiles.files,
        );
      } catch (error) {
        if (error instanceof UsageError) throw new UsageError(`${name}:${error.message}`, error.hint);
        throw error;
      }
    },
    linesOf: file => text(file)?.split(/\r?\n/) ?? [],
    contentOf: file => files().keyOf(contentName(file)),
    names: () => files().names(),
  };
}

function insideOf(root: string, path: string): string {
  const found = relative(root, resolve(path)).split(sep).join('/');
  if (found.startsWith('../') || found === '..')
    throw new UsageError(`${path} lies outside of the repository`);
  return found;
}

function ofPath(name: string): Read {
  const path = resolve(name);
  const isFolder = statSync(path).isDirectory();
  // Both sides call their files alike, so that the same file is the same.
  const cwd = isFolder ? path : resolve(path, '..');
  return {
    name,
    profiles: { files: { below: cwd }, root: cwd },
    manifests: (exclude, charts, noHooks) =>
      readManifests([path], {
        ...(noHooks === true ? { noHooks } : {}),
        cwd,
        noIgnore: false,
        exclude,
        lean: true,
        ...(charts === undefined ? {} : { charts }),
      }),
    config: async () =>
      isFolder && existsSync(join(path, CONFIG_FILE))
        ? readConfig(join(path, CONFIG_FILE), cwd, async () => checks)
        : undefined,
    linesOf: file => {
      try {
        return readFileSync(join(cwd, file), 'utf8').split(/\r?\n/);
      } catch {
        return [];
      }
    },
    contentOf: file => contentBelow(join(cwd, contentName(file))),
  };
}

/** A digest of a file, or of all files below a folder; empty for what cannot be read. */
function contentBelow(path: string): string {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256');
  const add = (at: string) => {
    const stats = lstatSync(at);
    hash.update(`${at.slice(path.length)}\0`);
    if (stats.isDirectory()) for (const name of readdirSync(at).sort()) add(join(at, name));
    else if (stats.isFile() && stats.size <= MAX_HASHED) hash.update(readFileSync(at));
    else hash.update(`${stats.size} ${stats.mtimeMs}`);
  };
  try {
    add(path);
    return hash.digest('hex');
  } catch {
    return '';
  }
}

const MAX_HASHED = 16 * 1024 * 1024;

/**
 * The configuration, with what the files that its profiles name hold on one side: pods are judged by the profiles that
 * their nodes will have. A file that is not there leaves what it holds unknown.
 *
 * @param named whether the user named the configuration: its files are named from the working directory
 */
async function withOwnFiles(
  config: Config,
  { profiles: { files, root } }: Read,
  named: boolean,
): Promise<Config> {
  const profiles = config.podSecurityProfiles ?? [];
  if (profiles.every(({ contents }) => contents === undefined)) return config;
  // A folder beside a configuration that was named has no files of its own.
  if (named && 'below' in files) return config;
  const { contentsOf } = await import('./profile-contents.ts');
  const own = profiles.map(async profile => {
    const inTree = (path: string) => {
      const file = besides(profile.file, path);
      return named ? relative(root, resolve(file)).split(sep).join('/') : file;
    };
    const contents = await contentsOf(profile, inTree, files, () => {});
    return contents === undefined ? profile : { ...profile, contents };
  });
  return { ...config, podSecurityProfiles: await Promise.all(own) };
}

/**
 * Both sides are judged by the base's configuration: a change must not be able to switch off the gate that judges it.
 * Exceptions are each side's own, and those that come with the change are said.
 */
async function judged(parsed: Parsed, whole: boolean, base: Read, head: Read): Promise<Compared> {
  const named = parsed.value('config');
  const given = named === undefined ? undefined : await readConfig(named, process.cwd(), async () => checks);
  const configBefore = given ?? (await base.config());
  const configAfter = given ?? (await head.config());
  const config = configBefore ?? emptyConfig;
  const configs = await Promise.all(
    [base, head].map(read => withOwnFiles(config, read, given !== undefined)),
  );
  const selected = selection(parsed, config);
  const minor = minorOf(parsed.value('target-kubernetes') ?? config.targetKubernetes, '--target-kubernetes');
  const exclude = [...config.ignore, ...parsed.values('exclude')];
  const honored = honoredTools(parsed);
  const side = async (read: Read, manifests: Manifests, own: Config, asks?: Asks): Promise<Side> => {
    const judge = configs[read === base ? 0 : 1]!;
    const judging = await judgeManifests(
      manifests,
      judge === config ? selected : selection(parsed, judge),
      { ...judge, exceptions: own.exceptions },
      minor,
      honored,
      asks,
    );
    return {
      name: read.name,
      ...(read.commit === undefined ? {} : { commit: read.commit }),
      world: judging.world,
      judgement: judging.judgement,
      accept: place => judging.accept(place),
      open: judging.open,
      exceptions: judging.exceptions.states().map(({ exception }) => exception),
      problems: exceptionFindings(judging, true),
      contentOf: read.contentOf,
      files: {
        names: read.names ?? (() => manifests.files.map(({ file }) => file)),
        linesOf: read.linesOf,
      },
    };
  };
  const [before, after] = [configBefore ?? emptyConfig, configAfter ?? emptyConfig];
  const views = [
    { looksAt: AUTHORIZATION, view: authorizationChanges },
    { looksAt: ['network'], view: meshChanges },
  ];
  const read = (all: boolean) =>
    !all && base.tree !== undefined && head.tree !== undefined
      ? readCommits(
          { tree: base.tree.files(), ...(before.charts === undefined ? {} : { charts: before.charts }) },
          { tree: head.tree.files(), ...(after.charts === undefined ? {} : { charts: after.charts }) },
          {
            cwd: head.tree.root,
            paths: head.tree.paths,
            exclude,
            // Without profiles of one's own, which ask for everything, it has nothing to look at.
            selected: selected.filter(({ check }) => idOf(check) !== CUSTOM_PROFILE),
            views: views.map(({ looksAt }) => looksAt),
            kubernetesMinor: minor,
          },
        )
      : Promise.all([base.manifests(exclude, before.charts), head.manifests(exclude, after.charts)]);
  const compareAll = async (all: boolean): Promise<Comparison | undefined> => {
    const [old, now] = await read(all);
    const asks = all ? undefined : asksAbout(old, now, minor);
    const [was, is] = [await side(base, old, before, asks), await side(head, now, after, asks)];
    // Whether an exception is of use only shows where everything is judged.
    const problems = new Set(was.problems.map(({ fingerprint }) => fingerprint));
    if (!all && is.problems.some(({ fingerprint }) => !problems.has(fingerprint))) return undefined;
    return compare(was, is, {
      selected,
      views,
      also: configChanges(before, after, chart =>
        now.files.some(({ file }) => file === joinPath(chart, 'Chart.yaml')),
      ),
    });
  };
  const records = ({ exceptions }: Config) =>
    toJson(exceptions.map(({ line: _, column: _column, ...exception }) => exception));
  // Another exception is about objects that did not change too, and so is a namespace that another profile is for.
  const all = whole || records(before) !== records(after) || (config.podSecurityProfiles ?? []).length > 0;
  const comparison = (await compareAll(all)) ?? (await compareAll(true))!;
  return { comparison, config, linesOf: head.linesOf };
}
