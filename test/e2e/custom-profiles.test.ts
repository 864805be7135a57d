/** Profiles of a team's own: written wrongly, kept, broken, mended, compared, exported. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, run, scanJson } from './program.ts';

const PROFILES = `podSecurityProfiles:
  - name: log-shipper
    reason: ships the logs of the node
    owner: "@node-team"
    extends: restricted
    scope: { serviceAccounts: [shipper] }
    spec:
      allowedHostPaths: [{ pathPrefix: /var/log, readOnly: true }]
      readOnlyRootFilesystem: true
`;
const SHIPPER = `apiVersion: v1
kind: Pod
metadata: { name: shipper, namespace: logging }
spec:
  serviceAccountName: shipper
  securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
  containers:
    - name: shipper
      image: shipper:1.4.2
      securityContext: # of the only container
        allowPrivilegeEscalation: false
        capabilities: { drop: [ALL] }
      volumeMounts: [{ name: logs, mountPath: /logs, readOnly: true }]
  volumes: [{ name: logs, hostPath: { path: /var/log } }]
`;
const MENDED = SHIPPER.replace('drop: [ALL] }', 'drop: [ALL] }\n        readOnlyRootFilesystem: true');
const CHECKS = ['--profile', 'strict', '--check', 'pod-security'];

describe('profiles of your own', () => {
  it('are named with their field, reason and line', () => {
    const folder = folderOf({ 'sallyport.yaml': PROFILES, 'a.yaml': SHIPPER });
    const { findings } = scanJson(folder, ['.', '--check', 'pod-security/custom-profile']);
    assert.deepEqual(
      findings.map(({ check, line, message }) => ({ check, line, message })),
      [
        {
          check: 'pod-security/custom-profile',
          line: 10,
          message:
            'breaks profile "log-shipper" (ships the logs of the node): readOnlyRootFilesystem: container "shipper": readOnlyRootFilesystem must be true',
        },
      ],
    );
  });

  it('let pass what they allow, and say so', () => {
    const without = scanJson(folderOf({ 'a.yaml': MENDED }), ['.', ...CHECKS]).findings;
    assert.ok(without.some(({ check }) => check === 'pod-security/host-path-volume'));
    const { out } = run(folderOf({ 'sallyport.yaml': PROFILES, 'a.yaml': MENDED }), ['scan', ...CHECKS]);
    assert.match(out, /Excepted \(2\)\n.*:15 pod-security\/host-path-volume\n.*profile log-shipper/);
    assert.doesNotMatch(out, /medium +pod-security\/host-path-volume/);
    const fixed = `${PROFILES}exceptionRules: { nonBypassable: [pod-security/host-path-volume] }\n`;
    const { findings } = scanJson(folderOf({ 'sallyport.yaml': fixed, 'a.yaml': MENDED }), ['.', ...CHECKS]);
    assert.ok(findings.some(({ check }) => check === 'pod-security/host-path-volume'));
  });

  it('are kept after their fix, which touches nothing else', () => {
    const folder = folderOf({ 'sallyport.yaml': PROFILES, 'a.yaml': SHIPPER });
    const words = ['--check', 'pod-security/custom-profile'];
    assert.equal(run(folder, ['fix', ...words, '--review', '--yes']).code, 0);
    assert.equal(readFileSync(join(folder, 'a.yaml'), 'utf8'), MENDED);
    assert.deepEqual(scanJson(folder, ['.', ...words]).findings, []);
  });

  it('are said by levels', () => {
    const folder = folderOf({ 'sallyport.yaml': PROFILES, 'a.yaml': SHIPPER, 'b.yaml': MENDED });
    const { out } = run(folder, ['pod-security', 'levels', '--format', 'json']);
    const { workloads } = JSON.parse(out) as { workloads: { profile: { name: string; kept: boolean } }[] };
    assert.deepEqual(
      workloads.map(({ profile: { name, kept } }) => [name, kept]),
      [
        ['log-shipper', false],
        ['log-shipper', true],
      ],
    );
  });

  it('are guards: a comparison says what happens to them', () => {
    const folder = folderOf({
      'old/sallyport.yaml': PROFILES,
      'old/a.yaml': MENDED,
      'new/sallyport.yaml': PROFILES.replace('/var/log', '/'),
      'new/a.yaml': SHIPPER,
      'gone/a.yaml': MENDED,
    });
    const diff = (head: string) => run(folder, ['diff', './old', head]).out;
    assert.match(diff('./new'), /profile "log-shipper" changed\s+in\s+allowedHostPaths/);
    assert.match(diff('./new'), /breaks profile "log-shipper"/);
    assert.match(diff('./gone'), /profile "log-shipper" is\s+gone/);
  });

  it('that are not understood are an error with their place', () => {
    const folder = (text: string) => folderOf({ 'sallyport.yaml': text, 'a.yaml': SHIPPER });
    for (const [text, message] of [
      [
        PROFILES.replace('allowedHostPaths', 'allowedHostPath'),
        /:8:7: unknown key "allowedHostPath"\n.*did you mean "allowedHostPaths"\?/,
      ],
      [
        PROFILES.replace('restricted', 'restrictd'),
        /:5:5: "restrictd" is none of .*\n.*did you mean "restricted"\?/,
      ],
      [
        PROFILES.replace('    reason: ships the logs of the node\n', ''),
        /:2:5: the profile states no reason/,
      ],
      ['podSecurityProfiles: {}', /:1:1: podSecurityProfiles is not a list/],
    ] as const) {
      const { code, err } = run(folder(text), ['scan', '.']);
      assert.equal(code, 3);
      assert.match(err, message);
    }
  });

  it('are unknown where the manifest does not tell whose they are', () => {
    const scoped = PROFILES.replace('serviceAccounts: [shipper]', 'namespaces: [logging]');
    const { unknowns } = scanJson(
      folderOf({ 'sallyport.yaml': scoped, 'a.yaml': SHIPPER.replace(', namespace: logging', '') }),
      ['.', '--check', 'pod-security/custom-profile'],
    );
    assert.deepEqual(
      unknowns.map(({ reason }) => reason),
      ['whether profile "log-shipper" holds is not known: the manifest states no namespace'],
    );
  });

  it('become policies, with a proof', () => {
    const folder = folderOf({ 'sallyport.yaml': PROFILES });
    const { code, out, err } = run(folder, ['pod-security', 'export', '--action', 'warn']);
    assert.equal(code, 0, err);
    assert.match(out, /kind: ValidatingAdmissionPolicy\n/);
    assert.match(out, /validationActions:\n {4}- Warn\n {4}- Audit\n/);
    assert.match(err, /profile log-shipper: \d{4} pods tried, \d+ keep it: the policy says the same of all/);
    const none = run(folderOf({}), ['pod-security', 'export']);
    assert.equal(none.code, 3);
    assert.match(none.err, /there are no profiles in sallyport.yaml/);
  });

  describe('that ask what the profiles of the node hold', () => {
    const CONTENT = `podSecurityProfiles:
  - name: web
    reason: the web tier has its own profiles
    extends: baseline
    spec:
      seccomp:
        forbiddenCalls: [mount, ptrace]
        files: { web.json: node/web.json, loose.json: node/loose.json }
      appArmor:
        forbiddenAccess: ["/etc/shadow:r", "capability:sys_admin"]
        files: { web: node/apparmor, loose: node/apparmor }
`;
    const seccomp = (call: string) =>
      JSON.stringify({
        defaultAction: 'SCMP_ACT_ERRNO',
        syscalls: [{ names: ['read', call], action: 'SCMP_ACT_ALLOW' }],
      });
    const files = {
      'node/web.json': seccomp('write'),
      'node/loose.json': seccomp('mount'),
      'node/apparmor':
        'profile web {\n  /usr/** r,\n}\nprofile loose {\n  /etc/** r,\n  capability sys_admin,\n}\n',
    };
    const pod = (name: string, json: string, appArmor: string) => `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop }
spec:
  containers:
    - name: a
      image: a:1
      securityContext:
        seccompProfile: { type: Localhost, localhostProfile: ${json} }
        appArmorProfile: ${appArmor}
---
`;
    const localhost = (name: string) => `{ type: Localhost, localhostProfile: ${name} }`;
    const scan = (config: string, pods: string, more: Record<string, string> = {}) =>
      scanJson(folderOf({ 'sallyport.yaml': config, 'a.yaml': pods, ...files, ...more }), [
        '.',
        '--check',
        'pod-security/custom-profile',
      ]);

    it('read them from the files of the repository', () => {
      const pods = pod('web', 'web.json', localhost('web')) + pod('loose', 'loose.json', localhost('loose'));
      const { findings, summary } = scan(CONTENT, pods);
      assert.equal(summary.unknowns, 0);
      assert.equal(findings.length, 1);
      const { message } = findings[0] as unknown as { message: string };
      assert.match(message, /Localhost\/loose\.json lets mount through/);
      assert.match(message, /Localhost\/loose allows \/etc\/shadow:r, capability:sys_admin/);
    });

    it('read them from objects, and say what is not in the input', () => {
      const object = `apiVersion: security-profiles-operator.x-k8s.io/v1alpha1
kind: AppArmorProfile
metadata: { name: object }
spec: { policy: "profile object {\\n  capability sys_admin,\\n}\\n" }
`;
      const { findings } = scan(CONTENT, pod('web', 'web.json', localhost('object')) + object);
      assert.equal(findings.length, 1);
      const { summary } = scan(CONTENT, pod('web', 'none.json', localhost('none')));
      assert.equal(summary.unknowns, 1);
    });

    it("know the default profile of containerd's AppArmor", () => {
      const said = (accesses: string, appArmor: string, more = '') => {
        const config = CONTENT.replace('["/etc/shadow:r", "capability:sys_admin"]', accesses);
        const text = pod('web', 'web.json', appArmor).replace('securityContext:', `securityContext:${more}`);
        const { findings, summary } = scan(config.replace('baseline', 'privileged'), text);
        return [findings.length, summary.unknowns];
      };
      const fine = '["/proc/kcore:r", "/sys/kernel/security/x:w"]';
      assert.deepEqual(said(fine, '{ type: RuntimeDefault }'), [0, 0]);
      assert.deepEqual(said(fine, '{ type: Unconfined }'), [1, 0]);
      assert.deepEqual(said('["/etc/shadow:r"]', '{ type: RuntimeDefault }'), [1, 0]);
      assert.deepEqual(said('["/proc/sys/kernel/shmmax:w"]', '{ type: RuntimeDefault }'), [0, 1]);
      assert.deepEqual(said(fine, '{ type: RuntimeDefault }', '\n        privileged: true'), [1, 0]);
    });

    const SELINUX = `podSecurityProfiles:
  - name: web
    reason: the web tier has its own profiles
    extends: privileged
    spec:
      seLinux:
        forbiddenAccess: ["shadow_t:file:read", "@self:capability:sys_admin"]
        files: { web.process: node/all.cil, loose.process: node/all.cil, raw.process: node/raw.yaml }
`;
    const CIL = `; as udica writes it
(block web
    (blockinherit container)
    (allow process var_log_t (dir (getattr search open read)))
)
(block loose
    (blockinherit container)
)
(allow loose.process shadow_t (file (read open)))
`;
    const RAW = `apiVersion: security-profiles-operator.x-k8s.io/v1alpha2
kind: RawSelinuxProfile
metadata: { name: raw }
spec:
  policy: |
    (blockinherit container)
    (allow process process (capability (sys_admin)))
`;
    const OBJECT = `apiVersion: security-profiles-operator.x-k8s.io/v1alpha2
kind: SelinuxProfile
metadata: { name: object }
spec: { allow: { shadow_t: { file: [read] } } }
`;
    const typed = (name: string, context: string) =>
      `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop }
spec: { containers: [{ name: a, image: "a:1", securityContext: { ${context} } }] }
---
`;
    const labelled = (type: string) =>
      typed(type.replace(/\W/g, '-').replace('_', '-'), `seLinuxOptions: { type: ${type} }`);
    const node = { 'node/all.cil': CIL, 'node/raw.yaml': RAW };

    it('judge types of SELinux by what their profiles allow beyond container_t', () => {
      const types =
        'web.process loose.process raw.process object.process spc_t container_t gone.process container_init_t';
      const pods = types.split(' ').map(labelled).join('') + typed('privileged', 'privileged: true');
      const { findings, summary } = scan(SELINUX, pods + OBJECT, node);
      assert.deepEqual(
        findings.map(({ object, message }) => [
          object.name,
          /allows ((?:[^ ,]+(?:, )?)+)/.exec(message)?.[1]?.replace(/:$/, ''),
        ]),
        [
          ['loose-process', 'shadow_t:file:read'],
          ['raw-process', '@self:capability:sys_admin'],
          ['object-process', 'shadow_t:file:read'],
          ['spc-t', 'shadow_t:file:read, @self:capability:sys_admin'],
          ['privileged', 'shadow_t:file:read, @self:capability:sys_admin'],
        ],
      );
      // One is not in the input, the other is only in the policy of the node.
      assert.equal(summary.unknowns, 2);
    });

    it('become policies for types of SELinux and for the default of AppArmor', () => {
      const config = `${SELINUX}      appArmor: { forbiddenAccess: ["/proc/kcore:r"] }\n`;
      const { code, out, err } = run(folderOf({ 'sallyport.yaml': config, ...node }), [
        'pod-security',
        'export',
      ]);
      assert.equal(code, 0, err);
      assert.match(err, /the policy says the same of all/);
      assert.match(out, /svirt_lxc_net_t\\?", \\?"web\.process\\?"\]/);
      assert.match(out, /\['RuntimeDefault', 'Unset'\]/);
    });

    it('say what is no access of SELinux, and what says nothing', () => {
      for (const [from, to, message] of [
        ['shadow_t:file:read', 'shadow_t:file:raed', /file has no permission "raed"\n.*did you mean read\?/],
        ['shadow_t:file:read', 'shadow_t:fil:read', /"fil" is no object class/],
        [
          'forbiddenAccess: ["shadow_t:file:read", "@self:capability:sys_admin"]',
          '',
          /state forbiddenAccess/,
        ],
        ['node/raw.yaml', 'node/all.cil', /there is no profile "raw\.process" in it/],
      ] as const) {
        const { code, err } = run(folderOf({ 'sallyport.yaml': SELINUX.replace(from, to), ...node }), [
          'scan',
          '.',
        ]);
        assert.equal(code, 3);
        assert.match(err, message);
      }
    });

    it('are read from the commits that a comparison is of, not from the work tree', () => {
      const folder = folderOf({ 'sallyport.yaml': SELINUX, 'a.yaml': labelled('web.process'), ...node });
      const git = (...words: string[]) =>
        spawnSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...words], { cwd: folder });
      const commit = () => {
        git('add', '.');
        assert.equal(git('commit', '--quiet', '-m', 'x').status, 0);
      };
      git('init', '--quiet', '--initial-branch=main');
      commit();
      writeFileSync(join(folder, 'node/all.cil'), CIL.replace('var_log_t (dir', 'shadow_t (file'));
      commit();
      // Whatever stands in the work tree now is neither of both.
      rmSync(join(folder, 'node'), { recursive: true });
      const { code, out, err } = run(folder, ['diff', 'HEAD~1', 'HEAD']);
      assert.equal(code, 1, err);
      assert.match(out, /1 new finding, 0 fixed/);
      assert.match(out, /type web\.process allows\s+shadow_t:file:read/);
      assert.match(run(folder, ['diff', 'HEAD', 'HEAD~1']).out, /0 new findings, 1 fixed/);
      rmSync(join(folder, 'a.yaml'));
      const named = run(folder, ['diff', 'HEAD~1', 'HEAD', '--config', 'sallyport.yaml']);
      // A configuration that is named is of the work tree, and its files must be there.
      assert.equal(named.code, 3);
    });

    it('say which file is not there, or holds something else', () => {
      for (const [from, to, message] of [
        ['node/web.json', 'node/gone.json', /sallyport\.yaml:8:\d+: node\/gone\.json: it is not there/],
        [
          'web: node/apparmor',
          'web: node/web.json',
          /node\/web\.json: there is no profile of AppArmor in it/,
        ],
        ['loose: node/apparmor', 'other: node/apparmor', /node\/apparmor: there is no profile "other" in it/],
        ['"/etc/shadow:r"', '"/etc/shadow"', /"\/etc\/shadow" is not PATH:LETTER/],
        ['forbiddenCalls: [mount, ptrace]', '', /nothing asks what the files hold/],
      ] as const) {
        const folder = folderOf({
          'sallyport.yaml': CONTENT.replace(from, to),
          'a.yaml': pod('web', 'web.json', localhost('web')),
          ...files,
        });
        const { code, err } = run(folder, ['scan', '.']);
        assert.equal(code, 3, err);
        assert.match(err, message);
      }
    });

    it('become policies that say the same', () => {
      const folder = folderOf({ 'sallyport.yaml': CONTENT, ...files });
      const { out, err } = run(folder, ['pod-security', 'export']);
      assert.match(err, /the policy says the same of all/);
      assert.match(out, /in \[\\?"Localhost\/web\\?"\]/);
    });
  });
});
