/** Objects that deploy what lies in a folder of a repository, and what they say of it. */
import { type KubeObject, type Path, valueAt } from '#kube/objects.ts';
import type { Overrides } from '#sources/kustomize/overrides.ts';
import type { Declared } from '#world/world.ts';

/** Values that an object states: as a mapping, or as a text that holds one. */
export interface StatedValues {
  readonly value: unknown;
  readonly declared: Declared;
  /** Where in the object. */
  readonly path: Path;
}

/** One folder of the tree, as it is deployed. */
export interface Deployment {
  /** The object that asks for it. */
  readonly name: string;
  readonly declared: Declared;
  /** The cluster that it goes to, as far as that can be told from others. */
  readonly cluster: string | undefined;
  readonly folder: string;
  readonly releaseName: string;
  readonly namespace: string | undefined;
  /** Files of the tree with values, in order; the last one wins. */
  readonly valueFiles: readonly string[];
  /** Values that the object states itself, or takes from another one; over the files, the last one wins. */
  readonly values: readonly StatedValues[];
  /** As `--set`, `--set-string` and `--set-file`. */
  readonly parameters: readonly { readonly text: string; readonly kind: 'set' | 'string' | 'file' }[];
  readonly chart: ChartWishes;
  /** Values of `${VARIABLES}` in what is deployed. */
  readonly substitutions: ReadonlyMap<string, string> | undefined;
  /** What is set in the kustomization before it is built. */
  readonly overrides: Overrides | undefined;
  /** Of a chart: its own values do not count, the files stand in their place. */
  readonly replacesDefaults: boolean;
  /** Labels and annotations that everything gets last. */
  readonly commonMetadata: CommonMetadata | undefined;
  /** What is done to what a chart was rendered to. */
  readonly postRenderers: readonly PostRenderer[];
  /** A folder without a kustomization is deployed with the folders below it. */
  readonly isDeep: boolean;
}

export interface CommonMetadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface PostRenderer {
  /** Fields of a kustomization. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where in the object they stand. */
  readonly path: Path;
}

export interface ChartWishes {
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly skipSchemaValidation?: boolean;
  readonly skipTests?: boolean;
}

/** The files of a tree by name. */
export interface Tree {
  readonly names: readonly string[];
  text(name: string): string | undefined;
}

/** Whether the object is one that deploys others. */
export function isDeployer({ apiVersion, kind }: KubeObject): boolean {
  return (
    (apiVersion.startsWith('argoproj.io/') && (kind === 'Application' || kind === 'ApplicationSet')) ||
    (apiVersion.startsWith('kustomize.toolkit.fluxcd.io/') && kind === 'Kustomization') ||
    (apiVersion.startsWith('helm.toolkit.fluxcd.io/') && kind === 'HelmRelease')
  );
}

/** Whether an object of Flux takes what it fills in from other objects. */
export function takesValuesFrom(object: KubeObject): boolean {
  return (
    isDeployer(object) &&
    (valueAt(object, ['spec', 'valuesFrom']) !== undefined ||
      valueAt(object, ['spec', 'postBuild', 'substituteFrom']) !== undefined)
  );
}
