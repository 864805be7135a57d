import assert from 'node:assert/strict';
import { it } from 'node:test';
import { applyPolicy } from './apply.ts';
import { isShadowedBy } from './covers.ts';
import { decodePolicy } from './policy.ts';

const ANY = { rule: 'RunAsAny' };
const policy = (name: string, spec: object, annotations: Record<string, string> = {}) => ({
  apiVersion: 'policy/v1beta1',
  kind: 'PodSecurityPolicy',
  metadata: { name, annotations },
  spec: { runAsUser: ANY, seLinux: ANY, fsGroup: ANY, supplementalGroups: ANY, ...spec },
});
const shadowed = (narrow: object, wide: object) => isShadowedBy(decodePolicy(narrow), decodePolicy(wide));
const ALL = { privileged: true, volumes: ['*'], allowedCapabilities: ['*'], hostPID: true };
const SECCOMP = { 'seccomp.security.alpha.kubernetes.io/allowedProfileNames': '*' };

it('is shadowed by a looser policy that comes first and writes nothing', () => {
  const narrow = policy('b', { volumes: ['secret'], readOnlyRootFilesystem: true });
  assert.ok(shadowed(narrow, policy('a', ALL)));
  assert.ok(!shadowed(narrow, policy('c', ALL)), 'it comes after');
  assert.ok(!shadowed(narrow, policy('a', { ...ALL, readOnlyRootFilesystem: true })), 'it writes');
  assert.ok(!shadowed(narrow, policy('a', { ...ALL, requiredDropCapabilities: ['ALL'] })), 'it writes');
});

for (const [what, narrow, wide] of [
  ['a port', { hostPorts: [{ min: 1, max: 9 }] }, { hostPorts: [{ min: 2, max: 9 }] }],
  ['a capability', { allowedCapabilities: ['KILL'] }, { allowedCapabilities: [] }],
  ['a capability of its own', { defaultAddCapabilities: ['KILL'] }, { allowedCapabilities: [] }],
  ['a namespace of the node', { hostIPC: true }, {}],
  ['a folder', {}, { allowedHostPaths: [{ pathPrefix: '/var' }] }],
  [
    'writing to a folder',
    { allowedHostPaths: [{ pathPrefix: '/var' }] },
    { allowedHostPaths: [{ pathPrefix: '/var', readOnly: true }] },
  ],
  ['a driver', {}, { allowedCSIDrivers: [{ name: 'x' }] }],
  ['a sysctl', { allowedUnsafeSysctls: ['net.*'] }, {}],
  ['a sysctl that is not forbidden', {}, { forbiddenSysctls: ['kernel.shm_rmid_forced'] }],
  ['a runtime class', {}, { runtimeClass: { allowedRuntimeClassNames: ['a'] } }],
  ['a proc mount', { allowedProcMountTypes: ['Unmasked'] }, {}],
  ['a group', {}, { fsGroup: { rule: 'MayRunAs', ranges: [{ min: 1, max: 2 }] } }],
] as const)
  it(`is not shadowed where it lets in ${what}`, () => {
    const others = { volumes: ['*'], allowedCapabilities: ['*'] };
    assert.ok(shadowed(policy('b', others), policy('a', others)));
    assert.ok(!shadowed(policy('b', { ...others, ...narrow }), policy('a', { ...others, ...wide })));
  });

it('counts profiles: one that is written is not there yet when the other is asked', () => {
  const writes = policy(
    'b',
    { volumes: ['*'] },
    {
      'seccomp.security.alpha.kubernetes.io/allowedProfileNames': 'runtime/default',
      'seccomp.security.alpha.kubernetes.io/defaultProfileName': 'runtime/default',
    },
  );
  assert.ok(
    !shadowed(
      writes,
      policy('a', ALL, {
        'seccomp.security.alpha.kubernetes.io/allowedProfileNames': 'runtime/default',
      }),
    ),
  );
  assert.ok(shadowed(writes, policy('a', ALL, SECCOMP)));
  const plain = { spec: { securityContext: {}, containers: [{ name: 'a', image: 'x' }] } };
  assert.ok(applyPolicy(writes, plain).admitted);
});
