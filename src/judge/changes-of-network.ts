/** What a change opens and closes in the network: connections between what was there before, and ways in from outside. */
import type { SecurityChange } from '#check/comparison.ts';
import { type ChangedPair, type ChangedSide, compareNetworks } from '#decide/network/compare.ts';
import type { Exposure } from '#decide/network/exposure-types.ts';
import { createNetwork } from '#decide/network/network.ts';
import { formatPorts } from '#decide/network/ports.ts';
import { isEqual } from '#kube/equal.ts';
import { groupOf, type KubeObject, nameOf } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { changeOf, type Pair, type Pairs } from './sides.ts';

const GROUPS = [
  'networking.k8s.io',
  'policy.networking.k8s.io',
  'gateway.networking.k8s.io',
  'networking.istio.io',
  'cilium.io',
  'crd.projectcalico.org',
  'projectcalico.org',
  'route.openshift.io',
];
const CORE = ['Service', 'Namespace', 'Endpoints', 'Node'];
const MOST = 50;
const NAMES = 3;

export function networkChanges(base: World, head: World, pairs: Pairs): SecurityChange[] {
  const touched = touching(base, head, pairs);
  if (touched === undefined) return [];
  const objects = (world: World) => world.declared.map(({ object }) => object);
  const changes = compareNetworks(createNetwork(objects(base)), createNetwork(objects(head)));
  const found: SecurityChange[] = [];
  for (const pair of changes.pairs) {
    // What a new workload may reach is said of the workload; here it is about who was there before.
    if (pair.from.in !== 'both' || pair.to.in !== 'both') continue;
    found.push(...pairChange(pair, touched));
    if (found.length >= MOST) break;
  }
  for (const exposure of changes.exposure.gained) found.push(exposureChange(head, exposure, 'worse'));
  for (const exposure of changes.exposure.lost) found.push(exposureChange(base, exposure, 'better'));
  return found;
}

/** The first object of the change that the network depends on; undefined where there is none. */
function touching(base: World, head: World, { changed, added, removed }: Pairs): Pair | undefined {
  const matters = ({ kind, apiVersion }: KubeObject) =>
    GROUPS.includes(groupOf(apiVersion)) || (groupOf(apiVersion) === '' && CORE.includes(kind));
  const policies = [...changed, ...added, ...removed].filter(({ base, head }) =>
    matters((head ?? base)!.object),
  );
  const workload =
    added.find(({ head: one }) => head.isWorkload(one.object)) ??
    removed.find(({ base: one }) => base.isWorkload(one.object)) ??
    changed.find(
      pair =>
        head.isWorkload(pair.head.object) &&
        !isEqual(networkOf(base, pair.base.object), networkOf(head, pair.head.object)),
    );
  return (
    policies.find(({ base, head }) => (head ?? base)!.object.kind.includes('Polic')) ??
    policies[0] ??
    workload
  );
}

/** What of a workload the network depends on. */
function networkOf(world: World, object: KubeObject): unknown {
  return world.templatesOf(object).map(({ pod: { metadata, spec } }) => {
    const { hostNetwork, containers, initContainers } = spec;
    const ports = (list: unknown) =>
      Array.isArray(list) ? list.map(one => (one as { ports?: unknown } | null)?.ports) : undefined;
    return [
      (metadata as { labels?: unknown } | undefined)?.labels,
      hostNetwork,
      ports(containers),
      ports(initContainers),
    ];
  });
}

function pairChange({ from, to, gained, lost, perhapsGained }: ChangedPair, touched: Pair): SecurityChange[] {
  const [source, target] = [sideName(from), sideName(to)];
  const found: SecurityChange[] = [];
  const say = (text: string, direction: 'worse' | 'better', severity?: 'low') =>
    found.push(
      changeOf('mesh/opened-connection', touched, text, {
        direction,
        ...(severity === undefined ? {} : { severity }),
      }),
    );
  const [more, less, perhaps] = [gained, lost, perhapsGained].map(formatPorts);
  if (!isNone(more!)) say(`${source} may connect to ${target} on ${more} now`, 'worse');
  if (!isNone(perhaps!)) say(`${source} may perhaps connect to ${target} on ${perhaps} now`, 'worse', 'low');
  if (!isNone(less!)) say(`${source} may connect to ${target} on ${less} no more`, 'better');
  return found;
}

function isNone(ports: string): boolean {
  return ports === 'no port';
}

function sideName({ ids, ranges }: ChangedSide): string {
  if (ids.length === 0) return ranges.length > NAMES ? 'addresses outside' : `addresses ${ranges.join(', ')}`;
  const shown = ids.slice(0, NAMES).join(', ');
  return ids.length > NAMES ? `${shown} and ${ids.length - NAMES} more` : shown;
}

function exposureChange(world: World, exposure: Exposure, direction: 'worse' | 'better'): SecurityChange {
  const { entry, through, workload, port, protocol, tls } = exposure;
  const object = [...through, workload].find(one => world.declarationOf(one) !== undefined) ?? workload;
  const declared = world.declarationOf(object);
  const hosts = entry.hosts.length === 0 ? '' : ` for ${entry.hosts.slice(0, NAMES).join(', ')}`;
  const encrypted = tls === 'none' ? ', without TLS' : '';
  const text = `${workload.kind} ${nameOf(workload)} is reachable from outside on ${port}/${protocol} by ${entry.is.replace('-', ' ')}${hosts}${encrypted}${direction === 'worse' ? ' now' : ' no more'}`;
  return changeOf(
    'mesh/new-exposure',
    direction === 'worse' ? { base: undefined, head: declared } : { base: declared, head: undefined },
    text,
    { direction },
  );
}
