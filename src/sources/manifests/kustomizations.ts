/** The kustomizations among the files of a scan, built; their files are read only now, and only if there are any. */
import type { RenderChart } from '#sources/kustomize/door.ts';
import type { Roots } from '#sources/kustomize/roots.ts';
import type { ReadChart, SourceTree } from './files.ts';
import { isKustomizationName } from './recognise.ts';
import type { Found } from './walk.ts';

/** What was built, and the charts that took part in it. */
export interface Kustomizations extends Roots {
  readonly charts: ReadonlySet<string>;
}

/** @param only the kustomizations that are looked at, of those that were found; all where it is absent */
export async function readKustomizations(
  found: readonly Found[],
  tree: SourceTree,
  only?: ReadonlySet<string>,
): Promise<Kustomizations | undefined> {
  const kustomizations = found
    .map(({ name }) => name)
    .filter(name => isKustomizationName(name) && only?.has(name) !== false);
  if (kustomizations.length === 0) return undefined;
  const { buildRoots } = await import('#sources/kustomize/roots.ts');
  const files = tree.files(found);
  const charts = new Set<string>();
  const renderChart = await chartRenderer(files, kustomizations, () => tree.charts(), charts);
  const options = { top: '.', ...(renderChart === undefined ? {} : { renderChart }) };
  return { ...buildRoots(files, kustomizations, options), charts };
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
  await import('#sources/helm/re2.ts');
  return chartsForKustomize(chart => {
    used.add(chart);
    return readChart(chart);
  });
}
