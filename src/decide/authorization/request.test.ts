/** Answers of the API server's own code to odd requests and policy files. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAuthorizer, PolicyError, parsePolicies } from './door.ts';
import { attributesOf, parseFieldSelector, parseLabelSelector, RequestError } from './request.ts';

describe('what a request asks', () => {
  const list = (query: string) => attributesOf('GET', `/api/v1/pods?${query}`);

  it('keeps bytes of a path that are no UTF-8', () => {
    assert.equal(attributesOf('GET', '/%e9/a%c3%a9').path, '/\ufffd/aé');
    assert.throws(() => attributesOf('GET', '/%zz'), RequestError);
    assert.throws(() => attributesOf('GET', '/api\n'), RequestError);
  });

  it('takes no name from a list whose options do not decode', () => {
    assert.equal(list('fieldSelector=metadata.name=a').name, 'a');
    for (const wrong of ['limit=', 'timeoutSeconds=x', 'limit=9223372036854775808', 'labelSelector=a+in+('])
      assert.equal(list(`fieldSelector=metadata.name=a&${wrong}`).name, '', wrong);
    assert.equal(list('fieldSelector=metadata.name=a&limit=9223372036854775807').name, 'a');
  });

  it('reads field selectors: sorted terms, and nothing selects all', () => {
    assert.deepEqual(parseFieldSelector('b=1,a=2'), [
      { field: 'a', operator: '=', value: '2' },
      { field: 'b', operator: '=', value: '1' },
    ]);
    assert.deepEqual(parseFieldSelector('==,!='), []);
    assert.deepEqual(parseFieldSelector('a!b==c'), [{ field: 'a!b', operator: '=', value: 'c' }]);
    assert.deepEqual(parseFieldSelector('\\=a'), [{ field: '\\', operator: '=', value: 'a' }]);
  });

  it('compares labels with whole numbers that could be their values', () => {
    assert.equal(parseLabelSelector('a>9223372036854775807')?.length, 1);
    for (const wrong of ['a>-1', 'a>+1', 'a>9223372036854775808'])
      assert.equal(parseLabelSelector(wrong), undefined, wrong);
  });
});

describe('a policy file', () => {
  it('finds the type of a line in any case, and completes the group', () => {
    assert.throws(() => parsePolicies('{"KIND":"x"}'), PolicyError);
    assert.throws(() => parsePolicies('{"apiversion":"x","user":"bob"}'), PolicyError);
    assert.equal(
      parsePolicies('{"apiVersion":"abac.authorization.kubernetes.io/","kind":"Policy","user":"bob"}')[0]
        ?.user,
      'bob',
    );
  });

  it('trims what Go calls space', () => {
    assert.deepEqual(parsePolicies('\u0085 # x\n\u3000'), []);
    assert.equal(parsePolicies('\ufeff').length, 1);
  });

  it('begins a document on a line', () => {
    assert.equal(parsePolicies('--- {user: alice}')[0]?.user, 'alice');
    assert.throws(() => parsePolicies('--- user: alice'), PolicyError);
  });
});

it('names the subresource before the verb where a node asks for more of its CSINode', () => {
  const node = { name: 'system:node:n', groups: ['system:nodes'] };
  const ask = (apiGroup: string, resource: string) =>
    createAuthorizer({ chain: ['Node'] }).authorize({
      user: node,
      verb: 'list',
      apiGroup,
      resource,
      subresource: 'x',
      resourceRequest: true,
    }).reason;
  assert.equal(ask('storage.k8s.io', 'csinodes'), 'cannot authorize CSINode subresources');
  assert.equal(
    ask('certificates.k8s.io', 'podcertificaterequests'),
    'nodes may not access the status subresource of PodCertificateRequests',
  );
});

it('refuses a configuration whose duration is null', () => {
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthorizationConfiguration',
    authorizers: [{ type: 'Webhook', name: 'w', webhook: { timeout: null } }],
  };
  assert.throws(() => createAuthorizer({ configuration }), /failed to load .*timeout: expected a duration/);
});

it('lets extra keys be any path behind a domain', () => {
  const { decision } = createAuthorizer({ chain: ['AlwaysAllow'] }).impersonate(
    { name: 'bob', extra: { 'a.b/c d': ['v'] } },
    { user: { name: 'alice' }, verb: 'get', path: '/x' },
  );
  assert.equal(decision, 'allow');
  const { mode } = createAuthorizer({ chain: ['AlwaysAllow'] }).impersonate(
    { name: 'bob', extra: { 'a.b/-%': ['v'] } },
    { user: { name: 'alice' }, verb: 'get', path: '/x' },
  );
  assert.equal(mode, 'user-info');
});
