/** What was made of a chart, or of kustomizations, and how to make it again from other texts. */
import type { Declared, Gap } from '#world/world.ts';

/** Texts that stand for those of the files of these names: edits that are not written yet. */
export type EditedTexts = ReadonlyMap<string, string>;

export interface Made {
  readonly declared: readonly Declared[];
  readonly gaps: readonly Gap[];
}

export interface Rendering {
  readonly kind: 'chart' | 'kustomizations';
  /** The folder of the chart as reports show it; empty for kustomizations, which are looked at together. */
  readonly folder: string;
  readonly made: Made;
  /**
   * Makes it again.
   *
   * @param environments of kustomizations: only what was built for these folders
   */
  again(edited: EditedTexts, environments?: ReadonlySet<string>): Promise<Made>;
  /** Of kustomizations: the folders whose builds read one of the files. */
  readersOf(files: ReadonlySet<string>): ReadonlySet<string>;
  /** The names of the values files that an environment of the chart adds, the one that decides last. */
  valueFilesOf(environment: string): readonly string[];
}
