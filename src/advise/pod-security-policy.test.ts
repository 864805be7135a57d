import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '#kube/objects.ts';
import { migrate } from './pod-security-policy.ts';

const policy = (spec: object, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'policy/v1beta1',
  kind: 'PodSecurityPolicy',
  metadata: { name: 'narrow', annotations },
  spec: {
    seLinux: { rule: 'RunAsAny' },
    runAsUser: { rule: 'RunAsAny' },
    supplementalGroups: { rule: 'RunAsAny' },
    fsGroup: { rule: 'RunAsAny' },
    volumes: ['*'],
    ...spec,
  },
});
const hostPod = {
  metadata: { name: 'logs' },
  spec: {
    containers: [{ name: 'a', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }] }],
    volumes: [{ name: 'v', hostPath: { path: '/var/log' } }],
  },
};
/** Every demand that labels cannot express. */
const NARROW = policy(
  {
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    requiredDropCapabilities: ['NET_RAW', 'KILL'],
    allowedCapabilities: ['NET_ADMIN'],
    defaultAddCapabilities: ['CHOWN'],
    volumes: ['configMap', 'secret', 'hostPath', 'csi', 'flexVolume', 'cephFS'],
    allowedHostPaths: [{ pathPrefix: '/var/log', readOnly: true }, { pathPrefix: '/data/' }],
    allowedCSIDrivers: [{ name: 'secrets.example.com' }],
    allowedFlexVolumes: [{ driver: 'example/lvm' }],
    hostPorts: [{ min: 8000, max: 8010 }],
    runAsUser: { rule: 'MustRunAs', ranges: [{ min: 100, max: 200 }] },
    runAsGroup: { rule: 'MayRunAs', ranges: [{ min: 5, max: 6 }] },
    supplementalGroups: { rule: 'MustRunAs', ranges: [{ min: 1, max: 2 }] },
    fsGroup: { rule: 'MayRunAs', ranges: [{ min: 1, max: 2 }] },
    seLinux: { rule: 'MustRunAs', seLinuxOptions: { level: 's0:c8,c9', type: 't' } },
    allowedUnsafeSysctls: ['net.core.*'],
    forbiddenSysctls: ['kernel.shm_rmid_forced'],
    runtimeClass: { allowedRuntimeClassNames: ['gvisor'], defaultRuntimeClassName: 'gvisor' },
  },
  {
    'seccomp.security.alpha.kubernetes.io/allowedProfileNames': 'runtime/default,localhost/a.json',
    'seccomp.security.alpha.kubernetes.io/defaultProfileName': 'runtime/default',
  },
);

describe('migrate', () => {
  it('says the same as the policy, where the level leaves room for it', () => {
    const { level, differences, tried, admitted, labelsOnly } = migrate({
      namespace: 'shop',
      policies: [NARROW],
      pods: [hostPod],
    });
    assert.equal(level, 'privileged');
    assert.deepEqual(differences, []);
    assert.ok(tried > 1000 && admitted > 50, `${tried} tried, ${admitted} admitted`);
    assert.ok(labelsOnly.pods > 1000, 'labels alone cannot say it');
  });

  it('demands nothing of root that the policy did not', () => {
    const nonRoot = policy({ runAsUser: { rule: 'MustRunAsNonRoot' }, hostNetwork: true, hostPID: true });
    const { differences, level } = migrate({ namespace: 'shop', policies: [nonRoot], pods: [hostPod] });
    assert.equal(level, 'privileged');
    assert.deepEqual(differences, []);
  });

  it('shows a pod for everything that the label refuses and the policy let pass', () => {
    const wide = policy({ privileged: true, hostNetwork: true });
    const pod = { metadata: { name: 'a' }, spec: { containers: [{ name: 'a', image: 'x' }] } };
    const { level, differences } = migrate({ namespace: 'shop', policies: [wide], pods: [pod] });
    assert.equal(level, 'baseline');
    assert.ok(differences.length > 0);
    assert.ok(differences.every(({ kind }) => kind === 'stricter'));
    assert.ok(differences.some(({ why }) => why.endsWith('host namespaces')));
  });

  it('takes several policies as alternatives', () => {
    const users = policy({ runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1, max: 9 }] } });
    const other = policy({ privileged: true, readOnlyRootFilesystem: true });
    const { differences } = migrate({ namespace: 'shop', policies: [users, other], pods: [hostPod] });
    assert.deepEqual(
      differences.filter(({ kind }) => kind !== 'stricter'),
      [],
    );
  });

  it('writes what the policy writes, where it is asked for', () => {
    const { differences, mutation, tried, admitted } = migrate({
      namespace: 'shop',
      policies: [NARROW],
      pods: [hostPod],
      mutating: 'v1beta1',
      pairs: 2000,
    });
    assert.deepEqual(
      mutation.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
      [
        'admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicy',
        'admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicyBinding',
      ],
    );
    assert.ok(tried > 1000 && admitted > 50, `${tried} tried, ${admitted} admitted`);
    // An empty list of groups is not sent: newer servers take it for none, and the pod gets the group.
    assert.deepEqual(
      differences.filter(({ kind, why }) => kind !== 'other' || !why.startsWith('let in as the policies')),
      [],
    );
    const { mutation: nothing } = migrate({
      namespace: 'shop',
      policies: [policy({ privileged: true })],
      pods: [],
      mutating: 'v1',
      pairs: 1,
    });
    assert.deepEqual(nothing, []);
  });

  it('chooses among several as the API server chose', () => {
    const named = (name: string, spec: object): KubeObject => ({ ...policy(spec), metadata: { name } });
    const ranges = (min: number) => ({ rule: 'MustRunAs', ranges: [{ min, max: min + 10 }] });
    const { differences, mutation } = migrate({
      namespace: 'shop',
      policies: [
        named('b', { runAsUser: ranges(100), readOnlyRootFilesystem: true }),
        named('a', { runAsUser: ranges(500), requiredDropCapabilities: ['ALL'], volumes: ['configMap'] }),
        named('c', { hostPID: true, fsGroup: ranges(7) }),
      ],
      pods: [hostPod],
      mutating: 'v1',
      pairs: 1500,
    });
    assert.deepEqual(differences, []);
    const { variables } = mutation[0]!['spec'] as { variables: { name: string; expression: string }[] };
    assert.match(variables.at(-1)!.expression, /^variables\.meets0 && !variables\.misses0 \? 0 : /);
  });
});
