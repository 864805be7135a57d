import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '#kube/objects.ts';
import {
  type Attributes,
  aggregate,
  attributesOf,
  ConfigurationError,
  covers,
  createAuthorizer,
  type PolicyRule,
  RequestError,
  VersionError,
} from './door.ts';

const API = 'rbac.authorization.k8s.io/v1';
const role = (name: string, rules: unknown, more: object = {}): KubeObject => ({
  apiVersion: API,
  kind: 'ClusterRole',
  metadata: { name },
  rules,
  ...more,
});
const binding = (name: string, roleName: string, user: string): KubeObject => ({
  apiVersion: API,
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
  subjects: [{ kind: 'User', name: user }],
});
const rule = (verbs: string[], resources: string[], more: object = {}) => ({
  apiGroups: [''],
  resources,
  verbs,
  ...more,
});
const ask = (user: string, verb: string, resource: string, more: Partial<Attributes> = {}): Attributes => ({
  user: { name: user },
  verb,
  resource,
  resourceRequest: true,
  ...more,
});

describe('roles', () => {
  it('that cannot be decoded grant nothing, and say so', () => {
    const broken: readonly [string, unknown][] = [
      ['rules[0].resourceNames is no list', [{ ...rule(['get'], ['secrets']), resourceNames: 'web' }]],
      ['rules[0].verbs[1] is no string', [{ ...rule(['get'], ['secrets']), verbs: ['get', 5] }]],
      ['rules[1] is no mapping', [rule(['get'], ['secrets']), 'get secrets']],
      ['rules is no list', { verbs: ['get'] }],
    ];
    for (const [why, rules] of broken) {
      const authorizer = createAuthorizer({
        objects: [role('r', rules), binding('b', 'r', 'alice')],
        chain: ['RBAC'],
      });
      const { decision, reason } = authorizer.authorize(ask('alice', 'get', 'secrets'));
      assert.equal(decision, 'no-opinion');
      assert.equal(reason, `RBAC: clusterrole.rbac.authorization.k8s.io "r" cannot be decoded: ${why}`);
    }
  });

  it('that are missing are an error beside the decision', () => {
    const authorizer = createAuthorizer({
      objects: [
        binding('a', 'absent', 'alice'),
        role('r', [rule(['get'], ['pods'])]),
        binding('b', 'r', 'alice'),
      ],
      chain: ['RBAC'],
    });
    assert.equal(authorizer.authorize(ask('alice', 'get', 'pods')).decision, 'allow');
    assert.equal(
      authorizer.authorize(ask('alice', 'get', 'nodes')).reason,
      'RBAC: clusterrole.rbac.authorization.k8s.io "absent" not found',
    );
    assert.equal(
      authorizer.rulesFor({ name: 'alice' }, '').error,
      'clusterrole.rbac.authorization.k8s.io "absent" not found',
    );
  });

  it('are aggregated until nothing changes, and what is written by hand is lost', () => {
    const label = (name: string) => ({ metadata: { name, labels: { [`to-${name}`]: 'yes' } } });
    const gathers = (name: string) => ({
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`to-${name}`]: 'yes' } }] },
    });
    const roles = [
      role('top', [rule(['*'], ['*'])], gathers('middle')),
      role('middle', [], { ...label('middle'), ...gathers('bottom') }),
      role('bottom', [rule(['get'], ['pods'])], label('bottom')),
    ];
    assert.deepEqual(aggregate(roles).get(roles[0]!), [rule(['get'], ['pods'])]);
  });

  it('all stand in because, the one that the API server names first', () => {
    const objects = [
      role('r', [rule(['get'], ['pods']), rule(['*'], ['*'])]),
      binding('one', 'r', 'alice'),
      binding('two', 'r', 'alice'),
    ];
    const { reason, because } = createAuthorizer({ objects }).authorize(ask('alice', 'get', 'pods'));
    assert.equal(reason, 'RBAC: allowed by ClusterRoleBinding "one" of ClusterRole "r" to User "alice"');
    assert.equal(because[0]!.text, reason);
    assert.equal(because.length, 8);
  });
});

describe('covers', () => {
  const rules = fc.array(
    fc.record({
      verbs: fc.subarray(['get', 'list', '*'], { minLength: 1 }),
      apiGroups: fc.subarray(['', 'apps', '*'], { minLength: 1 }),
      resources: fc.subarray(['pods', 'pods/exec', '*/exec', '*'], { minLength: 1 }),
      resourceNames: fc.subarray(['a', 'b']),
    }),
    { maxLength: 3 },
  );

  it('is reflexive, and what is covered can do no more than its owner', () => {
    fc.assert(
      fc.property(rules, rules, (owner: PolicyRule[], servant: PolicyRule[]) => {
        assert.ok(covers(owner, owner).covered);
        if (!covers(owner, servant).covered) return;
        const authorizer = createAuthorizer({
          objects: [
            role('o', owner),
            role('s', servant),
            binding('bo', 'o', 'owner'),
            binding('bs', 's', 'servant'),
          ],
          chain: ['RBAC'],
        });
        for (const verb of ['get', 'list'])
          for (const apiGroup of ['', 'apps', 'batch'])
            for (const subresource of ['', 'exec'])
              for (const name of ['', 'a', 'c']) {
                const request = {
                  verb,
                  apiGroup,
                  resource: 'pods',
                  subresource,
                  name,
                  resourceRequest: true,
                };
                if (authorizer.authorize({ ...request, user: { name: 'servant' } }).decision === 'allow')
                  assert.equal(
                    authorizer.authorize({ ...request, user: { name: 'owner' } }).decision,
                    'allow',
                  );
              }
      }),
    );
  });
});

describe('requests', () => {
  const of = (method: string, target: string) => {
    const { verb, namespace, apiGroup, resource, subresource, name, path, resourceRequest } = attributesOf(
      method,
      target,
    );
    return resourceRequest === true
      ? [verb, apiGroup, resource, subresource, namespace, name].join(' ')
      : `${verb} ${path}`;
  };
  const CASES: readonly [string, string, string][] = [
    ['GET', '/api/v1/namespaces/x/pods?watch=1', 'watch  pods  x '],
    ['GET', '/api/v1/namespaces/x/pods?watch=false', 'list  pods  x '],
    ['GET', '/api/v1/namespaces/x/pods/p/log', 'get  pods log x p'],
    ['GET', '/api/v1/namespaces/x', 'get  namespaces  x x'],
    ['PUT', '/api/v1/namespaces/x/finalize', 'update  namespaces finalize x x'],
    ['HEAD', '/apis/apps/v1/deployments', 'list apps deployments   '],
    ['DELETE', '/apis/apps/v1/namespaces/x/deployments', 'deletecollection apps deployments  x '],
    ['POST', '/api/v1/namespaces/x/pods/p/exec', 'create  pods exec x p'],
    ['GET', '/api/v1/watch/namespaces/x/pods', 'watch  pods  x '],
    ['GET', '/api/v1/proxy/namespaces/x/pods/p/a/b', 'proxy  pods  x p'],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Dp', 'list  pods   p'],
    ['GET', '/apis/apps/v1', 'get /apis/apps/v1'],
    ['OPTIONS', '/api/v1/pods', '  pods   '],
    ['GET', '/healthz/', 'get /healthz/'],
  ];
  for (const [method, target, wanted] of CASES)
    it(`${method} ${target}`, () => assert.equal(of(method, target), wanted));

  it('carry their selectors', () => {
    const { fieldSelector, labelSelector } = attributesOf(
      'GET',
      '/api/v1/pods?fieldSelector=spec.nodeName%3D%3Dn1,status.phase!%3DFailed&labelSelector=app+in+(b,a),!gone',
    );
    assert.deepEqual(fieldSelector, [
      { field: 'spec.nodeName', operator: '=', value: 'n1' },
      { field: 'status.phase', operator: '!=', value: 'Failed' },
    ]);
    assert.deepEqual(labelSelector, [
      { key: 'app', operator: 'in', values: ['a', 'b'] },
      { key: 'gone', operator: '!' },
    ]);
  });

  it('that are none are refused, whatever they are', () => {
    assert.throws(() => attributesOf('GET', 'api/v1/pods'), RequestError);
    assert.throws(() => attributesOf('GET', '/api/v1/watch'), RequestError);
    assert.throws(() => attributesOf('GET', '/%zz'), RequestError);
    fc.assert(
      fc.property(fc.string(), fc.string(), (method, target) => {
        try {
          attributesOf(method, `/api/v1/${target}`);
        } catch (error) {
          assert.ok(error instanceof RequestError);
        }
      }),
    );
  });
});

describe('a webhook whose mind is not known', () => {
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthorizationConfiguration',
    authorizers: [
      {
        type: 'Webhook',
        name: 'hook',
        webhook: {
          timeout: '3s',
          subjectAccessReviewVersion: 'v1',
          matchConditionSubjectAccessReviewVersion: 'v1',
          failurePolicy: 'Deny',
          connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/etc/hook.kubeconfig' },
          matchConditions: [{ expression: "request.resourceAttributes.namespace == 'prod'" }],
        },
      },
      { type: 'RBAC', name: 'rbac' },
    ],
  };
  const objects = [role('r', [rule(['get'], ['pods'])]), binding('b', 'r', 'alice')];
  const authorizer = createAuthorizer({ configuration, objects });
  const inProd = ask('alice', 'get', 'pods', { namespace: 'prod' });

  it('makes the decision unknown, and says what would come without it', () => {
    const { decision, reason, webhooksCalled } = authorizer.authorize(inProd);
    assert.equal(decision, 'unknown');
    assert.equal(
      reason,
      'allowed unless webhook "hook" decides first (RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "alice")',
    );
    assert.deepEqual(webhooksCalled, ['hook']);
  });

  it('does not matter where it is not asked, or where somebody decided before', () => {
    assert.equal(authorizer.authorize(ask('alice', 'get', 'pods', { namespace: 'dev' })).decision, 'allow');
    assert.equal(
      authorizer.authorize({ ...inProd, user: { name: 'root', groups: ['system:masters'] } }).decision,
      'allow',
    );
    assert.equal(authorizer.authorize(inProd, { webhooks: { hook: {} } }).decision, 'allow');
    assert.equal(authorizer.authorize(inProd, { webhooks: { hook: { fail: true } } }).decision, 'deny');
    assert.equal(authorizer.authorize({ user: { name: 'alice' }, verb: 'get', path: '/' }).decision, 'deny');
  });

  it('makes everybody behind it depend on it, and nobody before it', () => {
    assert.deepEqual(authorizer.webhooks, ['hook']);
    assert.deepEqual(
      authorizer
        .whoCan({ verb: 'get', resource: 'pods', apiGroup: '', resourceRequest: true })
        .map(({ name, unless }) => [name, unless]),
      [
        ['system:masters', undefined],
        ['alice', ['hook']],
      ],
    );
  });

  it('is refused where its configuration is', () => {
    assert.throws(() => createAuthorizer({ configuration: 'kind: {' }), ConfigurationError);
    assert.throws(() => createAuthorizer({ configuration: '' }), ConfigurationError);
    assert.throws(
      () => createAuthorizer({ configuration: { ...configuration, authorizers: [] } }),
      ConfigurationError,
    );
    assert.throws(() => createAuthorizer({ kubernetes: 'newest' }), VersionError);
  });
});

describe('a mistake in an AuthorizationConfiguration', () => {
  const text = (lines: string) =>
    `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers:\n${lines}`;
  for (const [name, configuration, line] of [
    ['a type that is none', text('- { type: RBAC, name: rbac }\n- type: Rbac\n  name: x\n'), 5],
    ['a field that is none', text('- type: RBAC\n  name: rbac\n  webhok: {}\n'), 6],
    ['a type of value', text('- type: Webhook\n  name: hook\n  webhook:\n    timeout: 3\n'), 7],
    ['a name that does not fit', text('- type: RBAC\n  name: other\n'), 5],
    ['a key stated twice', text('- type: RBAC\n  name: rbac\n  name: rbac\n'), 6],
    ['no authorizers', text(''), 3],
    ['broken YAML', text('- type: "RBAC\n'), undefined],
  ] as const)
    it(`is found with its line: ${name}`, () => {
      assert.throws(
        () => createAuthorizer({ configuration }),
        (error: unknown) =>
          error instanceof ConfigurationError &&
          (line === undefined ? error.line !== undefined : error.line === line),
      );
    });
  it('has no line where the configuration is data', () => {
    assert.throws(
      () => createAuthorizer({ configuration: { kind: 'AuthorizationConfiguration' } }),
      (error: unknown) => error instanceof ConfigurationError && error.line === undefined,
    );
  });
});

describe('who may do something', () => {
  const GET_SECRETS = {
    verb: 'get',
    resource: 'secrets',
    apiGroup: '',
    namespace: 'shop',
    resourceRequest: true,
  };
  const names = (
    authorizer: ReturnType<typeof createAuthorizer>,
    request: Omit<Attributes, 'user'> = GET_SECRETS,
  ) =>
    authorizer
      .whoCan(request)
      .map(({ kind, name, within = [] }) => [`${kind} ${name}`, ...within].join(' in '));

  it('is asked of the whole chain, in its order', () => {
    const objects = [role('r', [rule(['get'], ['secrets'])]), binding('b', 'r', 'alice')];
    const abacPolicy = [
      { user: 'bob', resource: 'secrets', namespace: 'shop' },
      { group: 'ops', resource: '*', namespace: '*', apiGroup: '*' },
      { user: 'carol', group: 'devs', resource: 'secrets', namespace: '*' },
      { user: 'dave', resource: 'pods', namespace: '*' },
    ]
      .map(spec =>
        JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec }),
      )
      .join('\n');
    const chain = ['system:masters', 'RBAC', 'ABAC'] as const;
    assert.deepEqual(names(createAuthorizer({ objects, abacPolicy, chain })), [
      'Group system:masters',
      'User alice',
      'User bob',
      'Group ops',
      'User carol in devs',
    ]);
    assert.deepEqual(names(createAuthorizer({ chain: ['AlwaysAllow'] })), [
      'Group system:authenticated',
      'Group system:unauthenticated',
    ]);
    assert.deepEqual(names(createAuthorizer({ chain: ['AlwaysDeny'] })), []);
  });
  it('names the nodes that need an object, or all of them where any may', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'shop' },
      spec: { nodeName: 'n1', containers: [], volumes: [{ name: 'v', secret: { secretName: 'tls' } }] },
    };
    const authorizer = createAuthorizer({ objects: [pod], chain: ['Node'] });
    assert.deepEqual(names(authorizer, { ...GET_SECRETS, name: 'tls' }), [
      'User system:node:n1 in system:nodes',
    ]);
    assert.deepEqual(names(authorizer, { ...GET_SECRETS, name: 'other' }), []);
    assert.deepEqual(names(authorizer, { ...GET_SECRETS, resource: 'services', verb: 'list' }), [
      'Group system:nodes',
    ]);
    assert.deepEqual(
      names(authorizer, { verb: 'get', resource: 'nodes', apiGroup: '', name: 'n7', resourceRequest: true }),
      ['User system:node:n7 in system:nodes'],
    );
  });
  it('names users of whom the groups are known', () => {
    const objects = [
      role('r', [rule(['get'], ['secrets'])]),
      { ...binding('b', 'r', ''), subjects: [{ kind: 'Group', name: 'ops' }] },
    ];
    const groups = { jane: ['ops'], joe: ['devs'] };
    assert.deepEqual(names(createAuthorizer({ objects, groups, chain: ['RBAC'] })), [
      'Group ops',
      'User jane',
    ]);
  });
});

describe('impersonation', () => {
  const objects = [
    role('classic', [rule(['impersonate'], ['users'], { resourceNames: ['bob'] })]),
    binding('b1', 'classic', 'alice'),
    role('constrained', [
      { apiGroups: ['authentication.k8s.io'], resources: ['users'], verbs: ['impersonate:user-info'] },
      rule(['impersonate-on:user-info:get'], ['pods']),
    ]),
    binding('b2', 'constrained', 'carol'),
  ];
  const authorizer = createAuthorizer({ objects });
  const asOf = (user: string, verb: string, groups: string[] = [], kubernetes?: string) =>
    (kubernetes === undefined ? authorizer : createAuthorizer({ objects, kubernetes })).impersonate(
      { name: 'bob', groups },
      ask(user, verb, 'pods'),
    );

  it('is classic with the verb impersonate, and derives groups', () => {
    const answer = asOf('alice', 'delete');
    assert.equal(answer.decision, 'allow');
    assert.equal(answer.mode, 'legacy');
    assert.deepEqual(answer.user?.groups, ['system:authenticated']);
    assert.equal(asOf('alice', 'get', ['system:masters']).decision, 'deny');
  });

  it('is constrained to what both grants allow, since 1.36', () => {
    assert.equal(asOf('carol', 'get').mode, 'user-info');
    assert.equal(asOf('carol', 'delete').decision, 'deny');
    assert.equal(asOf('carol', 'get', [], '1.35').decision, 'deny');
  });
});

describe('writing roles and bindings', () => {
  const objects = [
    role('editor', [
      rule(['get'], ['pods']),
      {
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['clusterroles'],
        verbs: ['escalate'],
        resourceNames: ['named'],
      },
    ]),
    binding('b', 'editor', 'alice'),
    role('secrets', [rule(['get'], ['secrets'])]),
  ];
  const authorizer = createAuthorizer({ objects });
  const write = (object: KubeObject, verb: 'create' | 'update' = 'create', groups: string[] = []) =>
    authorizer.mayWrite({ user: { name: 'alice', groups }, verb, object });

  it('gives away only what one has', () => {
    assert.equal(write(role('mine', [rule(['get'], ['pods'])])).by, 'covered');
    const more = write(role('more', [rule(['get', 'list'], ['pods'])]));
    assert.equal(more.decision, 'deny');
    assert.deepEqual(more.uncovered, [rule(['list'], ['pods'])]);
    assert.equal(
      write(role('more', [rule(['*'], ['*'])]), 'create', ['system:masters']).by,
      'system:masters',
    );
  });

  it('needs escalate on the name, which a create has not', () => {
    assert.equal(write(role('named', [rule(['*'], ['*'])])).decision, 'deny');
    assert.equal(write(role('named', [rule(['*'], ['*'])]), 'update').by, 'escalate');
  });

  it('of bindings looks at the role that is bound', () => {
    assert.equal(write(binding('x', 'secrets', 'eve')).decision, 'deny');
    assert.match(write(binding('x', 'absent', 'eve')).reason, /not found/);
  });
});
