/**
 * ClusterNetworkPolicy beside its API documentation: apis/v1alpha2/clusternetworkpolicy_types.go and
 * site-src/npeps/npep-285-combine-crds.md of kubernetes-sigs/network-policy-api.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { createNetwork, type Query } from './network.ts';

type Fields = Record<string, unknown>;

const namespace = (name: string, labels: Fields = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }) as KubeObject;
const pod = (id: string, spec: Fields = {}, podIP?: string): KubeObject => {
  const [space, name] = id.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: space, labels: { app: name } },
    spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }], ...spec },
    status: { phase: 'Running', ...(podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }) },
  } as KubeObject;
};
const objects = [
  namespace('shop', { team: 'shop' }),
  namespace('ops', { team: 'ops' }),
  pod('shop/web', {}, '10.0.0.1'),
  pod('shop/db', {}, '10.0.0.2'),
  pod('ops/agent', {}, '10.0.0.3'),
];
const anybody = { namespaces: {} };

function cluster(name: string, spec: Fields): KubeObject {
  return {
    apiVersion: 'policy.networking.k8s.io/v1alpha2',
    kind: 'ClusterNetworkPolicy',
    metadata: { name },
    spec: { subject: anybody, ...spec },
  } as KubeObject;
}
/** A policy of one rule for what comes in from anybody. */
const rule = (tier: string, priority: number, action: string, more: Fields = {}): KubeObject =>
  cluster(`${tier}-${priority}-${action}`, {
    tier,
    priority,
    ingress: [{ action, from: [anybody], ...more }],
  });
const admin = (priority: number, action: string, more?: Fields): KubeObject =>
  rule('Admin', priority, action, more);
const baseline = (priority: number, action: string, more?: Fields): KubeObject =>
  rule('Baseline', priority, action, more);
const namespaced = (ingress: readonly Fields[]): KubeObject =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'np', namespace: 'shop' },
    spec: { podSelector: { matchLabels: { app: 'db' } }, ingress },
  }) as KubeObject;
const [open, closed] = [namespaced([{}]), namespaced([])];

function allowed(policies: readonly KubeObject[], query: Partial<Query> = {}): boolean | 'unknown' {
  return createNetwork([...objects, ...policies]).connection({
    from: { pod: 'shop/web' },
    to: { pod: 'shop/db' },
    port: 8080,
    ...query,
  }).allowed;
}

describe('tiers of ClusterNetworkPolicy', () => {
  const cases: readonly [string, readonly KubeObject[], boolean | 'unknown'][] = [
    [
      'Admin accepts before NetworkPolicy and Baseline',
      [admin(9, 'Accept'), closed, baseline(0, 'Deny')],
      true,
    ],
    [
      'Admin denies before NetworkPolicy and Baseline',
      [admin(9, 'Deny'), open, baseline(0, 'Accept')],
      false,
    ],
    ['Admin passes to NetworkPolicy', [admin(1, 'Pass'), admin(2, 'Deny'), open], true],
    ['Admin passes to NetworkPolicy, which denies', [admin(1, 'Pass'), admin(2, 'Accept'), closed], false],
    ['Admin passes to Baseline without a NetworkPolicy', [admin(1, 'Pass'), baseline(1, 'Deny')], false],
    ['NetworkPolicy is final where it selects the pod', [open, baseline(0, 'Deny')], true],
    ['and where it denies', [closed, baseline(0, 'Accept')], false],
    ['Baseline denies what nothing decided', [baseline(0, 'Deny')], false],
    ['Baseline passes to what no policy means', [baseline(0, 'Pass'), baseline(1, 'Deny')], true],
    [
      'nothing matches: pods reach each other',
      [admin(0, 'Deny', { protocols: [{ udp: { destinationPort: { number: 8080 } } }] })],
      true,
    ],
    ['the lower number comes first', [admin(2, 'Deny'), admin(1, 'Accept')], true],
    ['in Baseline too', [baseline(2, 'Accept'), baseline(1, 'Deny')], false],
    ['of one number any may come first', [admin(1, 'Deny'), admin(1, 'Accept')], 'unknown'],
    ['a number of one tier says nothing of the other', [admin(1000, 'Deny'), baseline(0, 'Accept')], false],
  ];
  for (const [name, policies, expected] of cases) it(name, () => assert.equal(allowed(policies), expected));

  it('rules of a policy come in their order', () => {
    const both = (...actions: string[]): KubeObject =>
      cluster('c', {
        tier: 'Admin',
        priority: 1,
        ingress: actions.map(action => ({ action, from: [anybody] })),
      });
    assert.equal(allowed([both('Accept', 'Deny')]), true);
    assert.equal(allowed([both('Deny', 'Accept')]), false);
    assert.equal(allowed([both('Pass', 'Deny')]), true);
  });

  it('egress that is accepted does not open ingress', () => {
    const out = cluster('out', { tier: 'Admin', priority: 0, egress: [{ action: 'Accept', to: [anybody] }] });
    assert.equal(allowed([out, closed]), false);
    assert.equal(allowed([out, admin(1, 'Deny')]), false);
  });
});

describe('peers of ClusterNetworkPolicy', () => {
  const from = (peer: Fields): Fields => ({ from: [peer] });
  const agent = { from: { pod: 'ops/agent' } };
  const ops = { matchLabels: { team: 'ops' } };

  it('are namespaces or pods, by labels', () => {
    const byNamespace = [admin(1, 'Deny', from({ namespaces: ops }))];
    assert.equal(allowed(byNamespace, agent), false);
    assert.equal(allowed(byNamespace), true);
    const byPod = [
      admin(
        1,
        'Deny',
        from({ pods: { namespaceSelector: ops, podSelector: { matchLabels: { app: 'web' } } } }),
      ),
    ];
    assert.equal(allowed(byPod, agent), true);
    const not = [
      admin(
        1,
        'Deny',
        from({ namespaces: { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['shop'] }] } }),
      ),
    ];
    assert.equal(allowed(not, agent), false);
    assert.equal(allowed(not), true);
  });

  it('subjects are selected the same way', () => {
    const subject = { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: 'db' } } } };
    const deny = cluster('c', {
      tier: 'Admin',
      priority: 1,
      subject,
      ingress: [{ action: 'Deny', from: [anybody] }],
    });
    assert.equal(allowed([deny]), false);
    assert.equal(allowed([deny], { to: { pod: 'ops/agent' } }), true);
  });

  it('that are networks mean pods too, as the API says', () => {
    const deny = (...networks: string[]): KubeObject =>
      cluster('c', { tier: 'Admin', priority: 1, egress: [{ action: 'Deny', to: [{ networks }] }] });
    assert.equal(allowed([deny('10.0.0.2/32')]), false);
    assert.equal(allowed([deny('10.0.0.3/32')]), true);
    assert.equal(allowed([deny('0.0.0.0/0')]), false);
    assert.equal(allowed([deny('192.0.2.0/24')], { to: { ip: '192.0.2.7' } }), false);
    assert.equal(allowed([deny('192.0.2.0/24')], { to: { ip: '192.0.3.7' } }), true);
  });

  it('have ports by number, range and name', () => {
    const on = (...protocols: Fields[]): boolean | 'unknown' => allowed([admin(1, 'Deny', { protocols })]);
    assert.equal(on({ tcp: { destinationPort: { number: 8080 } } }), false);
    assert.equal(on({ tcp: { destinationPort: { number: 8081 } } }), true);
    assert.equal(on({ tcp: { destinationPort: { range: { start: 8000, end: 8080 } } } }), false);
    assert.equal(on({ sctp: { destinationPort: { number: 8080 } } }), true);
    assert.equal(on({ udp: { destinationPort: { number: 1 } } }, { destinationNamedPort: 'http' }), false);
    assert.equal(on({ destinationNamedPort: 'metrics' }), true);
  });
});

describe('a ClusterNetworkPolicy that the API server refuses is not known to be there', () => {
  const ingress = (more: Fields): Fields => ({ ingress: [{ action: 'Deny', from: [anybody], ...more }] });
  const egress = (to: Fields, more: Fields = {}): Fields => ({
    egress: [{ action: 'Deny', to: [to], ...more }],
  });
  const cases: readonly [string, Fields, string][] = [
    ['no tier', { tier: undefined, ...ingress({}) }, 'spec.tier'],
    ['a tier of its own', { tier: 'NetworkPolicy', ...ingress({}) }, 'spec.tier'],
    ['an action of the old kind', ingress({ action: 'Allow' }), 'spec.ingress.0.action'],
    ['a priority out of range', { priority: 1001, ...ingress({}) }, 'spec.priority'],
    ['no priority', { priority: undefined, ...ingress({}) }, 'spec.priority'],
    ['a rule with a long name', ingress({ name: 'x'.repeat(101) }), 'spec.ingress.0.name'],
    ['more than 25 rules', { ingress: Array(26).fill({ action: 'Deny', from: [anybody] }) }, 'spec.ingress'],
    ['networks as sources', ingress({ from: [{ networks: ['10.0.0.0/8'] }] }), 'spec.ingress.0.from.0'],
    ['a network twice', egress({ networks: ['10.0.0.0/8', '10.0.0.0/8'] }), 'spec.egress.0.to.0.networks.1'],
    ['a wrong network', egress({ networks: ['10.0.0.0'] }), 'spec.egress.0.to.0.networks.0'],
    [
      'a named port of a network',
      egress({ networks: ['10.0.0.0/8'] }, { protocols: [{ destinationNamedPort: 'http' }] }),
      'spec.egress.0.protocols',
    ],
    [
      'a domain name that is none',
      { egress: [{ action: 'Accept', to: [{ domainNames: ['a.*.com'] }] }] },
      'spec.egress.0.to.0.domainNames.0',
    ],
    [
      'a range of one port',
      ingress({ protocols: [{ tcp: { destinationPort: { range: { start: 80, end: 80 } } } }] }),
      'spec.ingress.0.protocols.0.tcp.destinationPort.range',
    ],
    [
      'ports of the old kind',
      ingress({ protocols: [{ portNumber: { port: 80 } }] }),
      'spec.ingress.0.protocols.0',
    ],
    [
      'an invalid selector',
      { subject: { namespaces: { matchExpressions: [{ key: 'a', operator: 'Is' }] } }, ...ingress({}) },
      'spec.subject.namespaces',
    ],
  ];
  for (const [name, spec, place] of cases)
    it(name, () => {
      const policy = cluster('c', { tier: 'Admin', priority: 1, ...spec });
      const network = createNetwork([...objects, policy]);
      const { allowed: is, because } = network.connection({
        from: { pod: 'shop/web' },
        to: { pod: 'shop/db' },
        port: 8080,
      });
      assert.equal(is, 'unknown');
      const named = because.find(({ object }) => object === policy);
      assert.equal(named?.path?.join('.'), place, JSON.stringify(because));
    });
});
