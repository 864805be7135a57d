import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { readPolicies } from './policies.ts';
import { attachesWherever, coversRule } from './rule-cover.ts';

const ruleOf = (rule: unknown, namespace = 'shop') => {
  const [policy] = readPolicies([
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'p', namespace },
      spec: { rules: [rule] },
    } as KubeObject,
  ]);
  return { rule: policy!.rules[0]!, namespace };
};
const covers = (wide: unknown, narrow: unknown): boolean => coversRule(ruleOf(wide), ruleOf(narrow));
const from = (source: unknown) => ({ from: [{ source }] });
const to = (operation: unknown) => ({ to: [{ operation }] });

describe('a rule covers another', () => {
  it('where it is empty', () => {
    assert.ok(covers({}, from({ principals: ['a'] })));
    assert.ok(!covers(from({ principals: ['a'] }), {}));
  });

  it('by patterns, whose kinds are kept apart', () => {
    assert.ok(covers(to({ paths: ['/admin*'] }), to({ paths: ['/admin/users', '/admin/roles*'] })));
    assert.ok(!covers(to({ paths: ['/admin/*'] }), to({ paths: ['/admin*'] })));
    assert.ok(!covers(to({ paths: ['/admin*'] }), to({ paths: ['*/admin'] })));
    assert.ok(covers(to({ paths: ['*.html'] }), to({ paths: ['/a.html', '*/b.html'] })));
    assert.ok(!covers(to({ paths: ['/a'] }), to({ paths: ['/A'] })));
    assert.ok(covers(to({ hosts: ['Shop.example.com'] }), to({ hosts: ['shop.EXAMPLE.com'] })));
    assert.ok(covers(from({ principals: ['*'] }), from({ principals: ['cluster.local/ns/a/sa/b'] })));
    assert.ok(!covers(to({ ports: ['8*'] }), to({ ports: ['80'] })));
  });

  it('by paths with templates', () => {
    assert.ok(covers(to({ paths: ['/users/*'] }), to({ paths: ['/users/{*}/mail'] })));
    assert.ok(!covers(to({ paths: ['/users/{*}'] }), to({ paths: ['/users/7'] })));
  });

  it('where every alternative is within one of its own', () => {
    const wide = { to: [{ operation: { methods: ['GET'] } }, { operation: { methods: ['HEAD'] } }] };
    assert.ok(covers(wide, to({ methods: ['GET'], paths: ['/x'] })));
    assert.ok(!covers(to({ methods: ['GET'] }), wide));
  });

  it('by what it leaves out', () => {
    assert.ok(covers(from({ notNamespaces: ['a'] }), from({ notNamespaces: ['a', 'b'] })));
    assert.ok(!covers(from({ notNamespaces: ['a', 'b'] }), from({ notNamespaces: ['a'] })));
    assert.ok(!covers(from({ notPrincipals: ['*'] }), from({ principals: ['x'] })));
  });

  it('by the namespace of principals', () => {
    assert.ok(covers(from({ namespaces: ['sh*'] }), from({ principals: ['cluster.local/ns/shop/sa/web'] })));
    assert.ok(
      !covers(from({ namespaces: ['bank'] }), from({ principals: ['cluster.local/ns/shop/sa/web'] })),
    );
    assert.ok(!covers(from({ namespaces: ['shop'] }), from({ principals: ['*/sa/web'] })));
  });

  it('by conditions of the same key', () => {
    const when = (values: string[]) => ({ when: [{ key: 'request.headers[x]', values }] });
    assert.ok(covers(when(['a*']), when(['ab'])));
    assert.ok(!covers(when(['a']), { when: [{ key: 'request.headers[y]', values: ['a'] }] }));
    assert.ok(!covers(when(['a']), {}));
  });

  it('with service accounts of the namespace of each policy', () => {
    const rule = from({ serviceAccounts: ['web'] });
    assert.ok(coversRule(ruleOf(rule, 'shop'), ruleOf(from({ serviceAccounts: ['shop/web'] }), 'bank')));
    assert.ok(!coversRule(ruleOf(rule, 'shop'), ruleOf(rule, 'bank')));
  });
});

describe('a policy attaches wherever another does', () => {
  const policy = (namespace: string, spec: unknown) =>
    readPolicies([
      {
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: 'p', namespace },
        spec,
      } as KubeObject,
    ])[0]!;
  const selecting = (namespace: string, matchLabels: Record<string, string>) =>
    policy(namespace, { selector: { matchLabels } });

  it('with a wider selector, in the namespace or the root', () => {
    const narrow = selecting('shop', { app: 'web', tier: 'front' });
    assert.ok(attachesWherever(policy('shop', {}), narrow, 'istio-system'));
    assert.ok(attachesWherever(selecting('istio-system', { app: 'web' }), narrow, 'istio-system'));
    assert.ok(!attachesWherever(selecting('bank', { app: 'web' }), narrow, 'istio-system'));
    assert.ok(!attachesWherever(narrow, selecting('shop', { app: 'web' }), 'istio-system'));
  });

  it('not to waypoints, without references', () => {
    const narrow = policy('shop', { targetRefs: [{ kind: 'Service', name: 'web' }] });
    assert.ok(!attachesWherever(policy('shop', {}), narrow, 'istio-system'));
    assert.ok(attachesWherever(narrow, narrow, 'istio-system'));
  });
});
