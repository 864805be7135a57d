/** What several checks ask of AuthorizationPolicies: their rules, and the workloads that they are for. */
import { type AuthorizationPolicy, readPolicies, type WorkloadMembership } from '#decide/mesh/door.ts';
import type { Peer } from '#decide/network/door.ts';
import { endpointId } from '#decide/network/inventory.ts';
import type { KubeObject } from '#kube/objects.ts';
import { valueAt } from '#kube/objects.ts';
import { namespaceOf, type World } from '#world/world.ts';
import { allPods, meshOf, peerOf, podsIn, rootNamespace, stringsIn } from './facts.ts';

export const AUTHORIZATION_POLICY = 'security.istio.io/AuthorizationPolicy';

const policies = (world: World): ReadonlyMap<KubeObject, AuthorizationPolicy> =>
  new Map(
    readPolicies(world.ofKind(AUTHORIZATION_POLICY).map(({ object }) => object)).map(policy => [
      policy.object,
      policy,
    ]),
  );

/** All policies of the input, by their objects; those that no API server takes have a problem. */
export function policiesOf(world: World): ReadonlyMap<KubeObject, AuthorizationPolicy> {
  return world.fact(policies);
}

/** A workload of the input that the deciders know. */
export interface Selected {
  readonly object: KubeObject;
  readonly id: string;
  readonly peer: Peer;
  readonly dataplane: WorkloadMembership['dataplane'];
  readonly mesh: WorkloadMembership['mesh'];
}

const workloads = (world: World): ReadonlyMap<KubeObject, Selected> =>
  new Map(
    allPods(world).flatMap(({ object }): [KubeObject, Selected][] => {
      const peer = peerOf(object, world);
      if (peer === undefined) return [];
      const { mesh, dataplane } = meshOf(world).member(peer);
      return [[object, { object, id: endpointId(object), peer, dataplane, mesh }]];
    }),
  );

/** All workloads of the input that the deciders know. */
export function workloadsOf(world: World): Iterable<Selected> {
  return world.fact(workloads).values();
}

/** Nobody reads a list of more, and each costs questions. */
const MOST = 200;

/**
 * The workloads of the input that an object of Istio's security kinds selects by labels: those of its namespace, of all
 * namespaces where it stands in the root one. At most the first few hundred.
 */
export function selectedWorkloads(object: KubeObject, world: World): readonly Selected[] {
  const namespace = namespaceOf(object);
  const candidates = namespace === rootNamespace(world) ? allPods(world) : podsIn(namespace, world);
  const wanted = Object.entries(stringsIn(valueAt(object, ['spec', 'selector', 'matchLabels'])));
  const found: Selected[] = [];
  for (const one of candidates) {
    if (!wanted.every(([key, value]) => one.labels[key] === value)) continue;
    const workload = world.fact(workloads).get(one.object);
    if (workload !== undefined) found.push(workload);
    if (found.length === MOST) break;
  }
  return found;
}
