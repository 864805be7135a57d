/** The kustomizations among the files of a scan, built; their files are read only now, and only if there are any. */
import type { Deployment } from '#sources/gitops/deployer.ts';
import type { BuiltDeployments, RememberBuild } from '#sources/gitops/kustomized.ts';
import type { RenderChart } from '#sources/kustomize/door.ts';
import { OverlaidFiles } from '#sources/kustomize/files.ts';
import type { BuildRoot, Roots } from '#sources/kustomize/roots.ts';
import { asBuffer, mayHoldMarks } from './comments.ts';
import { EditedTree, type ReadChart, type SourceTree } from './files.ts';
import { folderOf, isKustomizationName, KUSTOMIZATION_NAMES } from './recognise.ts';
import type { Found } from './walk.ts';

/** What was built, and the charts that took part in it. */
export interface Kustomizations extends Roots {
  readonly charts: ReadonlySet<string>;
  /** The files that may hold comments which speak to a tool. */
  readonly marked: ReadonlyMap<string, Uint8Array>;
  /** Builds again, with other texts for some files, and only for some of the roots. */
  readonly again: (edited: ReadonlyMap<string, string>, roots?: ReadonlySet<string>) => Promise<Roots>;
}

/**
 * @param only the kustomizations that are looked at, of those that were found; all where it is absent
 * @param remembering knows what was built before; told the charts that the builds take part of
 */
export async function readKustomizations(
  found: readonly Found[],
  tree: SourceTree,
  only?: ReadonlySet<string>,
  remembering?: (charts: Set<string>) => BuildRoot,
): Promise<Kustomizations | undefined> {
  const kustomizations = found
    .map(({ name }) => name)
    .filter(name => isKustomizationName(name) && only?.has(name) !== false);
  if (kustomizations.length === 0) return undefined;
  const { buildRoots, namedBy } = await import('#sources/kustomize/roots.ts');
  const bases = basesOutside(tree.files(found), kustomizations, namedBy);
  const charts = new Set<string>();
  const build = async (
    from: SourceTree,
    of: readonly string[],
    files = new OverlaidFiles(from.files(found), new Map(), bases),
    buildRoot?: BuildRoot,
  ): Promise<Roots> => {
    const renderChart = await chartRenderer(files, kustomizations, () => from.charts(), charts);
    const options = { top: '.', ...(renderChart === undefined ? {} : { renderChart }) };
    return buildRoots(files, of, options, buildRoot);
  };
  const files = new OverlaidFiles(tree.files(found), new Map(), bases);
  const built = await build(tree, kustomizations, files, remembering?.(charts));
  const marked = new Map<string, Uint8Array>();
  for (const name of built.used) {
    const bytes = files.get(name);
    if (bytes !== undefined && mayHoldMarks(asBuffer(bytes))) marked.set(name, bytes);
  }
  return {
    ...built,
    charts,
    marked,
    again: (texts, roots) =>
      build(
        new EditedTree(tree, texts),
        roots === undefined ? kustomizations : kustomizations.filter(one => roots.has(folderOf(one))),
      ),
  };
}

/**
 * Kustomizations that are deployed otherwise than they are written, built so.
 *
 * @param remembering knows what was built before; told the charts that each build takes part of
 */
export async function deployedKustomizations(
  deployments: readonly Deployment[],
  found: readonly Found[],
  tree: SourceTree,
  roots: ReadonlySet<string>,
  remembering?: (charts: Set<string>) => RememberBuild,
): Promise<BuiltDeployments> {
  const names = found.map(({ name }) => name);
  const kustomizations = names.filter(isKustomizationName);
  if (
    deployments.length === 0 ||
    (kustomizations.length === 0 && deployments.every(({ overrides }) => overrides === undefined))
  )
    return { built: new Map(), gaps: [] };
  const { builtDeployments } = await import('#sources/gitops/kustomized.ts');
  const files = tree.files(found);
  const charts = new Set<string>();
  const renderChart = await chartRenderer(files, kustomizations, () => tree.charts(), charts);
  return builtDeployments(
    deployments,
    files,
    names,
    roots,
    { top: '.', ...(renderChart === undefined ? {} : { renderChart }) },
    remembering?.(charts),
  );
}

/** Renders charts for kustomizations; loaded only where one of them speaks of charts. */
export async function chartRenderer(
  files: ReadonlyMap<string, Uint8Array>,
  kustomizations: readonly string[],
  charts: () => Promise<ReadChart>,
  used: Set<string> = new Set(),
): Promise<RenderChart | undefined> {
  const speaks = (file: string): boolean =>
    /helmChart|HelmChart/.test(new TextDecoder().decode(files.get(file)));
  if (!kustomizations.some(speaks)) return undefined;
  const { chartsForKustomize } = await import('#sources/helm/declared.ts');
  const readChart = await charts();
  return chartsForKustomize(chart => {
    used.add(chart);
    return readChart(chart).files;
  });
}

/** Kustomizations that others lead to, and that nobody named. Nothing real comes near. */
const MOST_BASES = 1000;

/**
 * Kustomizations that the found ones are made of and that were not named themselves: `scan overlays/prod` builds on
 * `../../base`. Only inside the tree.
 */
function basesOutside(
  files: ReadonlyMap<string, Uint8Array>,
  kustomizations: readonly string[],
  namedBy: (files: ReadonlyMap<string, Uint8Array>, kustomization: string) => readonly string[],
): string[] {
  const known = new Set(kustomizations.map(folderOf));
  const bases: string[] = [];
  const queue = [...kustomizations];
  for (const kustomization of queue)
    for (const folder of namedBy(files, kustomization)) {
      if (known.has(folder) || folder === '..' || folder.startsWith('../') || bases.length >= MOST_BASES)
        continue;
      known.add(folder);
      const own = [...KUSTOMIZATION_NAMES]
        .map(name => (folder === '' ? name : `${folder}/${name}`))
        .find(name => files.has(name));
      // What is not there is said by the build.
      if (own === undefined) continue;
      bases.push(own);
      queue.push(own);
    }
  return bases;
}
