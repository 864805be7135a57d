/**
 * How connections travel. The table of modes is that of Istio's own integration test
 * (tests/integration/security/reachability_test.go): what each pair of client and server does under each configuration.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { app, deployment, istio, linkerd, namespace } from '#test/mesh.ts';
import { createMesh, type MeshOptions, QueryError } from './door.ts';

const INJECTED = { 'istio-injection': 'enabled' };

const world: readonly KubeObject[] = [
  namespace('istio-system'),
  namespace('apps', INJECTED),
  namespace('bare'),
  namespace('ambient', { 'istio.io/dataplane-mode': 'ambient' }),
  ...app('client', 'apps'),
  ...app('server', 'apps'),
  ...app('naked', 'apps', { labels: { 'sidecar.istio.io/inject': 'false' } }),
  ...app('old', 'bare'),
  ...app('flow', 'ambient'),
  ...app('pond', 'ambient'),
];

const CLIENTS = {
  sidecar: deployment('client', 'apps'),
  naked: deployment('naked', 'apps'),
  ambient: deployment('flow', 'ambient'),
};
const SERVERS = {
  sidecar: deployment('server', 'apps'),
  naked: deployment('old', 'bare'),
  ambient: deployment('pond', 'ambient'),
};

function modes(objects: readonly KubeObject[], options: MeshOptions = {}): Record<string, string> {
  const mesh = createMesh([...world, ...objects], options);
  const found: Record<string, string> = {};
  for (const [from, client] of Object.entries(CLIENTS))
    for (const [to, server] of Object.entries(SERVERS))
      found[`${from} to ${to}`] = mesh.transport({ from: client, to: server, port: 8080 }).mode;
  return found;
}

const mtls = (mode: string, where = 'istio-system'): KubeObject =>
  istio('PeerAuthentication', 'default', where, { mtls: { mode } });
const rule = (mode: string): KubeObject =>
  istio('DestinationRule', 'default', 'istio-system', { host: '*', trafficPolicy: { tls: { mode } } });

const sidecar = 'sidecar to sidecar';
const toNaked = 'sidecar to naked';
const fromNaked = 'naked to sidecar';
const bothNaked = 'naked to naked';

const reachability: readonly [name: string, objects: KubeObject[], modes: Record<string, string>][] = [
  [
    'global mtls strict',
    [mtls('STRICT'), rule('ISTIO_MUTUAL')],
    { [sidecar]: 'mtls', [toNaked]: 'refused', [fromNaked]: 'refused', [bothNaked]: 'plaintext' },
  ],
  [
    'global mtls permissive',
    [mtls('PERMISSIVE'), rule('ISTIO_MUTUAL')],
    { [sidecar]: 'mtls', [toNaked]: 'refused', [fromNaked]: 'plaintext' },
  ],
  [
    'global mtls disabled',
    [mtls('DISABLE'), rule('DISABLE')],
    { [sidecar]: 'plaintext', [toNaked]: 'plaintext', [fromNaked]: 'plaintext' },
  ],
  [
    'global plaintext to mtls permissive',
    [mtls('PERMISSIVE'), rule('DISABLE')],
    { [sidecar]: 'plaintext', [toNaked]: 'plaintext', [fromNaked]: 'plaintext' },
  ],
  [
    'global automtls strict',
    [mtls('STRICT')],
    { [sidecar]: 'mtls', [toNaked]: 'plaintext', [fromNaked]: 'refused' },
  ],
  [
    'global automtls disable',
    [mtls('DISABLE')],
    { [sidecar]: 'plaintext', [toNaked]: 'plaintext', [fromNaked]: 'plaintext' },
  ],
  [
    'global no peer authn',
    [rule('ISTIO_MUTUAL')],
    { [sidecar]: 'mtls', [toNaked]: 'refused', [fromNaked]: 'plaintext' },
  ],
  [
    'mtls port override',
    [
      istio('PeerAuthentication', 'server', 'apps', {
        selector: { matchLabels: { app: 'server' } },
        mtls: { mode: 'STRICT' },
        portLevelMtls: { 8080: { mode: 'DISABLE' } },
      }),
    ],
    { [sidecar]: 'plaintext', [fromNaked]: 'plaintext' },
  ],
  ['plain text to a strict server', [mtls('STRICT'), rule('DISABLE')], { [sidecar]: 'refused' }],
  [
    'mutual TLS to a server that has it off',
    [mtls('DISABLE'), rule('ISTIO_MUTUAL')],
    { [sidecar]: 'refused' },
  ],
  ['ordinary TLS of the client', [rule('SIMPLE')], { [sidecar]: 'tls', [toNaked]: 'tls' }],
  ['ordinary TLS to a strict server', [mtls('STRICT'), rule('SIMPLE')], { [sidecar]: 'refused' }],
  [
    'ambient',
    [mtls('STRICT')],
    {
      'ambient to ambient': 'mtls',
      'sidecar to ambient': 'mtls',
      'naked to ambient': 'refused',
      'ambient to naked': 'plaintext',
      'ambient to sidecar': 'refused',
    },
  ],
  [
    'ambient has nothing to switch off',
    [mtls('DISABLE')],
    { 'ambient to ambient': 'mtls', 'naked to ambient': 'plaintext' },
  ],
];

describe('transport', () => {
  for (const [name, objects, expected] of reachability)
    it(name, () => {
      const found = modes(objects);
      for (const [pair, mode] of Object.entries(expected)) assert.equal(found[pair], mode, pair);
    });

  it('says as whom a client comes, only where it is proven', () => {
    const mesh = createMesh(world, { meshConfig: { trustDomain: 'corp.example' } });
    assert.equal(
      mesh.transport({ from: CLIENTS.sidecar, to: SERVERS.sidecar, port: 8080 }).identity,
      'spiffe://corp.example/ns/apps/sa/client',
    );
    assert.equal(
      mesh.transport({ from: CLIENTS.naked, to: SERVERS.sidecar, port: 8080 }).identity,
      undefined,
    );
    assert.deepEqual(mesh.assumptions, []);
  });

  it('says what is taken for granted', () => {
    assert.deepEqual(createMesh(world).assumptions, [
      'the mesh configuration is not in the input: the defaults of Istio are taken',
    ]);
  });

  it('turns off automatic mutual TLS with the mesh', () => {
    assert.equal(modes([], { meshConfig: { enableAutoMtls: false } })[sidecar], 'plaintext');
  });

  it('reads the configuration of the input', () => {
    const config: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: 'istio-system' },
      data: { mesh: 'enableAutoMtls: false\ntrustDomain: corp.example\n' },
    };
    assert.equal(modes([config])[sidecar], 'plaintext');
    assert.deepEqual(createMesh([...world, config]).assumptions, []);
  });

  it('follows the rule of the client, then of the server, then of all', () => {
    const of = (
      ns: string,
      mode: string,
      host = 'server.apps.svc.cluster.local',
      more: object = {},
    ): KubeObject =>
      istio('DestinationRule', `${ns}-${mode.toLowerCase()}`, ns, {
        host,
        trafficPolicy: { tls: { mode } },
        ...more,
      });
    const mode = (...objects: KubeObject[]): string => modes(objects)['sidecar to sidecar']!;
    assert.equal(mode(of('istio-system', 'DISABLE', '*'), of('apps', 'SIMPLE')), 'tls');
    assert.equal(mode(of('apps', 'DISABLE', '*.local'), of('apps', 'SIMPLE')), 'tls');
    assert.equal(mode(of('apps', 'SIMPLE', 'server')), 'tls');
    assert.equal(
      mode(of('bare', 'DISABLE')),
      'mtls',
      'a rule of a third namespace counts for its own clients',
    );
    assert.equal(mode(of('istio-system', 'DISABLE', '*', { exportTo: ['.'] })), 'mtls');
    const port = istio('DestinationRule', 'port', 'apps', {
      host: 'server',
      trafficPolicy: {
        tls: { mode: 'ISTIO_MUTUAL' },
        portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'DISABLE' } }],
      },
    });
    assert.equal(mode(port), 'plaintext');
    const others = of('apps', 'DISABLE', 'server', { workloadSelector: { matchLabels: { app: 'other' } } });
    assert.equal(mode(others), 'mtls');
  });

  it('knows what a Sidecar hides', () => {
    const hide = (policy: string | undefined): KubeObject =>
      istio('Sidecar', 'default', 'apps', {
        egress: [{ hosts: ['istio-system/*'] }],
        ...(policy === undefined ? {} : { outboundTrafficPolicy: { mode: policy } }),
      });
    assert.equal(modes([hide(undefined)])[sidecar], 'plaintext');
    assert.equal(modes([hide('REGISTRY_ONLY')])[sidecar], 'refused');
    assert.equal(modes([hide(undefined), mtls('STRICT')])[sidecar], 'refused');
    assert.equal(
      modes([hide(undefined)], { meshConfig: { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } } })[sidecar],
      'refused',
    );
    const own = istio('Sidecar', 'default', 'apps', { egress: [{ hosts: ['./*'] }] });
    assert.equal(modes([own])[sidecar], 'mtls');
  });

  it('leaves alone what a proxy leaves alone', () => {
    const mode = (name: string, annotations: Record<string, string>): string => {
      const objects = [...world, ...app(name, 'apps', { annotations })];
      const mesh = createMesh([...objects, mtls('STRICT')]);
      const [from, to] =
        name === 'client'
          ? [deployment('client', 'apps'), SERVERS.sidecar]
          : [CLIENTS.naked, deployment(name, 'apps')];
      return mesh.transport({ from, to, port: 8080 }).mode;
    };
    assert.equal(mode('open', { 'traffic.sidecar.istio.io/excludeInboundPorts': '9090, 8080' }), 'plaintext');
    assert.equal(mode('open', { 'traffic.sidecar.istio.io/includeInboundPorts': '9090' }), 'plaintext');
    assert.equal(mode('open', { 'traffic.sidecar.istio.io/includeInboundPorts': '*' }), 'refused');
    assert.equal(mode('client', { 'traffic.sidecar.istio.io/excludeOutboundPorts': '80' }), 'refused');
  });

  it('lets out to addresses what the registry allows', () => {
    const entry = istio('ServiceEntry', 'api', 'apps', {
      hosts: ['api.example.com'],
      addresses: ['203.0.113.0/24'],
      ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
      location: 'MESH_EXTERNAL',
    });
    const mode = (objects: KubeObject[], ip: string): string =>
      createMesh([...world, ...objects], {
        meshConfig: { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } },
      }).transport({
        from: CLIENTS.sidecar,
        to: { ip },
        port: 443,
      }).mode;
    assert.equal(mode([entry], '203.0.113.7'), 'plaintext');
    assert.equal(mode([entry], '198.51.100.7'), 'refused');
    const tls = istio('DestinationRule', 'api', 'apps', {
      host: 'api.example.com',
      trafficPolicy: { tls: { mode: 'SIMPLE' } },
    });
    assert.equal(mode([entry, tls], '203.0.113.7'), 'tls');
  });

  it('sees no identity in what comes from outside', () => {
    const mesh = createMesh([...world, mtls('STRICT', 'apps')]);
    assert.equal(
      mesh.transport({ from: { ip: '198.51.100.7' }, to: SERVERS.sidecar, port: 8080 }).mode,
      'refused',
    );
    assert.equal(
      mesh.transport({ from: { ip: '198.51.100.7' }, to: SERVERS.naked, port: 8080 }).mode,
      'plaintext',
    );
  });

  it('does not guess', () => {
    const mesh = createMesh(world.filter(object => object.kind !== 'Namespace').concat(mtls('STRICT')));
    assert.equal(mesh.transport({ from: CLIENTS.sidecar, to: SERVERS.sidecar, port: 8080 }).mode, 'unknown');
    assert.throws(
      () => mesh.transport({ from: { pod: 'apps/none' }, to: SERVERS.sidecar, port: 80 }),
      QueryError,
    );
    assert.throws(() => mesh.transport({ from: { ip: 'nine' }, to: SERVERS.sidecar, port: 80 }), QueryError);
    assert.throws(() => mesh.transport({ from: CLIENTS.sidecar, to: SERVERS.sidecar, port: 0 }), QueryError);
  });

  it('encrypts between workloads of Linkerd', () => {
    const mesh = createMesh([
      namespace('shop', {}, { 'linkerd.io/inject': 'enabled' }),
      ...app('web', 'shop'),
      ...app('cart', 'shop'),
      ...app('db', 'shop', { annotations: { 'config.linkerd.io/skip-inbound-ports': '8000-8100' } }),
      ...app('job', 'shop', { annotations: { 'linkerd.io/inject': 'disabled' } }),
      linkerd('Server', 'cart', 'shop', { podSelector: {}, port: 8080 }),
    ]);
    const travel = (from: string, to: string) =>
      mesh.transport({ from: deployment(from, 'shop'), to: deployment(to, 'shop'), port: 8080 });
    assert.equal(travel('web', 'cart').mode, 'mtls');
    assert.equal(travel('web', 'cart').identity, 'web.shop.serviceaccount.identity.linkerd.cluster.local');
    assert.equal(travel('web', 'db').mode, 'plaintext');
    assert.equal(travel('job', 'cart').mode, 'plaintext');
  });
});

describe('members', () => {
  const cases: readonly [
    text: string,
    labels: Record<string, string>,
    own: Record<string, string>,
    is: string,
  ][] = [
    ['injection of the namespace', INJECTED, {}, 'sidecar'],
    ['the pod opts out', INJECTED, { 'sidecar.istio.io/inject': 'false' }, 'none'],
    [
      'injection switched off',
      { 'istio-injection': 'disabled' },
      { 'sidecar.istio.io/inject': 'true' },
      'none',
    ],
    ['the pod opts in', {}, { 'sidecar.istio.io/inject': 'true' }, 'sidecar'],
    ['a revision of the namespace', { 'istio.io/rev': 'canary' }, {}, 'sidecar'],
    ['a revision of the pod', {}, { 'istio.io/rev': 'canary' }, 'sidecar'],
    [
      'injection wins over a revision',
      { 'istio-injection': 'disabled', 'istio.io/rev': 'canary' },
      {},
      'none',
    ],
    ['nothing asks', {}, {}, 'none'],
    ['ambient mode', { 'istio.io/dataplane-mode': 'ambient' }, {}, 'ambient'],
    [
      'the pod leaves ambient mode',
      { 'istio.io/dataplane-mode': 'ambient' },
      { 'istio.io/dataplane-mode': 'none' },
      'none',
    ],
    ['the pod in ambient mode', {}, { 'istio.io/dataplane-mode': 'ambient' }, 'ambient'],
    ['a sidecar beside ambient mode', { ...INJECTED, 'istio.io/dataplane-mode': 'ambient' }, {}, 'sidecar'],
  ];
  for (const [text, labels, own, is] of cases)
    it(text, () => {
      const mesh = createMesh([namespace('a', labels), ...app('x', 'a', { labels: own })]);
      assert.equal(mesh.member(deployment('x', 'a')).dataplane, is);
    });

  it('has no proxy in the network of a node', () => {
    const mesh = createMesh([namespace('a', INJECTED), ...app('x', 'a', { spec: { hostNetwork: true } })]);
    assert.equal(mesh.member(deployment('x', 'a')).dataplane, 'none');
  });

  it('believes a container that is there, and no placeholder', () => {
    const containers = (image: string) => ({ containers: [{ name: 'istio-proxy', image }] });
    const mesh = createMesh([
      namespace('a'),
      ...app('x', 'a', { spec: containers('istio/proxyv2:1.30') }),
      ...app('y', 'a', { spec: containers('auto') }),
    ]);
    assert.equal(mesh.member(deployment('x', 'a')).dataplane, 'sidecar');
    assert.equal(mesh.member(deployment('y', 'a')).dataplane, 'none');
  });

  it('takes no label of a namespace for granted, unless nothing is of a mesh, or it is told', () => {
    const workloads = app('x', 'a');
    const asks = istio('PeerAuthentication', 'default', 'a', {});
    const is = (objects: KubeObject[], options: MeshOptions = {}): string =>
      createMesh(objects, options).member(deployment('x', 'a')).dataplane;
    assert.equal(is(workloads), 'none');
    assert.equal(is([...workloads, asks]), 'unknown');
    assert.equal(is([...workloads, asks], { missingNamespaces: 'sidecar' }), 'sidecar');
    assert.equal(is([...workloads, asks], { missingNamespaces: 'ambient' }), 'ambient');
    assert.equal(is([...workloads, asks], { missingNamespaces: 'unlabelled' }), 'none');
  });

  it('tells which workloads hold one identity', () => {
    const mesh = createMesh([
      namespace('a', INJECTED),
      ...app('x', 'a', { account: 'default' }),
      ...app('y', 'a', { account: 'default' }),
      ...app('z', 'a'),
    ]);
    assert.deepEqual(
      [...mesh.sharedIdentities()],
      [['spiffe://cluster.local/ns/a/sa/default', ['a/Deployment/x', 'a/Deployment/y']]],
    );
  });
});
