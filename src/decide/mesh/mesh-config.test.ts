/** What is said of a mesh configuration that is not there, or that is broken. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { app, namespace } from '#test/mesh.ts';
import { createMesh } from './door.ts';

const config = (mesh: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'istio', namespace: 'istio-system' },
  data: { mesh },
});
const said = (...more: KubeObject[]): readonly string[] =>
  createMesh([namespace('shop', { 'istio-injection': 'enabled' }), ...app('cart', 'shop'), ...more])
    .assumptions;

describe('the mesh configuration', () => {
  it('that is not in the input is said to be taken from the defaults', () => {
    assert.deepEqual(said(), ['the mesh configuration is not in the input: the defaults of Istio are taken']);
    assert.deepEqual(said(config('trustDomain: example.org\n')), []);
  });

  it('that cannot be read is said to be so', () => {
    for (const text of ['a: [', '- a', 'text'])
      assert.deepEqual(said(config(text)), [
        'the mesh configuration in ConfigMap istio-system/istio cannot be read: the defaults of Istio are taken',
      ]);
  });

  it('with a value that Istio does not know is said to be taken without it', () => {
    const wrong = said(config('pathNormalization: { normalization: FULL }\n'));
    assert.match(wrong.join('\n'), /pathNormalization .* "FULL", which is none: DEFAULT is taken/);
    const open = said(config('outboundTrafficPolicy: { mode: registry_only }\n'));
    assert.match(open.join('\n'), /"registry_only", which is none: ALLOW_ANY is taken/);
    assert.deepEqual(said(config('outboundTrafficPolicy: { mode: REGISTRY_ONLY }\n')), []);
  });
});

describe('objects of a mesh that are not as they should be', () => {
  const istio = (apiVersion: string, kind: string, spec: object): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name: 'cart', namespace: 'shop' },
    spec,
  });
  const cases: readonly (readonly [KubeObject, RegExp])[] = [
    [
      istio('security.istio.io/v9', 'AuthorizationPolicy', {}),
      /AuthorizationPolicy shop\/cart is of security.istio.io\/v9, .* read like v1beta1/,
    ],
    [
      istio('policy.linkerd.io/v9', 'Server', {}),
      /Server shop\/cart is of policy.linkerd.io\/v9, .* read like v1beta3/,
    ],
    [
      istio('security.istio.io/v1', 'PeerAuthentication', { mtls: { mode: 'STRONG' } }),
      /mtls.mode of PeerAuthentication shop\/cart is "STRONG", which is none: it is taken as not set/,
    ],
    [
      istio('security.istio.io/v1', 'PeerAuthentication', { portLevelMtls: { 80: { mode: 'ON' } } }),
      /portLevelMtls.80.mode of PeerAuthentication shop\/cart is "ON"/,
    ],
    [
      istio('networking.istio.io/v1', 'DestinationRule', { trafficPolicy: { tls: { mode: false } } }),
      /tls.mode of DestinationRule shop\/cart is false/,
    ],
  ];
  for (const [object, text] of cases)
    it(`are named: ${text.source}`, () => assert.match(said(object).join('\n'), text));

  it('are not, where they are', () => {
    const fine = istio('security.istio.io/v1beta1', 'PeerAuthentication', { mtls: { mode: 'UNSET' } });
    assert.equal(said(fine).length, 1);
  });
});
