/**
 * The fewest choices with which every demand is met: a minimum hitting set. It is exact where the search ends in time,
 * which it does for what real inputs leave after the reductions; otherwise what is returned is good, and says so.
 */
export interface HittingSet<Choice> {
  readonly chosen: ReadonlySet<Choice>;
  /** No smaller set would do. */
  readonly exact: boolean;
}

/** So many nodes of the search are looked at. */
const MOST_NODES = 50_000;

/**
 * @param demands for each demand the choices that meet it; one that nothing meets is left out
 */
export function fewest<Choice>(
  demands: readonly ReadonlySet<Choice>[],
  mostNodes: number = MOST_NODES,
): HittingSet<Choice> {
  const ids = new Map<Choice, number>();
  const choices: Choice[] = [];
  const rows = new Map<string, Set<number>>();
  for (const demand of demands) {
    if (demand.size === 0) continue;
    const row = [...demand].map(choice => {
      let id = ids.get(choice);
      if (id === undefined) {
        id = choices.push(choice) - 1;
        ids.set(choice, id);
      }
      return id;
    });
    rows.set(row.sort((a, b) => a - b).join(), new Set(row));
  }
  const chosen = new Set<number>();
  const open = reduce([...rows.values()], chosen);
  const search = new Search(mostNodes);
  for (const part of apart(open)) for (const id of search.best(part)) chosen.add(id);
  return { chosen: new Set([...chosen].sort((a, b) => a - b).map(id => choices[id]!)), exact: search.exact };
}

/** Takes what must be taken, and leaves out what changes nothing, until neither is left. */
function reduce(rows: readonly Set<number>[], chosen: Set<number>): Set<number>[] {
  let open = rows.map(row => new Set(row));
  for (;;) {
    const single = new Set(open.filter(row => row.size === 1).flatMap(row => [...row]));
    if (single.size > 0) {
      for (const id of single) chosen.add(id);
      open = open.filter(row => !share(row, single));
      continue;
    }
    // Who meets a demand meets every one that it is part of.
    const bySize = open.toSorted((a, b) => a.size - b.size);
    const least = bySize.filter((row, at) => !bySize.slice(0, at).some(one => isPart(one, row)));
    const met = new Map<number, Set<number>>();
    least.forEach((row, at) => {
      for (const id of row) met.set(id, (met.get(id) ?? new Set<number>()).add(at));
    });
    const needless = new Set<number>();
    for (const [id, own] of met)
      for (const [other, its] of met)
        if (id !== other && !needless.has(other) && isPart(own, its) && (own.size < its.size || other < id)) {
          needless.add(id);
          break;
        }
    open = least.map(row => new Set([...row].filter(id => !needless.has(id))));
    if (needless.size === 0) return open;
  }
}

function isPart(part: ReadonlySet<number>, whole: ReadonlySet<number>): boolean {
  return part.size <= whole.size && [...part].every(id => whole.has(id));
}

function share(one: ReadonlySet<number>, other: ReadonlySet<number>): boolean {
  return [...one].some(id => other.has(id));
}

/** Demands that share no choice are problems of their own. */
function apart(rows: readonly Set<number>[]): Set<number>[][] {
  const parts: { readonly ids: Set<number>; readonly rows: Set<number>[] }[] = [];
  for (const row of rows) {
    const touched = parts.filter(({ ids }) => share(ids, row));
    const merged = { ids: new Set(row), rows: [row] };
    for (const part of touched) {
      for (const id of part.ids) merged.ids.add(id);
      merged.rows.push(...part.rows);
      parts.splice(parts.indexOf(part), 1);
    }
    parts.push(merged);
  }
  return parts.map(part => part.rows);
}

class Search {
  exact = true;
  #left: number;
  #best: readonly number[] = [];

  constructor(nodes: number) {
    this.#left = nodes;
  }

  best(rows: readonly Set<number>[]): readonly number[] {
    this.#best = greedy(rows);
    this.#branch(rows, []);
    return this.#best;
  }

  #branch(rows: readonly Set<number>[], taken: readonly number[]): void {
    if (rows.length === 0) {
      if (taken.length < this.#best.length) this.#best = taken;
      return;
    }
    if (taken.length + atLeast(rows) >= this.#best.length) return;
    if (this.#left-- <= 0) {
      this.exact = false;
      return;
    }
    const [row] = rows.toSorted((a, b) => a.size - b.size);
    const meets = (id: number): number => rows.filter(one => one.has(id)).length;
    const order = [...row!].map(id => [id, meets(id)] as const).sort((a, b) => b[1] - a[1]);
    for (const [id] of order)
      this.#branch(
        rows.filter(one => !one.has(id)),
        [...taken, id],
      );
  }
}

/** Demands that share no choice need one each. */
function atLeast(rows: readonly Set<number>[]): number {
  const used = new Set<number>();
  let count = 0;
  for (const row of rows.toSorted((a, b) => a.size - b.size)) {
    if (share(row, used)) continue;
    count++;
    for (const id of row) used.add(id);
  }
  return count;
}

function greedy(rows: readonly Set<number>[]): number[] {
  const chosen: number[] = [];
  let open = rows;
  while (open.length > 0) {
    const counts = new Map<number, number>();
    for (const row of open) for (const id of row) counts.set(id, (counts.get(id) ?? 0) + 1);
    const [most] = [...counts].reduce((best, one) => (one[1] > best[1] ? one : best));
    chosen.push(most);
    open = open.filter(row => !row.has(most));
  }
  return chosen;
}
