/**
 * `helmCharts`: charts that lie in the tree, rendered by whoever was handed in for that. Charts of repositories are
 * not fetched. Source: api/internal/builtins/HelmChartInflationGenerator.go.
 */
import { isRecord } from '#kube/objects.ts';
import type { Build } from './build-state.ts';
import type { HelmChart } from './kustomization.ts';
import { cleanPath, type Loader } from './loader.ts';
import { BuildError, type Node, NotLocalError } from './node.ts';
import { plainData, readValueOf } from './plain.ts';
import { readResources } from './read.ts';
import type { Resource } from './resource.ts';
import type { Json } from './scalars.ts';
import { OriginSource, type Place, Source } from './source.ts';

export function chartDocuments(
  args: HelmChart,
  globals: { readonly chartHome?: string },
  loader: Loader,
  build: Build,
  at: Place | undefined,
): Resource[] {
  const { name = '', version = '', repo = '' } = args;
  if (name === '') throw new BuildError('chart name cannot be empty');
  const home = globals.chartHome || 'charts';
  const folders = [
    `${home}/${name}`,
    ...(version === '' || repo === '' ? [] : [`${home}/${name}-${version}/${name}`]),
  ];
  const chart = folders
    .map(folder => cleanPath(`${loader.root}/${folder}`))
    .find(folder => loader.tree.files.has(`${folder}/Chart.yaml`));
  if (chart === undefined)
    throw new NotLocalError(
      `the chart ${name}${version === '' ? '' : ` version ${version}`}${repo === '' ? '' : ` of ${repo}`} is not vendored in ${home}`,
    );
  const documents = build.renderChart!({
    files: loader.tree.files,
    chart,
    releaseName: args.releaseName || args.nameTemplate || 'release-name',
    namespace: args.namespace ?? '',
    values: valuesOf(args, chart, loader),
    includeCrds: args.includeCRDs === true,
    skipHooks: args.skipHooks === true,
    skipTests: args.skipTests === true,
    apiVersions: args.apiVersions ?? [],
    kubeVersion: args.kubeVersion || undefined,
  });
  return documents.flatMap(({ text, origin }) => {
    const resources = readResources(new Source(chart, text), build.schemas);
    for (const { node } of resources)
      if (origin === undefined) everywhere(node!, () => at);
      else
        everywhere(node!, path => ({
          source: new OriginSource(origin.file, () => origin.positionOf(path)),
          start: 0,
          end: 0,
        }));
    return resources;
  });
}

type Path = (string | number)[];

/** Gives every node its place anew. */
function everywhere(node: Node, place: (path: Path) => Place | undefined, path: Path = []): void {
  node.at = place(path);
  node.content.forEach((child, i) => {
    if (node.kind === 'list') everywhere(child, place, [...path, i]);
    else if (i % 2 === 1) {
      const key = node.content[i - 1]!;
      everywhere(child, place, [...path, key.value]);
      key.at = child.at;
    }
  });
}

function valuesOf(args: HelmChart, chart: string, loader: Loader): Json[] {
  const file = args.valuesFile ? loader.find(args.valuesFile) : `${chart}/values.yaml`;
  const base = loader.tree.files.has(file) ? readValues(loader, file) : {};
  const inline = (args.valuesInline ?? {}) as Record<string, Json>;
  const merge = args.valuesMerge || 'override';
  if (!['override', 'merge', 'replace'].includes(merge))
    throw new BuildError(`valuesMerge must be one of override, merge or replace, not ${merge}`);
  const first =
    Object.keys(inline).length === 0
      ? base
      : merge === 'replace'
        ? inline
        : merge === 'merge'
          ? mergeValues(inline, base)
          : mergeValues(base, inline, true);
  return [first, ...(args.additionalValuesFiles ?? []).map(path => readValues(loader, loader.find(path)))];
}

function readValues(loader: Loader, file: string): Json {
  const node = readValueOf(loader.tree.source(file));
  return node === undefined ? {} : plainData(node);
}

/** @param skipsNull what is null overrides nothing, as mergo.Merge has it with override */
function mergeValues(base: Json, over: Json, skipsNull = false): Json {
  if (!isRecord(base) || !isRecord(over)) return over;
  const result: { [key: string]: Json } = { ...(base as { [key: string]: Json }) };
  for (const [key, value] of Object.entries(over as { [key: string]: Json })) {
    if (value === null && skipsNull) continue;
    result[key] = Object.hasOwn(result, key) ? mergeValues(result[key]!, value, skipsNull) : value;
  }
  return result;
}
