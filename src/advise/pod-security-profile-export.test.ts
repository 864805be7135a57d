import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readProfiles } from '#decide/pod-security/custom/custom.ts';
import { readSeccomp } from '#decide/pod-security/profiles/read-seccomp.ts';
import { isSyscall } from '#decide/pod-security/profiles/syscalls.ts';
import type { KubeObject } from '#kube/objects.ts';
import { ExportError, exportProfiles, proofOf } from './pod-security-profile-export.ts';

const read = (...profiles: object[]) =>
  readProfiles(
    profiles.map(one => ({ reason: 'a test', ...one })),
    isSyscall,
  );
const RANGE = { rule: 'MustRunAs', ranges: [{ min: 10, max: 19 }] };

describe('an exported profile', () => {
  const lists: readonly (readonly [what: string, profiles: readonly object[]])[] = [
    ['level restricted', [{ name: 'a', extends: 'restricted' }]],
    ['level baseline of an older version', [{ name: 'a', extends: 'baseline', version: 'v1.28' }]],
    [
      'a level with room, beside others',
      [
        {
          name: 'narrow',
          extends: 'restricted',
          scope: { serviceAccounts: ['s*'], namespaces: ['logging', 'team-*'] },
          spec: {
            allowedHostPaths: [{ pathPrefix: '/var/log', readOnly: true }],
            readOnlyRootFilesystem: true,
          },
        },
        {
          name: 'labelled',
          extends: 'baseline',
          scope: { namespaceLabels: { tier: 'x' }, labels: { app: 'y' } },
          spec: {
            runAsUser: RANGE,
            seccomp: { allowed: ['RuntimeDefault', 'Localhost/*'], forbiddenCalls: ['mount', 'kexec_load'] },
            appArmor: { allowed: ['RuntimeDefault', 'Unset', 'Localhost/web-?'] },
          },
        },
        { name: 'rest', extends: 'restricted', version: 'v1.30' },
      ],
    ],
    [
      'every field of a policy',
      [
        {
          name: 'all',
          extends: 'restricted',
          spec: {
            privileged: true,
            allowPrivilegeEscalation: true,
            defaultAllowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            requiredDropCapabilities: ['KILL'],
            allowedCapabilities: ['SYS_ADMIN'],
            defaultAddCapabilities: ['CHOWN'],
            volumes: ['configMap', 'secret', 'hostPath', 'csi', 'flexVolume', 'image'],
            allowedHostPaths: [{ pathPrefix: '/data/' }],
            allowedFlexVolumes: [],
            allowedCSIDrivers: [{ name: 'x.example.com' }],
            hostNetwork: true,
            hostPID: false,
            hostPorts: [{ min: 80, max: 90 }],
            runAsUser: { rule: 'MustRunAsNonRoot' },
            runAsGroup: RANGE,
            supplementalGroups: { ...RANGE, rule: 'MayRunAs' },
            fsGroup: RANGE,
            seLinux: { rule: 'MustRunAs', seLinuxOptions: { level: 's0:c1,c2' } },
            allowedUnsafeSysctls: ['net.core.*'],
            forbiddenSysctls: ['kernel.shm_rmid_forced'],
            allowedProcMountTypes: ['Unmasked', 'Default'],
            runtimeClass: { allowedRuntimeClassNames: ['kata'], defaultRuntimeClassName: 'kata' },
            userNamespaces: 'required',
            windows: {
              hostProcess: true,
              allowedUserNames: ['ContainerUser'],
              allowedCredentialSpecs: ['g'],
            },
          },
        },
      ],
    ],
    [
      'SELinux by lists',
      [
        {
          name: 'lists',
          extends: 'baseline',
          spec: {
            seLinux: { rule: 'MayRunAs', types: ['spc_t'], users: ['u'], levels: ['s0'] },
            windows: { hostProcess: false },
          },
        },
      ],
    ],
  ];
  for (const [what, profiles] of lists)
    it(`decides as the profile does: ${what}`, () => {
      const open = readSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' }, 'open.json', () => undefined).profile;
      const shut = readSeccomp({ defaultAction: 'SCMP_ACT_ERRNO' }, 'shut.json', () => undefined).profile;
      const find = Object.assign(
        (name: string) => (name === 'open.json' ? open : name === 'shut.json' ? shut : undefined),
        { names: () => ['open.json', 'shut.json'] },
      );
      for (const { profile, tried, kept, differences } of exportProfiles(read(...profiles), find)) {
        assert.deepEqual(differences, [], profile);
        assert.ok(tried > 3000 && kept > 20 && kept < tried, `${profile}: ${tried} tried, ${kept} kept`);
      }
    });

  it('is told apart from one that lacks any of its rules', () => {
    const profiles = read({
      name: 'a',
      extends: 'privileged',
      spec: {
        hostIPC: false,
        runAsGroup: RANGE,
        seccomp: { allowed: ['RuntimeDefault'] },
        allowedHostPaths: [{ pathPrefix: '/data', readOnly: true }],
      },
    });
    const [{ admission } = { admission: [] }] = exportProfiles(profiles);
    const [policy, binding] = admission as [KubeObject & { spec: { validations: object[] } }, KubeObject];
    const { validations } = policy.spec;
    assert.equal(validations.length, 4);
    for (const left of validations) {
      const less = {
        ...policy,
        spec: { ...policy.spec, validations: validations.filter(one => one !== left) },
      };
      const { differences } = proofOf(profiles[0]!, profiles, [less, binding]);
      assert.ok(
        differences.some(({ kind }) => kind === 'looser'),
        JSON.stringify(left),
      );
    }
  });

  it('must be of a version that clusters with such policies have', () => {
    assert.throws(
      () => exportProfiles(read({ name: 'a', extends: 'baseline', version: 'v1.20' })),
      ExportError,
    );
  });
});
