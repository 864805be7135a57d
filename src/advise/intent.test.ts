import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createNetwork } from '#decide/network/door.ts';
import type { KubeObject } from '#kube/objects.ts';
import { app, istio, namespace } from '../../test/mesh.ts';
import { declaredNeeds } from './intent.ts';
import { hostsIn } from './intent-names.ts';
import type { IntentOptions } from './intent-search.ts';
import { undeclaredToday } from './intent-today.ts';
import { needText } from './network-needs.ts';

function declared(objects: readonly KubeObject[], options: IntentOptions = {}) {
  const { intents, open } = declaredNeeds(objects, createNetwork(objects).exposure().exposures, options);
  return {
    needs: intents.filter(({ usual }) => usual !== true).map(({ need }) => needText(need)),
    all: intents.map(({ need }) => needText(need)),
    open: open.map(({ text }) => text),
    kinds: open.map(({ is }) => is),
  };
}

const env = (...pairs: [string, string][]): object => ({
  containers: [{ name: 'app', image: 'app:1', env: pairs.map(([name, value]) => ({ name, value })) }],
});
const shop = (spec: object): KubeObject[] => [
  namespace('shop'),
  namespace('bank'),
  ...app('web', 'shop', { spec }),
  ...app('cart', 'shop'),
  ...app('pay', 'bank'),
];
const WEB = 'shop/Deployment/web';
const CART = 'shop/Deployment/cart 8080/TCP';

describe('hosts in texts', () => {
  const cases: readonly (readonly [text: string, where: string, found: readonly string[]])[] = [
    ['http://cart.shop.svc:8080/x', 'U', ['cart.shop.svc:8080']],
    ['https://cart', 'U', ['cart:443']],
    ['postgres://cart:pay@db.shop:5432/web', 'U', ['db.shop:5432']],
    ['kafka://a:9092,b:9092', 'BROKERS', ['a:9092', 'b:9092']],
    ['jdbc:postgresql://db/orders', 'U', ['db:5432']],
    ['cart:8080', 'X', ['cart:8080']],
    ['--db=cart.shop.svc.cluster.local', 'args', ['cart.shop.svc.cluster.local']],
    ['cart', 'CART_HOST', ['cart']],
    ['cart', 'NAME', []],
    ['someone@cart:80', 'MAIL', []],
    ['2026-11-25 is no-host', 'X', []],
  ];
  for (const [text, where, found] of cases)
    it(`of ${JSON.stringify(text)} in ${where}`, () => {
      const hosts = hostsIn({ text, where }).map(({ host, port }) =>
        port === undefined ? host : `${host}:${port}`,
      );
      assert.deepEqual(hosts, found);
    });

  it('are found in bounded time', () => {
    const start = performance.now();
    for (const text of [
      'a.'.repeat(1e5),
      'a://'.repeat(1e5),
      'a'.repeat(5e5),
      '-a'.repeat(2e5),
      `http://${'@'.repeat(1e5)}`,
    ])
      hostsIn({ text, where: 'URL' });
    assert.ok(performance.now() - start < 2000);
  });
});

describe('declared needs', () => {
  it('follow names as the DNS of the cluster does, to the pod’s port', () => {
    for (const value of [
      'http://cart',
      'cart:80',
      'http://cart.shop',
      'http://cart.shop.svc.cluster.local:80',
    ])
      assert.deepEqual(declared(shop(env(['X', value]))).needs, [`${WEB} -> ${CART}`], value);
    assert.deepEqual(declared(shop(env(['X', 'http://pay.bank']))).needs, [
      `${WEB} -> bank/Deployment/pay 8080/TCP`,
    ]);
  });

  it('are of files of ConfigMaps and of Secrets too', () => {
    const spec = {
      containers: [{ name: 'app', image: 'app:1', envFrom: [{ secretRef: { name: 'urls' } }] }],
      volumes: [{ name: 'conf', configMap: { name: 'nginx' } }],
    };
    const more: KubeObject[] = [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'nginx', namespace: 'shop' },
        data: { 'default.conf': 'location / { proxy_pass http://cart.shop.svc/; }' },
      },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'urls', namespace: 'shop' },
        stringData: { PAY_URL: 'http://user:secret@pay.bank:80' },
      },
    ];
    const found = declared([...shop(spec), ...more]);
    assert.deepEqual(found.needs.sort(), [`${WEB} -> bank/Deployment/pay 8080/TCP`, `${WEB} -> ${CART}`]);
    assert.ok(!JSON.stringify(found).includes('secret@'));
  });

  it('follow VirtualServices for the mesh to where they lead', () => {
    const route = istio('VirtualService', 'cart', 'shop', {
      hosts: ['cart'],
      http: [{ route: [{ destination: { host: 'pay.bank.svc.cluster.local' } }] }],
    });
    assert.deepEqual(declared([...shop(env(['X', 'http://cart'])), route]).needs, [
      `${WEB} -> ${CART}`,
      `${WEB} -> bank/Deployment/pay 8080/TCP`,
    ]);
  });

  it('know addresses of outside hosts from ServiceEntries only, and say the others', () => {
    const entry = istio('ServiceEntry', 'bank', 'shop', {
      hosts: ['api.example.com'],
      endpoints: [{ address: '203.0.113.7' }],
      ports: [{ number: 443, protocol: 'TLS' }],
    });
    const spec = env(
      ['A', 'https://api.example.com'],
      ['B', 'https://other.example.com'],
      ['C', 'http://gone.shop.svc'],
    );
    const { needs, open, kinds } = declared([...shop(spec), entry]);
    assert.deepEqual(needs, [`${WEB} -> 203.0.113.7/32 443/TCP`]);
    assert.match(open.join('\n'), /B of .* names other\.example\.com:443, which is outside/);
    assert.match(open.join('\n'), /C of .* names gone\.shop\.svc:80, and the input has no such Service/);
    assert.deepEqual(new Set(kinds), new Set(['way-out']));
  });

  it('say that a port is none of the Service', () => {
    const { needs, open, kinds } = declared(shop(env(['X', 'http://cart:9999'])));
    assert.deepEqual([needs, kinds], [[], ['remark']]);
    assert.match(open[0]!, /names port 9999 of Service shop\/cart, which has 80/);
  });

  it('come in by the proxy of a Gateway: the one of the input, the one that Istio makes, or the one that was named', () => {
    const gateway: KubeObject = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'front', namespace: 'shop' },
      spec: { gatewayClassName: 'istio', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
    };
    const route: KubeObject = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { parentRefs: [{ name: 'front' }], rules: [{ backendRefs: [{ name: 'cart', port: 80 }] }] },
    };
    const made = declaredNeeds(
      [...shop({}), gateway, route],
      createNetwork([...shop({}), gateway, route]).exposure().exposures,
    );
    const [{ need } = { need: undefined }] = made.intents.filter(({ usual }) => usual !== true);
    assert.deepEqual(need?.from, {
      labels: { 'gateway.networking.k8s.io/gateway-name': 'front' },
      namespaceLabels: { 'kubernetes.io/metadata.name': 'shop' },
      account: 'front-istio',
    });
    const other = { ...gateway, spec: { ...(gateway['spec'] as object), gatewayClassName: 'other' } };
    const unnamed = declared([...shop({}), other, route]);
    assert.deepEqual([unnamed.needs, unnamed.kinds], [[], ['way-in']]);
    const ingress = [{ labels: {}, namespaceLabels: { 'kubernetes.io/metadata.name': 'front' } }];
    assert.deepEqual(declared([...shop({}), other, route], { ingress }).needs, [
      `front/(any pod) -> ${CART}`,
    ]);
  });

  it('are those of scrapers: by annotation, ServiceMonitor and PodMonitor', () => {
    const prometheus: KubeObject = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'Prometheus',
      metadata: { name: 'main', namespace: 'watch' },
      spec: { serviceAccountName: 'prometheus' },
    };
    const monitor = (kind: string, spec: object): KubeObject => ({
      apiVersion: 'monitoring.coreos.com/v1',
      kind,
      metadata: { name: 'all', namespace: 'shop' },
      spec,
    });
    const by = 'watch/(app.kubernetes.io/instance=main, app.kubernetes.io/name=prometheus)';
    const annotated = app('cart', 'shop', {
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9100' },
    });
    assert.deepEqual(declared([namespace('shop'), ...annotated, prometheus]).needs, [
      `${by} -> shop/Deployment/cart 9100/TCP`,
    ]);
    const cart = [namespace('shop'), ...app('cart', 'shop', { service: {} })];
    const labelled = cart.map(one =>
      one.kind === 'Service' ? { ...one, metadata: { ...one.metadata, labels: { team: 'a' } } } : one,
    );
    const selected = { selector: { matchLabels: { team: 'a' } }, endpoints: [{ port: 'http' }] };
    assert.deepEqual(declared([...labelled, prometheus, monitor('ServiceMonitor', selected)]).needs, [
      `${by} -> ${CART}`,
    ]);
    const pods = { selector: {}, podMetricsEndpoints: [{ port: 'web' }] };
    assert.deepEqual(declared([...cart, prometheus, monitor('PodMonitor', pods)]).needs, [
      `${by} -> ${CART}`,
    ]);
    assert.deepEqual(declared([namespace('shop'), ...annotated]).kinds, ['way-in']);
  });

  it('of a Prometheus are those that it selects, as the operator does', () => {
    const prometheus = (spec: object, kind = 'Prometheus', ns = 'watch'): KubeObject => ({
      apiVersion: `monitoring.coreos.com/${kind === 'Prometheus' ? 'v1' : 'v1alpha1'}`,
      kind,
      metadata: { name: 'main', namespace: ns },
      spec,
    });
    const monitor: KubeObject = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: { name: 'all', namespace: 'shop', labels: { release: 'stack' } },
      spec: { selector: {}, podMetricsEndpoints: [{ port: 'web' }] },
    };
    const space = { ...namespace('shop'), metadata: { name: 'shop', labels: { team: 'a' } } };
    const by = (...made: KubeObject[]) =>
      declared([space as KubeObject, ...app('cart', 'shop', { service: {} }), monitor, ...made]);
    const release = { matchLabels: { release: 'stack' } };
    const found = [`watch/(app.kubernetes.io/instance=main, app.kubernetes.io/name=prometheus) -> ${CART}`];
    const everywhere = { podMonitorNamespaceSelector: {} };
    assert.deepEqual(by(prometheus({ ...everywhere, podMonitorSelector: release })).needs, found);
    assert.deepEqual(by(prometheus({ ...everywhere, podMonitorSelector: {} })).needs, found);
    const labelled = { podMonitorNamespaceSelector: { matchLabels: { team: 'a' } } };
    assert.deepEqual(by(prometheus({ ...labelled, podMonitorSelector: {} })).needs, found);
    for (const spec of [
      { ...everywhere, podMonitorSelector: { matchLabels: { release: 'other' } } },
      { podMonitorNamespaceSelector: { matchLabels: { team: 'b' } }, podMonitorSelector: {} },
      // Absent, a selector of namespaces means its own, and one of monitors none.
      { podMonitorSelector: {} },
      { ...everywhere, serviceMonitorSelector: {} },
    ]) {
      const { needs, kinds } = by(prometheus(spec));
      assert.deepEqual([needs, kinds], [[], ['way-in']], JSON.stringify(spec));
    }
    assert.deepEqual(by(prometheus({ podMonitorSelector: {} }, 'Prometheus', 'shop')).needs, [
      `shop/(app.kubernetes.io/instance=main, app.kubernetes.io/name=prometheus) -> ${CART}`,
    ]);
    assert.deepEqual(by(prometheus({ ...everywhere, podMonitorSelector: {} }, 'PrometheusAgent')).needs, [
      `watch/(app.kubernetes.io/instance=main, app.kubernetes.io/name=prometheus-agent) -> ${CART}`,
    ]);
  });

  it('are those of the API server: webhooks, conversion, and APIs that others serve', () => {
    const service = { namespace: 'shop', name: 'cart', port: 80 };
    const objects: KubeObject[] = [
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'v' },
        webhooks: [{ name: 'a', clientConfig: { service } }],
      },
      {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1.x' },
        spec: { service: { ...service, name: 'pay', namespace: 'bank' } },
      },
    ];
    const open = declared([...shop({}), ...objects]);
    assert.deepEqual(open.needs, [`any address -> ${CART}`, 'any address -> bank/Deployment/pay 8080/TCP']);
    assert.deepEqual(new Set(open.kinds), new Set(['remark']));
    const stated = declared([...shop({}), ...objects], { apiServers: ['10.9.0.0/28'] });
    assert.deepEqual(stated.needs[0], `10.9.0.0/28 -> ${CART}`);
    assert.deepEqual(stated.open, []);
  });

  it('are those of workloads that may use the API', () => {
    const binding: KubeObject = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'watch' },
      subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }],
    };
    const { needs, open, kinds } = declared([...shop({}), binding]);
    assert.deepEqual([needs, kinds], [[], ['way-out']]);
    assert.match(open[0]!, /^shop\/Deployment\/web: ClusterRoleBinding watch lets it use the Kubernetes API/);
    const stated = declared([...shop({}), binding], { apiServers: ['10.9.0.1/32'] });
    assert.deepEqual(stated.needs, [`${WEB} -> 10.9.0.1/32 443/TCP`, `${WEB} -> 10.9.0.1/32 6443/TCP`]);
    assert.deepEqual(declared([...shop({ automountServiceAccountToken: false }), binding]).open, []);
  });

  it('are those between replicas of a StatefulSet with a headless Service', () => {
    const set = (replicas: number): KubeObject[] => [
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'db', namespace: 'shop' },
        spec: {
          replicas,
          serviceName: 'db',
          template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db' }] } },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'db', namespace: 'shop' },
        spec: { clusterIP: 'None', selector: { app: 'db' }, ports: [{ port: 5432 }] },
      },
    ];
    assert.deepEqual(declared(set(3)).needs, ['shop/StatefulSet/db -> shop/StatefulSet/db 5432/TCP']);
    assert.deepEqual(declared(set(1)).needs, []);
    const asked = [...shop(env(['X', 'db-0.db.shop.svc:5432'])), ...set(1)];
    assert.deepEqual(declared(asked).needs, [`${WEB} -> shop/StatefulSet/db 5432/TCP`]);
  });

  it('are looked up by every pod, once a namespace', () => {
    const { all } = declared(shop({}), { namespaces: ['shop'] });
    assert.deepEqual(all, [
      'shop/(any pod) -> kube-system/(k8s-app=kube-dns) 53/UDP',
      'shop/(any pod) -> kube-system/(k8s-app=kube-dns) 53/TCP',
    ]);
  });
});

describe('callers of today that nothing declares', () => {
  const policy: KubeObject = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'cart', namespace: 'shop' },
    spec: {
      podSelector: { matchLabels: { app: 'cart' } },
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } } }],
          ports: [{ port: 8080 }],
        },
      ],
    },
  };
  const named = { labels: {}, namespaceLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } };

  it('are said, or needed where they were named', () => {
    const objects = [...shop({}), policy];
    const said = undeclaredToday(objects, [], undefined, { ipBlocksMatchPods: false }, []);
    assert.deepEqual([said.intents, said.open.length], [[], 1]);
    assert.match(said.open[0]!.text, /ingress-nginx\/\(any pod\) -> shop\/Deployment\/cart 8080\/TCP/);
    const { intents, open } = undeclaredToday(objects, [], undefined, { ipBlocksMatchPods: false }, [named]);
    assert.deepEqual(open, []);
    assert.deepEqual(
      intents.map(({ need }) => needText(need)),
      [`ingress-nginx/(any pod) -> ${CART}`],
    );
  });

  it('are those of AuthorizationPolicies too', () => {
    const rule = istio('AuthorizationPolicy', 'front', 'shop', {
      rules: [{ from: [{ source: { principals: ['cluster.local/ns/front/sa/gateway'] } }] }],
    });
    const { open } = undeclaredToday([...shop({}), rule], [], undefined, {}, []);
    assert.match(open[0]!.text, /lets in cluster\.local\/ns\/front\/sa\/gateway/);
    const needs = [
      { from: { ...named, namespaceLabels: { 'kubernetes.io/metadata.name': 'front' } }, to: named, port: 1 },
    ];
    assert.deepEqual(undeclaredToday([...shop({}), rule], needs, undefined, {}, []).open, []);
  });
});
