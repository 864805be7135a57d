/**
 * Linkerd's policies, rule by rule beside linkerd2's policy-controller (k8s/index/src/inbound, runtime/src/admission.rs)
 * and linkerd2-proxy (linkerd/proxy/server-policy).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { app, deployment, linkerd, namespace } from '#test/mesh.ts';
import { type Authorization, createMesh, type MeshRequest } from './door.ts';
import { linkerdPorts } from './linkerd-settings.ts';

type Annotations = Readonly<Record<string, string>>;
type Ask = Partial<MeshRequest>;

const CLIENT = 'client.apps.serviceaccount.identity.linkerd.cluster.local';
const GROUP = 'policy.linkerd.io';
const DENY: Annotations = { 'config.linkerd.io/default-inbound-policy': 'deny' };

const world = (annotations: Annotations = {}, spec: object = {}): KubeObject[] => [
  namespace('apps', {}, { 'linkerd.io/inject': 'enabled', ...annotations }),
  ...app('server', 'apps', { spec }),
];
const server = (spec: object = {}): KubeObject =>
  linkerd('Server', 'web', 'apps', { podSelector: { matchLabels: { app: 'server' } }, port: 'web', ...spec });
const policy = (targetRef: object, ...requiredAuthenticationRefs: object[]): KubeObject =>
  linkerd('AuthorizationPolicy', 'p', 'apps', { targetRef, requiredAuthenticationRefs });
const to = (kind: string, name: string, group = GROUP): object => ({ group, kind, name });
const onServer = to('Server', 'web');
const mtls = (spec: object): KubeObject => linkerd('MeshTLSAuthentication', 'tls', 'apps', spec);
const nets = (...networks: object[]): KubeObject =>
  linkerd('NetworkAuthentication', 'net', 'apps', { networks });
const byTls = to('MeshTLSAuthentication', 'tls');
const byNet = to('NetworkAuthentication', 'net');

function answer(objects: readonly KubeObject[], ask: Ask = {}): Authorization {
  return createMesh(objects).authorize({
    workload: deployment('server', 'apps').workload,
    request: { sourcePrincipal: CLIENT, sourceIP: '10.1.2.3', port: 8080, ...ask },
  });
}
const allowed = (objects: readonly KubeObject[], ask: Ask = {}): boolean | 'unknown' =>
  answer(objects, ask).allowed;

/** That an answer is unknown because of an object that Linkerd refuses, with the place of what is wrong. */
function refuses(objects: readonly KubeObject[], text: RegExp, path: string, ask: Ask = {}): void {
  const { allowed: is, because } = answer(objects, ask);
  assert.equal(is, 'unknown');
  const named = because.find(one => text.test(one.text));
  assert.ok(named?.object !== undefined, JSON.stringify(because));
  assert.equal(named.path?.join('.'), path);
}

describe('identities of MeshTLSAuthentication', () => {
  const cases: readonly [readonly string[], string | null, boolean][] = [
    [['*'], CLIENT, true],
    [['*'], null, false],
    [[CLIENT], CLIENT, true],
    [['*.apps.serviceaccount.identity.linkerd.cluster.local'], CLIENT, true],
    [['*.cluster.local'], CLIENT, true],
    [['*.other.serviceaccount.identity.linkerd.cluster.local'], CLIENT, false],
    // A suffix begins at a dot.
    [['*.lient.apps.serviceaccount.identity.linkerd.cluster.local'], CLIENT, false],
    [['spiffe://root/client'], 'spiffe://root/client', true],
    // Suffixes are for DNS names only: not even `*` means a name of SPIFFE.
    [['*'], 'spiffe://root/client', false],
  ];
  for (const [identities, sourcePrincipal, expected] of cases)
    it(`${identities} ${expected ? 'lets in' : 'does not let in'} ${sourcePrincipal ?? 'plain text'}`, () => {
      const objects = [...world(), server(), policy(onServer, byTls), mtls({ identities })];
      assert.equal(allowed(objects, { sourcePrincipal }), expected);
    });

  it('may be referred to: an account of the namespace or of another, a whole namespace', () => {
    const by = (ref: object): boolean | 'unknown' =>
      allowed([...world(), server(), policy(onServer, byTls), mtls({ identityRefs: [ref] })]);
    assert.equal(by({ kind: 'ServiceAccount', name: 'client' }), true);
    assert.equal(by({ kind: 'serviceaccount', group: 'core', name: 'client', namespace: 'apps' }), true);
    assert.equal(by({ kind: 'ServiceAccount', name: 'client', namespace: 'other' }), false);
    assert.equal(by({ kind: 'Namespace', name: 'apps' }), true);
    assert.equal(by({ kind: 'Namespace', name: 'other' }), false);
  });

  it('that Linkerd refuses make it unknown whom the policy lets in', () => {
    const objects = (spec: object): KubeObject[] => [
      ...world(),
      server(),
      policy(onServer, byTls),
      mtls(spec),
    ];
    refuses(objects({ identities: [CLIENT, '*apps'] }), /neither a DNS name/, 'spec.identities.1');
    refuses(
      objects({ identityRefs: [{ kind: 'Group', name: 'x' }] }),
      /neither a ServiceAccount/,
      'spec.identityRefs.0',
    );
    refuses(
      objects({ identityRefs: [{ kind: 'Namespace', name: 'apps', namespace: 'apps' }] }),
      /in a namespace/,
      'spec.identityRefs.0.namespace',
    );
  });
});

describe('networks of NetworkAuthentication', () => {
  const by = (...networks: object[]): KubeObject[] => [
    ...world(),
    server(),
    policy(onServer, byNet),
    nets(...networks),
  ];

  it('are blocks or addresses, with exceptions', () => {
    assert.equal(allowed(by({ cidr: '10.0.0.0/8' })), true);
    assert.equal(allowed(by({ cidr: '10.1.2.3' })), true);
    assert.equal(allowed(by({ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] })), false);
    assert.equal(allowed(by({ cidr: '10.0.0.0/8', except: ['10.2.0.0/16'] })), true);
    // The exception is of its own block only.
    assert.equal(allowed(by({ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }, { cidr: '10.1.2.0/24' })), true);
    assert.equal(allowed(by({ cidr: 'fd00::/8' })), false);
  });

  it('and identities must both hold', () => {
    const objects = (cidr: string): KubeObject[] => [
      ...world(),
      server(),
      policy(onServer, byNet, byTls),
      nets({ cidr }),
      mtls({ identities: ['*'] }),
    ];
    assert.equal(allowed(objects('10.0.0.0/8')), true);
    assert.equal(allowed(objects('10.0.0.0/8'), { sourcePrincipal: null }), false);
    assert.equal(allowed(objects('192.168.0.0/16')), false);
  });

  it('that Linkerd refuses make it unknown, and never an exception less', () => {
    refuses(by({ cidr: '10.0.0.0/33' }), /"10.0.0.0\/33" is neither/, 'spec.networks.0.cidr');
    refuses(
      by({ cidr: '10.0.0.0/8', except: ['10.1.0.0/16', 'x'] }),
      /"x" is neither/,
      'spec.networks.0.except.1',
    );
    refuses(by({ cidr: '10.0.0.0/8', except: ['11.0.0.0/8'] }), /not within/, 'spec.networks.0.except.0');
    refuses(by({ cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] }), /takes away all/, 'spec.networks.0.except.0');
    refuses(by({}), /nothing is neither/, 'spec.networks.0.cidr');
  });

  it('do not concern the pod itself', () => {
    assert.equal(allowed(world(DENY), { sourceIP: '127.0.0.1', sourcePrincipal: null }), true);
    assert.equal(allowed(world(DENY), { sourceIP: '::1', sourcePrincipal: null }), true);
    assert.equal(allowed(world(DENY)), false);
  });
});

describe('targets of AuthorizationPolicy', () => {
  it('are a Server, its namespace, or a route', () => {
    const by = (target: object): boolean | 'unknown' => allowed([...world(), server(), policy(target)]);
    assert.equal(by(onServer), true);
    assert.equal(by(to('Server', 'WEB')), false, 'names are compared byte by byte');
    assert.equal(by(to('server', 'web', 'Policy.Linkerd.io')), true, 'kinds and groups are not');
    assert.equal(by(to('Server', 'web', '')), false);
    assert.equal(by(to('Namespace', 'apps', '')), true);
    assert.equal(by(to('Deployment', 'server', 'apps')), false);
  });

  it('of another namespace are refused', () => {
    refuses(
      [...world(), server(), policy(to('Namespace', 'other', 'core'))],
      /targets another namespace, other/,
      'spec.targetRef.name',
    );
  });

  it('void the policy where an authentication is none', () => {
    assert.equal(allowed([...world(), server(), policy(onServer, to('Server', 'web'))]), false);
  });
});

describe('a Server', () => {
  it('has a port by number or name, and a number in quotes is a name', () => {
    assert.equal(allowed([...world(), server({ port: 8080 })]), false);
    assert.equal(allowed([...world(), server({ port: '8080' })]), true);
    assert.equal(allowed([...world(), server({ port: 'web' })]), false);
    const udp = {
      containers: [{ name: 'a', ports: [{ name: 'web', containerPort: 8080, protocol: 'UDP' }] }],
    };
    assert.equal(allowed([...world({}, udp), server()]), true);
  });

  it('lets in by its access policy, and nobody without one', () => {
    const by = (accessPolicy: string, ask: Ask = {}): boolean | 'unknown' =>
      allowed([...world(), server({ accessPolicy })], ask);
    const plain = { sourcePrincipal: null };
    assert.equal(by('deny'), false);
    assert.equal(by('audit', plain), true);
    assert.equal(by('all-unauthenticated', plain), true);
    assert.equal(by('all-authenticated', plain), false);
    assert.equal(by('all-authenticated'), true);
    assert.equal(by('cluster-unauthenticated', plain), true);
    assert.equal(by('cluster-unauthenticated', { ...plain, sourceIP: '8.8.8.8' }), false);
    assert.equal(by('cluster-authenticated', plain), false);
  });

  it('that Linkerd refuses leaves its port unknown', () => {
    refuses([...world(), server({ proxyProtocol: 'HTTP2' })], /"HTTP2" is none of/, 'spec.proxyProtocol');
    refuses([...world(), server({ accessPolicy: 'allow' })], /"allow" is none of/, 'spec.accessPolicy');
    const podSelector = { matchExpressions: [{ key: 'app', operator: 'Is', values: ['server'] }] };
    refuses([...world(), server({ podSelector })], /refuses Server apps\/web/, 'spec.podSelector');
    assert.equal(allowed([...world(), server({ podSelector, port: 9999 })]), true, 'another port');
    const other = { podSelector: { matchLabels: { app: 'other' } }, proxyProtocol: 'HTTP2' };
    assert.equal(allowed([...world(), server(other)]), true, 'other pods');
  });
});

describe('ServerAuthorization', () => {
  const by = (client: object, spec: object = { server: { name: 'web' } }): KubeObject[] => [
    ...world(),
    server(),
    linkerd('ServerAuthorization', 'old', 'apps', { ...spec, client }),
  ];

  it('names clients, and without networks means those of the cluster', () => {
    assert.equal(allowed(by({ unauthenticated: true }), { sourcePrincipal: null }), true);
    assert.equal(allowed(by({ unauthenticated: true }), { sourceIP: '8.8.8.8' }), false);
    assert.equal(
      allowed(by({ unauthenticated: true, networks: [{ cidr: '8.0.0.0/8' }] }), { sourceIP: '8.8.8.8' }),
      true,
    );
    assert.equal(allowed(by({})), false);
    assert.equal(allowed(by({ meshTLS: {} })), false);
    assert.equal(allowed(by({ meshTLS: { unauthenticatedTLS: true } })), true);
    assert.equal(allowed(by({ meshTLS: { unauthenticatedTLS: true } }), { sourcePrincipal: null }), false);
    assert.equal(allowed(by({ meshTLS: { serviceAccounts: [{ name: 'client' }] } })), true);
    assert.equal(allowed(by({ meshTLS: { serviceAccounts: [{ name: 'client', namespace: 'b' }] } })), false);
    assert.equal(allowed(by({ meshTLS: { identities: ['*'] } })), true);
  });

  it('selects Servers by name or labels', () => {
    const anybody = { unauthenticated: true };
    const labelled = { server: { selector: { matchLabels: { tier: 'web' } } } };
    assert.equal(allowed(by(anybody, { server: { name: 'other' } })), false);
    assert.equal(allowed(by(anybody, { server: {} })), true);
    assert.equal(allowed(by(anybody, labelled)), false);
    const objects = by(anybody, labelled);
    const spec = { podSelector: { matchLabels: { app: 'server' } }, port: 'web' };
    const tiered = linkerd('Server', 'web', 'apps', spec, { tier: 'web' });
    assert.equal(allowed(objects.map(object => (object.kind === 'Server' ? tiered : object))), true);
  });

  it('that Linkerd refuses makes it unknown', () => {
    refuses(by({ unauthenticated: true, meshTLS: {} }), /exclude each other/, 'spec.client.unauthenticated');
    refuses(
      by({ meshTLS: { unauthenticatedTLS: true, identities: ['*'] } }),
      /exclude each other/,
      'spec.client.meshTLS.unauthenticatedTLS',
    );
    refuses(
      by({ unauthenticated: true, networks: [{ cidr: 'all' }] }),
      /"all" is neither/,
      'spec.client.networks.0.cidr',
    );
    refuses(
      by(
        { unauthenticated: true },
        { server: { selector: { matchExpressions: [{ key: 'a', operator: 'Is' }] } } },
      ),
      /refuses ServerAuthorization apps\/old/,
      'spec.server.selector',
    );
  });
});

describe('probes', () => {
  const httpGet = { path: '/healthz?full=1', port: 'WEB' };
  const container = {
    name: 'app',
    ports: [{ name: 'web', containerPort: 8080 }],
    livenessProbe: { httpGet },
  };
  const spec = { containers: [container] };
  const get: Ask = { sourcePrincipal: null, method: 'GET', path: '/healthz' };

  it('are let in, by a path without its query', () => {
    assert.equal(allowed(world(DENY, spec), get), true);
    assert.equal(allowed(world(DENY, spec), { ...get, path: '/healthz?x=2' }), true);
    assert.equal(allowed(world(DENY, spec), { ...get, method: 'POST' }), false);
    assert.equal(allowed(world(DENY, spec), { ...get, path: '/healthz/' }), false);
    assert.equal(allowed([...world(DENY, spec), server()], get), true, 'with a Server too');
  });

  it('of sidecars that are init containers too', () => {
    const sidecar = {
      containers: [{ name: 'app' }],
      initContainers: [{ ...container, restartPolicy: 'Always' }],
    };
    assert.equal(allowed(world(DENY, sidecar), get), true);
  });

  it('have no route where the proxy reads no HTTP, or the Server has routes of its own', () => {
    const opaque = { ...DENY, 'config.linkerd.io/opaque-ports': '8000-8100' };
    assert.equal(allowed(world(opaque, spec), get), false);
    for (const proxyProtocol of ['opaque', 'TLS', 'gRPC'])
      assert.equal(allowed([...world({}, spec), server({ proxyProtocol })], get), false, proxyProtocol);
    const route = linkerd('HTTPRoute', 'r', 'apps', { parentRefs: [onServer], rules: [{}] });
    assert.equal(allowed([...world({}, spec), server(), route], get), false);
  });

  it('come from the networks that the control plane was installed with', () => {
    const config = (probeNetworks: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'linkerd-config', namespace: 'linkerd' },
      data: { values: `policyController:\n  probeNetworks: ${probeNetworks}\n` },
    });
    const objects = world(DENY, spec);
    assert.equal(allowed([...objects, config('["10.1.0.0/16"]')], get), true);
    assert.equal(allowed([...objects, config('["10.2.0.0/16"]')], get), false);
    assert.equal(allowed([...objects, config('[]')], get), false);
    assert.equal(
      createMesh([...objects, config('["10.1.0.0/16"]')]).authorize({
        workload: deployment('server', 'apps').workload,
        request: { sourcePrincipal: null, port: 8080, method: 'GET', path: '/healthz' },
      }).allowed,
      'unknown',
      'the address is not known',
    );
  });
});

describe('routes', () => {
  const onRoute = (kind: string, group: string): KubeObject[] => [
    { apiVersion: `${group}/v1`, kind, metadata: { name: 'r', namespace: 'apps' }, spec: {} },
  ];
  const route = (kind: string, group: string, spec: object, rest: object = {}): KubeObject => ({
    ...onRoute(kind, group)[0]!,
    spec: { parentRefs: [onServer], ...spec },
    ...rest,
  });
  const GATEWAY = 'gateway.networking.k8s.io';
  const get: Ask = { method: 'GET', path: '/shop.Cart/Get' };

  it('are those of the protocol: GRPCRoutes for gRPC, HTTPRoutes for the rest', () => {
    const http = route('HTTPRoute', GATEWAY, { rules: [{}] });
    const grpc = route('GRPCRoute', GATEWAY, { rules: [{}] });
    const open = (kind: string): KubeObject => policy(to(kind, 'r', GATEWAY));
    assert.equal(allowed([...world(), server(), http, open('HTTPRoute')], get), true);
    assert.equal(allowed([...world(), server(), grpc, open('GRPCRoute')], get), false);
    const spoken = server({ proxyProtocol: 'gRPC' });
    assert.equal(allowed([...world(), spoken, grpc, open('GRPCRoute')], get), true);
    assert.equal(allowed([...world(), spoken, http, open('HTTPRoute')], get), false);
  });

  it('of another group are not the one that a policy targets', () => {
    const http = route('HTTPRoute', GATEWAY, { rules: [{}] });
    assert.equal(allowed([...world(), server(), http, policy(to('HTTPRoute', 'r'))], get), false);
    assert.equal(allowed([...world(), server(), http, policy(to('HTTPRoute', 'R', GATEWAY))], get), true);
  });

  it('are also let in by what lets in to the Server', () => {
    const http = route('HTTPRoute', GATEWAY, { rules: [{}] });
    assert.equal(allowed([...world(), server(), http, policy(onServer)], get), true);
  });

  it('that match nothing leave the request without one', () => {
    const rules = [{ matches: [{ path: { type: 'Exact', value: '/x' } }] }];
    const http = route('HTTPRoute', GATEWAY, { rules });
    assert.equal(allowed([...world(), server(), http, policy(onServer)], get), false);
  });

  it('count only as their status says', () => {
    const status = {
      parents: [
        {
          controllerName: 'linkerd.io/policy-controller',
          parentRef: { kind: 'Server', name: 'web' },
          conditions: [{ type: 'Accepted', status: 'False' }],
        },
      ],
    };
    const rules = [{ matches: [{ path: { type: 'Exact', value: '/x' } }] }];
    const rejected = route('HTTPRoute', GATEWAY, { rules }, { status });
    assert.equal(allowed([...world(), server(), rejected, policy(onServer)], get), true);
  });

  it('that Linkerd refuses make it unknown', () => {
    const filters = [{ type: 'URLRewrite', urlRewrite: {} }];
    refuses(
      [...world(), server(), route('HTTPRoute', GATEWAY, { rules: [{ filters }] })],
      /no filter "URLRewrite"/,
      'spec.rules.0.filters.0',
      get,
    );
    const rules = [{ matches: [{ path: { type: 'Exact', value: 'x' } }] }];
    refuses(
      [...world(), server(), route('HTTPRoute', GATEWAY, { rules })],
      /does not begin with/,
      'spec.rules.0.matches.0.path.value',
      get,
    );
  });
});

describe('ports that require identity', () => {
  it('are read like the controller reads them', () => {
    assert.ok(linkerdPorts('80, 8000-8100')(8080));
    assert.ok(!linkerdPorts('80,8000-8100')(81));
    for (const wrong of ['8080,x', '8080,0', '8100-8000,8080', '8080,2-', '8080,65536'])
      assert.ok(!linkerdPorts(wrong)(8080), wrong);
  });

  it('take identities where the default policy asks for none', () => {
    const strict = { 'config.linkerd.io/proxy-require-identity-inbound-ports': '8000-8100' };
    assert.equal(allowed(world(strict), { sourcePrincipal: null }), false);
    assert.equal(allowed(world(strict)), true);
    assert.equal(
      allowed(world({ ...strict, 'config.linkerd.io/default-inbound-policy': 'audit' }), {
        sourcePrincipal: null,
      }),
      true,
    );
  });
});

describe('linkerd-config that is broken', () => {
  const config = (values: unknown): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'linkerd-config', namespace: 'mesh' },
    data: { values },
  });
  const cases: readonly [string, unknown, RegExp][] = [
    ['no YAML', 'a: [', /values of ConfigMap mesh\/linkerd-config cannot be read/],
    ['no map', '- a', /cannot be read/],
    ['no values', undefined, /cannot be read/],
    ['a policy that is none', 'proxy:\n  defaultInboundPolicy: open\n', /defaultInboundPolicy .* "open"/],
    ['networks that are none', 'clusterNetworks: 10.0.0.0/8,foo\n', /clusterNetworks .* "foo"/],
    ['networks that are a list', 'clusterNetworks: ["10.0.0.0/8"]\n', /clusterNetworks .* no text/],
    ['probe networks', 'policyController:\n  probeNetworks: ["x"]\n', /probeNetworks .* "x"/],
  ];
  for (const [name, values, text] of cases)
    it(`has ${name}, which is said`, () => {
      const mesh = createMesh([...world(), config(values)]);
      assert.ok(
        mesh.assumptions.some(one => text.test(one)),
        mesh.assumptions.join('\n'),
      );
      assert.equal(allowed([...world(), config(values)]), true, 'the default of the chart');
    });
});
