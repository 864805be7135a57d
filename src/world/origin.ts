/** Where an object was declared, and how to find any place inside it. */
import type { Path } from '#kube/objects.ts';

/** A place in a file. Lines and columns count from 1; the end is exclusive. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

export interface Origin {
  /** The file's name as reports show it: relative to the working directory, with forward slashes. */
  readonly file: string;
  /** The line on which the object begins, from 1. */
  readonly line: number;
  /** The document's number in its file, from 0. */
  readonly document: number;
  /** For an item of a list: its number in the list, from 0. */
  readonly item?: number;
  /** The environment that it was rendered for, where there are several. */
  readonly environment?: string;
  /**
   * The place of a field. Where the field is absent, the nearest one above it that is there; for a field that is
   * there, its key and first line rather than the whole block below it.
   */
  positionOf(path: Path): Position;
}
