/** Versions of the proxy, and paths that no suite holds. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { createMesh, normalizePath } from './door.ts';
import { namespaceTest, serviceAccountTest } from './text-match.ts';

it('takes a dot segment with parameters as the proxy version does', () => {
  const path = (envoy: string): unknown =>
    normalizePath('/public/..;/admin', { normalization: 'BASE', envoy });
  for (const envoy of ['1.36.10', '1.37.6', '1.38.4', '1.39.1', '1.39.3', '1.40.0', '2.0.0'])
    assert.deepEqual(path(envoy), { path: '/admin' }, envoy);
  for (const envoy of ['1.35.9', '1.36.4', '1.37.0', '1.38.2', '1.38.3', '1.39.0', 'latest'])
    assert.deepEqual(path(envoy), { path: '/public/..;/admin' }, envoy);
});

it('refuses what a proxy refuses', () => {
  for (const path of ['', 'admin', '\\admin', '/a#b', '/a%00b'])
    assert.deepEqual(normalizePath(path, { normalization: 'BASE' }), { status: 400 }, path);
});

it('leaves a normalized path as it is', () => {
  const path = fc
    .array(fc.constantFrom('/', '.', '..', '%2e', '%2F', '%41', ';x', 'a', '\\', '%', '?'), { maxLength: 8 })
    .map(parts => `/${parts.join('')}`);
  fc.assert(
    fc.property(path, fc.constantFrom('BASE', 'MERGE_SLASHES'), (one, normalization) => {
      const first = normalizePath(one, { normalization, envoy: '1.36.0' });
      if ('status' in first) return;
      assert.ok(first.path.startsWith('/'));
      const segments = first.path.replace(/\?.*$/s, '').split('/');
      assert.ok(!segments.includes('..') || first.path.includes('%'), first.path);
    }),
  );
});

it('matches identities as the expressions of Istio do, in linear time', () => {
  const word = fc.constantFrom('a', 'b', 'ns', 'sa', '/', '*');
  const name = fc
    .array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 4 })
    .map(parts => parts.join(''));
  const uri = fc
    .array(word, { maxLength: 14 })
    .map(parts => `spiffe://${parts.join('').replace(/\*/g, 'x')}`);
  fc.assert(
    fc.property(name, uri, (value, is) => {
      const escaped = value.replace(/\*/g, '.*');
      assert.equal(namespaceTest(value)(is), new RegExp(`^.*/ns/${escaped}/.*$`).test(is));
      const account = value.replace(/\*/g, 'a');
      const expression = new RegExp(`^spiffe://.+/ns/a/(.+/|)sa/${account}(/.+)?$`);
      assert.equal(serviceAccountTest(account, 'a')(is), expression.test(is), `${account} ${is}`);
    }),
    { numRuns: 3000 },
  );
});

it('answers hostile policies in time, and does not know what a malformed one does', () => {
  const policy = (rules: unknown) =>
    createMesh([
      {
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: 'p', namespace: 'a' },
        spec: { rules },
      },
    ]).authorize({
      workload: { namespace: 'a', labels: {} },
      request: {
        sourcePrincipal: `cluster.local/ns/${'a'.repeat(5000)}/sa/x`,
        port: 80,
        method: 'GET',
        path: '/',
        host: 'h',
        headers: {},
      },
    });
  const stars = `${'*a'.repeat(2000)}b`;
  assert.equal(policy([{ from: [{ source: { namespaces: [stars] } }] }]).allowed, false);
  for (const rules of [
    [{ to: [{ operation: { ports: [80] } }] }],
    'all',
    [null],
    [{ from: 7 }],
    [{ when: [{}] }],
  ])
    assert.equal(policy(rules).allowed, 'unknown', JSON.stringify(rules));
});
