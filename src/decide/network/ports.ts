/**
 * Sets of destination ports: canonical intervals per protocol. One algebra interns its sets, so that equal sets are the
 * same object and every operation on a pair is computed once.
 */

export type Protocol = 'TCP' | 'UDP' | 'SCTP';

export const PROTOCOLS: readonly Protocol[] = ['TCP', 'UDP', 'SCTP'];
export const LAST_PORT = 65535;

/** First and last port, both included. */
export type PortRange = readonly [first: number, last: number];

/** Ports per protocol: sorted intervals that neither touch nor overlap. */
export interface PortSet {
  readonly id: number;
  readonly TCP: readonly PortRange[];
  readonly UDP: readonly PortRange[];
  readonly SCTP: readonly PortRange[];
}

type Ranges = Readonly<Record<Protocol, readonly PortRange[]>>;

const EVERY_PORT: readonly PortRange[] = [[1, LAST_PORT]];
/** Room for this many sets in one number that names a pair of them. */
const PAIR = 2 ** 26;

/** Interned port sets with their operations. */
export class PortAlgebra {
  readonly none: PortSet;
  readonly all: PortSet;
  readonly #sets = new Map<string, PortSet>();
  readonly #unions = new Map<number, PortSet>();
  readonly #intersections = new Map<number, PortSet>();
  readonly #differences = new Map<number, PortSet>();

  constructor() {
    this.none = this.of({ TCP: [], UDP: [], SCTP: [] });
    this.all = this.of({ TCP: EVERY_PORT, UDP: EVERY_PORT, SCTP: EVERY_PORT });
  }

  /** The set of some ranges, in any order, overlapping or not; a range whose last port precedes its first is empty. */
  of(ranges: Partial<Ranges>): PortSet {
    const TCP = canonical(ranges.TCP);
    const UDP = canonical(ranges.UDP);
    const SCTP = canonical(ranges.SCTP);
    const key = `${TCP.join(';')}|${UDP.join(';')}|${SCTP.join(';')}`;
    let set = this.#sets.get(key);
    if (set === undefined) {
      set = { id: this.#sets.size, TCP, UDP, SCTP };
      this.#sets.set(key, set);
    }
    return set;
  }

  one(protocol: Protocol, port: number): PortSet {
    return this.of({ [protocol]: [[port, port]] });
  }

  union(a: PortSet, b: PortSet): PortSet {
    if (a === b || b === this.none || a === this.all) return a;
    if (a === this.none || b === this.all) return b;
    return this.#each(this.#unions, a, b, (left, right) => [...left, ...right]);
  }

  intersection(a: PortSet, b: PortSet): PortSet {
    if (a === b || b === this.all || a === this.none) return a;
    if (a === this.all || b === this.none) return b;
    return this.#each(this.#intersections, a, b, intersect);
  }

  /** What is in `a` and not in `b`. */
  difference(a: PortSet, b: PortSet): PortSet {
    if (b === this.none || a === this.none) return a;
    if (a === b || b === this.all) return this.none;
    return this.#each(this.#differences, a, b, (left, right) => intersect(left, complement(right)));
  }

  #each(
    known: Map<number, PortSet>,
    a: PortSet,
    b: PortSet,
    operation: (left: readonly PortRange[], right: readonly PortRange[]) => readonly PortRange[],
  ): PortSet {
    const key = a.id * PAIR + b.id;
    let set = known.get(key);
    if (set === undefined) {
      set = this.of({
        TCP: operation(a.TCP, b.TCP),
        UDP: operation(a.UDP, b.UDP),
        SCTP: operation(a.SCTP, b.SCTP),
      });
      known.set(key, set);
    }
    return set;
  }
}

export function hasPort(set: PortSet, protocol: Protocol, port: number): boolean {
  return set[protocol].some(([first, last]) => first <= port && port <= last);
}

/** Ports as people write them: `TCP 80, 443, UDP 1-65535`, `all ports` or `no port`. */
export function formatPorts(set: Ranges): string {
  const parts = PROTOCOLS.filter(protocol => set[protocol].length > 0).map(
    protocol =>
      `${protocol} ${set[protocol].map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(', ')}`,
  );
  if (parts.length === 0) return 'no port';
  const everything = PROTOCOLS.every(protocol => {
    const [range] = set[protocol];
    return range !== undefined && range[0] === 1 && range[1] === LAST_PORT;
  });
  return everything ? 'all ports' : parts.join(', ');
}

function canonical(ranges: readonly PortRange[] | undefined): readonly PortRange[] {
  if (ranges === undefined || ranges.length === 0) return [];
  const sorted = ranges.filter(([first, last]) => first <= last).sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

function intersect(a: readonly PortRange[], b: readonly PortRange[]): PortRange[] {
  const common: PortRange[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [firstA, lastA] = a[i]!;
    const [firstB, lastB] = b[j]!;
    const first = Math.max(firstA, firstB);
    const last = Math.min(lastA, lastB);
    if (first <= last) common.push([first, last]);
    if (lastA < lastB) i++;
    else j++;
  }
  return common;
}

function complement(ranges: readonly PortRange[]): PortRange[] {
  const rest: PortRange[] = [];
  let next = 1;
  for (const [first, last] of ranges) {
    if (next < first) rest.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST_PORT) rest.push([next, LAST_PORT]);
  return rest;
}
