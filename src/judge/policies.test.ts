/** Policies decided for whole workloads: who asks, who may, and what nobody can know. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { applyPolicy } from '#decide/pod-security/policy/apply.ts';
import type { KubeObject } from '#kube/objects.ts';
import { worldOf } from '#test/worlds.ts';
import { type PoliciesOptions, policiesOf } from './policies.ts';

const ANY = { rule: 'RunAsAny' };
const policy = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'policy/v1beta1',
  kind: 'PodSecurityPolicy',
  metadata: { name },
  spec: { seLinux: ANY, runAsUser: ANY, supplementalGroups: ANY, fsGroup: ANY, volumes: ['*'], ...spec },
});
const role = (name: string, policy: string, apiGroup = 'policy'): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name },
  rules: [
    { apiGroups: [apiGroup], resources: ['podsecuritypolicies'], resourceNames: [policy], verbs: ['use'] },
  ],
});
const binding = (name: string, subject: object): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: [subject],
});
const group = (name: string): object => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name });
const pod = (spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { containers: [{ name: 'web', image: 'shop:1' }], ...spec },
});
const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { template: { spec: { containers: [{ name: 'web', image: 'shop:1' }] } } },
};

const worldFrom = (objects: readonly KubeObject[]) =>
  worldOf(objects.map(object => JSON.stringify(object)).join('\n---\n'));

const decided = (objects: readonly KubeObject[], options: Partial<PoliciesOptions> = {}) =>
  policiesOf(worldFrom(objects), { namespace: 'default', ...options }).workloads[0]!;

describe('who may use a policy', () => {
  const mine = [policy('open'), role('open', 'open')];
  it('the service account, by its own groups', () => {
    const workload = decided([...mine, binding('open', group('system:serviceaccounts:shop')), pod()]);
    assert.equal(workload.decision.policyChosen, 'open');
    assert.equal(workload.isAssumed, false);
  });
  it('no service account by the group of all who are known: the plugin leaves it out', () => {
    const workload = decided([...mine, binding('open', group('system:authenticated')), pod()]);
    assert.equal(workload.allowed, false);
    assert.equal(workload.policies[0]!.usable, 'no');
  });
  it('the controller of a Deployment by that group, since it asks itself', () => {
    const workload = decided([...mine, binding('open', group('system:authenticated')), deployment]);
    assert.equal(workload.allowed, true);
    assert.equal(workload.user, 'system:serviceaccount:kube-system:replicaset-controller');
  });
  it('the user who makes a plain pod', () => {
    const objects = [...mine, binding('open', group('devs')), pod()];
    assert.equal(decided(objects).allowed, false);
    assert.equal(decided(objects, { user: { name: 'jane', groups: ['devs'] } }).allowed, true);
  });
  it('in the group extensions as well, and in no other', () => {
    const subject = group('system:serviceaccounts');
    for (const [apiGroup, allowed] of [
      ['extensions', true],
      ['apps', false],
    ] as const)
      assert.equal(
        decided([policy('open'), role('open', 'open', apiGroup), binding('open', subject), pod()]).allowed,
        allowed,
      );
  });
  it('nobody knows without bindings, nor without the role', () => {
    for (const more of [[], [binding('gone', group('system:serviceaccounts'))]]) {
      const workload = decided([policy('open'), ...more, pod()]);
      assert.equal(workload.policies[0]!.usable, 'unknown');
      assert.equal(workload.isAssumed, true);
    }
  });
});

describe('the pod that policies see', () => {
  const refused = (spec: object, more: readonly KubeObject[] = []): boolean =>
    !decided([policy('p', { volumes: ['emptyDir'] }), ...more, pod(spec)]).allowed;
  it('has the volume of its token', () => assert.equal(refused({}), true));
  it('has none where the pod or its service account says so', () => {
    assert.equal(refused({ automountServiceAccountToken: false }), false);
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'shop' },
      automountServiceAccountToken: false,
    };
    assert.equal(refused({}, [account]), false);
    assert.equal(refused({ automountServiceAccountToken: true }, [account]), true);
  });
  it('is what was admitted: a reset of procMount refuses it in the end', () => {
    const container = { name: 'web', image: 'shop:1', securityContext: { procMount: 'Unmasked' } };
    const workload = decided([
      policy('p', { allowedProcMountTypes: ['Unmasked'] }),
      pod({ containers: [container] }),
    ]);
    assert.equal(workload.decision.allowed, true);
    assert.equal(workload.allowed, false);
  });
  it('shows what a policy wrote, and nothing else', () => {
    const [first] = decided([
      policy('p', {
        requiredDropCapabilities: ['KILL'],
        runAsUser: { rule: 'MustRunAs', ranges: [{ min: 7, max: 9 }] },
      }),
      pod(),
    ]).policies;
    // The nearest place that there is: its container.
    const at = { file: 'test.yaml', line: 3 };
    assert.deepEqual(first!.changes, [
      { path: 'spec.containers[0].securityContext.capabilities.drop', value: ['KILL'], ...at },
      { path: 'spec.containers[0].securityContext.runAsUser', value: 7, ...at },
    ]);
  });
});

it('a half policy is said, and the rest judged', () => {
  const broken = { ...policy('broken'), spec: { privileged: 'yes' } };
  const { unknowns, workloads } = policiesOf(worldFrom([broken, policy('open'), pod()]), {
    namespace: 'default',
  });
  assert.equal(unknowns.length, 1);
  assert.match(unknowns[0]!.reason, /spec\.privileged/);
  assert.equal(workloads[0]!.allowed, true);
});

describe('for every policy and pod', () => {
  const range = fc
    .tuple(fc.nat(9), fc.nat(9))
    .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
  const ids = fc.oneof(
    fc.constant(ANY),
    fc.record({ rule: fc.constant('MustRunAs'), ranges: fc.array(range, { minLength: 1, maxLength: 2 }) }),
  );
  const capability = fc.constantFrom('KILL', 'CHOWN', 'ALL', 'NET_RAW');
  const anyPolicy = fc
    .record({
      privileged: fc.boolean(),
      runAsUser: ids,
      fsGroup: ids,
      supplementalGroups: ids,
      requiredDropCapabilities: fc.array(capability),
      defaultAddCapabilities: fc.array(capability),
      allowedCapabilities: fc.array(fc.oneof(capability, fc.constant('*'))),
      readOnlyRootFilesystem: fc.boolean(),
    })
    .map(spec => policy('p', spec));
  const anyPod = fc
    .record(
      {
        privileged: fc.boolean(),
        runAsUser: fc.nat(9),
        readOnlyRootFilesystem: fc.boolean(),
        capabilities: fc.record(
          { add: fc.array(capability), drop: fc.array(capability) },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: [] },
    )
    .map(securityContext => ({ spec: { containers: [{ name: 'a', image: 'i', securityContext }] } }));

  it('what a policy has changed once it changes no more, and judges alike', () => {
    fc.assert(
      fc.property(anyPolicy, anyPod, (policy, pod) => {
        const once = applyPolicy(policy, pod);
        const { annotations, securityContext, containers } = once.mutated!;
        const [container] = pod.spec.containers;
        const again = applyPolicy(policy, {
          metadata: { annotations },
          spec: { securityContext, containers: [{ ...container, securityContext: containers![0] }] },
        });
        assert.equal(again.changed, false);
        assert.deepEqual(again.errors, once.errors);
      }),
    );
  });
});
