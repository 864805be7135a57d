/** The environments of a chart: values files that lie next to it, each over the chart's own values. */
import { toJson } from '#kube/json.ts';
import { DEFAULT_ENVIRONMENT } from '#world/environments.ts';
import type { Declared, Gap } from '#world/world.ts';
import type { ChartOptions, ValueFile } from './render.ts';

/** One way in which a chart is installed. */
export interface ChartRun {
  /** What it is called in reports: the environment, or the GitOps object that asks for it. */
  readonly environment: string;
  readonly options: ChartOptions;
  /** Where it is installed, if that is stated. */
  readonly cluster?: string;
  /** The chart's own values do not count: what is given stands in their place. */
  readonly withoutDefaults?: boolean;
  /** What is done to the objects before they are applied. */
  readonly after?: (rendered: readonly Declared[]) => {
    readonly declared: readonly Declared[];
    readonly gaps: readonly Gap[];
  };
}

/** The chart with nothing but its own values. */
export const DEFAULT = DEFAULT_ENVIRONMENT;

/** Values that show what can be set, or are meant for a pipeline, describe no environment. */
const NO_ENVIRONMENT = new Set([
  'example',
  'examples',
  'sample',
  'template',
  'schema',
  'default',
  'ci',
  'values',
]);
const MAX_ENVIRONMENTS = 50;

const NAMES = [
  /^values[-_.]([^/]+)\.ya?ml$/,
  /^([^/]+)[-_.]values\.ya?ml$/,
  /^(?:values|environments?|envs?)\/(?:values[-_.])?([^/]+?)(?:[-_.]values)?\.ya?ml$/,
  /^(?:environments?|envs?)\/([^/]+)\/values\.ya?ml$/,
];

/** The environment that a values file of a chart is for, told from its name. */
export function environmentOf(file: string): string | undefined {
  for (const name of NAMES) {
    const found = name.exec(file)?.[1];
    if (found !== undefined && !NO_ENVIRONMENT.has(found.toLowerCase())) return found;
  }
  return undefined;
}

/**
 * How a chart is installed: with its own values, and once for each environment.
 *
 * @param folder the chart's folder as reports show it
 */
export function environmentRuns(files: ReadonlyMap<string, Uint8Array>, folder: string): ChartRun[] {
  const runs: ChartRun[] = [{ environment: DEFAULT, options: {} }];
  for (const file of [...files.keys()].sort()) {
    const environment = environmentOf(file);
    if (environment === undefined || runs.length > MAX_ENVIRONMENTS) continue;
    const name = folder === '' ? file : `${folder}/${file}`;
    const text = new TextDecoder().decode(files.get(file));
    runs.push({ environment, options: { valueFiles: [{ name, text }] } });
  }
  return runs;
}

/** The same without what only runs at certain times. */
export function withoutHooks(runs: readonly ChartRun[]): ChartRun[] {
  return runs.map(run => ({ ...run, options: { ...run.options, noHooks: true } }));
}

/** What `sallyport.yaml` says of a chart. */
export interface ChartSettings extends ChartSetting {
  /** The chart's folder as reports show it. */
  readonly path: string;
  /** Each over what holds for all; without it, the values files next to the chart. */
  readonly environments?: ReadonlyMap<string, ChartSetting>;
}

export interface ChartSetting {
  readonly release?: string;
  readonly namespace?: string;
  /** Values files, as reports show them. */
  readonly values: readonly string[];
  /** Values by their paths, as `--set` has them. */
  readonly set: Readonly<Record<string, unknown>>;
}

/** @param read the text of a values file */
export function settingRuns(
  settings: ChartSettings,
  files: ReadonlyMap<string, Uint8Array>,
  folder: string,
  read: (file: string) => string,
): ChartRun[] {
  const optionsOf = (all: readonly ChartSetting[], found: readonly ValueFile[]): ChartOptions => {
    const releaseName = all.findLast(one => one.release !== undefined)?.release;
    const namespace = all.findLast(one => one.namespace !== undefined)?.namespace;
    return {
      ...(releaseName === undefined ? {} : { releaseName }),
      ...(namespace === undefined ? {} : { namespace }),
      valueFiles: [
        ...all.flatMap(({ values }) => values.map(name => ({ name, text: read(name) }))),
        ...found,
      ],
      setJson: all.flatMap(({ set }) => Object.entries(set).map(([key, value]) => `${key}=${toJson(value)}`)),
    };
  };
  if (settings.environments === undefined)
    return environmentRuns(files, folder).map(({ environment, options }) => ({
      environment,
      options: optionsOf([settings], [...(options.valueFiles ?? [])]),
    }));
  if (settings.environments.size === 0) return [{ environment: DEFAULT, options: optionsOf([settings], []) }];
  return [...settings.environments].map(([environment, own]) => ({
    environment,
    options: optionsOf([settings, own], []),
  }));
}
