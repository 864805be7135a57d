/** What clients of Istio see and send: Sidecars, DestinationRules, ServiceEntries, gateways. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createNetwork } from '#decide/network/door.ts';
import type { KubeObject } from '#kube/objects.ts';
import { app, deployment, istio, namespace } from '#test/mesh.ts';
import { createMesh, deriveFlow, type MeshOptions } from './door.ts';

const INJECTED = { 'istio-injection': 'enabled' };
const world: readonly KubeObject[] = [
  ...['istio-system', 'shop', 'bank'].map(name => namespace(name, INJECTED)),
  ...app('web', 'shop'),
  ...app('cart', 'shop'),
  ...app('pay', 'bank'),
];
const [web, cart, pay] = [deployment('web', 'shop'), deployment('cart', 'shop'), deployment('pay', 'bank')];
type To = Parameters<ReturnType<typeof createMesh>['transport']>[0]['to'];

function mode(objects: readonly KubeObject[], to: To, port = 8080, options: MeshOptions = {}): string {
  return createMesh([...world, ...objects], options).transport({ from: web, to, port }).mode;
}

const rule = (name: string, ns: string, tls: object, more: object = {}): KubeObject =>
  istio('DestinationRule', name, ns, {
    host: 'pay.bank.svc.cluster.local',
    trafficPolicy: { tls },
    ...more,
  });
const sidecar = (egress: object[], more: object = {}): KubeObject =>
  istio('Sidecar', 'default', 'shop', {
    egress,
    outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
    ...more,
  });

describe('hosts that are exported to nobody', () => {
  const hidden = app('cart', 'shop', {
    service: {},
  }).map(object =>
    object.kind === 'Service'
      ? {
          ...object,
          metadata: { ...object.metadata, annotations: { 'networking.istio.io/exportTo': '~' } },
        }
      : object,
  );
  const route = istio('VirtualService', 'pay', 'istio-system', {
    hosts: ['pay.bank.svc.cluster.local'],
    http: [{ route: [{ destination: { host: 'cart.shop.svc.cluster.local' } }] }],
  });

  it('are hidden from clients of their own namespace too', () => {
    assert.equal(mode(hidden, cart), 'plaintext');
  });

  it('are known there where a route leads to them', () => {
    assert.equal(mode([...hidden, route], cart), 'mtls');
    const { mode: is } = createMesh([...world, ...hidden, route]).transport({
      from: pay,
      to: cart,
      port: 8080,
    });
    assert.equal(is, 'plaintext');
  });
});

describe('DestinationRules', () => {
  it('count in the order of client, host and root namespace', () => {
    const root = rule('all', 'istio-system', { mode: 'DISABLE' }, { host: '*.svc.cluster.local' });
    assert.equal(mode([root], pay), 'plaintext');
    assert.equal(mode([root, rule('pay', 'bank', { mode: 'ISTIO_MUTUAL' })], pay), 'mtls');
    assert.equal(
      mode([rule('pay', 'bank', { mode: 'ISTIO_MUTUAL' }), rule('own', 'shop', { mode: 'SIMPLE' })], pay),
      'tls',
    );
  });

  it('are chosen by host before it is asked to whom they are exported', () => {
    // The best host of the namespace is private: a worse one beside it does not count.
    const wild = rule('wild', 'bank', { mode: 'DISABLE' }, { host: '*.bank.svc.cluster.local' });
    const exact = rule('exact', 'bank', { mode: 'SIMPLE' }, { exportTo: ['other', 'elsewhere'] });
    assert.equal(mode([wild], pay), 'plaintext');
    assert.equal(mode([wild, exact], pay), 'mtls');
    assert.equal(
      mode([wild, rule('own', 'bank', { mode: 'SIMPLE' }, { exportTo: ['.'] })], pay),
      'plaintext',
    );
  });

  it('with a mode that there is not say so, wherever it stands', () => {
    const odd = { mode: 'SIMPEL' };
    for (const [trafficPolicy, path] of [
      [{ tls: odd }, ['tls', 'mode']],
      [{ portLevelSettings: [{ port: { number: 80 }, tls: odd }] }, ['portLevelSettings', 0, 'tls', 'mode']],
    ] as const) {
      const wrong = istio('DestinationRule', 'pay', 'bank', {
        host: 'pay.bank.svc.cluster.local',
        trafficPolicy,
      });
      const mesh = createMesh([...world, wrong]);
      const { mode: is, because } = mesh.transport({ from: web, to: pay, port: 8080 });
      assert.equal(is, 'mtls');
      const said = because.find(({ object }) => object === wrong);
      assert.deepEqual(said?.path, ['spec', 'trafficPolicy', ...path]);
      assert.match(said.text, /is "SIMPEL", which is none: it is taken as not set/);
      assert.deepEqual(
        mesh.assumed.find(({ object }) => object === wrong),
        said,
      );
    }
    const subset = rule(
      'pay',
      'bank',
      { mode: 'ISTIO_MUTUAL' },
      { subsets: [{ trafficPolicy: { tls: odd } }] },
    );
    assert.match(
      createMesh([...world, subset]).assumptions.join(),
      /subsets\[0\]\.trafficPolicy\.tls\.mode of DestinationRule bank\/pay/,
    );
  });

  it('of a port that sets no mode leave it to the mesh: the rest of the rule counts for its endpoints', () => {
    const port = { portLevelSettings: [{ port: { number: 80 }, loadBalancer: { simple: 'RANDOM' } }] };
    const of = (tls: object, more: object = {}): KubeObject =>
      istio('DestinationRule', 'pay', 'bank', {
        host: 'pay.bank.svc.cluster.local',
        trafficPolicy: { tls, ...port, ...more },
      });
    const headless = app('pay', 'bank', { service: { clusterIP: 'None' } });
    const bare = namespace('bank');
    assert.equal(mode([of({ mode: 'SIMPLE' })], pay), 'plaintext');
    assert.equal(mode([of({ mode: 'ISTIO_MUTUAL' })], pay), 'mtls');
    // Encryption that the port does not state is for endpoints with a proxy: others get plain text, and take it.
    assert.equal(mode([of({ mode: 'ISTIO_MUTUAL' }), bare], pay), 'plaintext');
    // A host whose clients go to addresses of their own choice does not tell its endpoints apart.
    assert.equal(mode([of({ mode: 'SIMPLE' }), ...headless], pay), 'mtls');
  });

  it('that pass connections through ask all endpoints, or none where it is one port that does', () => {
    const through = { loadBalancer: { simple: 'PASSTHROUGH' } };
    const passed = (trafficPolicy: object): KubeObject =>
      istio('DestinationRule', 'pay', 'bank', { host: 'pay.bank.svc.cluster.local', trafficPolicy });
    const off = app('pay', 'bank', { labels: { 'security.istio.io/tlsMode': 'disabled' } });
    assert.equal(mode([passed(through)], pay), 'mtls');
    assert.equal(mode([passed(through), ...off], pay), 'plaintext');
    const onPort = passed({ portLevelSettings: [{ port: { number: 80 }, ...through }] });
    assert.equal(mode([onPort, ...off], pay), 'mtls');
    assert.equal(mode([passed({ ...through, portLevelSettings: [{ port: { number: 80 } }] })], pay), 'mtls');
  });

  it('with a workloadSelector are for some clients of their own namespace', () => {
    const some = (app: string, ns: string): KubeObject =>
      rule(`some-${app}`, ns, { mode: 'DISABLE' }, { workloadSelector: { matchLabels: { app } } });
    assert.equal(mode([some('web', 'shop')], pay), 'plaintext');
    assert.equal(mode([some('cart', 'shop')], pay), 'mtls');
    assert.equal(mode([some('web', 'bank')], pay), 'mtls');
  });

  it('with a Secret count for gateways only', () => {
    const tls = { mode: 'SIMPLE', credentialName: 'ca' };
    assert.equal(mode([rule('pay', 'bank', tls)], pay), 'plaintext');
    assert.equal(mode([rule('pay', 'bank', { mode: 'SIMPLE', caCertificates: '/ca.pem' })], pay), 'tls');
  });

  it('say nothing of a port with settings of its own, but whether its endpoints are encrypted', () => {
    const port = (tls: object): KubeObject =>
      istio('DestinationRule', 'pay', 'bank', {
        host: 'pay',
        trafficPolicy: { tls, portLevelSettings: [{ port: { number: 80 }, loadBalancer: {} }] },
      });
    assert.equal(mode([port({ mode: 'SIMPLE' })], pay), 'plaintext');
    assert.equal(mode([port({ mode: 'ISTIO_MUTUAL' })], pay), 'mtls');
  });

  it('take the mode of the server’s whole namespace for their own where none is set', () => {
    const off = istio('PeerAuthentication', 'default', 'bank', { mtls: { mode: 'DISABLE' } });
    const strict = istio('PeerAuthentication', 'pay', 'bank', {
      selector: { matchLabels: { app: 'pay' } },
      mtls: { mode: 'STRICT' },
    });
    // The client looks at the namespace, the server at its own policy: they do not meet.
    assert.equal(mode([off, strict], pay), 'refused');
    assert.equal(mode([off], pay), 'plaintext');
  });
});

describe('Sidecars', () => {
  it('let a client see hosts by namespace and name, and take some away again', () => {
    assert.equal(mode([sidecar([{ hosts: ['./*', 'istio-system/*'] }])], pay), 'refused');
    assert.equal(mode([sidecar([{ hosts: ['./*'] }])], cart), 'mtls');
    assert.equal(mode([sidecar([{ hosts: ['*/*', '~bank/*'] }])], pay), 'refused');
    assert.equal(mode([sidecar([{ hosts: ['*/*', '~/pay.bank.svc.cluster.local'] }])], pay), 'refused');
    assert.equal(mode([sidecar([{ hosts: ['bank/pay.bank.svc.cluster.local'] }])], pay), 'mtls');
  });

  it('with a port let it see that port only, unless they are for a forward proxy', () => {
    const at = (number: number, protocol = 'HTTP'): KubeObject =>
      sidecar([{ port: { number, protocol, name: 'x' }, hosts: ['*/*'] }]);
    assert.equal(mode([at(80)], pay), 'mtls');
    assert.equal(mode([at(9090)], pay), 'refused');
    assert.equal(mode([at(3128, 'HTTP_PROXY')], pay), 'mtls');
  });

  it('let it see where their VirtualServices lead', () => {
    const route = (port?: number): KubeObject =>
      istio('VirtualService', 'cart', 'shop', {
        hosts: ['cart'],
        http: [
          {
            route: [
              {
                destination: {
                  host: 'pay.bank.svc.cluster.local',
                  ...(port === undefined ? {} : { port: { number: port } }),
                },
              },
            ],
          },
        ],
      });
    const own = sidecar([{ hosts: ['./*'] }]);
    assert.equal(mode([own, route()], pay), 'mtls');
    assert.equal(mode([own, route(80)], pay), 'mtls');
    assert.equal(mode([own, route(81)], pay), 'refused');
    assert.equal(mode([sidecar([{ hosts: ['istio-system/*'] }]), route()], pay), 'refused');
  });

  it('that state a policy without a mode refuse what is not known', () => {
    const open = istio('Sidecar', 'default', 'shop', { egress: [{ hosts: ['./*'] }] });
    assert.equal(mode([open], pay), 'plaintext');
    assert.equal(
      mode([{ ...open, spec: { egress: [{ hosts: ['./*'] }], outboundTrafficPolicy: {} } }], pay),
      'refused',
    );
  });

  it('say what ports speak that they listen on', () => {
    const denyPath = istio('AuthorizationPolicy', 'deny', 'shop', {
      selector: { matchLabels: { app: 'cart' } },
      action: 'DENY',
      rules: [{ to: [{ operation: { paths: ['/admin'] } }] }],
    });
    const allowed = (protocol: string): boolean | 'unknown' =>
      createMesh([
        ...world,
        denyPath,
        istio('Sidecar', 'cart', 'shop', {
          workloadSelector: { labels: { app: 'cart' } },
          ingress: [{ port: { number: 8080, protocol, name: 'x' }, defaultEndpoint: '127.0.0.1:8080' }],
        }),
      ]).authorize({
        workload: cart,
        request: { sourcePrincipal: 'cluster.local/ns/shop/sa/web', port: 8080, method: 'GET', path: '/' },
      }).allowed;
    assert.equal(allowed('HTTP'), true);
    // On plain TCP the rule loses its path, and denies all.
    assert.equal(allowed('TCP'), false);
  });
});

describe('hosts that the registry hides', () => {
  it('by the default of the mesh, or by an annotation', () => {
    const meshConfig = { defaultServiceExportTo: ['.'], outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } };
    assert.equal(mode([], pay, 8080, { meshConfig }), 'refused');
    assert.equal(mode([], cart, 8080, { meshConfig }), 'mtls');
    const [, service] = app('pay', 'bank');
    const shown = (exportTo: string): KubeObject => ({
      ...service!,
      metadata: { ...service!.metadata, annotations: { 'networking.istio.io/exportTo': exportTo } },
    });
    assert.equal(mode([shown('shop')], pay, 8080, { meshConfig }), 'mtls');
    assert.equal(mode([shown('~')], pay), 'plaintext');
  });
});

describe('ServiceEntries', () => {
  const entry = (spec: object, name = 'outside'): KubeObject =>
    istio('ServiceEntry', name, 'shop', {
      hosts: ['api.example.com'],
      ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
      resolution: 'DNS',
      location: 'MESH_EXTERNAL',
      ...spec,
    });
  const api = { host: 'api.example.com' };
  const only = { meshConfig: { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } } };

  it('open a host by its name where the registry is all that may be reached', () => {
    assert.equal(mode([], api, 443), 'plaintext');
    assert.equal(mode([], api, 443, only), 'refused');
    assert.equal(mode([entry({})], api, 443, only), 'plaintext');
    assert.equal(mode([entry({})], api, 80, only), 'refused');
    assert.equal(mode([entry({ exportTo: ['bank'] })], api, 443, only), 'refused');
    assert.equal(
      mode([entry({ hosts: ['*.example.com'], resolution: 'NONE' })], api, 443, only),
      'plaintext',
    );
  });

  it('follow the DestinationRule of their host', () => {
    const simple = istio('DestinationRule', 'api', 'shop', {
      host: 'api.example.com',
      trafficPolicy: { tls: { mode: 'SIMPLE' } },
    });
    assert.equal(mode([entry({}), simple], api, 443), 'tls');
  });

  it('select pods, which are encrypted where they are said to be in the mesh', () => {
    const [deploy] = app('db', 'shop');
    const selecting = (location: string): KubeObject =>
      entry({
        hosts: ['db.internal'],
        ports: [{ number: 5432, targetPort: 8080, name: 'tcp', protocol: 'TCP' }],
        resolution: 'STATIC',
        workloadSelector: { labels: { app: 'db' } },
        location,
      });
    const db = deployment('db', 'shop');
    assert.equal(mode([deploy!, selecting('MESH_INTERNAL')], db), 'mtls');
    assert.equal(mode([deploy!, selecting('MESH_EXTERNAL')], db), 'plaintext');
    assert.equal(mode([deploy!], db, 8080, only), 'refused');
  });

  it('state endpoints, which a service account puts into the mesh', () => {
    const vm = (endpoint: object, location = 'MESH_INTERNAL'): KubeObject =>
      entry({
        hosts: ['vm.internal'],
        ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
        resolution: 'STATIC',
        location,
        endpoints: [{ address: '10.9.0.1', ports: { http: 8080 }, ...endpoint }],
      });
    const to = { ip: '10.9.0.1' };
    assert.equal(mode([vm({ serviceAccount: 'vm' })], to), 'mtls');
    assert.equal(mode([vm({})], to), 'plaintext');
    assert.equal(mode([vm({ labels: { 'security.istio.io/tlsMode': 'istio' } })], to), 'mtls');
    assert.equal(mode([vm({ serviceAccount: 'vm' }, 'MESH_EXTERNAL')], to), 'plaintext');
  });

  it('are decided on the network by the addresses that they state, else by any', () => {
    const policy = (cidr: string): KubeObject => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'out', namespace: 'shop' },
      spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr } }] }] },
    });
    const flow = (objects: readonly KubeObject[]) => {
      const all = [...world, ...objects];
      return deriveFlow(createNetwork(all), createMesh(all), { from: web, to: api, port: 443 });
    };
    assert.equal(flow([]).allowed, true);
    const { allowed, because } = flow([policy('0.0.0.0/0')]).network;
    assert.equal(allowed, true);
    assert.equal(because.at(-1)!.text, 'over IPv4; over IPv6 it is denied');
    assert.equal(flow([policy('198.51.100.0/24')]).allowed, 'unknown');
    const fixed = entry({ resolution: 'STATIC', endpoints: [{ address: '198.51.100.7' }] });
    assert.equal(flow([policy('198.51.100.0/24'), fixed]).allowed, true);
    assert.equal(flow([policy('203.0.113.0/24'), fixed]).allowed, false);
  });
});

describe('gateways', () => {
  const gateway = app('ingress', 'istio-system', {
    labels: { istio: 'ingressgateway' },
    annotations: { 'inject.istio.io/templates': 'gateway' },
    service: {
      ports: [
        { name: 'http2', port: 80, targetPort: 8080 },
        { name: 'https', port: 443, targetPort: 8443 },
      ],
    },
  });
  const servers = (list: object[]): KubeObject =>
    istio('Gateway', 'main', 'shop', { selector: { istio: 'ingressgateway' }, servers: list });
  const server = (number: number, protocol: string, tls?: object): object => ({
    port: { number, protocol, name: protocol.toLowerCase() },
    hosts: ['*'],
    ...(tls === undefined ? {} : { tls }),
  });
  const ingress = deployment('ingress', 'istio-system');

  it('take what their servers say, on the ports of pods', () => {
    const at = (list: object[], port: number, more: readonly KubeObject[] = []): string =>
      mode([...gateway, servers(list), ...more], ingress, port);
    assert.equal(at([server(80, 'HTTP')], 8080), 'plaintext');
    assert.equal(at([server(80, 'HTTP')], 8443), 'refused', 'nothing listens');
    assert.equal(at([server(443, 'HTTPS', { mode: 'SIMPLE', credentialName: 'x' })], 8443), 'tls');
    assert.equal(at([server(443, 'TLS', { mode: 'PASSTHROUGH' })], 8443), 'tls');
    assert.equal(at([server(443, 'HTTPS', { mode: 'ISTIO_MUTUAL' })], 8443), 'refused');
    const mutual = istio('DestinationRule', 'ingress', 'istio-system', {
      host: 'ingress',
      trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } },
    });
    assert.equal(at([server(443, 'HTTPS', { mode: 'ISTIO_MUTUAL' })], 8443, [mutual]), 'mtls');
    assert.equal(at([server(80, 'HTTP')], 8080, [mutual]), 'refused');
  });

  it('let requests in by their policies, as what their servers speak', () => {
    const deny = istio('AuthorizationPolicy', 'deny', 'istio-system', {
      selector: { matchLabels: { istio: 'ingressgateway' } },
      action: 'DENY',
      rules: [{ to: [{ operation: { paths: ['/admin'] } }] }],
    });
    const ask = (list: object[], port: number, path: string): boolean | 'unknown' =>
      createMesh([...world, ...gateway, servers(list), deny]).authorize({
        workload: ingress,
        request: { sourcePrincipal: null, port, method: 'GET', path },
      }).allowed;
    // The Service calls the port https, which is TCP elsewhere: the server ends TLS, and reads requests.
    const https = [server(443, 'HTTPS', { mode: 'SIMPLE', credentialName: 'x' })];
    assert.equal(ask(https, 8443, '/'), true);
    assert.equal(ask(https, 8443, '/admin'), false);
    assert.equal(ask([server(443, 'TLS', { mode: 'PASSTHROUGH' })], 8443, '/'), false);
  });

  it('are sources with an identity, which no Sidecar narrows', () => {
    const narrow = istio('Sidecar', 'default', 'istio-system', {
      egress: [{ hosts: ['./*'] }],
      outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
    });
    const mesh = createMesh([...world, ...gateway, narrow]);
    const answer = mesh.transport({ from: ingress, to: cart, port: 8080 });
    assert.equal(answer.mode, 'mtls');
    assert.equal(answer.identity, 'spiffe://cluster.local/ns/istio-system/sa/ingress');
  });

  it('that serve a Gateway of the Gateway API are found by its name', () => {
    const made = app('web-gw-istio', 'shop', {
      labels: { 'gateway.networking.k8s.io/gateway-name': 'web-gw' },
      annotations: { 'inject.istio.io/templates': 'gateway' },
      service: { ports: [{ name: 'http', port: 80, targetPort: 80 }] },
    });
    const gw: KubeObject = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'web-gw', namespace: 'shop' },
      spec: { gatewayClassName: 'istio', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
    };
    const to = deployment('web-gw-istio', 'shop');
    assert.equal(mode([...made, gw], to, 80), 'plaintext');
    assert.equal(mode([...made, gw], to, 443), 'refused');
  });
});
