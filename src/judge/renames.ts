/**
 * Which file of one side of a comparison is which of the other: what is said of a file by its name stays said of it when
 * it is renamed. As Git sees renames: same content first, then enough of the same lines. Source: gitdiffcore(7),
 * diffcore-rename.c (find_identical_files, estimate_similarity: what is kept, over the larger of the two, half of it).
 */

/** The files of one side. */
export interface SideFiles {
  names(): readonly string[];
  /** Names the content of a file; empty where it cannot be read. */
  contentOf(file: string): string;
  linesOf(file: string): readonly string[];
}

const ENOUGH = 0.5;
/** As many as Git compares by their lines (diff.renameLimit). */
const MOST = 1000;
/** Lines of one file that are looked at: nothing real that is written by hand has more. */
const MOST_LINES = 20_000;
/** Lines of all files together. */
const MOST_READ = 2_000_000;

/**
 * What files of the head were called in the base.
 *
 * @param asked the files of the head that matter
 * @returns names of the base by those of the head, for files that were renamed
 */
export function renamesOf(
  base: SideFiles,
  head: SideFiles,
  asked: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>();
  if (asked.size === 0) return renamed;
  const were = new Set(base.names());
  const are = new Set(head.names());
  const added = [...asked].filter(name => are.has(name) && !were.has(name)).slice(0, MOST);
  if (added.length === 0) return renamed;
  const gone = new Set([...were].filter(name => !are.has(name)).slice(0, MOST));
  const take = (now: string, before: string) => {
    renamed.set(now, before);
    gone.delete(before);
  };
  const byContent = Map.groupBy(gone, name => base.contentOf(name));
  for (const name of added) {
    const content = head.contentOf(name);
    const same = content === '' ? [] : (byContent.get(content) ?? []).filter(one => gone.has(one));
    const found = same.find(one => lastOf(one) === lastOf(name)) ?? same[0];
    if (found !== undefined) take(name, found);
  }
  const left = added.filter(name => !renamed.has(name));
  if (left.length === 0 || gone.size === 0) return renamed;
  let read = 0;
  const linesOf = (side: SideFiles, name: string): Lines | undefined => {
    if (read > MOST_READ) return undefined;
    const lines = side.linesOf(name);
    read += lines.length;
    return lines.length > MOST_LINES ? undefined : linesIn(lines);
  };
  const before = [...gone].flatMap(name => {
    const lines = linesOf(base, name);
    return lines === undefined ? [] : [{ name, lines }];
  });
  const pairs = left.flatMap(name => {
    const lines = linesOf(head, name);
    if (lines === undefined) return [];
    return before.flatMap(one => {
      const score = alike(lines, one.lines);
      return score < ENOUGH ? [] : [{ name, before: one.name, score }];
    });
  });
  const isNamedAlike = (pair: { readonly name: string; readonly before: string }) =>
    lastOf(pair.name) === lastOf(pair.before) ? 1 : 0;
  for (const pair of pairs.sort((a, b) => b.score - a.score || isNamedAlike(b) - isNamedAlike(a)))
    if (!renamed.has(pair.name) && gone.has(pair.before)) take(pair.name, pair.before);
  return renamed;
}

interface Lines {
  /** How often each line is there. */
  readonly counts: ReadonlyMap<string, number>;
  readonly size: number;
}

function linesIn(lines: readonly string[]): Lines {
  const counts = new Map<string, number>();
  let size = 0;
  for (const line of lines) {
    counts.set(line, (counts.get(line) ?? 0) + 1);
    size += line.length + 1;
  }
  return { counts, size };
}

/** How much of the larger one the other one holds, in letters: from 0 to 1. */
function alike(one: Lines, other: Lines): number {
  const larger = Math.max(one.size, other.size);
  // Whatever the lines are, no more than the smaller one can be kept.
  if (Math.min(one.size, other.size) < ENOUGH * larger) return 0;
  let kept = 0;
  for (const [line, count] of one.counts)
    kept += Math.min(count, other.counts.get(line) ?? 0) * (line.length + 1);
  return kept / larger;
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
