/** What is learned from a log, with one test for each way in which others learn too much or too little. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAuthorizer } from '#decide/authorization/door.ts';
import { breakdown, rulesOf } from '#decide/authorization/rules.ts';
import { auditEventsOf } from '#kube/audit.ts';
import { type LearnOptions, learnRoles, Usage } from './roles.ts';

const ALLOW = { 'authorization.k8s.io/decision': 'allow' };

function entry(verb: string, uri: string, more: object = {}): object {
  const [path = ''] = uri.split('?');
  const parts = path.split('/').slice(1);
  const api = parts[0] === 'api' || parts[0] === 'apis';
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const scoped = rest[0] === 'namespaces' && rest.length > 2;
  const [resource, name, subresource] = scoped ? rest.slice(2) : rest;
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    stage: 'ResponseComplete',
    verb,
    requestURI: uri,
    user: { username: 'system:serviceaccount:shop:release', groups: ['system:authenticated'] },
    annotations: ALLOW,
    responseStatus: { code: 200 },
    ...(api && resource !== undefined
      ? {
          objectRef: {
            resource,
            ...(scoped ? { namespace: rest[1] } : {}),
            ...(parts[0] === 'apis' ? { apiGroup: parts[1] } : {}),
            ...(name === undefined ? {} : { name }),
            ...(subresource === undefined ? {} : { subresource }),
          },
        }
      : {}),
    ...more,
  };
}

function learn(entries: readonly object[], options: LearnOptions = {}) {
  const usage = new Usage();
  for (const one of entries) for (const event of auditEventsOf(one)) usage.add(event);
  const learned = learnRoles(usage.used, options);
  const authorizer = createAuthorizer({ objects: learned.objects, chain: ['RBAC'] });
  const grants = learned.objects
    .filter(({ kind }) => kind.endsWith('Role'))
    .flatMap(role => rulesOf(role).flatMap(breakdown))
    .map(({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }) =>
      [verbs, apiGroups, resources, resourceNames, nonResourceURLs]
        .flat()
        .filter(word => word !== undefined && word !== '')
        .join(' '),
    );
  return { usage, ...learned, authorizer, grants };
}

describe('what is learned', () => {
  it('keeps the query string out of non-resource URLs', () => {
    assert.deepEqual(learn([entry('get', '/openapi/v3?timeout=32s')]).grants, ['get /openapi/v3']);
  });
  it('never grants what was denied, nor counts a request at every stage', () => {
    const { grants, usage } = learn([
      entry('get', '/api/v1/namespaces/shop/pods/a', { stage: 'RequestReceived' }),
      entry('get', '/api/v1/namespaces/shop/pods/a'),
      entry('list', '/api/v1/secrets', { annotations: { 'authorization.k8s.io/decision': 'forbid' } }),
      entry('list', '/api/v1/nodes', { annotations: {} }),
    ]);
    assert.deepEqual(grants, ['get pods a']);
    assert.deepEqual([usage.allowed, usage.denied, usage.otherStages, usage.undecided], [1, 1, 1, 1]);
  });
  it('counts every status of an allowed request: 101, 201, 202, 404 and 409 too', () => {
    const codes = [101, 201, 202, 404, 409];
    const { usage } = learn(
      codes.map(code => entry('get', `/api/v1/nodes/n${code}`, { responseStatus: { code } })),
    );
    assert.equal(usage.allowed, codes.length);
  });
  it('binds one role in each of two namespaces, not in the whole cluster', () => {
    const { objects, authorizer } = learn([
      entry('list', '/api/v1/namespaces/shop/pods'),
      entry('list', '/api/v1/namespaces/ops/pods'),
    ]);
    assert.deepEqual(
      objects.map(({ kind, metadata }) => `${kind} ${metadata?.namespace ?? '-'}`),
      ['ClusterRole -', 'RoleBinding ops', 'RoleBinding shop'],
    );
    const user = { name: 'system:serviceaccount:shop:release' };
    const asked = { user, verb: 'list', resource: 'pods', namespace: 'other', resourceRequest: true };
    assert.equal(authorizer.authorize(asked).decision, 'no-opinion');
  });
  it('keeps names, and gives them up only when told to, and never of secrets', () => {
    const read = (resource: string) =>
      ['a', 'b', 'c'].map(name => entry('get', `/api/v1/namespaces/shop/${resource}/${name}`));
    const both = [...read('configmaps'), ...read('secrets')];
    assert.equal(learn(both).grants.length, 6);
    const { grants, subjects } = learn(both, { generaliseNames: 3 });
    assert.deepEqual(grants.sort(), ['get configmaps', 'get secrets a', 'get secrets b', 'get secrets c']);
    assert.deepEqual(subjects[0]!.wider, ['get configmaps in shop: all names (3 seen)']);
  });
  it('adds no verb that was not used', () => {
    assert.deepEqual(learn([entry('watch', '/api/v1/namespaces/shop/pods?watch=1')]).grants, ['watch pods']);
  });
  it('grants the creation of an object without its name, and of a subresource with it', () => {
    const created = { objectRef: { resource: 'pods', namespace: 'shop', name: 'web-1' } };
    const { grants } = learn([
      entry('create', '/api/v1/namespaces/shop/pods', created),
      entry('create', '/api/v1/namespaces/shop/pods/web-1/exec?command=sh'),
    ]);
    assert.deepEqual(grants.sort(), ['create pods', 'create pods/exec web-1']);
  });
  it('asks for create too where an update or patch created', () => {
    const { grants } = learn([
      entry('patch', '/api/v1/namespaces/shop/configmaps/a', { responseStatus: { code: 201 } }),
    ]);
    assert.deepEqual(grants, ['create configmaps a', 'patch configmaps a']);
  });
  it('gives the request to the impersonated, and the impersonation to who asked', () => {
    const { subjects, grants } = learn([
      entry('get', '/api/v1/nodes/n', {
        impersonatedUser: { username: 'jane', groups: ['ops', 'system:authenticated'] },
      }),
    ]);
    assert.deepEqual(
      subjects.map(({ user }) => user),
      ['jane', 'system:serviceaccount:shop:release'],
    );
    assert.deepEqual(grants.sort(), ['get nodes n', 'impersonate groups ops', 'impersonate users jane']);
  });
  it('learns for all subjects of a log at once', () => {
    const { subjects } = learn([
      entry('get', '/api/v1/nodes/n', { user: { username: 'jane' } }),
      entry('get', '/api/v1/nodes/n', { user: { username: 'joe' } }),
    ]);
    assert.equal(subjects.length, 2);
  });
  it('never merges API groups into a product that grants more', () => {
    const { grants } = learn([
      entry('list', '/api/v1/namespaces/shop/pods'),
      entry('list', '/apis/apps/v1/namespaces/shop/deployments'),
    ]);
    assert.deepEqual(grants.sort(), ['list apps deployments', 'list pods']);
  });
  it('says what no log shows: that writing a role needs what it gives', () => {
    const { subjects } = learn([
      entry('create', '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings'),
    ]);
    assert.match(subjects[0]!.notes[0]!, /escalate or bind/);
  });
  it('makes no wildcard of an asterisk that somebody sent', () => {
    const { grants, unspeakable } = learn([
      entry('get', '/api/v1/namespaces/shop/*/x'),
      entry('get', '/apis/*/v1/namespaces/shop/pods/x'),
      entry('get', '/*'),
      entry('get', '/api/v1/namespaces/shop/pods/*'),
    ]);
    // A name is never a pattern.
    assert.deepEqual(grants, ['get pods *']);
    assert.equal(unspeakable.length, 3);
  });
  it('is an exact cover: of 2,000 random requests it allows those of the log and no other', () => {
    let state = 7;
    const pick = <Item>(items: readonly Item[]): Item => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return items[Math.floor((state / 2_147_483_648) * items.length)]!;
    };
    const make = () => {
      const verb = pick(['get', 'list', 'delete', 'create']);
      const base =
        pick(['/api/v1', '/apis/apps/v1']) + pick(['', '/namespaces/a', '/namespaces/b', '/namespaces/c']);
      const named = verb === 'get' || verb === 'delete';
      return entry(
        verb,
        `${base}/${pick(['pods', 'deployments', 'secrets'])}${named ? `/${pick(['x', 'y', 'z'])}` : ''}`,
      );
    };
    const { authorizer, used } = (() => {
      const usage = new Usage();
      for (let i = 0; i < 60; i++) for (const event of auditEventsOf(make())) usage.add(event);
      const { objects } = learnRoles(usage.used);
      return { authorizer: createAuthorizer({ objects, chain: ['RBAC'] }), used: usage.used };
    })();
    for (let i = 0; i < 2000; i++) {
      const usage = new Usage();
      for (const event of auditEventsOf(make())) usage.add(event);
      const [{ request, user }] = usage.used as [(typeof usage.used)[number]];
      // One in the whole cluster covers the same one in a namespace.
      const seen = used.some(
        ({ request: one }) =>
          ['', request.namespace].includes(one.namespace) &&
          JSON.stringify({ ...one, namespace: '' }) === JSON.stringify({ ...request, namespace: '' }),
      );
      assert.equal(
        authorizer.authorize({ ...request, user: { name: user } }).decision,
        seen ? 'allow' : 'no-opinion',
      );
    }
  });
});
