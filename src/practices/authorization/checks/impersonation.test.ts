import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scan } from '#judge/scan.ts';
import { exampleOf, said, worldOf } from '../../../../test/worlds.ts';
import check from './impersonation.ts';

const role = (name: string, resources: string, verbs: string, group = ''): string => `
  ---
  apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: { name: ${name} }
  rules: [{ apiGroups: ["${group}"], resources: [${resources}], verbs: ["${verbs}"] }]`;
const bind = (name: string, kind: string, subject: string): string => `
  ---
  apiVersion: rbac.authorization.k8s.io/v1
  kind: ${kind}
  metadata: { name: ${name}${kind === 'RoleBinding' ? ', namespace: shop' : ''} }
  roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${name} }
  subjects: [${subject}]`;
const ROBOT = '{ kind: ServiceAccount, name: robot, namespace: ops }';
const IDENTITY = role('as', 'users', 'impersonate:user-info', 'authentication.k8s.io');
const ON = role('limit', 'pods', 'impersonate-on:user-info:list');

describe('impersonation in a constrained mode', () => {
  it('counts where another binding says what may be done, in one namespace too', () => {
    for (const subject of [ROBOT, '{ kind: Group, name: "system:serviceaccounts:ops" }'])
      assert.deepEqual(
        said(
          check,
          IDENTITY + bind('as', 'ClusterRoleBinding', ROBOT) + ON + bind('limit', 'RoleBinding', subject),
        ),
        [
          'fail 10: service account ops/robot may impersonate others in the whole cluster, as far as impersonate-on allows, by role "as"',
        ],
      );
  });
  it('does not count where nothing may be done: for others, in another mode, on an older release', () => {
    const acting = IDENTITY + bind('as', 'ClusterRoleBinding', ROBOT);
    const another = '{ kind: ServiceAccount, name: robot, namespace: shop }';
    assert.deepEqual(said(check, acting + ON + bind('limit', 'ClusterRoleBinding', another)), []);
    const nodes = role('limit', 'pods', 'impersonate-on:arbitrary-node:list');
    assert.deepEqual(said(check, acting + nodes + bind('limit', 'ClusterRoleBinding', ROBOT)), []);
    const yaml = acting + ON + bind('limit', 'ClusterRoleBinding', ROBOT);
    assert.equal(scan(worldOf(yaml, 35), [exampleOf(check)]).findings.length, 0);
    assert.equal(scan(worldOf(yaml, 36), [exampleOf(check)]).findings.length, 1);
  });
});

it('an identity in no namespace is not for a RoleBinding; a service account is, and weighs less there', () => {
  const users = role('as', 'users', 'impersonate');
  const accounts = role('as', 'serviceaccounts', 'impersonate');
  const severity = (yaml: string): string[] =>
    scan(worldOf(yaml), [exampleOf(check)]).findings.map(one => one.severity);
  assert.deepEqual(severity(users + bind('as', 'RoleBinding', ROBOT)), []);
  assert.deepEqual(severity(users + bind('as', 'ClusterRoleBinding', ROBOT)), ['high']);
  assert.deepEqual(severity(accounts + bind('as', 'RoleBinding', ROBOT)), ['medium']);
});
