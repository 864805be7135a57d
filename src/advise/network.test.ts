import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '#kube/objects.ts';
import { adviseNetworkPolicies } from './network.ts';
import { type Need, NeedError } from './network-needs.ts';

function workload(
  name: string,
  namespace: string,
  labels: Record<string, string> = { app: name },
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name }] } },
    },
  };
}

const namespaces: KubeObject[] = ['shop', 'bank'].map(name => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
}));
const shop = [...namespaces, workload('web', 'shop'), workload('cart', 'shop'), workload('pay', 'bank')];
const id = (name: string, namespace = 'shop') => ({ workload: `${namespace}/Deployment/${name}` });

describe('adviseNetworkPolicies', () => {
  it('allows exactly what is needed, and proves it', () => {
    const needs: Need[] = [
      { from: { cidr: '0.0.0.0/0' }, to: id('web'), port: 8080 },
      { from: id('web'), to: id('cart'), port: 7070 },
      { from: id('cart'), to: id('pay', 'bank'), port: 9000 },
      { from: id('web'), to: { cidr: '203.0.113.0/24', except: ['203.0.113.7/32'] }, port: 443 },
    ];
    const advice = adviseNetworkPolicies(shop, needs, { ipBlocksMatchPods: false });
    assert.deepEqual(advice.unmet, []);
    assert.deepEqual(advice.surplus, []);
    assert.deepEqual(
      advice.policies.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`),
      ['bank/default-deny', 'shop/default-deny', 'bank/allow-pay', 'shop/allow-cart', 'shop/allow-web'],
    );
    assert.deepEqual(advice.policies[3]!['spec'], {
      podSelector: { matchLabels: { app: 'cart' } },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [{ podSelector: { matchLabels: { app: 'web' } } }],
          ports: [{ protocol: 'TCP', port: 7070 }],
        },
      ],
      egress: [
        {
          to: [
            {
              namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'bank' } },
              podSelector: { matchLabels: { app: 'pay' } },
            },
          ],
          ports: [{ protocol: 'TCP', port: 9000 }],
        },
      ],
    });
  });

  it('puts peers with the same ports in one rule', () => {
    const needs: Need[] = [
      { from: id('web'), to: id('pay', 'bank'), port: 1 },
      { from: id('cart'), to: id('pay', 'bank'), port: 1 },
    ];
    const { policies } = adviseNetworkPolicies(shop, needs);
    const pay = policies.find(({ metadata }) => metadata?.name === 'allow-pay')!['spec'] as {
      ingress: { from: unknown[] }[];
    };
    assert.equal(pay.ingress.length, 1);
    assert.equal(pay.ingress[0]!.from.length, 2);
  });

  it('shows what two workloads with the same labels get together', () => {
    const twins = [
      ...namespaces,
      workload('a', 'shop', { app: 'x' }),
      workload('b', 'shop', { app: 'x' }),
      workload('c', 'shop'),
    ];
    const { surplus, unmet } = adviseNetworkPolicies(twins, [{ from: id('a'), to: id('c'), port: 80 }]);
    assert.deepEqual(unmet, []);
    assert.deepEqual(
      surplus.map(({ from, to }) => [from, to]),
      [['shop/Deployment/b', 'shop/Deployment/c']],
    );
  });

  it('says that a policy of the cluster stands against a need', () => {
    const deny: KubeObject = {
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name: 'no' },
      spec: {
        tier: 'Admin',
        priority: 1,
        subject: { namespaces: {} },
        ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }],
      },
    };
    const need: Need = { from: id('web'), to: id('cart'), port: 80 };
    const { unmet } = adviseNetworkPolicies([...shop, deny], [need]);
    assert.deepEqual(
      unmet.map(({ answer, because }) => [answer, because.at(-1)?.object === deny]),
      [[false, true]],
    );
  });

  it('refuses a need of what is not there', () => {
    assert.throws(
      () => adviseNetworkPolicies(shop, [{ from: id('web'), to: id('gone'), port: 80 }]),
      NeedError,
    );
    assert.throws(
      () => adviseNetworkPolicies(shop, [{ from: id('web'), to: { cidr: '10.0.0.0/33' }, port: 80 }]),
      NeedError,
    );
  });

  it('is exact for any needs between workloads that labels tell apart', () => {
    const sides = fc.constantFrom(
      id('web'),
      id('cart'),
      id('pay', 'bank'),
      { cidr: '10.0.0.0/8' },
      { cidr: '10.1.0.0/16' },
    );
    const need = fc
      .record({
        from: sides,
        to: sides,
        port: fc.integer({ min: 1, max: 5 }),
        protocol: fc.constantFrom('TCP', 'UDP'),
      })
      .filter(
        ({ from, to }) => !('cidr' in from && 'cidr' in to) && JSON.stringify(from) !== JSON.stringify(to),
      );
    fc.assert(
      fc.property(fc.array(need, { maxLength: 8 }), needs => {
        const { unmet, surplus } = adviseNetworkPolicies(shop, needs as Need[], { ipBlocksMatchPods: false });
        assert.deepEqual([unmet, surplus], [[], []]);
      }),
      { numRuns: 100 },
    );
  });
});
