/**
 * Two commits of one repository, read as far as their comparison needs it: the files that changed, and of the others
 * those that may hold an object that some judgement of the change looks at. What nobody looks at is the same on both
 * sides and cancels out.
 */
import { looksAtOf } from '#check/check.ts';
import {
  DEFINITIONS,
  type Facet,
  facetsOf,
  isTouched,
  kindsBeside,
  kindsOf,
  neededKinds,
} from '#judge/facets.ts';
import type { Asks, Selected } from '#judge/scan.ts';
import { pairsOf } from '#judge/sides.ts';
import { toJson } from '#kube/json.ts';
import { mayHold, type Skim, skim } from '#sources/git/skim.ts';
import type { CommitTree } from '#sources/git/tree.ts';
import { isDeployer, takesValuesFrom } from '#sources/gitops/deployer.ts';
import { type Manifests, type ReadOptions, readFound, Shared } from '#sources/manifests/manifests.ts';
import { folderOf, isChartName, isKustomizationName } from '#sources/manifests/recognise.ts';
import { isCandidate } from '#sources/manifests/walk.ts';
import { World } from '#world/world.ts';

export interface CommitSide {
  readonly tree: CommitTree;
  readonly charts?: ReadOptions['charts'];
}

export interface ReadingOptions {
  readonly cwd: string;
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly selected: readonly Selected[];
  /** What is compared beside the checks, by what it looks at. */
  readonly views: readonly (readonly Facet[])[];
  readonly kubernetesMinor: number;
}

/** What deploys other files decides what these become. */
const DEPLOYERS = [
  'argoproj.io/Application',
  'argoproj.io/ApplicationSet',
  'kustomize.toolkit.fluxcd.io/Kustomization',
  'helm.toolkit.fluxcd.io/HelmRelease',
];

/** @throws GitError where a tree is not in this clone */
export async function readCommits(
  base: CommitSide,
  head: CommitSide,
  { cwd, paths, exclude, selected, views, kubernetesMinor }: ReadingOptions,
): Promise<readonly [Manifests, Manifests]> {
  const shared = new Shared();
  const [before, after] = [base.tree.walk(paths, exclude), head.tree.walk(paths, exclude)];
  const read = (side: CommitSide, walked: typeof before, matters: ReadOptions['matters']) =>
    readFound(walked, {
      cwd,
      noIgnore: false,
      exclude: [],
      lean: true,
      shared,
      tree: side.tree,
      ...(side.charts === undefined ? {} : { charts: side.charts }),
      ...(matters === undefined ? {} : { matters, changed: files.changed }),
    });
  const files = new Files(base.tree, head.tree);
  // Charts that are installed otherwise are other charts.
  const charts = toJson([...chartsAsData(base.charts)]) === toJson([...chartsAsData(head.charts)]);
  if (charts && !(await mayChangeObjects(base, head, files))) return [NOTHING, NOTHING];
  const kinds = new Set(DEPLOYERS);
  let owners = false;
  for (let all = !charts; ; ) {
    const matters = all ? undefined : files.matters(kinds, owners);
    const [old, now] = [await read(base, before, matters), await read(head, after, matters)];
    if (all) return [old, now];
    const needed = neededFor(old, now, selected, views, kubernetesMinor);
    if (needed === undefined) all = true;
    else if ([...needed.kinds].every(kind => kinds.has(kind)) && (owners || !needed.owners))
      return [old, now];
    else {
      for (const kind of needed.kinds) kinds.add(kind);
      owners ||= needed.owners;
    }
  }
}

const NOTHING: Manifests = { files: [], declared: [], gaps: [], comments: [], renderings: [] };

/**
 * Whether any object may be another one now: a change of a README is none. Beside manifests, charts and kustomizations
 * are made of files of all kinds; whatever else deploys names no others.
 */
async function mayChangeObjects(base: CommitSide, head: CommitSide, files: Files): Promise<boolean> {
  const changed = files.allChanged();
  if (changed.length === 0) return false;
  const values = new Set(
    (head.charts ?? []).flatMap(one =>
      [one, ...(one.environments?.values() ?? [])].flatMap(({ values: names }) => names),
    ),
  );
  for (const { tree } of [base, head]) {
    const names = tree.names();
    const charts = new Set(names.filter(isChartName).map(folderOf));
    for (const name of changed) {
      if (isCandidate(name) || values.has(name) || tree.isOdd(name)) return true;
      for (let folder = name; folder !== ''; ) {
        folder = folderOf(folder);
        if (charts.has(folder)) return true;
      }
    }
    const kustomizations = names.filter(isKustomizationName);
    if (kustomizations.length === 0) continue;
    const { reachOf } = await import('#sources/manifests/reach.ts');
    const text = (name: string) => tree.content(name)?.toString('utf8');
    for (const reached of reachOf(kustomizations, { names, text }).values())
      if (reached === undefined || changed.some(name => reached.has(name))) return true;
  }
  return false;
}

/** Maps say nothing of themselves in JSON. */
function chartsAsData(charts: ReadOptions['charts'] = []): unknown[] {
  return charts.map(one => [one, [...(one.environments ?? [])]]);
}

const DEFINITION = 'apiextensions.k8s.io/CustomResourceDefinition';

/** What is known of the files of two commits without parsing them. */
class Files {
  readonly #base: CommitTree;
  readonly #head: CommitTree;
  /** By the name of the content. */
  readonly #skims = new Map<string, Skim | undefined>();
  readonly #changed = new Map<string, boolean>();

  constructor(base: CommitTree, head: CommitTree) {
    this.#base = base;
    this.#head = head;
  }

  /** Whether a file is not on both sides what it is on one. */
  readonly changed = (name: string): boolean => {
    let answer = this.#changed.get(name);
    if (answer === undefined) {
      answer = this.#head.keyOf(name) !== this.#base.keyOf(name);
      this.#changed.set(name, answer);
    }
    return answer;
  };

  /** All files that are not on both sides the same. */
  allChanged(): readonly string[] {
    const names = new Set([...this.#head.names(), ...this.#base.names()]);
    return [...names].filter(this.changed);
  }

  /** Which files matter: those that changed, and those that may hold an object of one of the kinds. */
  matters(kinds: ReadonlySet<string>, owners: boolean): (name: string) => boolean {
    const holds = mayHold(kinds);
    // A kustomization is of the kind Kustomization itself, and what it makes is in what it is made of.
    const holdsInside = mayHold([...kinds].filter(kind => !kind.endsWith('/Kustomization')));
    const makes = [...kinds].some(kind => kind === '/ConfigMap' || kind === '/Secret');
    const isDefinition = kinds.has(DEFINITIONS) ? mayHold([DEFINITION]) : () => false;
    const known = new Map<string, boolean>();
    const decide = (name: string): boolean => {
      if (this.changed(name)) return true;
      const seen = this.#skimOf(name);
      if (seen === undefined) return false;
      if (seen.pods && isDefinition(seen)) return true;
      if (isKustomizationName(name)) return holdsInside(seen) || (makes && seen.generates);
      return holds(seen) || (owners && seen.owners);
    };
    return name => {
      let answer = known.get(name);
      if (answer === undefined) {
        answer = decide(name);
        known.set(name, answer);
      }
      return answer;
    };
  }

  #skimOf(name: string): Skim | undefined {
    const key = this.#head.keyOf(name);
    if (this.#skims.has(key)) return this.#skims.get(key);
    const bytes = this.#head.content(name, false);
    const found = bytes === undefined ? undefined : skim(bytes);
    this.#skims.set(key, found);
    return found;
  }
}

/** What has to be known beside what was read; undefined for everything. */
function neededFor(
  old: Manifests,
  now: Manifests,
  selected: readonly Selected[],
  views: readonly (readonly Facet[])[],
  kubernetesMinor: number,
): { readonly kinds: ReadonlySet<string>; readonly owners: boolean } | undefined {
  const [base, head] = worldsOf(old, now, kubernetesMinor);
  const pairs = pairsOf(base, head);
  const changed = [...pairs.changed, ...pairs.added, ...pairs.removed].flatMap(pair =>
    [pair.base, pair.head].flatMap(one => one?.object ?? []),
  );
  // What is deployed otherwise now is not only what changed.
  const deployers = changed.some(isDeployer);
  const kinds = deployers
    ? undefined
    : neededKinds(
        selected,
        facetsOf(base, head, pairs),
        changed,
        changed.some(object => base.isWorkload(object) || head.isWorkload(object)),
        [...views, ['network']],
        kind => base.ofKind(kind).length > 0 || head.ofKind(kind).length > 0,
      );
  if (kinds === undefined) return undefined;
  const more = [...old.declared, ...now.declared].some(({ object }) => takesValuesFrom(object))
    ? ['/ConfigMap', '/Secret']
    : [];
  const needed = new Set([...kinds, ...more, ...kindsBeside(base, head, pairs)]);
  return {
    kinds: kindsOf(needed, [base, head]),
    owners: pairs.added.length + pairs.removed.length > 0,
  };
}

/**
 * Which checks are asked about which objects: all about what only one side has, and about what both share those whose
 * world the change touches. What a check says of the network does not change where the change does not touch it.
 */
export function asksAbout(old: Manifests, now: Manifests, kubernetesMinor: number): Asks {
  const [base, head] = worldsOf(old, now, kubernetesMinor);
  const pairs = pairsOf(base, head);
  const facets = facetsOf(base, head, pairs);
  const ownersMatter = pairs.added.length + pairs.removed.length > 0;
  const shared = new Set(old.declared);
  const common = new Set(now.declared.filter(one => shared.has(one)));
  const touched = new Map<Selected, boolean>();
  return (one, declared) => {
    let again = touched.get(one);
    if (again === undefined) {
      again = isTouched(facets, looksAtOf(one.check));
      touched.set(one, again);
    }
    if (again || (ownersMatter && declared.object.metadata?.ownerReferences !== undefined)) return true;
    return !common.has(declared) && !looksAtOf(one.check).includes('network');
  };
}

function worldsOf(old: Manifests, now: Manifests, kubernetesMinor: number): readonly [World, World] {
  const [base, head] = [old, now].map(({ declared, gaps }) => new World({ declared, gaps, kubernetesMinor }));
  return [base!, head!];
}
