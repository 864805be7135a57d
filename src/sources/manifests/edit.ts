/** Changes of objects as edits of the files that hold them, proven by reading the file again. */
import { isEqual } from '#kube/equal.ts';
import type { Path } from '#kube/objects.ts';
import type { ReadDocument } from '#yaml/documents.ts';
import { EditRefused, type EditRequest, editsFor, pruned, type TextEdit, withEdits } from '#yaml/edit.ts';
import { readFast } from '#yaml/fast.ts';

export { EditRefused } from '#yaml/edit.ts';

/** Where an object stands in its file. */
export interface Place {
  readonly document: number;
  /** In the document: empty but for items of lists. */
  readonly prefix: Path;
}

/**
 * The text of a file with changes made to one of its objects.
 *
 * @param apply makes the same changes to the value, to know what must come out
 * @param read reads the text, before and after; undefined where it cannot
 * @throws EditRefused where the text cannot be edited safely, or reads otherwise than intended afterwards
 */
export function editText(
  text: string,
  place: Place,
  changes: readonly EditRequest[],
  apply: (value: unknown, changes: readonly EditRequest[]) => unknown,
  read: (text: string) => readonly ReadDocument[] | undefined,
): { readonly text: string; readonly edits: readonly TextEdit[] } {
  const before = read(text);
  const document = before?.[place.document];
  if (before === undefined || document?.is !== 'value')
    throw new EditRefused('the document is not there any more');
  const { placed, edits } = placedIn(text, document, place.prefix, changes);
  const edited = withEdits(text, edits);
  const after = read(edited);
  const intended = before.map((one, index) =>
    index === place.document && one.is === 'value' ? apply(one.value, placed) : valueIn(one),
  );
  if (after === undefined || !isEqual(after.map(valueIn), intended))
    throw new EditRefused('the file would not read as intended');
  return { text: edited, edits };
}

/**
 * The edits alone, for showing them: proven by reading the one document again.
 *
 * @throws EditRefused where they are not safe, or their proof needs the thorough reader
 */
export function editsOf(
  text: string,
  document: ReadDocument,
  prefix: Path,
  changes: readonly EditRequest[],
  apply: (value: unknown, changes: readonly EditRequest[]) => unknown,
): readonly TextEdit[] {
  if (document.is !== 'value') throw new EditRefused('the document was not read');
  const { placed, edits } = placedIn(text, document, prefix, changes);
  const { start } = document;
  const edited = withEdits(
    text.slice(start, document.end),
    edits.map(edit => ({ ...edit, start: edit.start - start, end: edit.end - start })),
  );
  const [after, ...others] = readFast(edited) ?? [];
  if (after?.is !== 'value' || others.length > 0 || !isEqual(after.value, apply(document.value, placed)))
    throw new EditRefused('the document would not read as intended');
  return edits;
}

/** The changes where they stand in the document, and their edits. What is left empty goes too, unless a comment would. */
function placedIn(
  text: string,
  document: ReadDocument & { readonly is: 'value' },
  prefix: Path,
  changes: readonly EditRequest[],
): { readonly placed: readonly EditRequest[]; readonly edits: readonly TextEdit[] } {
  const asked = changes.map(change => ({ ...change, path: [...prefix, ...change.path] }));
  const placed = pruned(document.value, asked);
  const edits = editsFor(text, document, placed);
  const takesComment = ({ start, end, text: now }: TextEdit) =>
    /(?:^|\s)#/.test(text.slice(start, end)) && !/(?:^|\s)#/.test(now);
  return placed !== asked && edits.some(takesComment)
    ? { placed: asked, edits: editsFor(text, document, asked) }
    : { placed, edits };
}

function valueIn(document: ReadDocument): unknown {
  return document.is === 'value' ? document.value : document.is;
}

const MAX_DIFF_LINES = 24;

/** The lines that edits change, ready to show: each begins with `-` or `+`. */
export function diffOf(text: string, edits: readonly TextEdit[]): string[] {
  const lines: string[] = [];
  for (const { start, end, text: replacement } of edits) {
    const from = text.lastIndexOf('\n', start - 1) + 1;
    const newline = text.indexOf('\n', end);
    const to = newline < 0 ? text.length : newline;
    const old = text.slice(from, to).split('\n');
    const now = (text.slice(from, start) + replacement + text.slice(end, to)).split('\n');
    while (old.length > 0 && now.length > 0 && old[0] === now[0]) {
      old.shift();
      now.shift();
    }
    while (old.length > 0 && now.length > 0 && old.at(-1) === now.at(-1)) {
      old.pop();
      now.pop();
    }
    lines.push(...old.map(line => `-${line.trimEnd()}`), ...now.map(line => `+${line.trimEnd()}`));
  }
  const margin = Math.min(...lines.map(line => line.slice(1).search(/\S|$/)));
  const shown = lines.map(line => `${line[0]} ${line.slice(1 + margin)}`);
  return shown.length > MAX_DIFF_LINES
    ? [...shown.slice(0, MAX_DIFF_LINES), `  and ${shown.length - MAX_DIFF_LINES} more lines`]
    : shown;
}
