/** Ways up: each precondition counts, permissions of several bindings add up, and cuts are smallest. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { nameOf } from '#kube/objects.ts';
import type { Origin } from '#world/origin.ts';
import { World } from '#world/world.ts';
import { escalationsOf, type Principal, smallestCut } from './escalations.ts';

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
    granted('a', [['create', 'mutatingwebhookconfigurations', 'admissionregistration.k8s.io']]),
    ['cluster-admin in 1'],
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
