import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMesh, deriveFlow } from '#decide/mesh/door.ts';
import { createNetwork, type Peer } from '#decide/network/door.ts';
import { type KubeObject, nameOf } from '#kube/objects.ts';
import { oppositeOf } from './opposite.ts';

const namespace = (labels: object = {}, annotations: object = {}): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', labels, annotations } }) as KubeObject;
const pod = (name: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'a' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        serviceAccountName: name,
        containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80 }] }],
      },
    },
  },
});
const policy = (name: string, spec: object): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: 'a' },
  spec,
});
const istio = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: kind === 'DestinationRule' ? 'networking.istio.io/v1' : 'security.istio.io/v1',
  kind,
  metadata: { name, namespace: 'a' },
  spec,
});
const toB = { podSelector: { matchLabels: { app: 'b' } } };
const fromA = { ingress: [{ from: [{ podSelector: { matchLabels: { app: 'a' } } }] }] };
const world = [namespace(), pod('a'), pod('b')];
const meshed = [namespace({ 'istio-injection': 'enabled' }), pod('a'), pod('b')];
const service: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'b', namespace: 'a' },
  spec: { selector: { app: 'b' }, ports: [{ port: 80 }] },
} as KubeObject;
const a: Peer = { workload: 'a/Deployment/a' };

/** The lists in words: which object, and what of it. */
function said(objects: KubeObject[], from: Peer = a, request: { method?: string } = {}) {
  const query = { from, to: { workload: 'a/Deployment/b' }, port: 80, request };
  const flow = deriveFlow(createNetwork(objects), createMesh(objects), query);
  const { is, lists } = oppositeOf(objects, query, flow, { from: 'a/a', to: 'a/b' });
  return {
    is,
    lists: lists.map(list =>
      list.map(({ object, text }) => `${object === undefined ? '' : `${nameOf(object)}: `}${text}`),
    ),
  };
}

describe('what would have to change', () => {
  it('proposes a policy where none restricts', () => {
    assert.deepEqual(said(world), {
      is: 'close',
      lists: [
        ['a NetworkPolicy that selects a/a for egress and does not allow port 80'],
        ['a NetworkPolicy that selects a/b for ingress and does not allow port 80'],
      ],
    });
  });

  it('names every rule that allows, for policies only add up', () => {
    const objects = [...world, policy('one', { ...toB, ...fromA }), policy('two', { ...toB, ingress: [{}] })];
    assert.deepEqual(said(objects).lists[1], [
      'one: NetworkPolicy a/one must not allow this ingress',
      'two: NetworkPolicy a/two must not allow this ingress',
    ]);
  });

  it('does not take a policy for one that isolates no more when its only rule goes', () => {
    const egress = policy('out', { podSelector: {}, ingress: [{}], egress: [{}] });
    assert.deepEqual(said([...world, egress]).lists[0], [
      'out: NetworkPolicy a/out must not allow this egress',
    ]);
  });

  it('asks for both directions where both deny', () => {
    const deny = policy('deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    assert.deepEqual(said([...world, deny]), {
      is: 'open',
      lists: [
        ['a NetworkPolicy that allows port 80 in the egress of a/a to a/b'],
        ['a NetworkPolicy that allows port 80 in the ingress of a/b from a/a'],
      ],
    });
  });

  it('names the rule of a tier above, which a NetworkPolicy does not undo', () => {
    const admin: KubeObject = {
      apiVersion: 'policy.networking.k8s.io/v1alpha1',
      kind: 'AdminNetworkPolicy',
      metadata: { name: 'guard' },
      spec: {
        priority: 1,
        subject: { namespaces: {} },
        ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }],
      },
    };
    assert.deepEqual(said([...world, admin]).lists, [
      ['guard: AdminNetworkPolicy guard must not deny this ingress'],
    ]);
  });

  it('says how a proxy could refuse', () => {
    const off = istio('DestinationRule', 'plain', { host: 'b', trafficPolicy: { tls: { mode: 'DISABLE' } } });
    assert.ok(
      said([...meshed, service, off]).lists.some(([text]) =>
        text?.startsWith('port 80 of a/b has to be STRICT (PeerAuthentication)'),
      ),
    );
    const strict = istio('PeerAuthentication', 'strict', { mtls: { mode: 'STRICT' } });
    assert.deepEqual(said([...meshed, service, off, strict]), {
      is: 'open',
      lists: [
        [
          'plain: DestinationRule a/plain must not say this',
          'strict: port 80 of a/b has to be PERMISSIVE (PeerAuthentication)',
        ],
      ],
    });
  });

  it('lets a client without a proxy join', () => {
    const strict = istio('PeerAuthentication', 'strict', { mtls: { mode: 'STRICT' } });
    const outside: KubeObject = {
      ...pod('a'),
      spec: {
        selector: { matchLabels: { app: 'a' } },
        template: {
          metadata: { labels: { app: 'a', 'sidecar.istio.io/inject': 'false' } },
          spec: { containers: [{ name: 'c', image: 'x' }] },
        },
      },
    };
    const objects = [namespace({ 'istio-injection': 'enabled' }), outside, pod('b'), strict];
    assert.deepEqual(said([...objects, service]).lists, [
      ['a/a has to join the mesh', 'strict: port 80 of a/b has to be PERMISSIVE (PeerAuthentication)'],
    ]);
  });

  it('names the rules of the mesh that let in, or keep out', () => {
    const allow = (name: string, rules: object[]) => istio('AuthorizationPolicy', name, { rules });
    const open = said([
      ...meshed,
      service,
      allow('both', [{ from: [{ source: { namespaces: ['a'] } }] }, {}]),
    ]);
    assert.deepEqual(open.lists.at(-1), [
      'both: AuthorizationPolicy a/both must not let it in',
      'both: AuthorizationPolicy a/both must not let it in',
    ]);
    assert.deepEqual(said([...meshed, service, allow('none', [])]).lists, [
      ['an AuthorizationPolicy of a/b that lets spiffe://cluster.local/ns/a/sa/a come to port 80'],
    ]);
    const deny = istio('AuthorizationPolicy', 'deny', {
      action: 'DENY',
      rules: [{ to: [{ operation: { methods: ['POST'] } }] }],
    });
    assert.deepEqual(said([...meshed, deny], a, { method: 'POST' }).lists, [
      ['deny: AuthorizationPolicy a/deny has to leave this out'],
    ]);
  });

  it('names what Linkerd wants', () => {
    const linked = namespace(
      {},
      { 'linkerd.io/inject': 'enabled', 'config.linkerd.io/default-inbound-policy': 'deny' },
    );
    const who = 'a.a.serviceaccount.identity.linkerd.cluster.local';
    assert.deepEqual(said([linked, pod('a'), pod('b')]).lists, [
      [`a Server for port 80 of a/b, with an authorization of ${who}`],
    ]);
    const server: KubeObject = {
      apiVersion: 'policy.linkerd.io/v1beta3',
      kind: 'Server',
      metadata: { name: 'b', namespace: 'a' },
      spec: { podSelector: { matchLabels: { app: 'b' } }, port: 80 },
    } as KubeObject;
    assert.deepEqual(said([linked, pod('a'), pod('b'), server]).lists, [
      [`b: Server a/b needs an authorization of ${who}`],
    ]);
  });

  it('has nothing to say of the policies of an address', () => {
    const { lists } = said(world, { ip: '203.0.113.1' });
    assert.deepEqual(lists, [['a NetworkPolicy that selects a/b for ingress and does not allow port 80']]);
  });
});
