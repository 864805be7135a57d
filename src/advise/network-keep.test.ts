import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createMesh } from '#decide/mesh/door.ts';
import { formatPorts } from '#decide/network/door.ts';
import type { KubeObject } from '#kube/objects.ts';
import { app, deployment, namespace } from '../../test/mesh.ts';
import { warningsOf } from './mesh-warnings.ts';
import { adviseNetworkPolicies } from './network.ts';
import { keptConnections } from './network-keep.ts';
import { needText } from './network-needs.ts';

const OPTIONS = { ipBlocksMatchPods: false } as const;
const cluster = [
  namespace('shop'),
  namespace('bank'),
  ...app('web', 'shop'),
  ...app('cart', 'shop'),
  ...app('pay', 'bank'),
];

function policy(name: string, ns: string, spec: object): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: ns },
    spec,
  };
}

describe('keptConnections', () => {
  it('changes nothing, whatever policies there are', () => {
    const apps = fc.constantFrom('web', 'cart', 'pay');
    const peer = fc.oneof(
      apps.map(name => ({ podSelector: { matchLabels: { app: name } } })),
      fc.constantFrom('shop', 'bank', 'ingress-nginx').map(name => ({
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
      })),
      fc.constant({ namespaceSelector: {} }),
      fc.constantFrom('10.0.0.0/8', '192.0.2.0/25').map(cidr => ({ ipBlock: { cidr } })),
    );
    const ports = fc.option(
      fc.constantFrom([{ port: 8080 }], [{ port: 53, protocol: 'UDP' }], [{ port: 1000, endPort: 2000 }]),
      { nil: undefined },
    );
    const rule = (field: string) =>
      fc
        .tuple(fc.array(peer, { minLength: 1, maxLength: 2 }), ports)
        .map(([peers, list]) => ({ [field]: peers, ...(list === undefined ? {} : { ports: list }) }));
    const spec = fc
      .tuple(
        apps,
        fc.constantFrom('shop', 'bank'),
        fc.array(rule('from'), { maxLength: 2 }),
        fc.array(rule('to'), { maxLength: 2 }),
      )
      .map(([name, ns, ingress, egress]) => ({
        ns,
        spec: {
          podSelector: { matchLabels: { app: name } },
          policyTypes: ['Ingress', 'Egress'],
          ingress,
          egress,
        },
      }));
    fc.assert(
      fc.property(fc.array(spec, { maxLength: 4 }), specs => {
        const objects = [...cluster, ...specs.map((one, index) => policy(`p${index}`, one.ns, one.spec))];
        const needs = keptConnections(objects, undefined, OPTIONS).map(({ need }) => need);
        const { changes, unmet } = adviseNetworkPolicies(objects, needs, OPTIONS);
        assert.deepEqual(unmet, []);
        assert.deepEqual(
          changes.pairs.map(({ from, to, gained, lost }) => [
            from.ids,
            from.ranges,
            to.ids,
            to.ranges,
            formatPorts(gained),
            formatPorts(lost),
          ]),
          [],
        );
      }),
      { numRuns: 60 },
    );
  });

  it('names the pods that rules name and the input does not hold', () => {
    const front = policy('cart', 'shop', {
      podSelector: { matchLabels: { app: 'cart' } },
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } } }],
          ports: [{ port: 8080 }],
        },
      ],
    });
    const needs = keptConnections([...cluster, front], ['shop'], OPTIONS).map(({ need }) => needText(need));
    assert.ok(needs.includes('ingress-nginx/(any pod) -> shop/Deployment/cart 8080/TCP'));
    assert.ok(!needs.some(text => text.startsWith('shop/Deployment/web -> shop/Deployment/cart')));
  });
});

describe('workloads without labels of their own', () => {
  const bare: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'bare', namespace: 'shop' },
    spec: { template: { spec: { containers: [{ name: 'c' }] } } },
  };

  it('get no policy: one for them would be one for every pod', () => {
    const need = { from: { workload: 'shop/Job/bare' }, to: deployment('cart', 'shop'), port: 8080 };
    const { policies, unmet, surplus } = adviseNetworkPolicies([...cluster, bare], [need], OPTIONS);
    assert.deepEqual(
      unmet.map(({ answer }) => answer),
      [false],
    );
    assert.deepEqual(surplus, []);
    const empty = policies.filter(
      ({ spec }) => JSON.stringify((spec as { podSelector: object }).podSelector) === '{}',
    );
    assert.ok(empty.every(({ metadata }) => metadata?.name === 'default-deny'));
  });

  it('and those that share labels or an identity are named', () => {
    const objects = [
      namespace('shop', { 'istio-injection': 'enabled' }),
      ...app('a', 'shop', { labels: { app: 'x' }, account: 'one' }),
      ...app('b', 'shop', { labels: { app: 'x' }, account: 'one' }),
    ];
    const texts = warningsOf(objects, { policies: [policy('p', 'shop', {})] }, createMesh(objects)).map(
      ({ text }) => text,
    );
    assert.equal(texts.length, 2);
    assert.match(texts[0]!, /shop\/Deployment\/a has no label that shop\/Deployment\/b lacks/);
    assert.match(texts[1]!, /share the identity spiffe:\/\/cluster\.local\/ns\/shop\/sa\/one/);
  });
});
