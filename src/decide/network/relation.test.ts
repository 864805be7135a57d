/** The whole relation says what single queries say, known and unknown, in random small clusters. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '#kube/objects.ts';
import { createNetwork, type Peer } from './network.ts';
import { hasPort, type Protocol } from './ports.ts';

const spaces = ['a', 'b'];
const labels = fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('x', 'y'), { maxKeys: 2 });
const addresses = ['10.0.0.1', '10.0.0.200', '10.1.0.1', '8.8.8.8', 'fd00::1', '172.16.0.9'];
const block = fc.constantFrom('10.0.0.0/24', '10.0.0.0/8', '0.0.0.0/0', 'fd00::/8', '172.16.0.0/12');
const selector = fc.oneof(
  fc.constant({}),
  labels.map(matchLabels => ({ matchLabels })),
  fc.constant({ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }),
  fc.constant({ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['x'] }] }),
  fc.constant({ matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['a'] }] }),
);
const port = fc.oneof(
  fc.record({ port: fc.constantFrom(80, 81, 'http', 'dns'), protocol: fc.constantFrom('TCP', 'UDP') }),
  fc.record({
    port: fc.constantFrom(5, 80),
    endPort: fc.constantFrom(80, 90),
    protocol: fc.constantFrom('TCP', 'SCTP'),
  }),
  fc.constant({}),
);
const peer = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector: selector }),
  fc.record({ namespaceSelector: selector, podSelector: selector }),
  fc.record({ ipBlock: fc.record({ cidr: block }) }),
  fc.constant({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/24', '10.1.0.0/16'] } }),
  fc.constant({}),
);
const list = <Item>(item: fc.Arbitrary<Item>) => fc.array(item, { maxLength: 2 });
const networkPolicy = fc.record(
  {
    podSelector: selector,
    ingress: list(fc.record({ from: list(peer), ports: list(port) })),
    egress: list(fc.record({ to: list(peer), ports: list(port) })),
    policyTypes: fc.constantFrom(['Ingress'], ['Egress'], ['Ingress', 'Egress'], ['Ingess']),
  },
  { requiredKeys: [] },
);
const clusterPeer = fc.oneof(
  fc.record({ namespaces: selector }),
  fc.record({ pods: fc.record({ namespaceSelector: selector, podSelector: selector }) }),
);
const outwards = fc.oneof(
  clusterPeer,
  fc.record({ networks: fc.array(block, { minLength: 1, maxLength: 1 }) }),
  fc.constant({ nodes: {} }),
  fc.constant({ planets: {} }),
);
const protocols = fc.option(
  fc.constantFrom([{ destinationNamedPort: 'http' }], [{ tcp: { destinationPort: { number: 80 } } }]),
  {
    nil: undefined,
  },
);
const action = fc.constantFrom('Accept', 'Deny', 'Pass');
const clusterPolicy = fc.record({
  tier: fc.constantFrom('Admin', 'Baseline'),
  priority: fc.integer({ min: 0, max: 2 }),
  subject: fc.record({ namespaces: selector }),
  ingress: list(fc.record({ action, from: fc.tuple(clusterPeer), protocols })),
  egress: list(fc.record({ action, to: fc.tuple(outwards), protocols })),
});
const oldPorts = fc.option(
  fc.constantFrom(
    [{ portNumber: { port: 80, protocol: 'TCP' } }],
    [{ portRange: { start: 70, end: 90, protocol: 'UDP' } }],
    [{ namedPort: 'http' }],
  ),
  { nil: undefined },
);
const oldRules = (actions: readonly string[]) => ({
  ingress: list(
    fc.record({ action: fc.constantFrom(...actions), from: fc.tuple(clusterPeer), ports: oldPorts }),
  ),
  egress: list(fc.record({ action: fc.constantFrom(...actions), to: fc.tuple(outwards), ports: oldPorts })),
});
/** The kinds before ClusterNetworkPolicy: by priority, and the one baseline. */
const adminPolicy = fc.record({
  priority: fc.integer({ min: 0, max: 3 }),
  subject: fc.record({ namespaces: selector }),
  ...oldRules(['Allow', 'Deny', 'Pass']),
});
const baseline = fc.record({ subject: fc.record({ namespaces: selector }), ...oldRules(['Allow', 'Deny']) });
const podSpec = fc.record({
  hostNetwork: fc.constantFrom(false, false, false, true),
  containers: fc.constantFrom(
    [{ ports: [{ name: 'http', containerPort: 80 }] }],
    [
      {
        ports: [
          { name: 'http', containerPort: 81 },
          { name: 'dns', containerPort: 81, protocol: 'UDP' },
        ],
      },
    ],
    [],
  ),
});
const podObject = fc.record({
  namespace: fc.constantFrom(...spaces),
  labels,
  spec: podSpec,
  address: fc.option(fc.constantFrom('10.0.0.7', '10.9.0.7', 'fd00::7'), { nil: undefined }),
  template: fc.boolean(),
});

const cluster = fc
  .record({
    namespaces: fc.subarray(spaces),
    namespaceLabels: labels,
    pods: fc.array(podObject, { minLength: 1, maxLength: 5 }),
    policies: fc.array(fc.tuple(fc.constantFrom(...spaces), networkPolicy), { maxLength: 3 }),
    clusterPolicies: fc.array(clusterPolicy, { maxLength: 3 }),
    adminPolicies: fc.array(adminPolicy, { maxLength: 2 }),
    baseline: fc.option(baseline, { nil: undefined }),
    cilium: fc.boolean(),
  })
  .map(world => {
    const objects: Record<string, unknown>[] = world.namespaces.map(name => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: world.namespaceLabels },
    }));
    const peers: Peer[] = addresses.map(ip => ({ ip }));
    for (const [index, { namespace, labels: own, spec, address, template }] of world.pods.entries()) {
      const metadata = { name: `p${index}`, namespace };
      if (template) {
        const workload = { template: { metadata: { labels: own }, spec } };
        objects.push({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: workload });
        peers.push({ workload: `${namespace}/Deployment/p${index}` });
      } else {
        const status = address === undefined ? {} : { podIP: address, hostIP: address };
        objects.push({ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels: own }, spec, status });
        peers.push({ pod: `${namespace}/p${index}` });
      }
    }
    for (const [index, [namespace, spec]] of world.policies.entries())
      objects.push({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: `np${index}`, namespace },
        spec,
      });
    for (const [index, spec] of world.clusterPolicies.entries())
      objects.push({
        apiVersion: 'policy.networking.k8s.io/v1alpha2',
        kind: 'ClusterNetworkPolicy',
        metadata: { name: `c${index}` },
        spec,
      });
    const admin = (kind: string, name: string, spec: object): void => {
      objects.push({ apiVersion: 'policy.networking.k8s.io/v1alpha1', kind, metadata: { name }, spec });
    };
    for (const [index, spec] of world.adminPolicies.entries()) admin('AdminNetworkPolicy', `a${index}`, spec);
    if (world.baseline !== undefined) admin('BaselineAdminNetworkPolicy', 'default', world.baseline);
    if (world.cilium)
      objects.push({
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'c', namespace: 'a' },
        spec: { endpointSelector: { matchLabels: { app: 'x' } }, egress: [] },
      });
    return { objects: objects as unknown as KubeObject[], peers };
  });

const idOf = (side: Peer): string =>
  'pod' in side ? side.pod : 'workload' in side ? side.workload : 'ip' in side ? side.ip : '';

describe('the relation', () => {
  it('has the answer of every query', () => {
    let seen = { true: 0, false: 0, unknown: 0 };
    fc.assert(
      fc.property(
        cluster,
        fc.constantFrom(undefined, true, false),
        ({ objects, peers }, ipBlocksMatchPods) => {
          const network = createNetwork(
            objects,
            ipBlocksMatchPods === undefined ? {} : { ipBlocksMatchPods },
          );
          const relation = network.connections();
          for (const from of peers)
            for (const to of peers) {
              if (('ip' in from && 'ip' in to) || (from === to && 'pod' in from)) continue;
              const { allowed, unknown } = relation.between(
                relation.classOf(idOf(from))!,
                relation.classOf(idOf(to))!,
              );
              for (const [protocol, number] of [
                ['TCP', 80],
                ['UDP', 81],
                ['SCTP', 7],
              ] as [Protocol, number][]) {
                const answer = network.connection({ from, to, protocol, port: number }).allowed;
                const is =
                  hasPort(allowed, protocol, number) || (hasPort(unknown, protocol, number) && 'unknown');
                assert.equal(is, answer, `${idOf(from)} ${idOf(to)} ${protocol} ${number}`);
                seen = { ...seen, [String(answer)]: seen[String(answer) as 'true'] + 1 };
              }
            }
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(Math.min(...Object.values(seen)) > 500, JSON.stringify(seen));
  });

  it('puts replicas and equal workloads in one class', () => {
    const make = (index: number): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `p${index}`, namespace: 'a', labels: { app: `app-${index % 2}`, other: `${index}` } },
      spec: { containers: [] },
    });
    const objects: KubeObject[] = Array.from({ length: 50 }, (_, index) => make(index));
    const policy: KubeObject = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'np', namespace: 'a' },
      spec: { podSelector: { matchLabels: { app: 'app-0' } } },
    };
    const relation = createNetwork([...objects, policy]).connections();
    assert.deepEqual(
      relation.classes.filter(({ members }) => members.length > 0).map(({ members }) => members.length),
      [25, 25],
    );
    const [closed, open] = [relation.classOf('a/p0')!, relation.classOf('a/p1')!];
    const pairs = [...relation.pairs()].filter(
      ({ from, to }) => from.members.length > 0 && to.members.length > 0,
    );
    assert.deepEqual(
      pairs.map(({ from, to }) => [from, to]),
      [
        [closed, open],
        [open, open],
      ],
    );
  });
});
