/** Today's connections as needs, so that the least policies for them change nothing. */
import { deriveFlow, type Mesh } from '#decide/mesh/door.ts';
import { type AddressRange, parseRange, rangeBlocks } from '#decide/network/addresses.ts';
import { createNetwork, type Network, type NetworkOptions } from '#decide/network/door.ts';
import {
  itemsOf,
  NAMESPACE_NAME,
  namespaceOf,
  type PodEndpoint,
  sideOfId,
} from '#decide/network/inventory.ts';
import { PortAlgebra, type PortSet, PROTOCOLS } from '#decide/network/ports.ts';
import { isRecord, type KubeObject, valueAt } from '#kube/objects.ts';
import type { Intent } from './intent-search.ts';
import { peerOfObject } from './mesh-parts.ts';
import { isNetworkPolicy } from './network.ts';
import { actorsOf, type DescribedPods, describedId, NeedError, type NeedSide } from './network-needs.ts';
import { Workloads } from './network-workloads.ts';

/** More connections than this are no policies that anybody could read. */
const MOST = 200_000;
const WHY = 'it works today';

/**
 * Everything that the network surely lets through today, ports and addresses included: between workloads of the input,
 * with addresses, and with pods that today's policies name and the input does not hold.
 *
 * @param namespaces those whose workloads send or receive; all where left out
 * @param which `named`: only connections with pods that policies name and the input does not hold
 * @throws NeedError where there is too much of it
 */
export function keptConnections(
  objects: readonly KubeObject[],
  namespaces: readonly string[] | undefined,
  options: NetworkOptions,
  which: 'all' | 'named' = 'all',
): Intent[] {
  const workloads = new Workloads(objects);
  const closed = new Set(namespaces ?? workloads.namespaces());
  const described = new Map(describedPeers(objects, workloads).map(side => [describedId(side), side]));
  const needs = [...described.values()].map(side => ({ from: side, to: side, port: 1 }));
  const relation = createNetwork([...objects, ...actorsOf(needs, undefined)], options).connections();
  const ports = new PortAlgebra();
  const sideOf = ({ id }: PodEndpoint): NeedSide | undefined =>
    described.get(id) ?? (workloads.has(id) ? sideOfId(id) : undefined);
  const found: Intent[] = [];
  const add = (from: NeedSide, to: NeedSide, set: PortSet): void => {
    for (const protocol of PROTOCOLS)
      for (const [port, endPort] of set[protocol]) {
        if (found.length >= MOST)
          throw new NeedError(
            `more than ${MOST} connections work today: keep one namespace after the other, with --namespace`,
          );
        const need = { from, to, port, ...(endPort === port ? {} : { endPort }), protocol };
        found.push({ need, why: WHY, usual: true });
      }
  };
  const isClosed = ({ id, namespace }: PodEndpoint): boolean =>
    workloads.has(id) && closed.has(namespace ?? '');
  const anybody = described.get(describedId(ANYBODY))!;
  const open = openToAll(relation, describedId(anybody));
  for (const { from, to, allowed } of relation.pairs()) {
    const set = ports.of(allowed);
    if (set === ports.none) continue;
    for (const source of from.members)
      for (const destination of to.members) {
        if (!isClosed(source) && !isClosed(destination)) continue;
        if (source.id === destination.id && source.object?.kind === 'Pod') continue;
        const [a, b] = [sideOf(source), sideOf(destination)];
        if (a === undefined || b === undefined) continue;
        const isNamed = described.has(source.id) || described.has(destination.id);
        // What every pod may do needs no line for each of them.
        // What every pod may is no caller that somebody thought of.
        if (which === 'named' && (!isNamed || open.takes(destination.id, set, ports))) continue;
        if (!isNamed && open.sends(source.id, set, ports) && open.takes(destination.id, set, ports)) continue;
        add(a, b, set);
      }
    if (which === 'named') continue;
    for (const source of from.members.filter(isClosed))
      for (const cidr of blocksOf(to.ranges)) add(sideOfId(source.id), { cidr }, set);
    for (const destination of to.members.filter(isClosed))
      for (const cidr of blocksOf(from.ranges)) add({ cidr }, sideOfId(destination.id), set);
  }
  return found;
}

/** A pod with no labels, in a namespace that nothing names. */
const ANYBODY: DescribedPods = { labels: {}, namespaceLabels: {} };

function openToAll(
  relation: ReturnType<Network['connections']>,
  anybody: string,
): Record<'sends' | 'takes', (id: string, set: PortSet, ports: PortAlgebra) => boolean> {
  const all = relation.classOf(anybody)!;
  const covers = (ports: PortAlgebra, wide: PortSet, set: PortSet): boolean =>
    ports.difference(set, ports.of(wide)) === ports.none;
  return {
    sends: (id, set, ports) => covers(ports, relation.between(relation.classOf(id)!, all).allowed, set),
    takes: (id, set, ports) => covers(ports, relation.between(all, relation.classOf(id)!).allowed, set),
  };
}

/**
 * Pods of other namespaces that rules of the input name, by the namespace's name and plain labels; and everybody. Pods of
 * the input's own namespaces are there themselves: whoever may come beside them is not of today.
 */
function describedPeers(objects: readonly KubeObject[], workloads: Workloads): DescribedPods[] {
  const own = new Set(workloads.namespaces());
  const found = new Map<string, DescribedPods>([[describedId(ANYBODY), ANYBODY]]);
  const texts = (value: unknown): Readonly<Record<string, string>> | undefined => {
    const labels = valueAt(value, ['matchLabels']) ?? {};
    const plain = isRecord(labels) && Object.values(labels).every(one => typeof one === 'string');
    return plain && valueAt(value, ['matchExpressions']) === undefined
      ? (labels as Record<string, string>)
      : undefined;
  };
  for (const object of objects) {
    if (!isNetworkPolicy(object)) continue;
    for (const field of ['ingress', 'egress'])
      for (const rule of itemsOf(valueAt(object, ['spec', field])))
        for (const peer of [...itemsOf(valueAt(rule, ['from'])), ...itemsOf(valueAt(rule, ['to']))]) {
          if (!isRecord(peer) || peer['ipBlock'] !== undefined) continue;
          const namespaceLabels =
            peer['namespaceSelector'] === undefined
              ? { [NAMESPACE_NAME]: namespaceOf(object) }
              : texts(peer['namespaceSelector']);
          const labels = texts(peer['podSelector'] ?? {});
          if (labels === undefined || namespaceLabels === undefined) continue;
          const [name, ...more] = Object.keys(namespaceLabels);
          if (name !== undefined && (name !== NAMESPACE_NAME || more.length > 0)) continue;
          if (name === undefined ? Object.keys(labels).length > 0 : own.has(namespaceLabels[name]!)) continue;
          const side = { labels, namespaceLabels };
          found.set(describedId(side), side);
        }
  }
  return [...found.values()];
}

function blocksOf(ranges: readonly string[]): string[] {
  return ranges.flatMap(text => rangeBlocks(parseRange(text) as AddressRange));
}

/**
 * What the proxies of a mesh let through today between workloads of the input, on the ports that they declare.
 *
 * @throws NeedError where there is too much of it
 */
export function keptRequests(
  objects: readonly KubeObject[],
  network: Network,
  mesh: Mesh,
  endpoints: readonly PodEndpoint[],
): Intent[] {
  const workloads = new Workloads(objects);
  const own = endpoints.filter(({ id }) => workloads.has(id));
  const found: Intent[] = [];
  for (const to of own)
    for (const { protocol, port } of to.ports ?? []) {
      if (protocol !== 'TCP') continue;
      for (const from of own) {
        if (from.id === to.id) continue;
        const flow = deriveFlow(network, mesh, {
          from: peerOfObject(from.object!),
          to: peerOfObject(to.object!),
          port,
        });
        if (flow.allowed !== true) continue;
        if (found.length >= MOST)
          throw new NeedError(
            `more than ${MOST} connections work today: keep one namespace after the other, with --namespace`,
          );
        found.push({ need: { from: sideOfId(from.id), to: sideOfId(to.id), port }, why: WHY, usual: true });
      }
    }
  return found;
}
