import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodePod } from '#kube/decode.ts';
import { withDefaults } from '../defaults.ts';
import { readSeccomp } from '../profiles/read-seccomp.ts';
import { isSyscall } from '../profiles/syscalls.ts';
import { chooseProfile, evaluateProfile, ProfileError, permittedPlaces, readProfiles } from './custom.ts';

const profileOf = (spec: object, more: object = {}) =>
  readProfiles([{ name: 'p', reason: 'a test', extends: 'privileged', ...more, spec }], isSyscall)[0]!;
const podOf = (spec: object, metadata: object = {}) =>
  withDefaults(decodePod({ metadata, spec: { containers: [{ name: 'a' }], ...spec } }));
const container = (context: object, more: object = {}) => ({
  containers: [{ name: 'a', securityContext: context, ...more }],
});
const mount = (path: string, readOnly: boolean) => ({
  volumes: [{ name: 'v', hostPath: { path } }],
  containers: [{ name: 'a', volumeMounts: [{ name: 'v', mountPath: '/v', readOnly }] }],
});
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** What a profile says of a pod: `field path: detail`. */
function said(
  spec: object,
  pod: object,
  more: object = {},
  metadata: object = {},
): { readonly breaches: string[]; readonly unknowns: readonly string[] } {
  const { breaches, unknowns } = evaluateProfile(profileOf(spec, more), podOf(pod, metadata));
  return {
    breaches: breaches.map(({ field, path, detail }) => `${field} ${path.join('.')}: ${detail}`),
    unknowns,
  };
}

describe('a field of a profile', () => {
  const at = 'spec.containers.0.securityContext';
  const cases: readonly (readonly [what: string, spec: object, pod: object, breaches: readonly string[]])[] =
    [
      ['false forbids', { hostPID: false }, { hostPID: true }, ['hostPID spec.hostPID: hostPID is true']],
      ['true permits', { hostPID: true }, { hostPID: true }, []],
      ['that is not stated says nothing', {}, { hostPID: true }, []],
      [
        'demands a statement',
        { allowPrivilegeEscalation: false },
        {},
        [`allowPrivilegeEscalation ${at}.allowPrivilegeEscalation: allowPrivilegeEscalation must be false`],
      ],
      [
        'on users looks at what is inherited, where it is written',
        { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 5, max: 9 }] } },
        { securityContext: { runAsUser: 4 } },
        ['runAsUser spec.securityContext.runAsUser: runAsUser is 4, must be within 5-9'],
      ],
      [
        'on users demands one',
        { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 5, max: 9 }] } },
        {},
        [`runAsUser ${at}.runAsUser: runAsUser must be stated, for example 5`],
      ],
      [
        'on drops names what is missing',
        { requiredDropCapabilities: ['KILL', 'CHOWN'] },
        container({ capabilities: { drop: ['KILL'] } }),
        [`requiredDropCapabilities ${at}.capabilities.drop: must drop CHOWN`],
      ],
      [
        'on added capabilities points at each',
        { allowedCapabilities: ['CHOWN'] },
        container({ capabilities: { add: ['CHOWN', 'SYS_ADMIN'] } }),
        [`allowedCapabilities ${at}.capabilities.add.1: may not add SYS_ADMIN, only CHOWN`],
      ],
      [
        'on paths lets what is below pass',
        { allowedHostPaths: [{ pathPrefix: '/a' }] },
        mount('/a/b', false),
        [],
      ],
      [
        'on paths knows the border of a name',
        { allowedHostPaths: [{ pathPrefix: '/a' }] },
        mount('/ab', false),
        ['allowedHostPaths spec.volumes.0.hostPath.path: volume "v" is /ab of the node, may only be /a'],
      ],
      [
        'on paths that are only read looks at the mounts',
        { allowedHostPaths: [{ pathPrefix: '/a', readOnly: true }] },
        mount('/a', false),
        [
          'allowedHostPaths spec.containers.0.volumeMounts.0.readOnly: volume "v" is mounted writable, may only be read',
        ],
      ],
      [
        'with an empty list lets nothing pass',
        { allowedHostPaths: [] },
        mount('/a', true),
        ['allowedHostPaths spec.volumes.0.hostPath.path: volume "v" is /a of the node, may only be none'],
      ],
      [
        'on volumes names the type',
        { volumes: ['configMap'] },
        { volumes: [{ name: 'v', image: { reference: 'x' } }] },
        ['volumes spec.volumes.0: volume "v" is of type image, may only be configMap'],
      ],
      [
        'on ports points at the port',
        { hostPorts: [{ min: 80, max: 90 }] },
        container(
          {},
          {
            ports: [
              { containerPort: 1, hostPort: 85 },
              { containerPort: 2, hostPort: 91 },
            ],
          },
        ),
        ['hostPorts spec.containers.0.ports.1.hostPort: hostPort is 91, may only be 80-90'],
      ],
      [
        'on seccomp takes what takes effect',
        { seccomp: { allowed: ['Localhost/web-*'] } },
        {
          securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'web-1.json' } },
          ...container({ seccompProfile: { type: 'RuntimeDefault' } }),
        },
        [`seccomp ${at}.seccompProfile: seccompProfile is RuntimeDefault, may only be Localhost/web-*`],
      ],
      [
        'on seccomp tells unset from default',
        { seccomp: { allowed: ['RuntimeDefault'] } },
        {},
        [
          'seccomp spec.securityContext.seccompProfile: seccompProfile is not set, may only be RuntimeDefault',
        ],
      ],
      [
        'on SELinux takes the standard types where it names none',
        { seLinux: { rule: 'MayRunAs' } },
        { securityContext: { seLinuxOptions: { type: 'spc_t', level: 's0:c1' } } },
        [
          'seLinux spec.securityContext.seLinuxOptions.type: seLinuxOptions.type is spc_t, may only be container_t, container_init_t, container_kvm_t, container_engine_t',
        ],
      ],
      [
        'on user namespaces',
        { userNamespaces: 'required' },
        {},
        ['userNamespaces spec.hostUsers: hostUsers must be false'],
      ],
      [
        'on Windows names the user',
        { windows: { allowedUserNames: ['ContainerUser'] } },
        container({ windowsOptions: { runAsUserName: 'ContainerAdministrator' } }),
        [
          `windows ${at}.windowsOptions.runAsUserName: runAsUserName is ContainerAdministrator, may only be ContainerUser`,
        ],
      ],
      [
        'of Linux asks nothing of Windows pods',
        { allowPrivilegeEscalation: false, seccomp: { allowed: ['RuntimeDefault'] } },
        { os: { name: 'windows' } },
        [],
      ],
    ];
  for (const [what, spec, pod, breaches] of cases)
    it(what, () => assert.deepEqual(said(spec, pod), { breaches, unknowns: [] }));

  it('on AppArmor reads the annotation of old where no field is stated', () => {
    const annotations = { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' };
    const spec = { appArmor: { allowed: ['RuntimeDefault', 'Unset'] } };
    assert.equal(said(spec, {}, {}, { annotations }).breaches.length, 1);
    assert.deepEqual(said(spec, {}).breaches, []);
    const field = container({ appArmorProfile: { type: 'RuntimeDefault' } });
    assert.deepEqual(said(spec, field, {}, { annotations }).breaches, []);
  });

  describe('on the content of seccomp profiles', () => {
    const spec = { seccomp: { forbiddenCalls: ['mount'] } };
    const confined = (capabilities: object) => ({
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      ...container({ capabilities }),
    });
    it('knows what the default lets through, and to whom', () => {
      assert.deepEqual(said(spec, confined({})).breaches, []);
      assert.equal(said(spec, confined({ add: ['SYS_ADMIN'] })).breaches.length, 1);
      assert.equal(said(spec, confined({ add: ['ALL'] })).breaches.length, 1);
    });
    it('knows that nothing, and privilege, let all through', () => {
      assert.match(said(spec, {}).breaches[0]!, /seccompProfile is Unset, so it may call mount/);
      const privileged = { ...confined({}), ...container({ privileged: true }) };
      assert.match(said(spec, privileged).breaches[0]!, /a privileged container has no seccomp profile/);
    });
    it('reads a profile of the node where the input holds it, and says where not', () => {
      const pod = podOf({
        securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' } },
      });
      assert.match(
        evaluateProfile(profileOf(spec), pod).unknowns[0]!,
        /"Localhost\/x.json" is not in the input/,
      );
      const open = readSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' }, 'x.json', () => undefined).profile;
      const shut = readSeccomp({ defaultAction: 'SCMP_ACT_ERRNO' }, 'x.json', () => undefined).profile;
      assert.equal(evaluateProfile(profileOf(spec), pod, () => open).breaches.length, 1);
      assert.deepEqual(
        evaluateProfile(profileOf(spec), pod, () => shut),
        { breaches: [], unknowns: [] },
      );
    });
  });
});

describe('what a profile says of a level', () => {
  const base = { extends: 'restricted' };
  const cases: readonly (readonly [what: string, spec: object, pod: object, fields: readonly string[]])[] = [
    ['a folder in place of none', { allowedHostPaths: [{ pathPrefix: '/v' }] }, mount('/v', false), []],
    [
      'another folder is refused by the field',
      { allowedHostPaths: [{ pathPrefix: '/v' }] },
      mount('/w', false),
      ['allowedHostPaths'],
    ],
    [
      'a folder says nothing of other volumes',
      { allowedHostPaths: [{ pathPrefix: '/v' }] },
      { volumes: [{ name: 'n', nfs: { server: 's', path: '/' } }] },
      ['extends'],
    ],
    [
      'one host namespace says nothing of the others',
      { hostNetwork: true },
      { hostNetwork: true, hostPID: true },
      ['extends'],
    ],
    [
      'users that are not root must still say so',
      { runAsUser: { rule: 'MustRunAs', ranges: [{ min: 1, max: 9 }] } },
      { securityContext: { runAsUser: 5, runAsNonRoot: false } },
      ['extends'],
    ],
    [
      'users that may be root need not',
      { runAsUser: { rule: 'RunAsAny' } },
      { securityContext: { runAsUser: 0, runAsNonRoot: false } },
      [],
    ],
    [
      'added capabilities leave the drops',
      { allowedCapabilities: ['SYS_ADMIN'] },
      container({ capabilities: { add: ['SYS_ADMIN'] } }),
      ['extends'],
    ],
    [
      'kernel parameters add to the safe ones',
      { allowedUnsafeSysctls: ['net.core.*'] },
      {
        securityContext: {
          sysctls: [
            { name: 'net.core.somaxconn', value: '1' },
            { name: 'kernel.shm_rmid_forced', value: '1' },
          ],
        },
      },
      [],
    ],
    [
      'other kernel parameters stay shut',
      { allowedUnsafeSysctls: ['net.core.*'] },
      { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
      ['extends'],
    ],
  ];
  for (const [what, spec, pod, fields] of cases)
    it(what, () => {
      const {
        containers = [{ name: 'a' }],
        securityContext = {},
        ...rest
      } = pod as {
        containers?: readonly { name: string; securityContext?: { capabilities?: object } }[];
        securityContext?: object;
      };
      const { runAsNonRoot, seccompProfile, ...own } = RESTRICTED;
      const whole = podOf({
        ...rest,
        securityContext: { runAsNonRoot, seccompProfile, ...securityContext },
        containers: containers.map(one => ({ ...one, securityContext: { ...own, ...one.securityContext } })),
      });
      const { breaches } = evaluateProfile(profileOf(spec, base), whole);
      assert.deepEqual([...new Set(breaches.map(({ field }) => field))], fields);
    });

  it('is permitted expressly only where the pod keeps it', () => {
    const profile = profileOf({ allowedHostPaths: [{ pathPrefix: '/v' }] }, base);
    const pod = podOf({
      volumes: [
        { name: 'v', hostPath: { path: '/v' } },
        { name: 'w', hostPath: { path: '/w' } },
      ],
    });
    const places = permittedPlaces(profile, pod, evaluateProfile(profile, pod));
    assert.deepEqual([...new Set(places.map(path => path.join('.')))], ['spec.volumes.0.hostPath']);
    const readOnly = profileOf({ allowedHostPaths: [{ pathPrefix: '/v', readOnly: true }] }, base);
    const writable = podOf(mount('/v', false));
    assert.deepEqual(permittedPlaces(readOnly, writable, evaluateProfile(readOnly, writable)), []);
  });
});

describe('the scope', () => {
  const list = readProfiles(
    [
      {
        name: 'narrow',
        reason: 'r',
        extends: 'baseline',
        scope: { namespaces: ['team-*'], serviceAccounts: ['s'] },
      },
      {
        name: 'labelled',
        reason: 'r',
        extends: 'baseline',
        scope: { namespaceLabels: { tier: 'a' }, labels: { app: 'b' } },
      },
      { name: 'rest', reason: 'r', extends: 'restricted', scope: { namespaces: ['*'] } },
    ],
    isSyscall,
  );
  const choose = (bearer: object) => {
    const chosen = chooseProfile(list, {
      namespace: 'shop',
      namespaceLabels: {},
      labels: {},
      serviceAccount: 'default',
      ...bearer,
    });
    return chosen.is === 'profile' ? chosen.profile.name : chosen.is;
  };
  it('is asked in the order of the file', () => {
    assert.equal(choose({ namespace: 'team-a', serviceAccount: 's' }), 'narrow');
    assert.equal(choose({ namespace: 'team-a' }), 'rest');
    assert.equal(choose({ labels: { app: 'b' }, namespaceLabels: { tier: 'a' } }), 'labelled');
    assert.equal(choose({ labels: { app: 'b' } }), 'rest');
  });
  it('is unknown where a fact is missing, and not where another one rules it out', () => {
    assert.equal(choose({ namespace: undefined, serviceAccount: 's' }), 'unknown');
    assert.equal(choose({ namespace: undefined }), 'rest');
    assert.equal(choose({ labels: { app: 'b' }, namespaceLabels: undefined }), 'unknown');
  });
});

describe('reading', () => {
  const wrong: readonly (readonly [profile: unknown, path: string, message: RegExp])[] = [
    ['x', '0', /not a mapping/],
    [{ reason: 'r', extends: 'baseline' }, '0', /states no name/],
    [{ name: 'a', extends: 'baseline' }, '0', /states no reason/],
    [{ name: 'A', reason: 'r', extends: 'baseline' }, '0.name', /"A" is no name/],
    [
      { name: 'a', reason: 'r', extends: 'restrictd' },
      '0.extends',
      /none of privileged, baseline, restricted/,
    ],
    [{ name: 'a', reason: 'r', extends: 'baseline', version: '1.30' }, '0.version', /"1.30" is no version/],
    [
      { name: 'a', reason: 'r', extends: 'baseline', spec: { hostPid: true } },
      '0.spec.hostPid',
      /unknown key "hostPid"/,
    ],
    [
      { name: 'a', reason: 'r', extends: 'baseline', spec: { hostPID: 'yes' } },
      '0.spec.hostPID',
      /true or false/,
    ],
    [
      { name: 'a', reason: 'r', extends: 'baseline', spec: { runAsUser: { rule: 'MustRunAs' } } },
      '0.spec.runAsUser',
      /needs ranges/,
    ],
    [
      {
        name: 'a',
        reason: 'r',
        extends: 'baseline',
        spec: { fsGroup: { rule: 'MustRunAs', ranges: [{ min: 9, max: 1 }] } },
      },
      '0.spec.fsGroup.ranges.0',
      /no number lies/,
    ],
    [
      {
        name: 'a',
        reason: 'r',
        extends: 'baseline',
        spec: { allowedHostPaths: [{ pathPrefix: '/a/../b' }] },
      },
      '0.spec.allowedHostPaths.0.pathPrefix',
      /no whole path/,
    ],
    [
      { name: 'a', reason: 'r', extends: 'baseline', spec: { volumes: ['secret'], allowedHostPaths: [] } },
      '0.spec.allowedHostPaths',
      /does not list hostPath/,
    ],
    [
      { name: 'a', reason: 'r', extends: 'baseline', spec: { seccomp: { forbiddenCalls: ['mnt'] } } },
      '0.spec.seccomp.forbiddenCalls.0',
      /no known system call/,
    ],
    [
      { name: 'a', reason: 'r', extends: 'baseline', spec: { seccomp: { allowed: ['runtime/default'] } } },
      '0.spec.seccomp.allowed.0',
      /no profile/,
    ],
    [
      { name: 'a', reason: 'r', extends: 'baseline', scope: { namespaces: [] } },
      '0.scope.namespaces',
      /empty/,
    ],
    [
      { name: 'a', reason: 'r', extends: 'baseline', scope: { labels: { app: 1 } } },
      '0.scope.labels.app',
      /text in quotes/,
    ],
  ];
  for (const [profile, path, message] of wrong)
    it(`refuses ${JSON.stringify(profile)}`, () => {
      assert.throws(
        () => readProfiles([profile], isSyscall),
        (error: unknown) => {
          assert.ok(error instanceof ProfileError);
          assert.match(error.message, message);
          assert.equal(error.path.slice(1).join('.'), path);
          return true;
        },
      );
    });
  it('refuses a name that is taken, and suggests the field that was meant', () => {
    const one = { name: 'a', reason: 'r', extends: 'baseline' };
    assert.throws(() => readProfiles([one, one], isSyscall), /another profile "a"/);
    try {
      readProfiles([{ ...one, spec: { hostPid: true } }], isSyscall);
      assert.fail();
    } catch (error) {
      assert.equal((error as ProfileError).hint, 'did you mean "hostPID"?');
    }
  });
});
