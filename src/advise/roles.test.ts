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
  it('asks for what constrained impersonation asked for: the identity, and the request itself', () => {
    const as = (username: string, constraint: string, more: object = {}) =>
      entry('get', '/api/v1/namespaces/shop/pods/a', {
        impersonatedUser: { username, groups: ['system:authenticated'], ...more },
        authenticationMetadata: { impersonationConstraint: constraint },
      });
    const user = learn([as('jane', 'impersonate:user-info', { groups: ['ops', 'system:authenticated'] })]);
    assert.deepEqual(user.grants.sort(), [
      'get pods a',
      'impersonate-on:user-info:get pods a',
      'impersonate:user-info authentication.k8s.io groups ops',
      'impersonate:user-info authentication.k8s.io users jane',
    ]);
    const account = learn([as('system:serviceaccount:ops:robot', 'impersonate:serviceaccount')]);
    assert.ok(
      account.grants.includes('impersonate:serviceaccount authentication.k8s.io serviceaccounts robot'),
    );
    const node = learn([
      as('system:node:n1', 'impersonate:arbitrary-node', {
        groups: ['system:nodes', 'system:authenticated'],
      }),
    ]);
    assert.ok(node.grants.includes('impersonate:arbitrary-node authentication.k8s.io nodes n1'));
    const own = learn([as('system:node:n1', 'impersonate:associated-node')]);
    assert.ok(own.grants.includes('impersonate:associated-node authentication.k8s.io nodes *'));
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
    assert.match(subjects[0]!.notes[0]!, /bind on them/);
  });
  it('grants bind on the role of a binding, and approve on a signer, where the log holds the object', () => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings';
    const csr = '/apis/certificates.k8s.io/v1/certificatesigningrequests/a';
    const { grants, subjects } = learn([
      entry('create', rbac, { requestObject: { roleRef: { kind: 'ClusterRole', name: 'edit' } } }),
      entry('patch', `${csr}/approval`, {
        requestObject: [{ op: 'add' }],
        responseObject: { spec: { signerName: 'example.com/signer' } },
      }),
      entry('update', `${csr}/status`, { requestObject: { spec: { signerName: 'example.com/signer' } } }),
    ]);
    assert.deepEqual(grants.filter(one => /^(?:bind|approve|sign)/.test(one)).sort(), [
      'approve certificates.k8s.io signers example.com/signer',
      'bind rbac.authorization.k8s.io clusterroles edit',
      'sign certificates.k8s.io signers example.com/signer',
    ]);
    assert.deepEqual(subjects[0]!.notes, []);
  });
  it('grants create beside get where a WebSocket enters a pod, as 1.35 asks for it', () => {
    const { grants } = learn([
      entry('get', '/api/v1/namespaces/shop/pods/web-1/exec?command=sh', { responseStatus: { code: 101 } }),
    ]);
    assert.deepEqual(grants.sort(), ['create pods/exec web-1', 'get pods/exec web-1']);
  });
  it('knows of a watch that is still open', () => {
    const watch = entry('watch', '/api/v1/namespaces/shop/pods?watch=1', { stage: 'ResponseStarted' });
    const { grants, usage } = learn([watch]);
    assert.deepEqual(grants, ['watch pods']);
    assert.equal(usage.allowed, 0);
    assert.equal(learn([watch, { ...watch, stage: 'ResponseComplete' }]).subjects[0]!.count, 1);
  });
  it('says what of it leads further up', () => {
    const { subjects } = learn([
      entry('list', '/api/v1/secrets'),
      entry('list', '/api/v1/namespaces/shop/pods'),
      entry('create', '/api/v1/namespaces/shop/pods/web-1/exec'),
      entry('get', '/api/v1/namespaces/shop'),
    ]);
    assert.deepEqual(subjects[0]!.risky, [
      'list secrets of any name in the whole cluster',
      'create pods/exec web-1 in shop',
    ]);
  });
  it('gives up namespaces only when told to, and never for secrets', () => {
    const read = (resource: string) =>
      ['a', 'b', 'c'].map(home => entry('list', `/api/v1/namespaces/${home}/${resource}`));
    const log = [...read('pods'), ...read('secrets')];
    const { objects, subjects, authorizer } = learn(log, { generaliseNamespaces: 3 });
    assert.equal(objects.filter(({ kind }) => kind === 'ClusterRoleBinding').length, 1);
    assert.deepEqual(subjects[0]!.wider, ['list pods: all namespaces (3 seen)']);
    assert.equal(subjects[0]!.beyond, 1);
    const user = { name: 'system:serviceaccount:shop:release' };
    const may = (resource: string) =>
      authorizer.authorize({ user, verb: 'list', resource, namespace: 'other', resourceRequest: true })
        .decision;
    assert.deepEqual([may('pods'), may('secrets')], ['allow', 'no-opinion']);
    assert.ok(!learn(log).objects.some(({ kind }) => kind === 'ClusterRoleBinding'));
  });
  it('stops growing at a limit, and counts what it leaves out', () => {
    const usage = new Usage(() => true, 2);
    for (const name of ['a', 'b', 'c', 'a', 'd'])
      for (const event of auditEventsOf(entry('get', `/api/v1/nodes/${name}`))) usage.add(event);
    assert.deepEqual([usage.used.length, usage.beyond, usage.allowed], [2, 2, 5]);
  });
  it('makes one role for subjects that need the same, also in different namespaces', () => {
    const as = (name: string) => ({ user: { username: `system:serviceaccount:${name}` } });
    const { objects, subjects } = learn([
      entry('list', '/api/v1/namespaces/shop/pods', as('shop:a')),
      entry('list', '/api/v1/namespaces/shop/pods', as('shop:b')),
      entry('list', '/api/v1/namespaces/ops/pods', as('ops:c')),
      entry('get', '/api/v1/nodes/n', as('ops:c')),
    ]);
    assert.deepEqual(
      objects.map(({ kind, metadata }) => `${kind} ${metadata?.namespace ?? '-'}/${metadata?.name}`),
      [
        'ClusterRole -/learned:ops:c',
        'ClusterRoleBinding -/learned:ops:c',
        'ClusterRole -/learned:shared:ops:c',
        'RoleBinding ops/learned:shared:ops:c',
        'RoleBinding shop/learned:shared:ops:c',
      ],
    );
    assert.deepEqual(
      subjects.map(({ grants, beyond }) => [grants, beyond]),
      [
        [2, 0],
        [1, 0],
        [1, 0],
      ],
    );
  });
  describe('beside roles that are there', () => {
    const role = (name: string, rules: readonly object[], more: object = {}) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules,
      ...more,
    });
    const pods = { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] };
    const log = [
      entry('list', '/api/v1/namespaces/shop/pods'),
      entry('get', '/api/v1/namespaces/shop/pods/a'),
      entry('list', '/api/v1/namespaces/shop/services'),
    ];
    const kinds = (learned: { readonly objects: readonly { readonly kind: string }[] }) =>
      learned.objects.map(({ kind }) => kind);

    it('uses one again that grants no more than is needed', () => {
      const exact = role('reader', [
        { ...pods, verbs: ['list'] },
        { ...pods, verbs: ['get'], resourceNames: ['a'] },
      ]);
      const { objects, reused, subjects } = learn(log, { existing: [exact] });
      assert.deepEqual(
        reused.map(({ role, users }) => [role.metadata?.name, users.length]),
        [['reader', 1]],
      );
      assert.deepEqual(kinds({ objects }), ['RoleBinding', 'Role', 'RoleBinding']);
      assert.deepEqual(objects[0]!['roleRef'], {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: 'reader',
      });
      assert.deepEqual([subjects[0]!.grants, subjects[0]!.beyond], [3, 0]);
    });
    it('uses none that grants more, or that other roles fill', () => {
      const wide = role('wide', [pods]);
      const gathering = role('gathering', [{ ...pods, verbs: ['list'] }], { aggregationRule: {} });
      assert.deepEqual(learn(log, { existing: [wide, gathering] }).reused, []);
    });
    it('makes no binding that is there', () => {
      const all = role('all', [
        { ...pods, resources: ['pods', 'services'], verbs: ['list'] },
        { ...pods, verbs: ['get'], resourceNames: ['a'] },
      ]);
      const binding = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'b', namespace: 'shop' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'all' },
        subjects: [{ kind: 'ServiceAccount', name: 'release' }],
      };
      const { objects, reused } = learn(log, { existing: [all, binding] });
      assert.deepEqual(objects, []);
      assert.deepEqual(reused[0]!.bound, [binding]);
    });
    it('takes no name that is taken', () => {
      const taken = role('learned:shop:release', [pods]);
      const { objects } = learn(log, { existing: [taken] });
      assert.ok(objects.every(({ metadata }) => metadata?.name === 'learned:shop:release:2'));
    });
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
