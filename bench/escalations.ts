/** How long the ways up of every subject take in a large cluster: 10,000 bindings of 2,000 roles, fixed at random. */
import type { KubeObject } from '../src/kube/objects.ts';
import { escalationsOf, principalsOf } from '../src/paths/escalations.ts';
import { World } from '../src/world/world.ts';

let state = 20261125;
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
  return (state >>> 8) % below;
}
const pick = <Item>(list: readonly Item[]): Item => list[random(list.length)]!;

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
const RESOURCES = [
  ['', 'pods'],
  ['', 'secrets'],
  ['', 'configmaps'],
  ['apps', 'deployments'],
  ['', 'services'],
  ['', 'pods/exec'],
  ['batch', 'jobs'],
  ['', 'serviceaccounts/token'],
] as const;
const RBAC = 'rbac.authorization.k8s.io';
const roles: KubeObject[] = Array.from({ length: 2000 }, (_, i) => ({
  apiVersion: `${RBAC}/v1`,
  kind: i % 4 === 0 ? 'ClusterRole' : 'Role',
  metadata: { name: `role-${i}`, ...(i % 4 === 0 ? {} : { namespace: `ns-${random(100)}` }) },
  rules: Array.from({ length: 1 + random(5) }, () => {
    const [group, resource] = pick(RESOURCES);
    return { apiGroups: [group], resources: [resource], verbs: [pick(VERBS), pick(VERBS)] };
  }),
}));
const bindings: KubeObject[] = Array.from({ length: 10_000 }, (_, i) => {
  const role = pick(roles);
  const cluster = role.kind === 'ClusterRole' && random(4) === 0;
  const namespace = role.metadata?.namespace ?? `ns-${random(100)}`;
  return {
    apiVersion: `${RBAC}/v1`,
    kind: cluster ? 'ClusterRoleBinding' : 'RoleBinding',
    metadata: { name: `binding-${i}`, ...(cluster ? {} : { namespace }) },
    roleRef: { apiGroup: RBAC, kind: role.kind, name: role.metadata?.name },
    subjects: [{ kind: 'ServiceAccount', namespace, name: `account-${random(40)}` }],
  };
});
const origin = {
  file: 'cluster.yaml',
  line: 1,
  document: 0,
  positionOf: () => ({ file: 'cluster.yaml', line: 1, column: 1, endLine: 1, endColumn: 1 }),
};
const world = new World({
  declared: [...roles, ...bindings].map(object => ({ object, origin })),
  kubernetesMinor: 37,
});
const start = performance.now();
const subjects = principalsOf(world);
const loaded = performance.now();
let found = 0;
for (const subject of subjects) found += escalationsOf(world, subject).length;
const end = performance.now();
process.stdout.write(
  `${subjects.length} subjects of ${bindings.length} bindings: indexed in ${(loaded - start).toFixed(0)} ms, ${found} ways found in ${(end - loaded).toFixed(0)} ms\n`,
);
