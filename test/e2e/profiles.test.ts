import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { folderOf, run } from './program.ts';

const seccomp = JSON.stringify({
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [{ names: ['read', 'bpf'], action: 'SCMP_ACT_ALLOW' }],
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
});
