/** Patterns for paths: `*` and `?` within a name, `**` over folders. In time proportional to pattern times text. */

/**
 * Whether a path fits a pattern. A pattern that names a folder means all below it; a leading `./` means nothing.
 *
 * @param separator what parts the names of the path
 */
export function matchesGlob(pattern: string, path: string, separator = '/'): boolean {
  const wanted = pattern.replace(/^\.\//, '').replace(/\/$/, '').split(separator);
  return steps(wanted, path.split(separator));
}

/** One row of a table: which beginnings of the pattern fit the beginning of the path read so far. */
function steps(pattern: readonly string[], path: readonly string[]): boolean {
  let row = pattern.map((_, i) => pattern.slice(0, i + 1).every(step => step === '**'));
  let start = true;
  for (const name of path) {
    const next: boolean[] = [];
    for (const [i, step] of pattern.entries()) {
      const before = i === 0 ? start : row[i - 1]!;
      const left = i > 0 && next[i - 1]!;
      if (step === '**') next.push(before || row[i]! || left);
      else next.push(before && matchesName(step, name));
    }
    start = false;
    // The whole pattern fits a beginning of the path: it names a folder above.
    if (next.at(-1) === true) return true;
    row = next;
  }
  return false;
}

/** Whether a name fits a pattern of `*`, `?` and letters: two pointers, and back only to the last asterisk. */
export function matchesName(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let from = 0;
  while (n < name.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      from = n;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++from;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
