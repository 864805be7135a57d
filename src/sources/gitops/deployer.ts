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
  /** A folder without a kustomization is deployed with the folders below it. */
  readonly isDeep: boolean;
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
