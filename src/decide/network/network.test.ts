import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { createNetwork, type NetworkOptions, type Query, QueryError } from './network.ts';

type Fields = Record<string, unknown>;

const namespace = (name: string, labels: Fields = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }) as KubeObject;
const pod = (id: string, more: { labels?: Fields; spec?: Fields; status?: Fields } = {}): KubeObject => {
  const [space, name] = id.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: space, labels: more.labels ?? { app: name } },
    spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }], ...more.spec },
    status: { phase: 'Running', ...more.status },
  } as KubeObject;
};
const policy = (spec: Fields, space = 'shop'): KubeObject =>
  ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'np', namespace: space },
    spec,
  }) as KubeObject;
const admin = (priority: number, rule: Fields, name = `anp-${priority}`): KubeObject =>
  ({
    apiVersion: 'policy.networking.k8s.io/v1alpha1',
    kind: 'AdminNetworkPolicy',
    metadata: { name },
    spec: { priority, subject: { namespaces: {} }, ingress: [{ from: [{ namespaces: {} }], ...rule }] },
  }) as KubeObject;
const baseline = (action: string): KubeObject =>
  ({
    apiVersion: 'policy.networking.k8s.io/v1alpha1',
    kind: 'BaselineAdminNetworkPolicy',
    metadata: { name: 'default' },
    spec: { subject: { namespaces: {} }, ingress: [{ action, from: [{ namespaces: {} }] }] },
  }) as KubeObject;

const shop = [namespace('shop'), pod('shop/web'), pod('shop/db')];
const web = { pod: 'shop/web' };
const db = { pod: 'shop/db' };

function allowed(objects: readonly KubeObject[], query: Partial<Query> = {}, options: NetworkOptions = {}) {
  return createNetwork(objects, options).connection({ from: web, to: db, port: 8080, ...query }).allowed;
}

describe('NetworkPolicy', () => {
  for (const [name, spec, expected] of [
    ['without policyTypes isolates for ingress', { podSelector: {} }, false],
    ['without a spec isolates for ingress', undefined, false],
    [
      'of egress only leaves ingress alone',
      { policyTypes: ['Egress'], podSelector: { matchLabels: { app: 'db' } } },
      true,
    ],
    [
      'ignores rules of a type that is not named',
      { policyTypes: ['Egress'], ingress: [], egress: [{}] },
      true,
    ],
    ['with empty policyTypes is as without', { policyTypes: [], egress: [{ ports: [{ port: 1 }] }] }, false],
    ['with an empty rule allows all', { ingress: [{}] }, true],
    ['with empty lists in a rule allows all', { ingress: [{ from: [], ports: [] }] }, true],
    ['with null lists in a rule allows all', { ingress: [{ from: null, ports: null }] }, true],
    ["allows by name, on the pod's own number", { ingress: [{ ports: [{ port: 'http' }] }] }, true],
    [
      'does not allow by a name of another protocol',
      { ingress: [{ ports: [{ port: 'http', protocol: 'UDP' }] }] },
      false,
    ],
    ['allows within endPort', { ingress: [{ ports: [{ port: 8000, endPort: 8080 }] }] }, true],
    ['means TCP where no protocol is named', { ingress: [{ ports: [{}] }] }, true],
    [
      'matches an absent key by NotIn',
      {
        ingress: [
          { from: [{ podSelector: { matchExpressions: [{ key: 'x', operator: 'NotIn', values: ['y'] }] } }] },
        ],
      },
      true,
    ],
    [
      'knows the name of a namespace',
      {
        ingress: [
          { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } } }] },
        ],
      },
      true,
    ],
  ] as const)
    it(name, () => assert.equal(allowed([...shop, policy(spec as unknown as Fields)]), expected));

  it('says which rule decided, by object and place', () => {
    const np = policy({
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'x' } } }, { podSelector: {} }] }],
    });
    const { because } = createNetwork([...shop, np]).connection({ from: web, to: db, port: 1 });
    assert.deepEqual(because, [
      { text: 'no policy restricts egress from shop/web' },
      { object: np, path: ['spec', 'ingress', 0, 'from', 1], text: 'NetworkPolicy shop/np allows ingress' },
    ]);
    assert.equal(because[1]!.object, np);
  });

  it('says which policy isolates', () => {
    const np = policy({});
    const { because } = createNetwork([...shop, np]).connection({ from: web, to: db, port: 1 });
    assert.equal(because[1]!.object, np);
    assert.match(because[1]!.text, /isolates shop\/db for ingress/);
  });

  for (const [name, spec, path] of [
    ['endPort without port', { ingress: [{ ports: [{ endPort: 1 }] }] }, 'spec.ingress.0.ports.0.endPort'],
    [
      'endPort below port',
      { ingress: [{ ports: [{ port: 2, endPort: 1 }] }] },
      'spec.ingress.0.ports.0.endPort',
    ],
    [
      'endPort with a named port',
      { ingress: [{ ports: [{ port: 'http', endPort: 1 }] }] },
      'spec.ingress.0.ports.0.endPort',
    ],
    ['a port out of range', { ingress: [{ ports: [{ port: 65536 }] }] }, 'spec.ingress.0.ports.0.port'],
    ['a port name of digits', { ingress: [{ ports: [{ port: '80' }] }] }, 'spec.ingress.0.ports.0.port'],
    [
      'an unknown protocol',
      { ingress: [{ ports: [{ protocol: 'tcp' }] }] },
      'spec.ingress.0.ports.0.protocol',
    ],
    ['an empty peer', { ingress: [{ from: [{}] }] }, 'spec.ingress.0.from.0'],
    [
      'ipBlock beside a selector',
      { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }] }] },
      'spec.ingress.0.from.0',
    ],
    [
      'a block that is none',
      { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0' } }] }] },
      'spec.ingress.0.from.0.ipBlock.cidr',
    ],
    [
      'except outside cidr',
      { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/9'] } }] }] },
      'spec.ingress.0.from.0.ipBlock.except.0',
    ],
    [
      'except as wide as cidr',
      { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }] }] },
      'spec.ingress.0.from.0.ipBlock.except.0',
    ],
    ['an unknown policy type', { policyTypes: ['ingress'] }, 'spec.policyTypes.0'],
    [
      'a selector operator that is none',
      { podSelector: { matchExpressions: [{ key: 'a', operator: 'Eq' }] } },
      'spec.podSelector',
    ],
    ['a label value that is none', { podSelector: { matchLabels: { a: '$b' } } }, 'spec.podSelector'],
    ['a label value that is a number', { podSelector: { matchLabels: { a: 1 } } }, 'spec.podSelector'],
    ['rules that are no list', { ingress: {} }, 'spec.ingress'],
  ] as const)
    it(`is not known to be there with ${name}, which the API server refuses`, () => {
      const np = policy(spec as unknown as Fields);
      const { allowed, because } = createNetwork([...shop, np]).connection({ from: web, to: db, port: 8080 });
      assert.equal(allowed, 'unknown');
      assert.ok(because.some(({ object, path: place }) => object === np && place?.join('.') === path));
    });

  it('does not touch what a refused policy cannot select', () => {
    const np = policy({
      podSelector: { matchLabels: { app: 'web' } },
      ingress: [{ from: [{}] }],
      policyTypes: ['Ingress'],
    });
    assert.equal(allowed([...shop, np], { from: { ip: '8.8.8.8' } }), true);
  });

  it('stays open where a surely good policy allows beside a refused one', () => {
    const good: KubeObject = { ...policy({ ingress: [{}] }), metadata: { name: 'good', namespace: 'shop' } };
    assert.equal(
      allowed([
        ...shop,
        good,
        policy({ podSelector: { matchLabels: { app: 'db' } }, ingress: [{ from: [{}] }] }),
      ]),
      true,
    );
  });

  it('takes the last of two with one name', () => {
    assert.equal(allowed([...shop, policy({}), policy({ ingress: [{}] })]), true);
  });
});

describe('what is not known', () => {
  it('the labels of a namespace that is not in the input', () => {
    const np = policy({ ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'a' } } }] }] });
    const objects = [...shop, pod('other/x'), np];
    const from = { pod: 'other/x' };
    assert.equal(allowed(objects, { from }), 'unknown');
    assert.equal(allowed(objects, { from }, { missingNamespaces: 'unlabelled' }), false);
    assert.equal(allowed([...objects, namespace('other', { team: 'a' })], { from }), true);
    const { because } = createNetwork(objects).connection({ from, to: db, port: 1 });
    assert.match(because.at(-1)!.text, /the labels of namespace other are not in the input/);
  });

  it('whether an ipBlock speaks of pods', () => {
    const np = policy({ ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] });
    const objects = [
      namespace('shop'),
      pod('shop/web', { status: { podIP: '10.1.1.1' } }),
      pod('shop/db'),
      np,
    ];
    assert.equal(allowed(objects), 'unknown');
    assert.equal(allowed(objects, {}, { ipBlocksMatchPods: true }), true);
    assert.equal(allowed(objects, {}, { ipBlocksMatchPods: false }), false);
    assert.equal(allowed(objects, { from: { ip: '10.1.1.1' } }, { ipBlocksMatchPods: false }), false);
    assert.equal(allowed(objects, { from: { ip: '10.1.1.2' } }, { ipBlocksMatchPods: false }), true);
  });

  it('the address of a pod that has none yet, but not that it has one', () => {
    const only = (cidr: string) => [...shop, policy({ ingress: [{ from: [{ ipBlock: { cidr } }] }] })];
    assert.equal(allowed(only('10.0.0.0/8'), {}, { ipBlocksMatchPods: true }), 'unknown');
    assert.equal(allowed(only('0.0.0.0/0'), {}, { ipBlocksMatchPods: true }), true);
    assert.equal(allowed(only('127.0.0.0/8'), {}, { ipBlocksMatchPods: true }), false);
  });

  it('of two addresses, which one a connection uses', () => {
    const np = policy({ ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] });
    const both = pod('shop/web', { status: { podIPs: [{ ip: '10.1.1.1' }, { ip: 'fd00::1' }] } });
    assert.equal(
      allowed([namespace('shop'), both, pod('shop/db'), np], {}, { ipBlocksMatchPods: true }),
      'unknown',
    );
  });

  it('labels that a controller adds', () => {
    const set: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'shop' },
      spec: { template: { metadata: { labels: { app: 'db' } }, spec: { containers: [] } } },
    };
    const to = { workload: 'shop/StatefulSet/db' };
    const selecting = (labels: Fields) => [...shop, set, policy({ podSelector: { matchLabels: labels } })];
    assert.equal(allowed(selecting({ 'statefulset.kubernetes.io/pod-name': 'db-0' }), { to }), 'unknown');
    assert.equal(allowed(selecting({ tier: 'db' }), { to }), true);
    assert.equal(allowed(selecting({ app: 'db' }), { to }), false);
  });

  it('the name of a port that only an init container declares', () => {
    const side = { name: 'side', restartPolicy: 'Always', ports: [{ name: 'admin', containerPort: 9 }] };
    const np = policy({ ingress: [{ ports: [{ port: 'admin' }] }] });
    const objects = [
      namespace('shop'),
      pod('shop/web'),
      pod('shop/db', { spec: { initContainers: [side] } }),
      np,
    ];
    assert.equal(allowed(objects, { port: 9 }), 'unknown');
    assert.equal(allowed(objects, { port: 8 }), false);
  });

  for (const [apiVersion, kind, spec] of [
    ['cilium.io/v2', 'CiliumNetworkPolicy', { endpointSelector: {}, ingress: [{}] }],
    ['projectcalico.org/v3', 'NetworkPolicy', { selector: 'all()', types: ['Ingress'] }],
    ['projectcalico.org/v3', 'GlobalNetworkPolicy', { types: ['Ingress'] }],
    ['crd.antrea.io/v1beta1', 'ClusterNetworkPolicy', { ingress: [{ action: 'Drop' }] }],
    ['policy.networking.k8s.io/v1alpha9', 'ClusterNetworkPolicy', {}],
    ['networking.k8s.io/v9', 'NetworkPolicy', {}],
  ] as const)
    it(`what ${kind} of ${apiVersion} does`, () => {
      const object = { apiVersion, kind, metadata: { name: 'p', namespace: 'shop' }, spec } as KubeObject;
      const { allowed, because } = createNetwork([...shop, object]).connection({
        from: web,
        to: db,
        port: 1,
      });
      assert.equal(allowed, 'unknown');
      assert.ok(because.some(reason => reason.object === object));
    });

  it('nothing, where a Cilium policy selects another pod, or speaks of the other direction', () => {
    const cilium = (spec: Fields) =>
      ({
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumNetworkPolicy',
        metadata: { name: 'p', namespace: 'shop' },
        spec,
      }) as KubeObject;
    assert.equal(
      allowed([...shop, cilium({ endpointSelector: { matchLabels: { app: 'x' } }, ingress: [] })]),
      true,
    );
    assert.equal(
      allowed([...shop, cilium({ endpointSelector: { matchLabels: { app: 'db' } }, egress: [] })]),
      true,
    );
  });
});

describe("the host's network", () => {
  const node = (id: string, name: string, more: Fields = {}) =>
    pod(id, { spec: { nodeName: name, ...more } });
  const agent = (name: string) =>
    pod('sys/agent', { spec: { nodeName: name, hostNetwork: true }, status: { hostIP: '172.16.0.1' } });
  const from = { pod: 'sys/agent' };
  const deny = policy({});

  it('always reaches the pods of its own node', () => {
    assert.equal(
      allowed([...shop, node('shop/db', 'n1'), agent('n1'), namespace('sys'), deny], { from }),
      true,
    );
    assert.equal(
      allowed([...shop, node('shop/db', 'n2'), agent('n1'), namespace('sys'), deny], { from }),
      false,
    );
  });

  it('may be on the same node, where that is not known', () => {
    assert.equal(allowed([...shop, agent('n1'), namespace('sys'), deny], { from }), 'unknown');
  });

  it('is not surely selected by a policy, nor named by a peer', () => {
    const np = policy({ ingress: [{ from: [{ namespaceSelector: {} }] }] });
    assert.equal(allowed([...shop, node('shop/db', 'n2'), agent('n1'), np], { from }), 'unknown');
    const sys = [...shop, node('shop/web', 'n2'), agent('n1'), policy({}, 'sys')];
    assert.equal(allowed(sys, { to: from }), 'unknown');
    assert.equal(allowed([...shop, agent('n1')], { to: from }), true);
  });

  it('is outside of cluster network policies', () => {
    const objects = [...shop, node('shop/db', 'n2'), agent('n1'), admin(1, { action: 'Deny' })];
    assert.equal(allowed(objects, { from }), true);
    assert.equal(allowed(objects), false);
  });

  it('is meant by the address of a node', () => {
    const objects = [...shop, node('shop/db', 'n1'), agent('n1'), deny];
    assert.equal(allowed(objects, { from: { ip: '172.16.0.1' } }), true);
    assert.equal(allowed(objects, { from: { ip: '172.16.0.2' } }), false);
  });
});

describe('admin and baseline policies', () => {
  for (const [name, objects, expected] of [
    ['deny before a NetworkPolicy', [admin(1, { action: 'Deny' }), policy({ ingress: [{}] })], false],
    ['allow before a NetworkPolicy', [admin(1, { action: 'Allow' }), policy({})], true],
    [
      'pass to a NetworkPolicy',
      [admin(1, { action: 'Pass' }), admin(2, { action: 'Deny' }), policy({ ingress: [{}] })],
      true,
    ],
    ['pass to the baseline', [admin(1, { action: 'Pass' }), baseline('Deny')], false],
    ['leave isolated pods out of the baseline', [baseline('Deny'), policy({ ingress: [{}] })], true],
    [
      'are asked by priority, lower first',
      [admin(2, { action: 'Deny' }), admin(1, { action: 'Allow' })],
      true,
    ],
    [
      'have no order with the same priority',
      [admin(1, { action: 'Deny' }, 'a'), admin(1, { action: 'Allow' }, 'b')],
      'unknown',
    ],
    [
      'need no order where they agree',
      [admin(1, { action: 'Deny' }, 'a'), admin(1, { action: 'Deny' }, 'b')],
      false,
    ],
    [
      'match a named port of any protocol',
      [admin(1, { action: 'Deny', ports: [{ namedPort: 'http' }] })],
      false,
    ],
    [
      'match nothing by a range that is upside down',
      [admin(1, { action: 'Deny', ports: [{ portRange: { start: 9000, end: 80 } }] })],
      true,
    ],
  ] as const)
    it(name, () => assert.equal(allowed([...shop, ...objects]), expected));

  const refused: [string, Fields][] = [
    ['an unknown action', { action: 'Accept' }],
    ['no action', {}],
    ['no peers', { action: 'Deny', from: [] }],
    ['two kinds of peer in one', { action: 'Deny', from: [{ namespaces: {}, pods: { podSelector: {} } }] }],
    ['a peer of unknown kind', { action: 'Deny', from: [{ planets: {} }] }],
    ['networks as a source', { action: 'Deny', from: [{ networks: ['10.0.0.0/8'] }] }],
    ['empty ports', { action: 'Deny', ports: [] }],
    ['two ports in one', { action: 'Deny', ports: [{ namedPort: 'a', portNumber: { port: 1 } }] }],
  ];
  for (const [name, rule] of refused)
    it(`are not known to be there with ${name}`, () =>
      assert.equal(allowed([...shop, admin(1, rule)]), 'unknown'));

  it('are not known to be there with a priority out of range, or a baseline of another name', () => {
    assert.equal(allowed([...shop, admin(1001, { action: 'Deny' })]), 'unknown');
    const other = { ...baseline('Deny'), metadata: { name: 'other' } };
    assert.equal(allowed([...shop, other]), 'unknown');
  });

  const outwards = (rule: Fields): KubeObject =>
    ({
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name: 'c' },
      spec: { tier: 'Admin', priority: 1, subject: { namespaces: {} }, egress: [rule] },
    }) as KubeObject;
  const to = { ip: '172.30.0.1' };
  const toNodes = outwards({ action: 'Deny', to: [{ nodes: { matchLabels: { zone: 'a' } } }] });
  const aNode = (zone: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', labels: { zone } },
    status: { addresses: [{ type: 'InternalIP', address: '172.30.0.1' }] },
  });

  it('name nodes by the addresses in their status', () => {
    assert.equal(allowed([...shop, toNodes], { to }), 'unknown');
    assert.equal(
      allowed([...shop, toNodes, aNode('a'), pod('shop/web', { spec: { nodeName: 'n2' } })], { to }),
      false,
    );
    assert.equal(allowed([...shop, toNodes, aNode('b')], { to }), true);
    assert.equal(allowed([...shop, toNodes, aNode('a')]), true);
  });

  it('name domains that any address may have', () => {
    const names = outwards({ action: 'Accept', to: [{ domainNames: ['*.example.com'] }] });
    const deny = {
      ...outwards({ action: 'Deny', to: [{ networks: ['0.0.0.0/0'] }] }),
      metadata: { name: 'd' },
    };
    const last = {
      ...deny,
      spec: { ...((deny as KubeObject)['spec'] as Fields), priority: 2 },
    } as KubeObject;
    assert.equal(allowed([...shop, names, last], { to: { ip: '8.8.8.8' } }), 'unknown');
    assert.equal(allowed([...shop, last], { to: { ip: '8.8.8.8' } }), false);
    const refused = outwards({ action: 'Deny', to: [{ domainNames: ['example.com'] }] });
    assert.equal(allowed([...shop, refused], { to: { ip: '8.8.8.8' } }), 'unknown');
  });
});

describe('queries', () => {
  it('take a port by its name', () => {
    assert.equal(
      allowed([...shop, policy({ ingress: [{ ports: [{ port: 8080 }] }] })], { port: 'http' }),
      true,
    );
    assert.equal(
      allowed([...shop, policy({ ingress: [{ ports: [{ port: 80 }] }] })], { port: 'http' }),
      false,
    );
    assert.equal(allowed([...shop, policy({ ingress: [{ ports: [{ port: 80 }] }] })], { port: '80' }), true);
  });

  it('take a pod that does not exist yet', () => {
    const objects = [
      ...shop,
      policy({ ingress: [{ from: [{ podSelector: { matchLabels: { app: 'new' } } }] }] }),
    ];
    const namespaceLabels = { 'kubernetes.io/metadata.name': 'shop' };
    assert.equal(allowed(objects, { from: { labels: { app: 'new' }, namespaceLabels } }), true);
    assert.equal(allowed(objects, { from: { labels: { app: 'new' }, namespaceLabels: {} } }), false);
    assert.equal(allowed(objects, { to: { labels: {}, namespaceLabels } }), false);
    const named = [...shop, policy({ ingress: [{ ports: [{ port: 'http' }] }] })];
    assert.equal(allowed(named, { to: { labels: {}, namespaceLabels } }), 'unknown');
  });

  it('take a workload by the pods that it owns', () => {
    const owned = (name: string, labels: Fields): KubeObject =>
      ({
        ...pod(`shop/${name}`, { labels }),
        metadata: {
          name,
          namespace: 'shop',
          labels,
          ownerReferences: [{ kind: 'ReplicaSet', name: 'r', controller: true }],
        },
      }) as KubeObject;
    const np = policy({ podSelector: { matchLabels: { app: 'a' } } });
    const to = { workload: 'shop/ReplicaSet/r' };
    assert.equal(allowed([...shop, np, owned('r1', { app: 'a' }), owned('r2', { app: 'a' })], { to }), false);
    assert.equal(
      allowed([...shop, np, owned('r1', { app: 'a' }), owned('r2', { app: 'b' })], { to }),
      'unknown',
    );
  });

  it('let a pod reach itself, and not another pod of its workload', () => {
    const deployment: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace: 'shop' },
      spec: { template: { spec: { containers: [] } } },
    };
    const objects = [...shop, deployment, policy({})];
    assert.equal(allowed(objects, { from: db }), true);
    const both = { workload: 'shop/Deployment/d' };
    assert.equal(allowed(objects, { from: both, to: both }), false);
  });

  for (const [name, query] of [
    ['a pod that is not there', { to: { pod: 'shop/x' } }],
    ['a workload that is not there', { to: { workload: 'shop/Deployment/x' } }],
    ['an address that is none', { to: { ip: 'localhost' } }],
    ['a port that is none', { port: 0 }],
    ['a port name that the pod has not', { port: 'smtp' }],
    ['a protocol that is none', { protocol: 'ICMP' }],
  ] as const)
    it(`refuse ${name}`, () => assert.throws(() => allowed(shop, query as Partial<Query>), QueryError));

  it('refuse a pod that has finished', () => {
    const done = pod('shop/job', { status: { phase: 'Succeeded' } });
    assert.throws(() => allowed([...shop, done], { to: { pod: 'shop/job' } }), /has finished/);
  });

  it('keep pods of different primary networks apart', () => {
    const network = (name: string): KubeObject => ({
      apiVersion: 'k8s.ovn.org/v1',
      kind: 'UserDefinedNetwork',
      metadata: { name: 'n', namespace: name },
      spec: { topology: 'Layer2', layer2: { role: 'Primary' } },
    });
    const label = { 'k8s.ovn.org/primary-user-defined-network': '' };
    const objects = [
      namespace('a', label),
      namespace('b', label),
      network('a'),
      network('b'),
      pod('a/x'),
      pod('a/y'),
      pod('b/z'),
    ];
    assert.equal(allowed(objects, { from: { pod: 'a/x' }, to: { pod: 'a/y' } }), true);
    assert.equal(allowed(objects, { from: { pod: 'a/x' }, to: { pod: 'b/z' } }), false);
  });

  it('survive hostile objects', () => {
    const hostile = JSON.parse(
      '[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"__proto__","labels":{"__proto__":"x"}}},' +
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"constructor","namespace":"__proto__","labels":[1]},"spec":{"containers":[null,{"ports":[null,{"containerPort":"x"}]}]}},' +
        '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"x","namespace":"__proto__"},"spec":{"podSelector":{"matchLabels":{"__proto__":"x"}},"ingress":[null]}},' +
        '{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","spec":7},' +
        '{"apiVersion":"policy.networking.k8s.io/v1alpha1","kind":"AdminNetworkPolicy","spec":null}]',
    ) as KubeObject[];
    const network = createNetwork(hostile);
    assert.equal(
      network.connection({ from: { ip: '::1' }, to: { pod: '__proto__/constructor' }, port: 1 }).allowed,
      'unknown',
    );
    assert.ok([...network.connections().pairs()].length > 0);
    network.exposure();
  });
});
