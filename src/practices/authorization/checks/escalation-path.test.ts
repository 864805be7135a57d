import assert from 'node:assert/strict';
import { it } from 'node:test';
import { asSelected, scan } from '#judge/scan.ts';
import { worldOf } from '#test/worlds.ts';
import { World } from '#world/world.ts';
import check from './escalation-path.ts';

const COMMON = `
apiVersion: v1
kind: Pod
metadata: { name: robot, namespace: ops }
spec: { serviceAccountName: robot, containers: [{ name: web, image: "robot:1.4.2" }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: robot }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: robot }
subjects: [{ kind: ServiceAccount, name: robot, namespace: ops }]
`;

const role = (verbs: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: robot }
rules: [{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles, clusterrolebindings], verbs: [${verbs}] }]
`;

const apart = new Map([
  ['dev', new Set(['prod'])],
  ['prod', new Set(['dev'])],
]);

/** What is found with a role of each environment, in the order that the input has them. */
function found(...roles: readonly (readonly [environment: string, verbs: string])[]): unknown[] {
  const of = (text: string, environments: readonly string[]) =>
    worldOf(text).declared.map(one => ({ ...one, environments, among: 2, apart }));
  const declared = [
    ...of(COMMON, ['dev', 'prod']),
    ...roles.flatMap(([environment, verbs]) => of(role(verbs), [environment])),
  ];
  const { findings } = scan(new World({ declared, kubernetesMinor: 37 }), [asSelected(check)]);
  return findings.map(({ message }) => /\((in [^()]*)\)$/.exec(message)?.[1] ?? 'everywhere');
}

it('finds a way in the environment whose role opens it, whichever role comes last', () => {
  const [strong, weak] = ['bind, create', 'get'];
  assert.deepEqual(found(['dev', strong], ['prod', weak]), ['in dev']);
  assert.deepEqual(found(['dev', weak], ['prod', strong]), ['in prod']);
  assert.deepEqual(found(['dev', strong], ['prod', strong]), ['everywhere']);
  assert.deepEqual(found(['dev', weak], ['prod', weak]), []);
  assert.deepEqual(found(['dev', strong]), ['in dev']);
});
