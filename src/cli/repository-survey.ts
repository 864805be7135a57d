/** What `sallyport init` looks at: who hosts the repository, which CI system it has, and what lies in it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Manifests } from '#sources/manifests/manifests.ts';
import type { System } from './pipelines.ts';

/** The files by which a CI system is known; a folder counts where it holds a YAML file. */
const MARKS: readonly (readonly [System, readonly string[]])[] = [
  ['github', ['.github/workflows']],
  ['gitlab', ['.gitlab-ci.yml']],
  ['jenkins', ['Jenkinsfile']],
  ['circleci', ['.circleci/config.yml']],
  ['azure', ['azure-pipelines.yml']],
  ['bitbucket', ['bitbucket-pipelines.yml']],
  ['tekton', ['.tekton']],
  ['woodpecker', ['.woodpecker', '.woodpecker.yml', '.woodpecker.yaml']],
  ['drone', ['.drone.yml']],
];

const HOSTS: readonly (readonly [System, RegExp])[] = [
  ['github', /(?:^|[@/.])github\./i],
  ['gitlab', /(?:^|[@/.])gitlab\./i],
  ['azure', /dev\.azure\.com|visualstudio\.com/i],
  ['bitbucket', /(?:^|[@/.])bitbucket\./i],
  ['woodpecker', /codeberg\.org|(?:^|[@/.])(?:gitea|forgejo)\./i],
];

export interface Survey {
  /** CI systems that have files here. */
  readonly present: readonly System[];
  /** The system that comes with the host of the repository. */
  readonly hosted?: System;
  /** The branch that pull requests go to. */
  readonly branch: string;
  /** The root of the repository, where the folder lies in one. */
  readonly root?: string;
}

export function survey(folder: string): Survey {
  const found = gitFolder(folder);
  const present = MARKS.filter(([, marks]) => marks.some(mark => isMark(join(folder, mark)))).map(
    ([system]) => system,
  );
  if (found === undefined) return { present, branch: 'main' };
  const url = remoteOf(read(join(found.common, 'config')) ?? '');
  const hosted = url === undefined ? undefined : HOSTS.find(([, host]) => host.test(hostOf(url)))?.[0];
  return {
    present,
    ...(hosted === undefined ? {} : { hosted }),
    branch: branchOf(found.common),
    root: found.root,
  };
}

function isMark(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  return stats.isDirectory() ? readdirSync(path).some(name => /\.ya?ml$/.test(name)) : stats.isFile();
}

/** `https://host/path`, `ssh://git@host/path` and `git@host:path`: the path names projects, not hosts. */
function hostOf(url: string): string {
  return /^(?:[a-z+]+:\/\/)?(?:[^/@]*@)?([^/:]+)/i.exec(url)?.[1] ?? '';
}

/** The address of `origin`, else of the first remote. Source: git-config(1), syntax. */
function remoteOf(config: string): string | undefined {
  let remote: string | undefined;
  const urls = new Map<string, string>();
  for (const line of config.split(/\r?\n/)) {
    const section = /^\s*\[\s*([\w-]+)(?:\s+"([^"]*)")?\s*\]/.exec(line);
    if (section !== null) remote = section[1]!.toLowerCase() === 'remote' ? section[2] : undefined;
    const url = /^\s*url\s*=\s*(\S+)/i.exec(line)?.[1];
    if (remote !== undefined && url !== undefined && !urls.has(remote)) urls.set(remote, url);
  }
  return urls.get('origin') ?? urls.values().next().value;
}

/** What the remote calls its head; else `main` or `master` where there is one; else the branch that is checked out. */
function branchOf(git: string): string {
  const remote = /^ref: refs\/remotes\/origin\/(.+)$/m.exec(
    read(join(git, 'refs/remotes/origin/HEAD')) ?? '',
  );
  if (remote !== null) return remote[1]!.trim();
  const packed = read(join(git, 'packed-refs')) ?? '';
  for (const name of ['main', 'master'])
    if (existsSync(join(git, 'refs/heads', name)) || packed.includes(` refs/heads/${name}\n`)) return name;
  return /^ref: refs\/heads\/(.+)$/m.exec(read(join(git, 'HEAD')) ?? '')?.[1]?.trim() ?? 'main';
}

/** Source: gitrepository-layout(5): `.git` may be a file that names the folder, which may share another one. */
function gitFolder(from: string): { readonly root: string; readonly common: string } | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const inner = join(folder, '.git');
    const stats = statSync(inner, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) return { root: folder, common: inner };
    const named = stats?.isFile() === true ? /^gitdir: (.+)$/m.exec(read(inner) ?? '')?.[1] : undefined;
    if (named !== undefined) {
      const own = resolve(folder, named.trim());
      const shared = read(join(own, 'commondir'))?.trim();
      return { root: folder, common: shared === undefined ? own : resolve(own, shared) };
    }
    if (dirname(folder) === folder) return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** What the manifests are, for people. */
export interface Holdings {
  readonly objects: number;
  readonly charts: readonly string[];
  readonly overlays: readonly string[];
  readonly environments: readonly string[];
}

export function holdingsOf({ files, declared }: Manifests): Holdings {
  const folders = (names: readonly string[]) =>
    names.map(name => (name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '.')).sort();
  const of = (understood: string, name: RegExp) =>
    folders(
      files.filter(file => file.understood === understood && name.test(file.file)).map(({ file }) => file),
    );
  return {
    objects: declared.length,
    charts: of('chart', /(?:^|\/)Chart\.yaml$/),
    overlays: of('kustomization', /(?:^|\/)(?:kustomization\.ya?ml|Kustomization)$/),
    environments: [...new Set(declared.flatMap(({ environments }) => environments ?? []))]
      .map(name => (name === '' ? '.' : name))
      .sort(),
  };
}
