/**
 * Requests decided as the filters decide them that istiod makes: what random policies in front of a real Envoy 1.40.0
 * showed, with istiod's own code of 2026-08-27 (eed52ebb66ad).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { istio } from '#test/mesh.ts';
import { createMesh, type MeshOptions, type MeshRequest, readPolicies } from './door.ts';

const PROVIDERS = [
  { name: 'login', envoyExtAuthzHttp: { service: 'login.shop.svc.cluster.local', port: 80 } },
];

function ask(
  objects: readonly KubeObject[],
  request: Partial<MeshRequest> = {},
  options: MeshOptions & { dataplane?: 'sidecar' | 'ambient' } = {},
) {
  const { dataplane = 'sidecar', ...rest } = options;
  return createMesh(objects, { meshConfig: { extensionProviders: PROVIDERS }, ...rest }).authorize({
    workload: {
      namespace: 'shop',
      labels: { app: 'web' },
      ports: [{ port: 8080, protocol: 'HTTP' }],
      dataplane,
    },
    request: {
      sourcePrincipal: 'cluster.local/ns/shop/sa/cart',
      sourceIP: '10.1.2.3',
      port: 8080,
      method: 'GET',
      path: '/',
      host: 'web',
      headers: {},
      ...request,
    },
  });
}

const policy = (name: string, spec: object, metadata: object = {}): KubeObject => {
  const made = istio('AuthorizationPolicy', name, 'shop', spec);
  return { ...made, apiVersion: 'security.istio.io/v1', metadata: { ...made.metadata, ...metadata } };
};
const from = (source: object, action = 'ALLOW'): object => ({ action, rules: [{ from: [{ source }] }] });

describe('addresses', () => {
  it('may state a zone, which is not asked', () => {
    const blocks = ['fe80::1%eth0', '10.1.0.0/16'];
    assert.equal(ask([policy('p', from({ ipBlocks: blocks }))]).allowed, true);
    assert.equal(
      ask([policy('p', from({ ipBlocks: ['fe80::1%eth0'] }))], { sourceIP: 'fe80::1' }).allowed,
      true,
    );
  });

  it('state no zone in a block', () => {
    const { allowed, because } = ask([policy('p', from({ ipBlocks: ['fe80::%eth0/64', '10.0.0.0/8'] }))]);
    assert.equal(allowed, 'unknown');
    assert.match(because[0]!.text, /"fe80::%eth0\/64" is neither an address nor a block/);
  });
});

describe('CUSTOM', () => {
  const asks = policy('login', {
    action: 'CUSTOM',
    provider: { name: 'login' },
    rules: [{ when: [{ key: 'request.headers[x-user]', values: ['ann'] }] }],
  });
  const tokens: KubeObject = {
    ...istio('RequestAuthentication', 'tokens', 'shop', {
      jwtRules: [{ issuer: 'iss', outputClaimToHeaders: [{ header: 'x-user', claim: 'sub' }] }],
    }),
    apiVersion: 'security.istio.io/v1',
  };

  it('is asked before tokens are read: the headers are those that came', () => {
    assert.equal(ask([asks, tokens], { headers: { 'x-user': 'ann' } }).allowed, 'unknown');
    const jwt = { claims: { iss: 'iss', sub: 'ann' } };
    assert.equal(ask([asks, tokens], { jwt }).allowed, true);
  });

  it('without a provider denies before a token is refused', () => {
    const absent = policy('x', { action: 'CUSTOM', provider: { name: 'absent' }, rules: [{}] });
    const jwt = { claims: { iss: 'another' } };
    assert.equal(ask([tokens], { jwt }).outcome, 'jwt');
    assert.equal(ask([absent, tokens], { jwt }).outcome, 'rbac');
  });
});

it('what depends on the request lacks nothing of the input', () => {
  const byPath = policy('p', { rules: [{ to: [{ operation: { paths: ['/a'] } }] }] });
  const answer = createMesh([byPath]).authorize({
    workload: { namespace: 'shop', labels: {}, ports: [{ port: 8080, protocol: 'HTTP' }] },
    request: { sourcePrincipal: null, port: 8080, method: 'GET' },
  });
  assert.equal(answer.allowed, 'unknown');
  assert.equal(answer.lacks, undefined);
});

describe('policies that the webhook refuses', () => {
  const deny = policy('deny', from({ ipBlocks: ['10.0.0.0/99'] }, 'DENY'));
  const allow = policy('allow', from({ ipBlocks: ['10.0.0.0/99'] }));

  it('may be in the cluster or not: unknown, with the place', () => {
    for (const one of [deny, allow]) {
      const { allowed, because, lacks } = ask([one]);
      assert.equal(allowed, 'unknown');
      assert.equal(lacks, 'input');
      assert.deepEqual(because[0]!.path, ['spec', 'rules', 0, 'from', 0, 'source', 'ipBlocks', 0]);
      assert.match(because[0]!.text, /webhook refuses .*"10.0.0.0\/99" is neither an address nor a block/);
    }
  });

  it('count as istiod takes them where they came in: a rule of ALLOW is lost, one of DENY is wider', () => {
    const applied = { refusedPolicies: 'applied' as const };
    assert.equal(ask([deny], {}, applied).allowed, false);
    assert.equal(ask([allow], {}, applied).allowed, false);
    // ztunnel loses the value, and with it all that the rule asks: it never matches.
    assert.equal(ask([deny], {}, { ...applied, dataplane: 'ambient' }).allowed, true);
  });

  it('count for nothing where they are not in the cluster', () => {
    for (const one of [deny, allow])
      assert.equal(ask([one], {}, { refusedPolicies: 'absent' }).allowed, true);
  });

  it('leave what they do not change', () => {
    const open = policy('open', { rules: [{}] });
    assert.equal(ask([open, allow]).allowed, true);
    const closed = policy('closed', {});
    assert.equal(ask([closed, deny]).allowed, false);
    // Both ways let the request in: the policy allows it, or there is none.
    const both = policy('both', { rules: [{}, { when: [{ key: 'source.foo', values: ['x'] }] }] });
    assert.equal(ask([both]).allowed, true);
  });

  for (const [why, spec, metadata] of [
    ['an empty value', from({ principals: [''] })],
    ['an empty source', from({})],
    ['a service account with a star', from({ serviceAccounts: ['shop/*'] })],
    ['service accounts beside namespaces', from({ serviceAccounts: ['a'], namespaces: ['b'] })],
    ['a trust domain with a star in the middle', from({ trustDomains: ['a*b'] })],
    ['a port that is none', { rules: [{ to: [{ operation: { ports: ['http'] } }] }] }],
    ['a template with a part of a segment', { rules: [{ to: [{ operation: { paths: ['/a/{*}.png'] } }] }] }],
    ['a key that is none', { rules: [{ when: [{ key: 'source.foo', values: ['x'] }] }] }],
    ['a header without a name', { rules: [{ when: [{ key: 'request.headers[]', values: ['x'] }] }] }],
    ['a condition without values', { rules: [{ when: [{ key: 'source.ip' }] }] }],
    ['DENY without rules', { action: 'DENY' }],
    ['identities of CUSTOM', { ...from({ namespaces: ['a'] }, 'CUSTOM'), provider: { name: 'login' } }],
    ['a provider of ALLOW', { rules: [{}], provider: { name: 'login' } }],
    ['a label with a star', { selector: { matchLabels: { app: 'w*' } } }],
    ['a target beside a selector', { selector: {}, targetRefs: [{ kind: 'Service', name: 'web' }] }],
    ['a target of another kind', { targetRefs: [{ group: 'apps', kind: 'Deployment', name: 'web' }] }],
    ['a dry run that is no truth value', {}, { annotations: { 'istio.io/dry-run': 'yes' } }],
  ] as const)
    it(`are those with ${why}`, () => {
      const [read] = readPolicies([policy('p', spec, metadata)]);
      assert.notEqual(read!.refusal, undefined);
    });

  it('are no others', () => {
    for (const spec of [
      {},
      { rules: [] },
      { action: 'DENY', rules: [{}] },
      { selector: {} },
      from({ notPrincipals: ['*'], remoteIpBlocks: ['::/0'] }),
      { rules: [{ to: [{ operation: { paths: ['/a/{*}/b/{**}/', '/x*'], ports: ['0'] } }] }] },
      { rules: [{ when: [{ key: 'request.auth.claims[a][b]', notValues: ['*'] }] }] },
      { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'g' }] },
    ])
      assert.equal(readPolicies([policy('p', spec)])[0]!.refusal, undefined, JSON.stringify(spec));
  });
});
