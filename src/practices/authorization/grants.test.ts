/** Of what one binding grants the worst is said, and what it includes is not said beside it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scan } from '#judge/scan.ts';
import { checks } from '#practices/index.ts';
import { exampleOf, worldOf } from '#test/worlds.ts';

const own = checks
  .filter(check => check.practice === 'authorization' && check.profiles.includes('strict'))
  .map(exampleOf);

const role = (rules: string): string => `
  apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: { name: robot }
  rules: ${rules}
  ---`;
const bound = (name: string, kind = 'ClusterRoleBinding', namespace?: string): string => `
  apiVersion: rbac.authorization.k8s.io/v1
  kind: ${kind}
  metadata: { name: robot${namespace === undefined ? '' : `, namespace: ${namespace}`} }
  roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${name} }
  subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: Group, name: devs }]
  `;
const found = (yaml: string): string[] =>
  scan(worldOf(yaml), own)
    .findings.map(({ check }) => check.replace('authorization/', ''))
    .sort();

describe('one binding', () => {
  it('to edit or admin everywhere is one finding', () => {
    assert.deepEqual(found(bound('edit')), ['namespace-admin-everywhere']);
    assert.deepEqual(found(bound('admin')), ['namespace-admin-everywhere']);
  });
  it('to edit or admin in a namespace is what these roles are for, but for kube-system', () => {
    assert.deepEqual(found(bound('edit', 'RoleBinding', 'shop')), []);
    assert.deepEqual(found(bound('admin', 'RoleBinding', 'kube-system')), ['secrets-in-kube-system']);
  });
  it('to a role of the same powers is the same, with what goes beyond', () => {
    const all =
      '[{ apiGroups: ["", apps], resources: [pods, pods/exec, secrets, configmaps, deployments], verbs: ["*"] }]';
    assert.deepEqual(
      found(role(all) + bound('robot')).filter(name => !name.startsWith('wildcard')),
      ['namespace-admin-everywhere'],
    );
    const more = all.replace(
      ' }]',
      ' }, { apiGroups: [""], resources: [nodes/proxy, nodes], verbs: [get, update] }]',
    );
    assert.deepEqual(
      found(role(more) + bound('robot')).filter(name => !name.startsWith('wildcard')),
      ['namespace-admin-everywhere', 'node-proxy'],
    );
  });
  it('to a changed edit still says what was added to it', () => {
    const changed = `
  apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: { name: extra, labels: { rbac.authorization.k8s.io/aggregate-to-edit: "true" } }
  rules: [{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [escalate] }]
  ---`;
    assert.ok(found(changed + bound('edit')).includes('escalate-or-bind'));
  });
  it('says the worse of two', () => {
    const rules = (resources: string, verbs: string): string =>
      role(`[{ apiGroups: [""], resources: [${resources}], verbs: [${verbs}] }]`) + bound('robot');
    assert.deepEqual(
      found(rules('pods/exec, pods/portforward, pods/ephemeralcontainers', 'create, update')),
      ['pod-exec'],
    );
    assert.deepEqual(found(rules('pods/portforward', 'create')), ['port-forward']);
    assert.deepEqual(found(rules('secrets', 'get, create')), ['secrets-readable']);
    assert.deepEqual(found(rules('secrets', 'create')), ['secret-write']);
    assert.deepEqual(found(rules('nodes/proxy, nodes, nodes/status', 'get, update')), ['node-proxy']);
  });
  it('is left to the check of the worse one only where that runs, and speaks of it', () => {
    const alone = (name: string, yaml: string): string[] =>
      scan(
        worldOf(yaml),
        own.filter(({ check }) => check.name === name),
      ).findings.map(({ check }) => check.replace('authorization/', ''));
    const rule = (groups: string, resources: string, verbs: string): string =>
      role(`[{ apiGroups: [${groups}], resources: [${resources}], verbs: [${verbs}] }]`) + bound('robot');
    const cases: readonly (readonly [string, string])[] = [
      ['port-forward', rule('""', 'pods/exec, pods/portforward', 'create')],
      ['ephemeral-containers', rule('""', 'pods/exec, pods/ephemeralcontainers', 'create, update')],
      ['pod-exec', rule('""', 'nodes/proxy, pods/exec', 'create')],
      ['secret-write', rule('""', 'secrets', 'get, create')],
      ['role-write', rule('rbac.authorization.k8s.io', 'clusterroles', 'update, escalate')],
      ['role-binding-write', rule('rbac.authorization.k8s.io', 'clusterroles, rolebindings', 'create, bind')],
      ['pod-binding', rule('""', 'pods, pods/binding', 'create')],
      ['service-account-write', rule('""', 'serviceaccounts, serviceaccounts/token', 'create')],
      ['node-status-write', rule('""', 'nodes, nodes/status', 'update')],
      ['impersonated-attributes', rule('"", authentication.k8s.io', 'users, uids', 'impersonate')],
      // Of everything, and of administering every namespace.
      ['pod-exec', bound('cluster-admin')],
      ['namespace-admin-everywhere', bound('cluster-admin')],
      ['token-request', bound('edit')],
      ['wildcard-verbs', rule('"*"', '"*"', '"*"')],
    ];
    for (const [name, yaml] of cases) {
      assert.deepEqual(alone(name, yaml), [`${name}`], name);
      assert.ok(!found(yaml).includes(name), `${name} beside the others`);
    }
    // In a namespace nobody speaks of pods that are created.
    const there = role('[{ apiGroups: [""], resources: [pods, pods/binding], verbs: [create] }]');
    assert.deepEqual(found(there + bound('robot', 'RoleBinding', 'shop')), ['pod-binding']);
  });
  it('in a namespace grants nothing on nodes, which silences nothing there', () => {
    const rules = '[{ apiGroups: [""], resources: [nodes/proxy, pods/exec], verbs: [create] }]';
    assert.deepEqual(found(role(rules) + bound('robot', 'RoleBinding', 'shop')), ['pod-exec']);
  });
  it('of two that only together do harm is found with the other one', () => {
    const approver = `[{ apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update] }]`;
    assert.deepEqual(found(role(approver) + bound('robot')), []);
    const signer = `---
  apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: { name: signer }
  rules: [{ apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: [kubernetes.io/kube-apiserver-client], verbs: [approve] }]
  ---
  apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: { name: signer }
  roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: signer }
  subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: Group, name: devs }]
  `;
    assert.deepEqual(found(role(approver) + bound('robot') + signer), ['certificate-approval']);
  });
});
