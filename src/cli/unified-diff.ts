/** Unified diffs between two texts that are mostly the same. */

const CONTEXT = 3;

/** As `diff -u` and Git print it; empty where nothing differs. */
export function unifiedDiff(file: string, before: string, after: string): string {
  if (before === '' && after !== '') return wholeFile(file, after);
  const a = linesOf(before);
  const b = linesOf(after);
  const hunks = hunksOf(a, b);
  if (hunks.length === 0) return '';
  const lines = [`--- a/${file}`, `+++ b/${file}`];
  for (const group of grouped(hunks)) {
    const first = group[0]!;
    const last = group.at(-1)!;
    const from = Math.max(0, first.a - CONTEXT);
    const to = Math.min(a.length, last.a + last.removed + CONTEXT);
    const shift = first.b - first.a;
    const body: string[] = [];
    let at = from;
    for (const hunk of group) {
      body.push(...a.slice(at, hunk.a).map(line => ` ${line}`));
      body.push(...a.slice(hunk.a, hunk.a + hunk.removed).map(line => `-${line}`));
      body.push(...b.slice(hunk.b, hunk.b + hunk.added).map(line => `+${line}`));
      at = hunk.a + hunk.removed;
    }
    body.push(...a.slice(at, to).map(line => ` ${line}`));
    const added = body.filter(line => !line.startsWith('-')).length;
    lines.push(`@@ -${from + 1},${to - from} +${from + shift + 1},${added} @@`, ...body);
  }
  return `${lines.join('\n')}\n`;
}

/** A file that is not there yet. */
function wholeFile(file: string, text: string): string {
  const lines = linesOf(text);
  return `--- /dev/null\n+++ b/${file}\n@@ -0,0 +1,${lines.length} @@\n${lines.map(line => `+${line}\n`).join('')}`;
}

/** The lines as `diff` counts them: what follows the last line break is one only where there is something. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  const last = lines.pop()!;
  return last === '' ? lines : [...lines, `${last}\n\\ No newline at end of file`];
}

interface Hunk {
  readonly a: number;
  readonly b: number;
  readonly removed: number;
  readonly added: number;
}

/** Differences found by looking ahead for the nearest line that both have again: edits are small and far apart. */
function hunksOf(a: readonly string[], b: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i++;
      j++;
      continue;
    }
    const { removed, added } = nextMatch(a, b, i, j);
    hunks.push(...refined(a, b, { a: i, b: j, removed, added }));
    i += removed;
    j += added;
  }
  return hunks;
}

/** Up to so many pairs of lines are compared to find what a hunk keeps. */
const MOST_PAIRS = 250_000;

/** A hunk without the lines that both sides of it have: their longest common subsequence stays. */
function refined(a: readonly string[], b: readonly string[], hunk: Hunk): Hunk[] {
  const { removed, added } = hunk;
  if (removed === 0 || added === 0 || removed * added > MOST_PAIRS) return [hunk];
  const width = added + 1;
  // By how many lines of each side are still to come: the length of what they have in common.
  const common = new Uint32Array((removed + 1) * width);
  for (let i = removed - 1; i >= 0; i--)
    for (let j = added - 1; j >= 0; j--)
      common[i * width + j] =
        a[hunk.a + i] === b[hunk.b + j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
  const hunks: Hunk[] = [];
  let [i, j] = [0, 0];
  let [from, to] = [0, 0];
  const close = () => {
    if (i > from || j > to)
      hunks.push({ a: hunk.a + from, b: hunk.b + to, removed: i - from, added: j - to });
  };
  while (i < removed && j < added)
    if (a[hunk.a + i] === b[hunk.b + j]) {
      close();
      i++;
      j++;
      [from, to] = [i, j];
    } else if (common[(i + 1) * width + j]! >= common[i * width + j + 1]!) i++;
    else j++;
  [i, j] = [removed, added];
  close();
  return hunks;
}

/** How many lines must match again before two places count as the same. */
const ANCHOR = 2;
const LOOK_AHEAD = 400;

function nextMatch(
  a: readonly string[],
  b: readonly string[],
  i: number,
  j: number,
): { readonly removed: number; readonly added: number } {
  for (let distance = 1; distance <= LOOK_AHEAD; distance++)
    for (let removed = 0; removed <= distance; removed++) {
      const added = distance - removed;
      if (i + removed > a.length || j + added > b.length) continue;
      if (matches(a, b, i + removed, j + added)) return { removed, added };
    }
  return { removed: a.length - i, added: b.length - j };
}

function matches(a: readonly string[], b: readonly string[], i: number, j: number): boolean {
  for (let k = 0; k < ANCHOR; k++) {
    if (i + k >= a.length && j + k >= b.length) return true;
    if (a[i + k] !== b[j + k]) return false;
  }
  return true;
}

function grouped(hunks: readonly Hunk[]): Hunk[][] {
  const groups: Hunk[][] = [];
  for (const hunk of hunks) {
    const before = groups.at(-1)?.at(-1);
    if (before !== undefined && hunk.a - (before.a + before.removed) <= 2 * CONTEXT)
      groups.at(-1)!.push(hunk);
    else groups.push([hunk]);
  }
  return groups;
}
