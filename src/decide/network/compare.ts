/** Two networks side by side: the pairs that gained or lost connections, and the exposure that came or went. */
import { type AddressRange, formatRange, overlap, parseRange } from './addresses.ts';
import type { EndpointClass } from './classes.ts';
import type { Exposure } from './exposure-types.ts';
import type { Network } from './network.ts';
import { PortAlgebra, type PortSet } from './ports.ts';
import type { Connectivity, Pair } from './relation.ts';

/** Endpoints or addresses that changed alike. */
export interface ChangedSide {
  /** Pods (`ns/name`) and workloads (`ns/kind/name`). */
  readonly ids: readonly string[];
  /** Or addresses outside: blocks, or `first-last`. */
  readonly ranges: readonly string[];
  /** Whether both networks have them. */
  readonly in: 'both' | 'before' | 'after';
}

export interface ChangedPair {
  readonly from: ChangedSide;
  readonly to: ChangedSide;
  /** Allowed now, and not for certain before. */
  readonly gained: PortSet;
  /** Allowed before, and not for certain now. */
  readonly lost: PortSet;
  /** Perhaps allowed now, and certainly not before. */
  readonly perhapsGained: PortSet;
}

export interface NetworkChanges {
  readonly pairs: readonly ChangedPair[];
  readonly exposure: { readonly gained: readonly Exposure[]; readonly lost: readonly Exposure[] };
}

/** A part of both partitions. */
interface Part extends ChangedSide {
  readonly before: EndpointClass | undefined;
  readonly after: EndpointClass | undefined;
}

/** What differs between two networks. A pod or workload is the same in both by its id. */
export function compareNetworks(before: Network, after: Network): NetworkChanges {
  return {
    pairs: changedPairs(before.connections(), after.connections()),
    exposure: changedExposure(before, after),
  };
}

function changedPairs(before: Connectivity, after: Connectivity): ChangedPair[] {
  const algebra = new PortAlgebra();
  const parts = commonParts(before, after);
  const found: ChangedPair[] = [];
  const own = new Map<PortSet, PortSet>();
  /** Sets of the two networks, brought into one algebra. */
  const brought = (set: PortSet): PortSet => {
    let known = own.get(set);
    if (known === undefined) {
      known = algebra.of(set);
      own.set(set, known);
    }
    return known;
  };
  const grade = (relation: Connectivity, from: EndpointClass | undefined, to: EndpointClass | undefined) => {
    if (from === undefined || to === undefined) return { allowed: algebra.none, unknown: algebra.none };
    const { allowed, unknown }: Pair = relation.between(from, to);
    return { allowed: brought(allowed), unknown: brought(unknown) };
  };
  for (const from of parts)
    for (const to of parts) {
      if (from.ranges.length > 0 && to.ranges.length > 0) continue;
      if (from === to && isOnePod(from)) continue;
      const old = grade(before, from.before, to.before);
      const now = grade(after, from.after, to.after);
      const gained = algebra.difference(now.allowed, old.allowed);
      const lost = algebra.difference(old.allowed, now.allowed);
      const perhapsGained = algebra.difference(algebra.difference(now.unknown, old.allowed), old.unknown);
      if (gained === algebra.none && lost === algebra.none && perhapsGained === algebra.none) continue;
      found.push({ from: sideOf(from), to: sideOf(to), gained, lost, perhapsGained });
    }
  return found;
}

function sideOf({ ids, ranges, in: where }: Part): ChangedSide {
  return { ids, ranges, in: where };
}

/** Endpoints, and addresses, that are in one class before and in one class after. */
function commonParts(before: Connectivity, after: Connectivity): Part[] {
  const found = new Map<string, Part & { ids: string[] }>();
  const ids = new Set([...idsOf(before), ...idsOf(after)]);
  for (const id of ids) {
    const [old, now] = [before.classOf(id), after.classOf(id)];
    const where = old === undefined ? 'after' : now === undefined ? 'before' : 'both';
    const key = `${old?.index ?? ''}/${now?.index ?? ''}`;
    const part = found.get(key);
    if (part === undefined) found.set(key, { ids: [id], ranges: [], in: where, before: old, after: now });
    else part.ids.push(id);
  }
  return [...found.values(), ...addressParts(before, after)];
}

function* idsOf(relation: Connectivity): Iterable<string> {
  for (const { members } of relation.classes) for (const { id } of members) yield id;
}

/** Both lists of ranges cover all addresses in order: one walk over both finds the common parts. */
function addressParts(before: Connectivity, after: Connectivity): Part[] {
  const [old, now] = [rangesOf(before), rangesOf(after)];
  const found = new Map<string, Part & { ranges: string[] }>();
  for (let i = 0, j = 0; i < old.length && j < now.length; ) {
    const [left, right] = [old[i]!, now[j]!];
    const [[first, last] = left.range] = overlap([left.range], [right.range]);
    const key = `${left.of.index}/${right.of.index}`;
    const text = formatRange([first, last]);
    const part = found.get(key);
    if (part === undefined)
      found.set(key, { ids: [], ranges: [text], in: 'both', before: left.of, after: right.of });
    else part.ranges.push(text);
    if (left.range[1] === last) i++;
    if (right.range[1] === last) j++;
  }
  return [...found.values()];
}

function rangesOf(relation: Connectivity): { range: AddressRange; of: EndpointClass }[] {
  return relation.classes
    .flatMap(of => of.ranges.map(text => ({ range: parseRange(text)!, of })))
    .sort((a, b) => (a.range[0] < b.range[0] ? -1 : 1));
}

function isOnePod({ ids }: Part): boolean {
  return ids.length === 1 && ids[0]!.split('/').length === 2;
}

function changedExposure(before: Network, after: Network): NetworkChanges['exposure'] {
  const open = (network: Network): Map<string, Exposure> =>
    new Map(
      network
        .exposure()
        .exposures.filter(({ reachable }) => reachable !== false)
        .map(exposure => [exposureKey(exposure), exposure]),
    );
  const [old, now] = [open(before), open(after)];
  return {
    gained: [...now].filter(([key]) => !old.has(key)).map(([, exposure]) => exposure),
    lost: [...old].filter(([key]) => !now.has(key)).map(([, exposure]) => exposure),
  };
}

/** What makes an exposure the same one: where it comes in and where it ends, not the objects between. */
function exposureKey({ entry, id, port, protocol, tls, sources, internal }: Exposure): string {
  return JSON.stringify([entry, id, port, protocol, tls, sources, internal]);
}
