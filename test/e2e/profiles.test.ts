import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

const seccomp = JSON.stringify({
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [{ names: ['read', 'execve', 'bpf'], action: 'SCMP_ACT_ALLOW' }],
});

describe('pod-security profile', () => {
  it('lints seccomp and AppArmor, and says what it cannot read', () => {
    const folder = folderOf({
      'a.json': seccomp,
      web: 'profile web flags=(complain) {\n  mount,\n}\n',
      odd: 'x: 1\n',
    });
    const { code, out, err } = run(folder, [
      'pod-security',
      'profile',
      'lint',
      'a.json',
      'web',
      'odd',
      'gone',
    ]);
    assert.equal(code, 1);
    assert.match(out, /a\.json: 1 problem\n {2}high {3}line 1 dangerous-syscall: allows bpf/);
    assert.match(out, /^web: 2 problems/m);
    assert.match(err, /odd: there is no profile in it\n.*gone: it is not there/);
  });

  it('compares with a runtime, and explains one call', () => {
    const folder = folderOf({ 'a.json': seccomp });
    const diff = run(folder, [
      'pod-security',
      'profile',
      'diff',
      'RuntimeDefault@containerd-2.1',
      'a.json',
      '-o',
      'json',
    ]);
    assert.equal(diff.code, 1);
    const { differences } = JSON.parse(diff.out) as { differences: { syscall: string; danger?: string }[] };
    assert.deepEqual(
      differences.filter(({ danger }) => danger !== undefined).map(({ syscall }) => syscall),
      ['bpf'],
    );
    const words = ['pod-security', 'profile', 'explain', 'RuntimeDefault@docker', '--syscall', 'clone'];
    assert.match(run(folder, [...words, '--arg', '0=0x10000000']).out, /SCMP_ACT_ERRNO \(errno 1\)/);
    assert.match(run(folder, [...words, '--arg', '0=17']).out, /SCMP_ACT_ALLOW/);
    assert.equal(run(folder, words).code, 2);
    assert.match(run(folder, [...words, '--arg', '9=1']).err, /"9=1" is not INDEX=VALUE/);
  });

  it('derives a profile that its own lint has nothing against', () => {
    const folder = folderOf({ log: 'openat(3, "x") = 4\nsocket(1) = 3\n' });
    const { code, out, err } = run(folder, ['pod-security', 'profile', 'derive', 'log']);
    assert.equal(code, 0);
    assert.match(err, /2 lines read: 2 calls seen, 2 of them allowed in replay/);
    const again = folderOf({ 'web.json': out });
    assert.equal(
      run(again, ['pod-security', 'profile', 'lint', 'web.json']).out,
      'web.json: nothing to say\n',
    );
  });

  const selinux = (allow: string, name = 'web') => `apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SelinuxProfile
metadata: { name: ${name} }
spec:
  allow:
    ${allow}
`;

  it('lints, explains and compares profiles of SELinux', () => {
    const folder = folderOf({
      'a.yaml': selinux('var_log_t: { file: [raed] }'),
      'b.yaml': selinux('etc_t: { file: [write] }'),
      'c.json': seccomp,
    });
    const profile = (...words: string[]) => run(folder, ['pod-security', 'profile', ...words]);
    const lint = profile('lint', 'a.yaml', 'b.yaml');
    assert.equal(lint.code, 1);
    assert.match(lint.out, /medium line 6 unknown-permission: file has no permission "raed"/);
    assert.match(lint.out, /high {3}line 6 host-type: changes etc_t/);
    const explain = profile(
      'explain',
      'b.yaml',
      '--access',
      'etc_t:file:write',
      '--access',
      '@self:process:ptrace',
    );
    assert.equal(explain.code, 2);
    assert.match(
      explain.out,
      /etc_t file write: allowed, a rule of the profile\n {2}b\.yaml:6\n@self process ptrace: unknown/,
    );
    assert.match(profile('explain', 'b.yaml').out, /seLinuxOptions\.type web\.process/);
    assert.match(profile('explain', 'b.yaml', '--access', 'x').err, /is not TYPE:CLASS:PERMISSION/);
    assert.match(profile('explain', 'b.yaml', '--access', 'x:file:wirte').err, /did you mean write\?/);
    assert.match(
      profile('explain', 'c.json', '--access', 'x:file:write').err,
      /asks a profile of SELinux or AppArmor/,
    );
    const diff = profile('diff', 'a.yaml', 'b.yaml');
    assert.equal(diff.code, 1);
    assert.match(diff.out, / {2}\+ etc_t file: write\n {2}- var_log_t file: raed\n/);
    assert.equal(profile('diff', 'a.yaml', 'a.yaml').code, 0);
    assert.match(profile('diff', 'a.yaml', 'c.json').err, /both are of the same kind/);
  });

  it('derives a SelinuxProfile, and says what to ask where there is nothing of the kind', () => {
    const folder = folderOf({
      log: 'type=AVC msg=audit(1.1:1): avc:  denied  { read } for  pid=1 scontext=system_u:system_r:container_t:s0:c1 tcontext=system_u:object_r:var_log_t:s0 tclass=file\n',
    });
    const derive = (...words: string[]) =>
      run(folder, ['pod-security', 'profile', 'derive', 'log', ...words]);
    const { code, out, err } = derive('--for', 'selinux', '--name', 'web');
    assert.equal(code, 0);
    assert.match(out, /kind: SelinuxProfile\nmetadata:\n {2}name: web\n/);
    assert.match(err, /1 permission seen, 1 of them allowed in replay/);
    assert.match(derive().err, /it holds records of SELinux: --for selinux/);
    assert.match(derive('--for', 'selinux', '--format', 'oci').err, /--format is for profiles of seccomp/);
    const { out: lint, code: clean } = run(folderOf({ 'web.yaml': out }), [
      'pod-security',
      'profile',
      'lint',
      'web.yaml',
    ]);
    assert.equal(clean, 0, lint);
  });

  it('explains and compares profiles of AppArmor', () => {
    const folder = folderOf({
      a: 'profile web {\n  /etc/** r,\n  deny /etc/shadow r,\n  capability chown,\n}\n',
      b: 'profile web flags=(complain) {\n  include <abstractions/base>\n  /etc/** rw,\n}\n',
    });
    const profile = (...words: string[]) => run(folder, ['pod-security', 'profile', ...words]);
    const { code, out } = profile(
      'explain',
      'a',
      ...['/etc/shadow:r', '/etc/passwd:r', '/etc/passwd:w', 'capability:CAP_CHOWN'].flatMap(one => [
        '--access',
        one,
      ]),
    );
    assert.equal(code, 0);
    assert.deepEqual(out.match(/: (?:allowed|denied|unknown),/g), [
      ': denied,',
      ': allowed,',
      ': denied,',
      ': allowed,',
    ]);
    assert.match(out, /a:3: deny \/etc\/shadow r/);
    assert.match(profile('explain', 'b').out, /includes, not at hand: abstractions\/base/);
    assert.match(profile('explain', 'a', '--access', 'etc').err, /is not PATH:LETTER/);
    const diff = profile('diff', 'a', 'b');
    assert.equal(diff.code, 1);
    assert.match(
      diff.out,
      /\+ flag complain\n {2}\+ include abstractions\/base\n {2}\+ \/etc\/\*\* rw\n {2}- \/etc/,
    );
    assert.equal(profile('diff', 'a', 'a').code, 0);
  });

  it('follows the includes of AppArmor in the folder of the profile, and not out of it', () => {
    const folder = folderOf({
      'in/web': 'profile web {\n  include <local/web>\n  include <../secret>\n}\n',
      'in/local/web': 'mount,\n',
      secret: '/bin/x ux,\n',
    });
    const { out } = run(folder, ['pod-security', 'profile', 'lint', 'in/web']);
    assert.match(out, /high {3}line 2 mount/);
    assert.match(out, /low {4}line 3 missing-include/);
    assert.doesNotMatch(out, /unconfined-exec/);
  });
});

describe('pod-security show', () => {
  it('shows what a container has and gives, in three forms', () => {
    const folder = folderOf({
      'a.yaml': `apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop }
spec:
  containers:
  - name: web
    image: web:1
    securityContext: { seLinuxOptions: { type: "spc_t" } }
    volumeMounts: [{ name: s, mountPath: "/<s>" }]
  volumes: [{ name: s, secret: { secretName: db } }]
`,
    });
    const show = (...words: string[]) => run(folder, ['pod-security', 'show', 'a.yaml', ...words]);
    assert.match(show().out, /seLinuxOptions\.type +spc_t +container, line 8\n {4}gives whatever SELinux/);
    assert.match(show().out, /mount \/<s> +secret db +container, line 9\n/);
    const [one] = JSON.parse(show('-o', 'json').out) as [{ values: { field: string; line?: number }[] }];
    assert.equal(one.values.find(({ field }) => field === 'mount /<s>')!.line, 9);
    const html = show('-o', 'html').out;
    assert.match(html, /mount \/&lt;s&gt;/);
    assert.doesNotMatch(html, /<s>/);
  });
});
