/** Ways up: each precondition counts, permissions of several bindings add up, and cuts are smallest. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAuthorizer } from '#decide/authorization/door.ts';
import type { KubeObject } from '#kube/objects.ts';
import { nameOf } from '#kube/objects.ts';
import type { Origin } from '#world/origin.ts';
import { World } from '#world/world.ts';
import {
  escalationsOf,
  indirectHolders,
  keyOf,
  type Principal,
  principalsOf,
  smallestCut,
} from './escalations.ts';

const RBAC = 'rbac.authorization.k8s.io';
const ROBOT: Principal = { kind: 'ServiceAccount', namespace: 'shop', name: 'robot' };

type Rule = readonly [verbs: string, resources: string, group?: string, names?: string];

/** A role with its binding to the robot: in the whole cluster, or in a namespace. */
function granted(name: string, rules: readonly Rule[], namespace?: string): KubeObject[] {
  const metadata = namespace === undefined ? { name } : { name, namespace };
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  return [
    {
      apiVersion: `${RBAC}/v1`,
      kind,
      metadata,
      rules: rules.map(([verbs, resources, group = '', names]) => ({
        apiGroups: [group],
        resources: resources.split(' '),
        verbs: verbs.split(' '),
        ...(names === undefined ? {} : { resourceNames: names.split(' ') }),
      })),
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: RBAC, kind, name },
      subjects: [{ kind: 'ServiceAccount', namespace: 'shop', name: 'robot' }],
    },
  ];
}

function namespace(name: string, level?: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      ...(level === undefined ? {} : { labels: { 'pod-security.kubernetes.io/enforce': level } }),
    },
  };
}

function deployment(name: string, account: string): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: {
      selector: {},
      template: { spec: { serviceAccountName: account, containers: [{ name: 'a', image: 'a:1' }] } },
    },
  };
}

const ADMISSION = 'admissionregistration.k8s.io';
const EXTENSIONS = 'apiextensions.k8s.io';
const DEFINITIONS = 'customresourcedefinitions';

const mutatingPolicy = (name: string): KubeObject[] => [
  { apiVersion: `${ADMISSION}/v1`, kind: 'MutatingAdmissionPolicy', metadata: { name }, spec: {} },
  {
    apiVersion: `${ADMISSION}/v1`,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: `${name}-is-bound` },
    spec: { policyName: name },
  },
];

/** A definition, and the controller of its objects, which may do everything. */
const deployer = (resource: string, group: string): KubeObject[] => [
  {
    apiVersion: `${EXTENSIONS}/v1`,
    kind: 'CustomResourceDefinition',
    metadata: { name: `${resource}.${group}` },
    spec: {},
  },
  deployment('controller', 'controller'),
  bound('controller', 'cluster-admin'),
];

const clusterRole = (name: string, rules: readonly Rule[]): KubeObject => granted(name, rules)[0]!;

const bound = (account: string, role: string): KubeObject => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name: `${account}-is-${role}` },
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
  subjects: [{ kind: 'ServiceAccount', namespace: 'shop', name: account }],
});

function reached(objects: readonly KubeObject[]): string[] {
  const world = worldOf(objects);
  return escalationsOf(world, ROBOT).map(({ goal, steps }) => `${goal} in ${steps.length}`);
}

/** The objects stand nowhere: only what follows from them is asked. */
const unplaced: Origin = {
  file: 'objects.yaml',
  line: 1,
  document: 0,
  positionOf: () => ({ file: 'objects.yaml', line: 1, column: 1, endLine: 1, endColumn: 1 }),
};

function worldOf(objects: readonly KubeObject[]): World {
  return new World({ declared: objects.map(object => ({ object, origin: unplaced })), kubernetesMinor: 37 });
}

const baseline = [namespace('shop', 'baseline'), namespace('kube-system', 'baseline')];

const CASES: readonly (readonly [string, readonly KubeObject[], readonly string[]])[] = [
  ['nothing of interest', granted('a', [['get', 'pods']]), []],
  ['everything, outright', [bound('robot', 'cluster-admin')], ['cluster-admin in 1']],
  [
    'everything in one namespace: the labels of the namespace too',
    [...granted('a', [['*', '*', '*']], 'shop'), ...baseline],
    ['node in 1'],
  ],
  ['bind without a binding to write', granted('a', [['bind', 'clusterroles', RBAC]]), []],
  [
    'bind and the binding, from two roles',
    [
      ...granted('a', [['bind', 'clusterroles', RBAC]]),
      ...granted('b', [['create', 'clusterrolebindings', RBAC]]),
    ],
    ['cluster-admin in 1'],
  ],
  [
    'bind limited to a harmless role',
    granted('a', [
      ['bind', 'clusterroles', RBAC, 'view'],
      ['create', 'clusterrolebindings', RBAC],
    ]),
    [],
  ],
  [
    'bind limited to cluster-admin',
    granted('a', [
      ['bind', 'clusterroles', RBAC, 'cluster-admin'],
      ['create', 'clusterrolebindings', RBAC],
    ]),
    ['cluster-admin in 1'],
  ],
  [
    'bind limited to a role that leads on',
    [
      ...granted('a', [
        ['bind', 'clusterroles', RBAC, 'step'],
        ['create', 'clusterrolebindings', RBAC],
      ]),
      clusterRole('step', [['get', 'nodes/proxy']]),
    ],
    ['node in 2'],
  ],
  [
    'bind limited to a role, and only that binding may be changed',
    [
      ...granted('a', [
        ['bind', 'clusterroles', RBAC, 'step'],
        ['patch', 'clusterrolebindings', RBAC, 'other-is-step'],
      ]),
      clusterRole('step', [['get', 'nodes/proxy']]),
      bound('other', 'step'),
    ],
    ['node in 2'],
  ],
  [
    'bind limited to a role, where a binding to another one may be changed',
    [
      ...granted('a', [
        ['bind', 'clusterroles', RBAC, 'step'],
        ['patch', 'clusterrolebindings', RBAC, 'other-is-view'],
      ]),
      clusterRole('step', [['get', 'nodes/proxy']]),
      bound('other', 'view'),
    ],
    [],
  ],
  [
    'bind of the Roles of a namespace',
    [
      ...baseline,
      ...granted(
        'a',
        [
          ['bind', 'roles', RBAC],
          ['create', 'rolebindings', RBAC],
        ],
        'shop',
      ),
      ...granted('b', [['create', 'serviceaccounts/token']], 'shop').slice(0, 1),
      bound('boss', 'cluster-admin'),
    ],
    ['cluster-admin in 3'],
  ],
  [
    'a new role that its own role gathers',
    [
      ...granted('a', [['create escalate', 'clusterroles', RBAC]]),
      {
        ...bound('robot', 'edit'),
        kind: 'RoleBinding',
        metadata: { name: 'edit', namespace: 'kube-system' },
      },
    ],
    ['cluster-admin in 1'],
  ],
  ['a new role that nothing gathers', granted('a', [['create escalate', 'clusterroles', RBAC]]), []],
  ['escalate without change', granted('a', [['escalate', 'clusterroles', RBAC]]), []],
  [
    'escalate and change of its own role',
    granted('a', [['escalate update', 'clusterroles', RBAC]]),
    ['cluster-admin in 1'],
  ],
  [
    'escalate and change of another role',
    granted('a', [['escalate update', 'clusterroles', RBAC, 'other']]),
    [],
  ],
  [
    'impersonation of the masters needs a user too',
    granted('a', [['impersonate', 'groups', '', 'system:masters']]),
    [],
  ],
  [
    'impersonation of the masters, with a user',
    granted('a', [
      ['impersonate', 'groups', '', 'system:masters'],
      ['impersonate', 'users', '', 'nobody'],
    ]),
    ['cluster-admin in 1'],
  ],
  [
    'a token of an administrator',
    [...granted('a', [['create', 'serviceaccounts/token']], 'shop'), bound('boss', 'cluster-admin')],
    ['cluster-admin in 2'],
  ],
  [
    'a token of somebody else',
    [
      ...granted('a', [['create', 'serviceaccounts/token', '', 'clerk']], 'shop'),
      bound('boss', 'cluster-admin'),
    ],
    [],
  ],
  [
    'a change of a Deployment that runs as an administrator',
    [
      ...baseline,
      ...granted('a', [['patch', 'deployments', 'apps']], 'shop'),
      bound('boss', 'cluster-admin'),
      deployment('web', 'boss'),
    ],
    ['cluster-admin in 2'],
  ],
  [
    'a change of StatefulSets where there is a Deployment',
    [
      ...baseline,
      ...granted('a', [['patch', 'statefulsets', 'apps']], 'shop'),
      bound('boss', 'cluster-admin'),
      deployment('web', 'boss'),
    ],
    [],
  ],
  [
    'pods where the namespace admits none that is privileged',
    [...baseline, ...granted('a', [['create', 'pods']], 'shop')],
    [],
  ],
  [
    'pods where it admits them',
    [namespace('shop'), ...granted('a', [['create', 'pods']], 'shop')],
    ['node in 1'],
  ],
  [
    'pods, and the labels of the namespace',
    [
      ...baseline,
      ...granted('a', [['create', 'pods']], 'shop'),
      ...granted('b', [['patch', 'namespaces', '', 'shop']]),
    ],
    ['node in 1'],
  ],
  [
    'pods in every namespace',
    [...baseline, ...granted('a', [['create', 'jobs', 'batch']])],
    ['cluster-admin in 1'],
  ],
  ['jobs of the wrong group', [...baseline, ...granted('a', [['create', 'jobs']])], []],
  [
    'volumes on the disk of a node',
    [
      ...baseline,
      ...granted('a', [['create', 'persistentvolumes']]),
      ...granted('b', [['create', 'pods persistentvolumeclaims']], 'shop'),
    ],
    ['node in 1'],
  ],
  ['nodes/proxy, even to get', granted('a', [['get', 'nodes/proxy']]), ['node in 1']],
  ['secrets of one namespace', granted('a', [['get', 'secrets']], 'shop'), []],
  ['secrets of all', granted('a', [['list', 'secrets']]), ['secrets in 1']],
  [
    'secrets made and read',
    [...granted('a', [['create list', 'secrets']], 'shop'), bound('boss', 'cluster-admin')],
    ['cluster-admin in 2'],
  ],
  [
    'certificates without the signer',
    granted('a', [
      ['create', 'certificatesigningrequests', 'certificates.k8s.io'],
      ['update', 'certificatesigningrequests/approval', 'certificates.k8s.io'],
    ]),
    [],
  ],
  [
    'certificates with the signer',
    granted('a', [
      ['create', 'certificatesigningrequests', 'certificates.k8s.io'],
      ['update', 'certificatesigningrequests/approval', 'certificates.k8s.io'],
      ['approve', 'signers', 'certificates.k8s.io', 'kubernetes.io/kube-apiserver-client'],
    ]),
    ['cluster-admin in 1'],
  ],
  [
    'a webhook that changes what is written',
    granted('a', [['create', 'mutatingwebhookconfigurations', ADMISSION]]),
    ['cluster-admin in 1'],
  ],
  [
    'a mutating policy with its binding, by two bindings',
    [
      ...granted('a', [['create', 'mutatingadmissionpolicies', ADMISSION]]),
      ...granted('b', [['create', 'mutatingadmissionpolicybindings', ADMISSION]]),
    ],
    ['cluster-admin in 1'],
  ],
  ['a mutating policy alone', granted('a', [['create', 'mutatingadmissionpolicies', ADMISSION]]), []],
  ['a binding of one alone', granted('a', [['create', 'mutatingadmissionpolicybindings', ADMISSION]]), []],
  [
    'both, changed only, where none is there',
    granted('a', [['update', 'mutatingadmissionpolicies mutatingadmissionpolicybindings', ADMISSION]]),
    [],
  ],
  [
    'a mutating policy that is bound already',
    [...mutatingPolicy('sidecar'), ...granted('a', [['patch', 'mutatingadmissionpolicies', ADMISSION]])],
    ['cluster-admin in 1'],
  ],
  [
    'another policy is made where one is bound already',
    [...mutatingPolicy('sidecar'), ...granted('a', [['create', 'mutatingadmissionpolicies', ADMISSION]])],
    [],
  ],
  [
    'a mutating policy that no binding names',
    [mutatingPolicy('sidecar')[0]!, ...granted('a', [['patch', 'mutatingadmissionpolicies', ADMISSION]])],
    [],
  ],
  [
    'an APIService of any group',
    granted('a', [['update', 'apiservices', 'apiregistration.k8s.io']]),
    ['cluster-admin in 1'],
  ],
  [
    'the APIService of one group',
    granted('a', [['update', 'apiservices', 'apiregistration.k8s.io', 'v1beta1.metrics.k8s.io']]),
    [],
  ],
  [
    'APIServices in a namespace, where there are none',
    granted('a', [['update', 'apiservices', 'apiregistration.k8s.io']], 'shop'),
    [],
  ],
  [
    'the definition of what a strong controller applies',
    [...deployer('applications', 'argoproj.io'), ...granted('a', [['patch', DEFINITIONS, EXTENSIONS]])],
    ['cluster-admin in 2'],
  ],
  [
    'that definition by its name',
    [
      ...deployer('applications', 'argoproj.io'),
      ...granted('a', [['patch', DEFINITIONS, EXTENSIONS, 'applications.argoproj.io']]),
    ],
    ['cluster-admin in 2'],
  ],
  [
    'another definition',
    [
      ...deployer('applications', 'argoproj.io'),
      ...granted('a', [['patch', DEFINITIONS, EXTENSIONS, 'rollouts.argoproj.io']]),
    ],
    [],
  ],
  [
    'a definition that can only be made',
    [...deployer('applications', 'argoproj.io'), ...granted('a', [['create', DEFINITIONS, EXTENSIONS]])],
    [],
  ],
  [
    'the definition of what nobody applies',
    [...deployer('rollouts', 'argoproj.io'), ...granted('a', [['patch', DEFINITIONS, EXTENSIONS]])],
    [],
  ],
];

describe('ways up', () => {
  for (const [name, objects, expected] of CASES)
    it(name, () => {
      assert.deepEqual(reached(objects), expected);
    });

  it('know the groups of service accounts', () => {
    const [role, binding] = granted('a', [['*', '*', '*']]) as [KubeObject, KubeObject];
    const toGroup = { ...binding, subjects: [{ kind: 'Group', name: 'system:serviceaccounts:shop' }] };
    assert.deepEqual(reached([role, toGroup]), ['cluster-admin in 1']);
  });
});

describe('the smallest cut', () => {
  it('takes the one binding that all ways need', () => {
    const world = worldOf([
      ...granted('bind', [['bind', 'clusterroles', RBAC]]),
      ...granted('one', [['create', 'clusterrolebindings', RBAC]]),
      ...granted('two', [['update', 'clusterrolebindings', RBAC]]),
    ]);
    assert.deepEqual(smallestCut(world, ROBOT, 'cluster-admin')?.map(nameOf), ['bind']);
  });

  it('takes two where there are two ways', () => {
    const world = worldOf([...granted('one', [['*', '*', '*']]), ...granted('two', [['*', '*', '*']])]);
    assert.deepEqual(smallestCut(world, ROBOT, 'cluster-admin')?.map(nameOf).sort(), ['one', 'two']);
  });

  it('is empty where there is no way', () => {
    assert.deepEqual(smallestCut(worldOf(granted('a', [['get', 'pods']])), ROBOT, 'node'), []);
  });
});

describe('constrained impersonation and nodes', () => {
  const AUTHENTICATION = 'authentication.k8s.io';
  const CERTIFICATES = 'certificates.k8s.io';
  const to = (kind: 'User' | 'Group', name: string, role: string): KubeObject => ({
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: `${name}-is-${role}` },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: [{ kind, name }],
  });
  const ways = (objects: readonly KubeObject[], kubernetesMinor = 37): string[] =>
    escalationsOf(
      new World({ declared: objects.map(object => ({ object, origin: unplaced })), kubernetesMinor }),
      ROBOT,
    ).map(({ goal, steps }) => `${goal}: ${steps.map(({ text }) => text).join('; ')}`);
  const identity = (mode: string, resource: string, name?: string) => {
    const verb = `impersonate:${mode}`;
    return granted('identity', [
      name === undefined ? [verb, resource, AUTHENTICATION] : [verb, resource, AUTHENTICATION, name],
    ]);
  };
  const on = (mode: string, verbs: string, resources: string, group = '') =>
    granted('on', [
      [
        verbs
          .split(' ')
          .map(verb => `impersonate-on:${mode}:${verb}`)
          .join(' '),
        resources,
        group,
      ],
    ]);
  const jane = [clusterRole('reader', [['get list', 'secrets']]), to('User', 'jane', 'reader')];
  const SECRETS = [
    'secrets: acts as user jane (constrained impersonation); reads every secret of the cluster',
  ];

  it('gives what both the other and impersonate-on allow, from two bindings', () => {
    const both = [...jane, ...identity('user-info', 'users'), ...on('user-info', 'list', 'secrets')];
    assert.deepEqual(ways(both), SECRETS);
    // The mode came with 1.36.
    assert.deepEqual(ways(both, 35), []);
  });
  const misses: readonly (readonly [string, readonly KubeObject[]])[] = [
    ['only the identity', identity('user-info', 'users')],
    ['only the request', on('user-info', 'list', 'secrets')],
    ['another mode of it', [...identity('user-info', 'users'), ...on('serviceaccount', 'list', 'secrets')]],
    [
      'a verb that the other has not',
      [...identity('user-info', 'users'), ...on('user-info', 'watch', 'secrets')],
    ],
    [
      'a resource that the other has not',
      [...identity('user-info', 'users'), ...on('user-info', 'create', 'pods')],
    ],
    [
      'somebody else by name',
      [...identity('user-info', 'users', 'joe'), ...on('user-info', 'list', 'secrets')],
    ],
    [
      'users of the core group',
      [...granted('identity', [['impersonate:user-info', 'users']]), ...on('user-info', 'list', 'secrets')],
    ],
  ];
  for (const [what, objects] of misses)
    it(`gives nothing for ${what}`, () => assert.deepEqual(ways([...jane, ...objects]), []));

  it('agrees with the decider about each of these', () => {
    const mayAs = (objects: readonly KubeObject[]): boolean => {
      const authorizer = createAuthorizer({ objects });
      const user = {
        name: 'system:serviceaccount:shop:robot',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      };
      return ['get', 'list', 'watch'].some(verb => {
        const request = { verb, apiGroup: '', resource: 'secrets', resourceRequest: true };
        const { decision, user: as } = authorizer.impersonate({ name: 'jane' }, { ...request, user });
        return decision === 'allow' && authorizer.authorize({ ...request, user: as! }).decision === 'allow';
      });
    };
    assert.ok(mayAs([...jane, ...identity('user-info', 'users'), ...on('user-info', 'list', 'secrets')]));
    for (const [what, objects] of misses) assert.ok(!mayAs([...jane, ...objects]), what);
  });
  it('never makes an administrator by system:masters, and does by what a group may', () => {
    const masters = granted('identity', [
      ['impersonate:user-info', 'users groups', AUTHENTICATION, 'jane system:masters'],
    ]);
    const bind = on('user-info', 'create bind', 'clusterrolebindings clusterroles', RBAC);
    assert.deepEqual(ways([...masters, ...bind]), []);
    const group = granted('identity', [
      ['impersonate:user-info', 'users groups', AUTHENTICATION, 'jane ops'],
    ]);
    assert.deepEqual(ways([...group, ...bind, to('Group', 'ops', 'cluster-admin')]), [
      'cluster-admin: acts as group ops (constrained impersonation); binds cluster-admin to itself',
    ]);
  });
  it('of a service account holds in its namespace', () => {
    const clerk = [
      clusterRole('reader', [['list', 'secrets']]),
      bound('clerk', 'reader'),
      deployment('d', 'clerk'),
    ];
    const identityIn = (place: string) =>
      granted('identity', [['impersonate:serviceaccount', 'serviceaccounts', AUTHENTICATION]], place);
    const listing = on('serviceaccount', 'list', 'secrets');
    assert.deepEqual(ways([...clerk, ...identityIn('shop'), ...listing]), [
      'secrets: acts as service account shop/clerk (constrained impersonation); reads every secret of the cluster',
    ]);
    assert.deepEqual(ways([...clerk, ...identityIn('other'), ...listing]), []);
    const there = granted('on', [['impersonate-on:serviceaccount:list', 'secrets']], 'shop');
    assert.deepEqual(ways([...clerk, ...identityIn('shop'), ...there]), []);
  });
  it('of a node gives the tokens of its pods', () => {
    const clerk = [bound('clerk', 'cluster-admin'), deployment('d', 'clerk')];
    const token = on('arbitrary-node', 'create', 'serviceaccounts/token');
    assert.deepEqual(ways([...clerk, ...identity('arbitrary-node', 'nodes'), ...token]), [
      'cluster-admin: acts as the node of Deployment shop/d (constrained impersonation) and requests a token of service account shop/clerk; holds every permission in the whole cluster',
    ]);
    assert.deepEqual(
      ways([
        ...clerk,
        ...identity('arbitrary-node', 'nodes'),
        ...on('arbitrary-node', 'create', 'serviceaccounts'),
      ]),
      [],
    );
    const own = on('associated-node', 'create', 'serviceaccounts/token');
    assert.equal(ways([...clerk, ...identity('associated-node', 'nodes', '*'), ...own]).length, 1);
    assert.deepEqual(ways([...clerk, ...identity('associated-node', 'nodes', 'n1'), ...own]), []);
  });
  it('a certificate of a node, or its name and group, give the node and the tokens of its pods', () => {
    const clerk = [bound('clerk', 'cluster-admin'), deployment('d', 'clerk')];
    const request: Rule = ['create', 'certificatesigningrequests', CERTIFICATES];
    const approve: Rule = ['update', 'certificatesigningrequests/approval', CERTIFICATES];
    const sign = (name: string): Rule => ['approve', 'signers', CERTIFICATES, name];
    const kubelet = 'kubernetes.io/kube-apiserver-client-kubelet';
    const alone = (...rules: Rule[]) => ways(granted('a', rules)).map(way => way.split(':')[0]);
    assert.deepEqual(alone(request, approve, sign(kubelet)), ['node']);
    assert.deepEqual(alone(request, approve, sign('kubernetes.io/kubelet-serving')), []);
    assert.deepEqual(alone(approve, sign(kubelet)), []);
    assert.deepEqual(alone(request, ['create', 'certificatesigningrequests/nodeclient', CERTIFICATES]), [
      'node',
    ]);
    assert.deepEqual(
      alone(request, ['create', 'certificatesigningrequests/selfnodeclient', CERTIFICATES]),
      [],
    );
    assert.deepEqual(
      alone(['impersonate', 'users', '', 'system:node:a'], ['impersonate', 'groups', '', 'system:nodes']),
      ['node'],
    );
    assert.deepEqual(alone(['impersonate', 'users', '', 'system:node:a']), []);
    assert.deepEqual(ways([...clerk, ...granted('a', [request, approve, sign(kubelet)])]), [
      `cluster-admin: has a client certificate made for a node, through signer ${kubelet}; as the node of Deployment shop/d, requests a token of service account shop/clerk; holds every permission in the whole cluster`,
    ]);
  });
  it('count for who can bring something about', () => {
    const objects = [
      ...jane,
      ...identity('user-info', 'users', 'jane'),
      ...on('user-info', 'get', 'secrets'),
    ];
    const request = {
      verb: 'get',
      apiGroup: '',
      resource: 'secrets',
      namespace: 'shop',
      resourceRequest: true,
    };
    const asked = (more: object) =>
      indirectHolders(worldOf(objects), { ...request, ...more }).map(
        ({ subject, as }) => `${subject.name} as ${as?.name}`,
      );
    assert.deepEqual(asked({}), ['robot as jane']);
    assert.deepEqual(asked({ verb: 'list' }), []);
  });
  it('are cut by the bindings that they need', () => {
    const objects = [...jane, ...identity('user-info', 'users'), ...on('user-info', 'list', 'secrets')];
    assert.equal(smallestCut(worldOf(objects), ROBOT, 'secrets')?.length, 1);
  });
});

describe('who can bring something about', () => {
  const SECRETS = {
    verb: 'get',
    apiGroup: '',
    resource: 'secrets',
    namespace: 'shop',
    resourceRequest: true,
  };
  const ways = (objects: readonly KubeObject[], request: object = SECRETS) =>
    indirectHolders(worldOf(objects), request).map(
      ({ subject, steps, as }) =>
        `${subject.name} in ${steps.length}${as === undefined ? '' : ` as ${as.kind} ${as.name}`}`,
    );

  it('leaves out who may do it anyway, by name or through a group', () => {
    const [role, binding] = granted('a', [['get', 'secrets']], 'shop') as [KubeObject, KubeObject];
    const group = { kind: 'Group', name: 'system:serviceaccounts:shop' };
    const pods = granted('b', [['create', 'pods']], 'shop');
    assert.deepEqual(ways([role, binding, ...pods]), []);
    assert.deepEqual(ways([role, { ...binding, subjects: [group] }, ...pods]), []);
  });
  it('finds who becomes somebody who may, in one step before two', () => {
    const clerk = bound('clerk', 'reader');
    const objects = [
      ...baseline,
      clusterRole('reader', [['get', 'secrets']]),
      clerk,
      ...granted('long', [['create', 'serviceaccounts/token', '', 'middle']], 'shop'),
      ...granted('middle', [['create', 'serviceaccounts/token']], 'shop').map(one =>
        one.kind === 'RoleBinding'
          ? { ...one, subjects: [{ kind: 'ServiceAccount', namespace: 'shop', name: 'middle' }] }
          : one,
      ),
    ];
    assert.deepEqual(ways(objects), [
      'middle in 1 as ServiceAccount clerk',
      'robot in 2 as ServiceAccount clerk',
    ]);
    const short = granted('short', [['create', 'pods']], 'shop');
    assert.deepEqual(ways([...objects, ...short]), [
      'robot in 1 as ServiceAccount clerk',
      'middle in 1 as ServiceAccount clerk',
    ]);
  });
  it('finds who gives it to itself: by bind, also of one role, and by impersonation', () => {
    const bind = (names: string) =>
      granted(
        'a',
        [
          ['bind', 'clusterroles', RBAC, names],
          ['create', 'rolebindings', RBAC],
        ],
        'shop',
      );
    const reader = clusterRole('reader', [['get', 'secrets']]);
    assert.deepEqual(ways([...bind('reader'), reader]), ['robot in 1']);
    assert.deepEqual(ways([...bind('view'), reader]), []);
    assert.deepEqual(ways([...bind('edit'), reader]), ['robot in 1']);
    assert.deepEqual(ways([...bind('reader'), reader], { ...SECRETS, namespace: 'other' }), []);
    assert.deepEqual(ways([...bind('reader'), reader], { ...SECRETS, namespace: '' }), []);
    const masters = granted('m', [['impersonate', 'users groups']]);
    assert.deepEqual(ways(masters, { verb: 'get', path: '/metrics', resourceRequest: false }), [
      'robot in 1',
    ]);
  });
  it('needs all that a step needs', () => {
    const half = granted('a', [['create', 'rolebindings', RBAC]], 'shop');
    assert.deepEqual(ways([...half, clusterRole('reader', [['get', 'secrets']])]), []);
  });

  it('agrees with the decider and with the ways up, in random clusters', () => {
    let state = 11;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >>> 8) % below;
    };
    const pick = <Item>(list: readonly Item[]): Item => list[random(list.length)]!;
    const rules: readonly Rule[] = [
      ['get', 'secrets'],
      ['create', 'pods'],
      ['patch', 'deployments', 'apps'],
      ['create', 'serviceaccounts/token'],
      ['create', 'serviceaccounts/token', '', 'a'],
      ['impersonate', 'serviceaccounts', '', 'b'],
      ['bind', 'clusterroles', RBAC, 'role-1 role-2'],
      ['create', 'rolebindings', RBAC],
      ['create', 'clusterrolebindings', RBAC],
      ['get', 'configmaps'],
      ['escalate update', 'roles', RBAC],
    ];
    let indirect = 0;
    for (let round = 0; round < 300; round++) {
      const names = ['role-0', 'role-1', 'role-2', 'role-3', 'role-4'];
      const roles = names.map(name => clusterRole(name, [pick(rules), pick(rules)]));
      const bindings = Array.from({ length: 5 }, (_, i): KubeObject => {
        const cluster = random(4) === 0;
        return {
          apiVersion: `${RBAC}/v1`,
          kind: cluster ? 'ClusterRoleBinding' : 'RoleBinding',
          metadata: { name: `binding-${i}`, ...(cluster ? {} : { namespace: pick(['shop', 'ops']) }) },
          roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: pick(names) },
          subjects: [
            { kind: 'ServiceAccount', namespace: pick(['shop', 'ops']), name: pick(['a', 'b', 'c']) },
          ],
        };
      });
      const objects = [...roles, ...bindings];
      const world = worldOf(objects);
      const authorizer = createAuthorizer({ objects, chain: ['RBAC'] });
      const direct = new Set(authorizer.whoCan(SECRETS).map(one => keyOf(one as Principal)));
      const found = indirectHolders(world, SECRETS);
      indirect += found.length;
      const by = new Set(found.map(({ subject }) => keyOf(subject)));
      for (const { subject, as, steps } of found) {
        assert.ok(!direct.has(keyOf(subject)));
        assert.ok(steps.length > 0);
        if (as !== undefined) assert.ok(direct.has(keyOf(as)));
        // Every step stands on bindings that are there, and without those of the way there is another way or none.
        assert.ok(steps.flatMap(({ bindings }) => bindings).every(binding => bindings.includes(binding)));
      }
      for (const principal of principalsOf(world)) {
        const admin = escalationsOf(world, principal).some(({ goal }) => goal === 'cluster-admin');
        if (admin) assert.ok(by.has(keyOf(principal)) || direct.has(keyOf(principal)));
      }
      // A right more never takes a way away.
      const more = indirectHolders(worldOf([...objects, bound('a', 'role-0')]), SECRETS);
      const now = new Set(more.map(({ subject }) => keyOf(subject)));
      const allowed = new Set(
        createAuthorizer({ objects: [...objects, bound('a', 'role-0')], chain: ['RBAC'] })
          .whoCan(SECRETS)
          .map(one => keyOf(one as Principal)),
      );
      for (const key of by) assert.ok(now.has(key) || allowed.has(key));
    }
    assert.ok(indirect > 100, String(indirect));
  });
});
