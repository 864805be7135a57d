/** Texts of files under edit, and edits of them that are proven by reading them again. */
import { withChanges } from '#check/change.ts';
import type { KubeObject, Path } from '#kube/objects.ts';
import { EditRefused, editText } from '#sources/manifests/edit.ts';
import type { EditRequest } from '#yaml/edit.ts';
import { pathAt } from '#yaml/path-at.ts';
import { readDocuments } from '#yaml/read.ts';

/** Where texts come from, and which of them may be edited. */
export interface Files {
  /** The text as it stands now, without a byte order mark; undefined where there is no such file. */
  read(name: string): string | undefined;
  /** Whether the file lies in what the user named. */
  mayEdit(name: string): boolean;
}

export type Texts = ReadonlyMap<string, string>;

export const apply = (value: unknown, changes: readonly EditRequest[]): unknown =>
  withChanges(value as KubeObject, changes);

/** A place that somebody may have to look at. */
export interface Spot {
  readonly file: string;
  readonly line: number;
}

/** One way to write a change down. */
export interface Proposal extends Spot {
  /** What would be written, for whoever has to do it by hand. */
  readonly words: string;
  /**
   * The files that it changes.
   *
   * @throws EditRefused
   */
  make(): Texts;
}

/** The text of a file that may be edited. @throws EditRefused */
export function editable(files: Files, name: string): string {
  if (!files.mayEdit(name)) throw new EditRefused(`${name} is not among the files to mend`);
  const text = files.read(name);
  if (text === undefined) throw new EditRefused(`${name} cannot be read`);
  return text;
}

/** @throws EditRefused */
export function edited(
  files: Files,
  name: string,
  document: number,
  requests: readonly EditRequest[],
): string {
  const text = editable(files, name);
  return editText(text, { document, prefix: [] }, requests, apply, readDocuments).text;
}

/** The key or list item that begins at a place of a file. */
export function keyAt(
  files: Files,
  { file, line, column }: Spot & { readonly column: number },
): { readonly document: number; readonly path: Path } | undefined {
  const text = files.read(file);
  return text === undefined ? undefined : pathAt(text, readDocuments(text), line, column);
}

/** Where a key stands, or the nearest one above it that is there: a line of the first document, from 1. */
export function lineOf(files: Files, file: string, document: number, path: Path): number {
  const text = files.read(file) ?? '';
  const found = readDocuments(text)[document];
  if (found?.is !== 'value') return 1;
  let node = found.place();
  let offset = node.start;
  for (const step of path) {
    const entry = typeof step === 'number' ? node.items?.[step] : node.entries?.get(step);
    if (entry === undefined) break;
    offset = entry.start;
    node = entry.node;
  }
  return text.slice(0, found.start + offset).split('\n').length;
}
