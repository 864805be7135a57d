/** The environments of a chart: values files that lie next to it, each over the chart's own values. */
import type { ChartOptions } from './render.ts';

/** One way in which a chart is installed. */
export interface ChartRun {
  /** What it is called in reports: the environment, or the GitOps object that asks for it. */
  readonly environment: string;
  readonly options: ChartOptions;
}

/** The chart with nothing but its own values. */
export const DEFAULT = 'default values';

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
