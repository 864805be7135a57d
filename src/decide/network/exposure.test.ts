import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KubeObject, nameOf } from '#kube/objects.ts';
import { exposure } from './network.ts';

type Fields = Record<string, unknown>;

const make = (
  apiVersion: string,
  kind: string,
  id: string,
  more: Fields,
  annotations: Fields = {},
): KubeObject => {
  const [namespace, name] = id.split('/');
  return { apiVersion, kind, metadata: { name, namespace, annotations }, ...more } as KubeObject;
};
const workload = (id: string, spec: Fields = {}): KubeObject => {
  const labels = { app: id.split('/')[1] };
  const ports = [{ name: 'http', containerPort: 8080 }];
  return make('apps/v1', 'Deployment', id, {
    spec: { template: { metadata: { labels }, spec: { containers: [{ name: 'c', ports }], ...spec } } },
  });
};
const service = (id: string, spec: Fields = {}, annotations: Fields = {}): KubeObject =>
  make(
    'v1',
    'Service',
    id,
    {
      spec: {
        selector: { app: id.split('/')[1] },
        ports: [{ name: 'web', port: 80, targetPort: 'http' }],
        ...spec,
      },
    },
    annotations,
  );
const deny = make('networking.k8s.io/v1', 'NetworkPolicy', 'shop/deny', { spec: { podSelector: {} } });
const web = [workload('shop/web'), service('shop/web')];

/** One line per exposure: what a person would ask of it. */
const lines = (objects: readonly KubeObject[]): string[] =>
  exposure(objects).exposures.map(
    ({ entry, through, id, protocol, port, tls, reachable, internal, sources }) =>
      [
        `${entry.is}:${entry.port ?? ''}`,
        entry.hosts.join('|') || '*',
        through.map(object => `${object.kind} ${nameOf(object)}`).join(' > '),
        `${id} ${protocol} ${port}`,
        `tls ${tls}`,
        String(reachable),
        ...(internal ? ['internal'] : []),
        ...sources,
      ].join(', '),
  );
const gaps = (objects: readonly KubeObject[]): string[] =>
  exposure(objects).gaps.map(({ object, path, text }) => `${object?.kind} ${path?.join('.')}: ${text}`);

describe('exposure by Services', () => {
  it('is none by a ClusterIP', () => assert.deepEqual(lines(web), []));

  it('is by load balancer and node port', () => {
    const spec = { type: 'LoadBalancer', loadBalancerSourceRanges: ['203.0.113.0/24'] };
    const expected = [
      'load-balancer:80, *, Service web, shop/Deployment/web TCP 8080, tls unknown, true, 203.0.113.0/24',
      'node-port:, *, Service web, shop/Deployment/web TCP 8080, tls unknown, true',
    ];
    assert.deepEqual(lines([web[0]!, service('shop/web', spec)]), expected);
    const without = { ...spec, allocateLoadBalancerNodePorts: false };
    assert.deepEqual(lines([web[0]!, service('shop/web', without)]), expected.slice(0, 1));
  });

  it('is by an internal load balancer where an annotation says so', () => {
    const annotations = { 'networking.gke.io/load-balancer-type': 'Internal' };
    const [line] = lines([web[0]!, service('shop/web', { type: 'LoadBalancer' }, annotations)]);
    assert.match(line!, /true, internal$/);
  });

  it('is by external addresses', () => {
    const { exposures } = exposure([web[0]!, service('shop/web', { externalIPs: ['198.51.100.7'] })]);
    assert.deepEqual(exposures[0]?.entry, {
      is: 'external-ip',
      port: 80,
      hosts: [],
      addresses: ['198.51.100.7'],
    });
  });

  it('tells what policies let through', () => {
    const open = [
      web[0]!,
      service('shop/web', { type: 'NodePort', ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] }),
    ];
    const some = (policy: Fields) =>
      lines([
        ...open,
        make('networking.k8s.io/v1', 'NetworkPolicy', 'shop/np', { spec: { podSelector: {}, ...policy } }),
      ]);
    const line = (answer: string) =>
      `node-port:30080, *, Service web, shop/Deployment/web TCP 8080, tls unknown, ${answer}`;
    assert.deepEqual(some({}), [line('false')]);
    assert.deepEqual(some({ ingress: [{ ports: [{ port: 8080 }] }] }), [line('true')]);
    assert.deepEqual(some({ ingress: [{ from: [{ podSelector: {} }] }] }), [line('false')]);
    // The pod may see the address of a node instead of the client's.
    const block = { ingress: [{ from: [{ ipBlock: { cidr: '203.0.113.0/24' } }] }] };
    assert.deepEqual(some(block), [line('unknown')]);
  });

  it('notes a Service that leads to no pod', () => {
    assert.deepEqual(gaps([service('shop/web', { type: 'NodePort' })]), [
      'Service spec.ports.0: web leads to no pod on port 80',
    ]);
  });

  it('is by host port and host network', () => {
    const containers = [
      { name: 'c', ports: [{ containerPort: 53, hostPort: 5353, protocol: 'UDP' }, { containerPort: 1 }] },
    ];
    assert.deepEqual(lines([workload('shop/web', { containers })]), [
      'host-port:5353, *, , shop/Deployment/web UDP 53, tls unknown, true',
    ]);
    assert.deepEqual(lines([workload('shop/web', { containers, hostNetwork: true }), deny]), [
      'host-network:53, *, , shop/Deployment/web UDP 53, tls unknown, unknown',
      'host-network:1, *, , shop/Deployment/web TCP 1, tls unknown, unknown',
    ]);
  });
});

describe('exposure by Ingress and Route', () => {
  const ingress = (backend: Fields, spec: Fields = {}) =>
    make('networking.k8s.io/v1', 'Ingress', 'shop/in', {
      spec: {
        rules: [{ host: 'shop.example', http: { paths: [{ backend: { service: backend } }] } }],
        ...spec,
      },
    });
  const line = (tls: string, answer = 'true') =>
    `ingress:, shop.example, Ingress in > Service web, shop/Deployment/web TCP 8080, tls ${tls}, ${answer}`;

  it("follows number and name of the Service's port", () => {
    assert.deepEqual(lines([...web, ingress({ name: 'web', port: { number: 80 } })]), [line('none')]);
    assert.deepEqual(lines([...web, ingress({ name: 'web', port: { name: 'web' } })]), [line('none')]);
  });

  it('knows TLS by host', () => {
    const port = { name: 'web', port: { number: 80 } };
    assert.deepEqual(lines([...web, ingress(port, { tls: [{ hosts: ['*.example'] }] })]), [
      line('terminated'),
    ]);
    assert.deepEqual(lines([...web, ingress(port, { tls: [{ hosts: ['other.example'] }] })]), [line('none')]);
    assert.deepEqual(lines([...web, ingress(port, { tls: [{}] })]), [line('terminated')]);
  });

  it('reads the older form and the default backend', () => {
    const old = make('extensions/v1beta1', 'Ingress', 'shop/in', {
      spec: { backend: { serviceName: 'web', servicePort: 'web' } },
    });
    assert.deepEqual(lines([...web, old]), [line('none').replace('shop.example', '*')]);
  });

  it('notes what leads nowhere', () => {
    assert.deepEqual(gaps([...web, ingress({ name: 'gone', port: { number: 80 } })]), [
      'Ingress spec.rules.0.http.paths.0.backend.service: there is no Service shop/gone in the input',
    ]);
    assert.deepEqual(gaps([...web, ingress({ name: 'web', port: { number: 81 } })]), [
      'Ingress spec.rules.0.http.paths.0.backend.service: the Service has no port 81',
    ]);
  });

  it('does not guess which pod the controller is', () => {
    const from = (peer: Fields) =>
      make('networking.k8s.io/v1', 'NetworkPolicy', 'shop/np', {
        spec: { podSelector: {}, ingress: [{ from: [peer] }] },
      });
    const objects = [...web, ingress({ name: 'web', port: { number: 80 } })];
    assert.deepEqual(lines([...objects, deny]), [line('none', 'false')]);
    assert.deepEqual(lines([...objects, from({ namespaceSelector: {} })]), [line('none')]);
    const some = from({ namespaceSelector: { matchLabels: { name: 'ingress' } } });
    assert.deepEqual(lines([...objects, some]), [line('none', 'unknown')]);
    assert.deepEqual(lines([...objects, from({ podSelector: {} })]), [line('none', 'unknown')]);
  });

  it("follows Routes by name or by the pods' number", () => {
    const route = (port: unknown, tls?: Fields) =>
      make('route.openshift.io/v1', 'Route', 'shop/r', {
        spec: { host: 'shop.example', to: { kind: 'Service', name: 'web' }, port: { targetPort: port }, tls },
      });
    const by = (tls: string) =>
      `route:, shop.example, Route r > Service web, shop/Deployment/web TCP 8080, tls ${tls}, true`;
    assert.deepEqual(lines([...web, route('web')]), [by('none')]);
    assert.deepEqual(lines([...web, route('http', { termination: 'passthrough' })]), [by('passthrough')]);
    assert.deepEqual(lines([...web, route(80)]), []);
  });
});

describe('exposure by Gateway API', () => {
  const gateway = (listener: Fields) =>
    make('gateway.networking.k8s.io/v1', 'Gateway', 'edge/gw', {
      spec: { listeners: [{ name: 'l', port: 443, protocol: 'HTTPS', ...listener }] },
    });
  const route = (spec: Fields = {}, backend: Fields = {}, kind = 'HTTPRoute') =>
    make('gateway.networking.k8s.io/v1', kind, 'shop/r', {
      spec: {
        parentRefs: [{ name: 'gw', namespace: 'edge' }],
        rules: [{ backendRefs: [{ name: 'web', port: 80, ...backend }] }],
        ...spec,
      },
    });
  const all = { allowedRoutes: { namespaces: { from: 'All' } } };
  const line = (host: string, tls = 'terminated') =>
    `gateway:443, ${host}, Gateway gw > HTTPRoute r > Service web, shop/Deployment/web TCP 8080, tls ${tls}, true`;

  it('follows listener, route and Service', () =>
    assert.deepEqual(lines([...web, gateway(all), route()]), [line('*')]));

  it('takes the common host names', () => {
    const listener = { ...all, hostname: '*.example.com' };
    const hosts = (hostnames: string[]) => lines([...web, gateway(listener), route({ hostnames })]);
    assert.deepEqual(hosts(['shop.example.com', 'shop.example.org']), [line('shop.example.com')]);
    assert.deepEqual(hosts(['shop.example.org']), []);
    assert.deepEqual(hosts([]), [line('*.example.com')]);
  });

  it('admits routes of its own namespace, unless it says otherwise', () => {
    assert.deepEqual(lines([...web, gateway({}), route()]), []);
    const selected = {
      allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { edge: 'yes' } } } },
    };
    const shop = (labels: Fields) =>
      ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } }) as KubeObject;
    assert.deepEqual(lines([...web, gateway(selected), route(), shop({ edge: 'yes' })]), [line('*')]);
    assert.deepEqual(lines([...web, gateway(selected), route(), shop({})]), []);
  });

  it('admits the kinds of routes that its protocol has', () => {
    assert.deepEqual(lines([...web, gateway({ ...all, protocol: 'TCP' }), route()]), []);
    assert.equal(lines([...web, gateway({ ...all, protocol: 'TCP' }), route({}, {}, 'TCPRoute')]).length, 1);
  });

  it('needs a ReferenceGrant for a Service of another namespace', () => {
    const other = [workload('back/web'), service('back/web')];
    const reference = route({}, { namespace: 'back' });
    assert.deepEqual(lines([...other, gateway(all), reference]), []);
    const grant = make('gateway.networking.k8s.io/v1beta1', 'ReferenceGrant', 'back/g', {
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }],
        to: [{ group: '', kind: 'Service' }],
      },
    });
    assert.equal(lines([...other, gateway(all), reference, grant]).length, 1);
  });

  it('leaves out backends without weight, other sections and meshes', () => {
    assert.deepEqual(lines([...web, gateway(all), route({}, { weight: 0 })]), []);
    const parent = (more: Fields) => route({ parentRefs: [{ name: 'gw', namespace: 'edge', ...more }] });
    assert.deepEqual(lines([...web, gateway(all), parent({ sectionName: 'x' })]), []);
    assert.deepEqual(lines([...web, gateway(all), parent({ kind: 'Service', group: '' })]), []);
  });
});

describe('exposure by gateways of Istio', () => {
  const proxy = workload('istio/ingress');
  const front = service('istio/ingress', {
    type: 'LoadBalancer',
    allocateLoadBalancerNodePorts: false,
    ports: [{ port: 443, targetPort: 8080 }],
  });
  const gateway = (server: Fields = {}) =>
    make('networking.istio.io/v1', 'Gateway', 'shop/gw', {
      spec: {
        selector: { app: 'ingress' },
        servers: [
          {
            port: { number: 443, protocol: 'HTTPS' },
            hosts: ['shop.example'],
            tls: { mode: 'SIMPLE' },
            ...server,
          },
        ],
      },
    });
  const routes = (spec: Fields = {}) =>
    make('networking.istio.io/v1', 'VirtualService', 'shop/vs', {
      spec: {
        hosts: ['shop.example'],
        gateways: ['gw'],
        http: [{ route: [{ destination: { host: 'web', port: { number: 80 } } }] }],
        ...spec,
      },
    });
  const line = (answer: string, tls = 'terminated') =>
    `istio-gateway:443, shop.example, Service ingress > Gateway gw > VirtualService vs > Service web, shop/Deployment/web TCP 8080, tls ${tls}, ${answer}`;
  const inwards = (objects: readonly KubeObject[]) =>
    lines(objects).filter(text => text.startsWith('istio-gateway'));

  it("follows the proxy's Service, gateway, route and Service", () => {
    assert.deepEqual(inwards([...web, proxy, front, gateway(), routes()]), [line('true')]);
    const long = routes({
      http: [{ route: [{ destination: { host: 'web.shop.svc.cluster.local' } }] }],
      gateways: ['shop/gw'],
    });
    assert.deepEqual(inwards([...web, proxy, front, gateway({ tls: { mode: 'PASSTHROUGH' } }), long]), [
      line('true', 'passthrough'),
    ]);
  });

  it('asks the policies about the proxy itself', () => {
    const only = make('networking.k8s.io/v1', 'NetworkPolicy', 'shop/np', {
      spec: {
        podSelector: {},
        ingress: [
          { from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'istio' } } }] },
        ],
      },
    });
    assert.deepEqual(inwards([...web, proxy, front, gateway(), routes(), only]), [line('true')]);
    assert.deepEqual(inwards([...web, proxy, front, gateway(), routes(), deny]), [line('false')]);
  });

  it('is none for the mesh, for other hosts, or behind a proxy that is not open', () => {
    assert.deepEqual(inwards([...web, proxy, front, gateway(), routes({ gateways: ['mesh'] })]), []);
    assert.deepEqual(inwards([...web, proxy, front, gateway({ hosts: ['other.example'] }), routes()]), []);
    assert.deepEqual(
      inwards([...web, proxy, front, gateway({ hosts: ['bank/shop.example'] }), routes()]),
      [],
    );
    assert.deepEqual(inwards([...web, proxy, gateway(), routes()]), []);
  });

  it('does not know the way to a proxy that is not in the input', () => {
    const [found] = inwards([...web, gateway(), routes()]);
    assert.match(found!, /^istio-gateway:443, shop\.example, Gateway gw > /);
  });
});
