/** How fast requests are decided in a large cluster: 5,000 bindings, 2,000 roles, fixed at random. */
import { createAuthorizer } from '../src/decide/authorization/door.ts';
import type { KubeObject } from '../src/kube/objects.ts';
import { indirectHolders } from '../src/paths/escalations.ts';
import { World } from '../src/world/world.ts';

let state = 20261124;
/** A small generator with a fixed seed: the same world every time. */
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >>> 8) % below;
}

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'delete', '*'];
const RESOURCES = ['pods', 'secrets', 'configmaps', 'deployments', 'services', 'pods/exec', 'nodes', 'jobs'];
const pick = <Item>(list: readonly Item[]): Item => list[random(list.length)]!;

const roles: KubeObject[] = Array.from({ length: 2000 }, (_, i) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: i % 2 === 0 ? 'ClusterRole' : 'Role',
  metadata: { name: `role-${i}`, ...(i % 2 === 0 ? {} : { namespace: `ns-${random(100)}` }) },
  rules: Array.from({ length: 1 + random(5) }, () => ({
    apiGroups: [pick(['', 'apps', 'batch'])],
    resources: [pick(RESOURCES), pick(RESOURCES)],
    verbs: [pick(VERBS), pick(VERBS)],
  })),
}));
const bindings: KubeObject[] = Array.from({ length: 5000 }, (_, i) => {
  const role = roles[random(roles.length)]!;
  const cluster = role.kind === 'ClusterRole' && random(2) === 0;
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: cluster ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: {
      name: `binding-${i}`,
      ...(cluster ? {} : { namespace: role.metadata?.namespace ?? `ns-${random(100)}` }),
    },
    roleRef: { kind: role.kind, name: role.metadata!.name },
    subjects: [
      { kind: pick(['User', 'Group']), name: `who-${random(1000)}` },
      { kind: 'ServiceAccount', name: `sa-${random(50)}`, namespace: `ns-${random(100)}` },
    ],
  };
});

const time = (what: string, run: () => number) => {
  const start = performance.now();
  const result = run();
  console.log(`${what}: ${(performance.now() - start).toFixed(0)} ms (${result})`);
};

const objects = [...roles, ...bindings];
let authorizer = createAuthorizer({ objects });
time('load', () => {
  authorizer = createAuthorizer({ objects });
  return objects.length;
});
time('100,000 requests', () => {
  let allowed = 0;
  for (let i = 0; i < 100_000; i++) {
    const { decision } = authorizer.authorize({
      user: { name: `who-${random(1000)}`, groups: [`who-${random(1000)}`, 'system:authenticated'] },
      verb: pick(VERBS),
      namespace: `ns-${random(100)}`,
      apiGroup: pick(['', 'apps']),
      resource: pick(RESOURCES),
      resourceRequest: true,
    });
    if (decision === 'allow') allowed++;
  }
  return allowed;
});
time(
  'who can get secrets',
  () =>
    authorizer.whoCan({
      verb: 'get',
      namespace: 'ns-1',
      apiGroup: '',
      resource: 'secrets',
      resourceRequest: true,
    }).length,
);

const origin = {
  file: 'cluster.yaml',
  line: 1,
  document: 0,
  positionOf: () => ({ file: 'cluster.yaml', line: 1, column: 1, endLine: 1, endColumn: 1 }),
};
const world = new World({
  declared: objects.map(object => ({ object, origin })),
  kubernetesMinor: 37,
});
for (const what of ['first', 'second'])
  for (const [verb, resource, namespace] of [
    ['get', 'secrets', 'ns-1'],
    ['patch', 'nodes', ''],
    ['get', 'events', 'ns-2'],
  ] as const)
    time(
      `who can ${verb} ${resource}, indirectly (${what} time)`,
      () => indirectHolders(world, { verb, namespace, apiGroup: '', resource, resourceRequest: true }).length,
    );
