/** What Linkerd was installed with, and what it means for packets and skipped ports. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { app, deployment, namespace } from '#test/mesh.ts';
import { createMesh } from './door.ts';

const world = (annotations: Readonly<Record<string, string>> = {}): KubeObject[] => [
  namespace('shop', {}, { 'linkerd.io/inject': 'enabled', ...annotations }),
  ...app('web', 'shop'),
  ...app('cart', 'shop'),
];
const [web, cart] = [deployment('web', 'shop'), deployment('cart', 'shop')];

function config(values: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'linkerd-config', namespace: 'mesh' },
    data: { values },
  };
}

describe('the settings of Linkerd', () => {
  it('are those of its ConfigMap', () => {
    const values = 'identityTrustDomain: example.org\nproxy:\n  outboundTransportMode: transparent\n';
    const mesh = createMesh([...world(), config(values)]);
    assert.equal(mesh.member(web).identity, 'web.shop.serviceaccount.identity.mesh.example.org');
    assert.equal(mesh.tunnel(cart, 8080), undefined);
    assert.equal(mesh.tunnel(cart, 5432)?.port, 4143, 'an opaque port');
    assert.ok(!mesh.assumptions.some(text => text.includes('linkerd-config')));
  });

  it('are the defaults of the chart without one, which is said', () => {
    const mesh = createMesh(world());
    assert.equal(mesh.tunnel(cart, 8080)?.port, 4143);
    assert.equal(mesh.tunnel(cart, 4191), undefined, 'the proxy answers there itself');
    assert.ok(mesh.assumptions.some(text => text.includes('linkerd-config')));
    assert.ok(!mesh.assumptions.some(text => text.includes('Istio')));
    // Galera's ports are skipped by default.
    assert.equal(mesh.transport({ from: web, to: cart, port: 4567 }).mode, 'plaintext');
    assert.equal(mesh.transport({ from: web, to: cart, port: 8080 }).mode, 'mtls');
  });

  it('of a pod are inherited from its namespace', () => {
    const mesh = createMesh(world({ 'config.linkerd.io/skip-inbound-ports': '8080' }));
    assert.equal(mesh.transport({ from: web, to: cart, port: 8080 }).mode, 'plaintext');
    assert.equal(mesh.tunnel(cart, 8080), undefined);
    assert.equal(
      mesh.transport({ from: web, to: cart, port: 4567 }).mode,
      'plaintext',
      'the client skips it',
    );
  });
});
