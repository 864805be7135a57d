/** A flow through all layers; Linkerd's policies; waypoints; and what is not known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createNetwork } from '#decide/network/door.ts';
import type { KubeObject } from '#kube/objects.ts';
import { app, deployment, istio, linkerd, namespace } from '#test/mesh.ts';
import { createMesh, deriveFlow, type Flow, type FlowQuery } from './door.ts';

const CLIENT = deployment('client', 'apps');
const SERVER = deployment('server', 'apps');

function flow(objects: readonly KubeObject[], query: Partial<FlowQuery> = {}): Flow {
  return deriveFlow(createNetwork(objects), createMesh(objects), {
    from: CLIENT,
    to: SERVER,
    port: 8080,
    ...query,
  });
}

const sidecars = [
  namespace('apps', { 'istio-injection': 'enabled' }),
  ...app('client', 'apps'),
  ...app('server', 'apps'),
];
const onlyClient = istio('AuthorizationPolicy', 'server', 'apps', {
  selector: { matchLabels: { app: 'server' } },
  rules: [
    {
      from: [{ source: { principals: ['cluster.local/ns/apps/sa/client'] } }],
      to: [{ operation: { methods: ['GET'], paths: ['/api/*'] } }],
    },
  ],
});

describe('a flow', () => {
  it('is allowed where every layer allows it, and names what decided', () => {
    const { allowed, decidedBy, authorization } = flow([...sidecars, onlyClient], {
      request: { method: 'GET', path: '/api/x' },
    });
    assert.deepEqual([allowed, decidedBy], [true, undefined]);
    assert.ok(
      authorization.because.some(
        ({ object, path }) => object === onlyClient && path?.join('.') === 'spec.rules.0',
      ),
    );
  });

  it('does not know what depends on a request that is not known', () => {
    const { allowed, decidedBy } = flow([...sidecars, onlyClient]);
    assert.deepEqual([allowed, decidedBy], ['unknown', 'authorization']);
  });

  it('is refused by the first layer that refuses', () => {
    const closed: KubeObject = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'closed', namespace: 'apps' },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    };
    const strict = istio('PeerAuthentication', 'default', 'apps', { mtls: { mode: 'STRICT' } });
    const request = { method: 'GET', path: '/api/x' };
    assert.equal(flow([...sidecars, closed], { request }).decidedBy, 'network');
    assert.equal(
      flow([...sidecars, strict], { from: { ip: '198.51.100.7' }, request }).decidedBy,
      'transport',
    );
    assert.equal(
      flow([...sidecars, onlyClient], { request: { ...request, method: 'POST' } }).decidedBy,
      'authorization',
    );
  });

  it('says that a rule by identity is void where none arrives', () => {
    const plain = istio('DestinationRule', 'server', 'apps', {
      host: 'server',
      trafficPolicy: { tls: { mode: 'DISABLE' } },
    });
    const request = { method: 'GET', path: '/api/x' };
    const { allowed, notes } = flow([...sidecars, onlyClient, plain], { request });
    assert.equal(allowed, false);
    assert.match(
      notes.map(({ text }) => text).join(),
      /allows by identity, and the connection comes without one/,
    );
    const deny = istio('AuthorizationPolicy', 'deny', 'apps', {
      action: 'DENY',
      rules: [{ from: [{ source: { namespaces: ['apps'] } }] }],
    });
    assert.equal(flow([...sidecars, deny], { request }).allowed, false);
    const bypassed = flow([...sidecars, deny, plain], { request });
    assert.equal(bypassed.allowed, true);
    assert.match(bypassed.notes.map(({ text }) => text).join(), /it does not hold here/);
  });

  it('sees the port of the tunnel in ambient mode', () => {
    const open = (port: number): KubeObject => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'one', namespace: 'apps' },
      spec: { podSelector: {}, ingress: [{ ports: [{ port }] }] },
    });
    const ambient = [namespace('apps', { 'istio.io/dataplane-mode': 'ambient' }), ...sidecars.slice(1)];
    assert.equal(flow([...ambient, open(8080)]).allowed, false);
    assert.equal(flow([...ambient, open(15_008)]).allowed, true);
  });
});

describe('waypoints', () => {
  const ambient = (labels: Record<string, string> = {}): KubeObject[] => [
    namespace('apps', { 'istio.io/dataplane-mode': 'ambient', 'istio.io/use-waypoint': 'way', ...labels }),
    ...sidecars.slice(1),
  ];
  const gateway: KubeObject = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'way', namespace: 'apps' },
    spec: {
      gatewayClassName: 'istio-waypoint',
      listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }],
    },
  };
  const onService = istio('AuthorizationPolicy', 'l7', 'apps', {
    targetRefs: [{ kind: 'Service', group: '', name: 'server' }],
    rules: [{ to: [{ operation: { methods: ['GET'] } }] }],
  });
  const get = { request: { method: 'GET', path: '/' } };
  const post = { request: { method: 'POST', path: '/' } };

  it('enforce what is for a Service', () => {
    assert.equal(flow([...ambient(), gateway, onService], get).allowed, true);
    assert.equal(flow([...ambient(), gateway, onService], post).allowed, false);
  });

  it('are passed by where a Service has none', () => {
    const objects = ambient({ 'istio.io/use-waypoint': 'none' });
    assert.equal(flow([...objects, gateway, onService], post).allowed, true);
  });

  it('are the client that ztunnel sees', () => {
    const by = (account: string): KubeObject =>
      istio('AuthorizationPolicy', 'l4', 'apps', {
        rules: [{ from: [{ source: { serviceAccounts: [`apps/${account}`] } }] }],
      });
    assert.equal(flow([...ambient(), gateway, by('client')], get).allowed, false);
    assert.equal(flow([...ambient(), gateway, by('way')], get).allowed, true);
  });

  it('that are not in the input are not known', () => {
    assert.equal(flow([...ambient(), onService], get).allowed, 'unknown');
  });
});

describe('Linkerd', () => {
  const shop = (annotations: Record<string, string> = {}): KubeObject[] => [
    namespace('apps', {}, { 'linkerd.io/inject': 'enabled', ...annotations }),
    ...app('client', 'apps'),
    ...app('server', 'apps'),
    ...app('job', 'apps', { annotations: { 'linkerd.io/inject': 'disabled' } }),
  ];
  const job = { from: deployment('job', 'apps') };
  const server = linkerd('Server', 'web', 'apps', {
    podSelector: { matchLabels: { app: 'server' } },
    port: 'web',
  });
  const target = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };
  const auth = (...requiredAuthenticationRefs: object[]): KubeObject =>
    linkerd('AuthorizationPolicy', 'web', 'apps', { targetRef: target, requiredAuthenticationRefs });
  const tls = linkerd('MeshTLSAuthentication', 'meshed', 'apps', { identities: ['*'] });
  const refTls = { group: 'policy.linkerd.io', kind: 'MeshTLSAuthentication', name: 'meshed' };

  it('follows the default policy where no Server has the port', () => {
    const policy = 'config.linkerd.io/default-inbound-policy';
    assert.equal(flow(shop(), job).allowed, true);
    assert.equal(flow(shop({ [policy]: 'all-authenticated' }), job).allowed, false);
    assert.equal(flow(shop({ [policy]: 'all-authenticated' })).allowed, true);
    assert.equal(flow(shop({ [policy]: 'deny' })).allowed, false);
    assert.equal(flow(shop({ [policy]: 'audit' }), job).allowed, true);
    assert.equal(
      flow(shop({ [policy]: 'cluster-unauthenticated' }), { from: { ip: '8.8.8.8' } }).allowed,
      false,
    );
    assert.equal(flow(shop({ [policy]: 'cluster-unauthenticated' }), job).allowed, 'unknown');
  });

  it('denies by a Server, and opens it by authorizations', () => {
    assert.equal(flow([...shop(), server]).allowed, false);
    assert.equal(flow([...shop(), server, tls, auth(refTls)]).allowed, true);
    assert.equal(flow([...shop(), server, tls, auth(refTls)], job).allowed, false);
    assert.equal(flow([...shop(), server, auth(refTls)]).allowed, false, 'what is missing voids the policy');
    assert.equal(flow([...shop(), server, auth()], job).allowed, true, 'no authentication is required');
    const account = (name: string): object => ({ kind: 'ServiceAccount', name });
    assert.equal(flow([...shop(), server, auth(account('client'))]).allowed, true);
    assert.equal(flow([...shop(), server, auth(account('other'))]).allowed, false);
  });

  it('takes the route that names the request best', () => {
    const route = (name: string, path: object): KubeObject =>
      linkerd('HTTPRoute', name, 'apps', { parentRefs: [target], rules: [{ matches: [{ path }] }] });
    const objects = [
      ...shop(),
      server,
      tls,
      route('all', { type: 'PathPrefix', value: '/' }),
      route('admin', { type: 'PathPrefix', value: '/admin' }),
      linkerd('AuthorizationPolicy', 'all', 'apps', {
        targetRef: { group: 'policy.linkerd.io', kind: 'HTTPRoute', name: 'all' },
        requiredAuthenticationRefs: [refTls],
      }),
    ];
    const on = (path: string) => flow(objects, { request: { method: 'GET', path } }).allowed;
    assert.equal(on('/cart'), true);
    assert.equal(on('/admin/users'), false);
    assert.equal(on('/administrator'), true);
    assert.equal(flow(objects).allowed, 'unknown');
  });
});
