/** What one build shares: schemas, warnings, and what was asked from outside. */

import type { Origin } from '#world/origin.ts';
import type { Files } from './files.ts';
import type { Overrides } from './overrides.ts';
import type { Json } from './scalars.ts';
import type { Schemas } from './schemas.ts';

/** A chart of the tree, and what a kustomization wants of it: the arguments of `helm template`. */
export interface ChartRequest {
  readonly files: Files;
  /** The chart's folder in the files. */
  readonly chart: string;
  readonly releaseName: string;
  readonly namespace: string;
  /** Merged from the left to the right, behind the chart's own. */
  readonly values: readonly Json[];
  readonly includeCrds: boolean;
  readonly skipHooks: boolean;
  readonly skipTests: boolean;
  readonly apiVersions: readonly string[];
  readonly kubeVersion: string | undefined;
}

export interface ChartDocument {
  /** YAML of one or several objects. */
  readonly text: string;
  /** Where its values come from; without it, the kustomization that asked for the chart. */
  readonly origin?: Origin;
}

/** Renders a chart of the tree. It may throw an Error whose message says why it could not. */
export type RenderChart = (request: ChartRequest) => readonly ChartDocument[];

export interface Build {
  readonly schemas: Schemas;
  readonly warnings: string[];
  /** The kustomization files that were read, in order. */
  readonly kustomizations: string[];
  readonly renderChart: RenderChart | undefined;
  /** What is set in the kustomization that is built. */
  readonly overrides?: Overrides;
}
