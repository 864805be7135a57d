/** What a change opens and closes in the network: connections between what was there before, and ways in from outside. */
import type { SecurityChange } from '#check/comparison.ts';
import { type ChangedPair, type ChangedSide, compareNetworks } from '#decide/network/compare.ts';
import type { Exposure } from '#decide/network/exposure-types.ts';
import { endpointId } from '#decide/network/inventory.ts';
import { createNetwork, type Network } from '#decide/network/network.ts';
import { formatPorts } from '#decide/network/ports.ts';
import { nameOf } from '#kube/objects.ts';
import { type Declared, namespaceOf, type World } from '#world/world.ts';
import { type Facet, isTouched, touchesNetwork } from './facets.ts';
import { changeOf, type Pair, type Pairs } from './sides.ts';

/** So many lines are said of connections; the rest is counted. */
const MOST = 20;
const NAMES = 3;

/** A fact: who may connect to whom. */
export function networkOf(world: World): Network {
  return createNetwork(world.declared.map(({ object }) => object));
}

export function networkChanges(
  base: World,
  head: World,
  pairs: Pairs,
  facets: ReadonlySet<Facet>,
): SecurityChange[] {
  if (!isTouched(facets, ['network'])) return [];
  const changes = compareNetworks(base.fact(networkOf), head.fact(networkOf));
  const touched = new TouchedNetwork(base, head, pairs);
  return [...connectionChanges(changes.pairs, touched), ...exposureChanges(base, head, changes.exposure)];
}

/** The objects of the change that the network depends on. */
class TouchedNetwork {
  readonly #pairs: readonly Pair[];
  readonly #byId = new Map<string, Pair>();

  constructor(base: World, head: World, { changed, added, removed }: Pairs) {
    const weight = ({ head: now, base: old }: Pair): number => {
      const { kind } = (now ?? old)!.object;
      return kind.includes('Polic') ? 0 : kind === 'Namespace' || kind === 'Service' ? 1 : 2;
    };
    this.#pairs = [...changed, ...added, ...removed]
      .filter(pair => touchesNetwork(base, head, pair))
      .sort((a, b) => weight(a) - weight(b));
    for (const pair of this.#pairs) this.#byId.set(endpointId((pair.head ?? pair.base)!.object), pair);
  }

  /** The object that most likely made the difference: one of the two sides, or a policy where they are. */
  of(ids: readonly string[]): Pair | undefined {
    for (const id of ids) {
      const own = this.#byId.get(id);
      if (own !== undefined) return own;
    }
    const namespaces = new Set(ids.map(id => id.slice(0, id.indexOf('/'))));
    return (
      this.#pairs.find(({ head, base }) => {
        const { object } = (head ?? base)!;
        return namespaces.has(object.kind === 'Namespace' ? nameOf(object) : (namespaceOf(object) ?? ''));
      }) ?? this.#pairs[0]
    );
  }
}

const DEGREES = [
  { ports: 'gained', may: 'may connect to', now: 'now', direction: 'worse' },
  { ports: 'perhapsGained', may: 'may perhaps connect to', now: 'now', direction: 'worse', severity: 'low' },
  { ports: 'lost', may: 'may connect to', now: 'no more', direction: 'better' },
] as const;

/** Connections between what was there before; those that changed alike share a line. */
function connectionChanges(changed: readonly ChangedPair[], touched: TouchedNetwork): SecurityChange[] {
  const found: SecurityChange[] = [];
  for (const { ports: which, may, now, direction, ...more } of DEGREES) {
    // What a new workload may reach is said of the workload.
    const lines = changed
      .filter(({ from, to }) => from.in === 'both' && to.in === 'both')
      .map(pair => ({ from: [pair.from], to: [pair.to], ports: formatPorts(pair[which]) }))
      .filter(({ ports }) => ports !== NO_PORT);
    const joined = join(join(lines, 'from', 'to'), 'to', 'from');
    for (const { from, to, ports } of joined.slice(0, MOST)) {
      const pair = touched.of([...from, ...to].flatMap(({ ids }) => ids));
      if (pair === undefined) continue;
      const text = `${sideName(from)} ${may} ${sideName(to)} on ${ports} ${now}`;
      found.push(changeOf('mesh/opened-connection', pair, text, { direction, ...more }));
    }
    const rest = joined.length - MOST;
    const pair = touched.of([]);
    if (rest > 0 && pair !== undefined)
      found.push(
        changeOf(
          'mesh/opened-connection',
          pair,
          `${rest} more groups of connections are ${direction === 'worse' ? 'open now' : 'open no more'}: sallyport mesh diff shows them`,
          { direction, ...more },
        ),
      );
  }
  return found;
}

interface Line {
  readonly from: readonly ChangedSide[];
  readonly to: readonly ChangedSide[];
  readonly ports: string;
}

/** Lines that are alike but for one side become one. */
function join(lines: readonly Line[], alike: 'from' | 'to', other: 'from' | 'to'): Line[] {
  const names = (sides: readonly ChangedSide[]) => sides.map(({ ids, ranges }) => [ids, ranges]);
  return [...Map.groupBy(lines, line => JSON.stringify([names(line[alike]), line.ports])).values()].map(
    group => ({ ...group[0]!, [other]: [...new Set(group.flatMap(line => line[other]))] }),
  );
}

const NO_PORT = 'no port';

function sideName(sides: readonly ChangedSide[]): string {
  const ids = [...new Set(sides.flatMap(side => side.ids))];
  const ranges = [...new Set(sides.flatMap(side => side.ranges))];
  const shown = ids.slice(0, NAMES).join(', ');
  const outside =
    ranges.length === 0
      ? []
      : [ranges.length > NAMES ? 'addresses outside' : `addresses ${ranges.join(', ')}`];
  const inside =
    ids.length === 0 ? [] : [ids.length > NAMES ? `${shown} and ${ids.length - NAMES} more` : shown];
  return [...inside, ...outside].join(', and ');
}

/** Ways in from outside; one that lost or gained its TLS is the same way. */
function exposureChanges(
  base: World,
  head: World,
  { gained, lost }: { readonly gained: readonly Exposure[]; readonly lost: readonly Exposure[] },
): SecurityChange[] {
  const keyOf = ({ entry, id, port, protocol }: Exposure) =>
    JSON.stringify([entry.is, entry.hosts, id, port, protocol]);
  const before = new Map(lost.map(one => [keyOf(one), one]));
  const now = new Set(gained.map(keyOf));
  return [
    ...gained.map(exposure => {
      const old = before.get(keyOf(exposure));
      if (old === undefined || old.tls === exposure.tls) return exposureChange(head, exposure, 'worse');
      const worse = exposure.tls === 'none';
      return changeOf(
        'mesh/lost-encryption',
        { base: undefined, head: placeOf(head, exposure) },
        `${wayIn(exposure)} ${worse ? 'without TLS now' : 'by TLS now'}`,
        { direction: worse ? 'worse' : 'better' },
      );
    }),
    ...lost.filter(one => !now.has(keyOf(one))).map(exposure => exposureChange(base, exposure, 'better')),
  ];
}

function wayIn({ entry, workload, port, protocol }: Exposure): string {
  const hosts = entry.hosts.length === 0 ? '' : ` for ${entry.hosts.slice(0, NAMES).join(', ')}`;
  return `${workload.kind} ${nameOf(workload)} is reachable from outside on ${port}/${protocol} by ${entry.is.replace('-', ' ')}${hosts}`;
}

function placeOf(world: World, { through, workload }: Exposure): Declared | undefined {
  const object = [...through, workload].find(one => world.declarationOf(one) !== undefined) ?? workload;
  return world.declarationOf(object);
}

function exposureChange(world: World, exposure: Exposure, direction: 'worse' | 'better'): SecurityChange {
  const encrypted = exposure.tls === 'none' ? ', without TLS' : '';
  const declared = placeOf(world, exposure);
  return changeOf(
    'mesh/new-exposure',
    direction === 'worse' ? { base: undefined, head: declared } : { base: declared, head: undefined },
    `${wayIn(exposure)}${encrypted}${direction === 'worse' ? ' now' : ' no more'}`,
    { direction },
  );
}
