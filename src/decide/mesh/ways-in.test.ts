import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createNetwork } from '#decide/network/door.ts';
import { type KubeObject, nameOf } from '#kube/objects.ts';
import { createMesh } from './mesh.ts';
import { type WayIn, wayIn } from './ways-in.ts';

const make = (
  apiVersion: string,
  kind: string,
  name: string,
  spec: object,
  metadata: object = {},
): KubeObject =>
  ({ apiVersion, kind, metadata: { name, namespace: 'shop', ...metadata }, spec }) as KubeObject;
const namespace = make('v1', 'Namespace', 'shop', {}, { labels: { 'istio-injection': 'enabled' } });
const app = (name: string, port: number, container: object = { image: 'x' }, annotations: object = {}) =>
  make('apps/v1', 'Deployment', name, {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name }, annotations },
      spec: {
        serviceAccountName: name,
        containers: [{ name: 'c', ports: [{ containerPort: port }], ...container }],
      },
    },
  });
const service = (name: string, port: number, more: object = {}) =>
  make('v1', 'Service', name, { selector: { app: name }, ports: [{ port, name: 'http' }], ...more });
const web = [namespace, app('web', 8080), service('web', 8080)];
const ingress = (annotations: object = {}) =>
  make(
    'networking.k8s.io/v1',
    'Ingress',
    'web',
    { defaultBackend: { service: { name: 'web', port: { number: 8080 } } } },
    { annotations },
  );
const gateway = (mode = 'SIMPLE') => [
  app('gw', 8443, { name: 'istio-proxy', image: 'auto' }, { 'inject.istio.io/templates': 'gateway' }),
  service('gw', 8443, { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }),
  make('networking.istio.io/v1', 'Gateway', 'gw', {
    selector: { app: 'gw' },
    servers: [
      {
        port: { number: 8443, name: 'https', protocol: 'HTTPS' },
        tls: { mode, credentialName: 'x' },
        hosts: ['*'],
      },
    ],
  }),
  make('networking.istio.io/v1', 'VirtualService', 'web', {
    hosts: ['*'],
    gateways: ['gw'],
    http: [{ route: [{ destination: { host: 'web' } }] }],
  }),
];
const rule = (name: string, app: string, spec: object) =>
  make('security.istio.io/v1', 'AuthorizationPolicy', name, { selector: { matchLabels: { app } }, ...spec });
const token = make('security.istio.io/v1', 'RequestAuthentication', 'jwt', {
  jwtRules: [{ issuer: 'https://id.example.com', audiences: ['web'] }],
});
const strict = make('security.istio.io/v1', 'PeerAuthentication', 'strict', { mtls: { mode: 'STRICT' } });
const wantsToken = { rules: [{ from: [{ source: { requestPrincipals: ['*'] } }] }] };

/** What meets those who come to web. */
function ways(objects: KubeObject[]): WayIn[] {
  const mesh = createMesh(objects);
  return createNetwork(objects)
    .exposure()
    .exposures.filter(({ id }) => id === 'shop/Deployment/web')
    .map(exposure => wayIn(objects, mesh, exposure));
}
const asked = (objects: KubeObject[]) => ways(objects).map(({ authentication }) => authentication.is);
const behind = (objects: KubeObject[]) => ways(objects).map(one => one.behind.mode);

describe('the ways in from outside', () => {
  it('says how the last step travels', () => {
    const balanced = [namespace, app('web', 8080), service('web', 8080, { type: 'NodePort' })];
    assert.deepEqual(behind(balanced), ['plaintext']);
    assert.deepEqual(behind([...web, ingress()]), ['unknown']);
    assert.deepEqual(behind([...web, ingress(), strict]), ['strict']);
    const [only] = ways([...web, ...gateway()]);
    assert.deepEqual(
      [only?.behind.mode, only?.behind.identity],
      ['mtls', 'spiffe://cluster.local/ns/shop/sa/gw'],
    );
  });

  it('says where the mesh lets nobody in', () => {
    const balanced = [namespace, app('web', 8080), service('web', 8080, { type: 'NodePort' }), strict];
    const [way] = ways(balanced);
    assert.deepEqual(
      [way?.behind.mode, way?.refused.map(one => nameOf(one.object!))],
      ['refused', ['strict']],
    );
    const [shut] = ways([...web, ...gateway(), rule('none', 'web', { rules: [] })]);
    assert.deepEqual(
      shut?.refused.map(one => nameOf(one.object!)),
      ['none'],
    );
  });

  it('finds who asks for a token: the gateway or the workload', () => {
    assert.deepEqual(asked([...web, ...gateway()]), ['none']);
    assert.deepEqual(asked([...web, ...gateway(), token]), ['none']);
    assert.deepEqual(asked([...web, ...gateway(), token, rule('jwt', 'gw', wantsToken)]), ['token']);
    assert.deepEqual(asked([...web, ...gateway(), token, rule('jwt', 'web', wantsToken)]), ['token']);
    // Without anybody who verifies tokens there is none that counts.
    const [way] = ways([...web, ...gateway(), rule('jwt', 'web', wantsToken)]);
    assert.equal(way?.refused.length, 1);
    const some = { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/admin*'] } }] }] };
    assert.deepEqual(asked([...web, ...gateway(), rule('some', 'web', some)]), ['some']);
  });

  it('finds client certificates, and what annotations ask', () => {
    assert.deepEqual(asked([...web, ...gateway('MUTUAL')]), ['client-certificate']);
    const nginx = 'nginx.ingress.kubernetes.io';
    assert.deepEqual(asked([...web, ingress()]), ['none']);
    assert.deepEqual(asked([...web, ingress({ [`${nginx}/auth-url`]: 'https://x/auth' })]), ['external']);
    assert.deepEqual(asked([...web, ingress({ [`${nginx}/auth-type`]: 'basic' })]), ['password']);
    assert.deepEqual(asked([...web, ingress({ 'alb.ingress.kubernetes.io/auth-type': 'none' })]), ['none']);
    const secret = { [`${nginx}/auth-tls-secret`]: 'shop/ca' };
    assert.deepEqual(asked([...web, ingress(secret)]), ['client-certificate']);
    const optional = { ...secret, [`${nginx}/auth-tls-verify-client`]: 'optional' };
    assert.deepEqual(asked([...web, ingress(optional)]), ['none']);
  });
});
