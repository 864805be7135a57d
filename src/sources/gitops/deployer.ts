/** Objects that deploy what lies in a folder of a repository, and what they say of it. */
import type { KubeObject } from '#kube/objects.ts';
import type { Declared } from '#world/world.ts';

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
  /** Values that the object states itself, or takes from another one; the last one wins. */
  readonly values: readonly unknown[];
  /** As `--set`; forced to text where `string`. */
  readonly parameters: readonly { readonly text: string; readonly string: boolean }[];
  /** Values of `${VARIABLES}` in what is deployed. */
  readonly substitutions: ReadonlyMap<string, string> | undefined;
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
