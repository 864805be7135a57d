import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { podsOf } from '#decide/pod-security/pods.ts';
import { worldOf } from '#test/worlds.ts';
import { type EffectiveValue, effectiveOf } from './effective.ts';

/** The values of the first container, by field; the last one of a field wins. */
function shown(spec: string, more = ''): Map<string, EffectiveValue> {
  const world = worldOf(`
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, annotations: { container.apparmor.security.beta.kubernetes.io/a: localhost/web } }
spec: ${spec}
${more}`);
  const { pods, refused } = podsOf(world, world.declared[0]!.object);
  assert.deepEqual(refused, []);
  return new Map(effectiveOf(pods[0]!.containers[0]!, world).map(one => [one.field, one]));
}

describe('the security context in effect', () => {
  it('takes what the container says before what the pod says', () => {
    const values = shown(
      '{ securityContext: { runAsUser: 0, runAsGroup: 5 }, containers: [{ name: a, securityContext: { runAsUser: 7 } }] }',
    );
    assert.deepEqual(values.get('runAsUser'), {
      field: 'runAsUser',
      value: 7,
      from: 'container',
      path: ['spec', 'containers', 0, 'securityContext', 'runAsUser'],
    });
    assert.equal(values.get('runAsGroup')!.from, 'pod');
    assert.equal(values.get('runAsNonRoot')!.value, null);
  });

  it('takes the annotation of AppArmor where no field is there', () => {
    assert.equal(shown('{ containers: [{ name: a }] }').get('appArmorProfile')!.value, 'localhost/web');
    const field =
      '{ containers: [{ name: a, securityContext: { appArmorProfile: { type: RuntimeDefault } } }] }';
    assert.deepEqual(shown(field).get('appArmorProfile')!.value, { type: 'RuntimeDefault' });
  });

  it('says what privileged takes away', () => {
    const values = shown(
      '{ securityContext: { seccompProfile: { type: RuntimeDefault }, seLinuxOptions: { type: container_t } }, containers: [{ name: a, securityContext: { privileged: true } }] }',
    );
    for (const field of ['seccompProfile', 'seLinuxOptions.type'])
      assert.equal(values.get(field)!.note, 'not applied: the container is privileged', field);
    // A profile of the node by its name is applied all the same.
    assert.equal(values.get('appArmorProfile')!.note, undefined);
    assert.equal(values.get('capabilities')!.value, 'ALL');
    assert.match(values.get('procMount')!.note!, /nothing is masked/);
  });

  it('shows SELinux part by part, and what the container loses', () => {
    const values = shown(
      '{ securityContext: { seLinuxOptions: { level: "s0:c1,c2" } }, containers: [{ name: a, securityContext: { seLinuxOptions: { type: spc_t } } }] }',
    );
    assert.match(values.get('seLinuxOptions.type')!.gives!, /SELinux/);
    assert.equal(values.get('seLinuxOptions.level')!.value, null);
    assert.match(values.get('seLinuxOptions.level')!.note!, /CRI-O uses it/);
    assert.equal(shown('{ containers: [{ name: a }] }').get('seLinuxOptions')!.value, null);
  });

  it('says that odd users and roles need the policy of the node', () => {
    const values = shown(
      '{ containers: [{ name: a, securityContext: { seLinuxOptions: { user: system_u, role: sysadm_r, level: "s0-s0:c0.c1023" } } }] }',
    );
    assert.equal(values.get('seLinuxOptions.user')!.note, undefined);
    assert.match(values.get('seLinuxOptions.role')!.note!, /has to allow it/);
    assert.match(values.get('seLinuxOptions.level')!.gives!, /every container/);
  });

  it('shows what each mount gives, of this container only', () => {
    const values = shown(`
  containers:
  - name: a
    volumeMounts:
    - { name: h, mountPath: /h, readOnly: true }
    - { name: h, mountPath: /w, mountPropagation: Bidirectional }
    - { name: s, mountPath: /s }
    - { name: p, mountPath: /p }
    - { name: t, mountPath: /t }
    - { name: nas, mountPath: /n }
    - { name: g, mountPath: /g }
    - { name: e, mountPath: /e, subPath: x }
    - { name: c, mountPath: /c }
    - { name: x, mountPath: /x }
    volumeDevices: [{ name: p, devicePath: /dev/xvda }]
  - { name: b, volumeMounts: [{ name: run, mountPath: /run }] }
  volumes:
  - { name: h, hostPath: { path: /srv//data/ } }
  - { name: run, hostPath: { path: /run } }
  - { name: s, secret: { secretName: db } }
  - { name: p, persistentVolumeClaim: { claimName: web, readOnly: true } }
  - { name: t, projected: { sources: [{ serviceAccountToken: { path: t } }, { configMap: { name: c } }] } }
  - { name: nas, nfs: { server: nas, path: /x } }
  - { name: g, gitRepo: { repository: r } }
  - { name: e, emptyDir: { medium: Memory } }
  - { name: c, configMap: { name: c } }`);
    const mounts = [...values.values()].filter(({ field }) => field.startsWith('mount '));
    assert.deepEqual(
      mounts.map(({ field, value }) => `${field}: ${value}`),
      [
        'mount /h: hostPath /srv/data (read-only)',
        'mount /w: hostPath /srv/data',
        'mount /s: secret db',
        'mount /p: persistentVolumeClaim web (read-only)',
        'mount /t: projected token, configMap c',
        'mount /n: nfs nas:/x',
        'mount /g: gitRepo r',
        'mount /e: emptyDir in memory (only x)',
        'mount /c: configMap c',
        'mount /x: volume "x", which the pod does not have',
        'mount /dev/xvda: block device of volume "p"',
      ],
    );
    const gives = (at: string): string => values.get(`mount ${at}`)!.gives ?? '';
    assert.equal(gives('/h'), '');
    assert.match(gives('/w'), /stay on the node.*; mounts that it makes/);
    assert.match(gives('/t'), /API server/);
    assert.doesNotMatch(gives('/p'), /to change/);
    assert.match(gives('/g'), /run as root on the node/);
    assert.equal(gives('/c'), '');
  });

  it('shows the token where the account does not forbid it', () => {
    const spec = '{ serviceAccountName: x, containers: [{ name: a }] }';
    assert.equal(shown(spec).get('token')!.value, 'x');
    const account =
      '---\napiVersion: v1\nkind: ServiceAccount\nmetadata: { name: x, namespace: shop }\nautomountServiceAccountToken: false';
    assert.equal(shown(spec, account).get('token'), undefined);
  });

  it('shows what Windows has, and nothing of Linux there', () => {
    const values = shown(
      '{ os: { name: windows }, securityContext: { windowsOptions: { hostProcess: true, runAsUserName: "NT AUTHORITY\\\\SYSTEM" } }, containers: [{ name: a, securityContext: { windowsOptions: { runAsUserName: ContainerUser } } }] }',
    );
    assert.deepEqual(
      [...values.keys()],
      ['windowsOptions.hostProcess', 'windowsOptions.runAsUserName', 'token'],
    );
    assert.equal(values.get('windowsOptions.runAsUserName')!.value, 'ContainerUser');
    assert.equal(values.get('windowsOptions.runAsUserName')!.gives, undefined);
    assert.match(values.get('windowsOptions.hostProcess')!.gives!, /node itself/);
  });

  it('shows user namespaces, groups and capabilities that are left', () => {
    const values = shown(
      '{ hostUsers: false, securityContext: { supplementalGroups: [0, 5], fsGroup: 7 }, containers: [{ name: a, securityContext: { capabilities: { drop: [ALL] } } }] }',
    );
    assert.equal(values.get('hostUsers')!.gives, undefined);
    assert.match(values.get('supplementalGroups')!.gives!, /root's group/);
    assert.equal(values.get('fsGroup')!.gives, undefined);
    assert.equal(values.get('capabilities')!.value, 'none');
    assert.match(shown('{ containers: [{ name: a }] }').get('hostUsers')!.gives!, /root in the container/);
  });
});
