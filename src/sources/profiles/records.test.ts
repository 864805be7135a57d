import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readAppArmor } from '#decide/pod-security/profiles/apparmor.ts';
import { deriveAppArmor, deriveSeccomp, margin, replay } from '#decide/pod-security/profiles/derive.ts';
import { decide } from '#decide/pod-security/profiles/seccomp.ts';
import { readRecords } from './records.ts';

const folder = mkdtempSync(join(tmpdir(), 'records-'));
after(() => rmSync(folder, { recursive: true }));

function record(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const strace = `execve("/bin/x", ["x"], 0x7ffd /* 9 vars */) = 0
[pid    12] openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3
12 10:00:00.1 read(3,  <unfinished ...>
12 <... read resumed>"root", 4096) = 4
--- SIGCHLD {si_signo=SIGCHLD} ---
+++ exited with 0 +++
`;
const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000120           4        30         2 epoll_wait
 40.00    0.000080           4        20           accept4
------ ----------- ----------- --------- --------- ----------------
100.00    0.000200                    50         2 total
`;
const audit = `type=SECCOMP msg=audit(1700000000.123:4): auid=0 pid=9 comm="x" exe="/x" sig=0 arch=c000003e syscall=41 compat=0 ip=0x7f code=0x7ffc0000
type=SECCOMP msg=audit(1700000000.123:5): arch=c00000b7 syscall=63 code=0x7ffc0000
{"level":"info","syscallName":"listen"}
`;
const apparmor = `type=AVC apparmor="ALLOWED" operation="open" profile="x" name="/etc/a b*" pid=1 requested_mask="r" denied_mask="r"
audit: apparmor="DENIED" operation="mknod" profile="x" name=2F746D702F78 requested_mask="c" denied_mask="c"
apparmor="ALLOWED" operation="capable" profile="x" capability=12 capname="net_admin"
apparmor="ALLOWED" operation="create" profile="x" family="inet" sock_type="stream" protocol=6
apparmor="STATUS" operation="profile_load" name="x"
`;
const machine = { architecture: 'x86_64', capabilities: new Set<string>() };

describe('records of what a container does', () => {
  it('are merged, whatever wrote them', () => {
    const { record: seen, gaps } = readRecords([record('s', strace), record('t', table), record('a', audit)]);
    assert.deepEqual(gaps, []);
    assert.deepEqual(
      [...seen.syscalls].sort(),
      Object.entries({ accept4: 20, epoll_wait: 30, execve: 1, listen: 1, openat: 1, read: 2, socket: 1 }),
    );
  });

  it('make the smallest profile that lets them through', () => {
    const { record: seen } = readRecords([record('s', strace), record('t', table)]);
    const { profile, added } = deriveSeccomp(seen, 'x', machine);
    assert.deepEqual(replay(profile, seen, machine), []);
    assert.deepEqual(new Set(profile.rules[0]!.names), new Set([...seen.syscalls.keys(), ...margin]));
    assert.equal(added.includes('read'), false);
    assert.equal(decide(profile, { name: 'clone3', args: new Map() }, machine).errno, 38);
    const bare = deriveSeccomp(seen, 'x', machine, true).profile;
    assert.deepEqual(bare.rules[0]!.names, ['accept4', 'epoll_wait', 'execve', 'openat', 'read']);
    const rule = bare.rules[0]!;
    for (const name of rule.names) {
      const names = rule.names.filter(one => one !== name);
      assert.deepEqual(replay({ ...bare, rules: [{ ...rule, names }] }, seen, machine), [name]);
    }
  });

  it('make a profile of AppArmor that reads back', () => {
    const { record: seen, gaps } = readRecords([record('aa', apparmor)]);
    assert.deepEqual(gaps, []);
    const text = deriveAppArmor(seen, 'x');
    assert.match(text, /"\/etc\/a b\\\*" r,\n {2}"\/tmp\/x" w,/);
    const { profiles, errors } = readAppArmor(text);
    assert.deepEqual(errors, []);
    assert.deepEqual(
      profiles[0]!.rules.map(({ kind, rest }) => (kind === 'file' ? kind : `${kind} ${rest}`)),
      ['capability net_admin', 'network inet stream', 'file', 'file'],
    );
  });

  it('say what they do not hold', () => {
    const { gaps } = readRecords([
      record(
        'bad',
        `${'x'.repeat(3_000_000)}\nfrobnicate(1) = 0\ntype=SECCOMP arch=c000003e syscall=99999\n`,
      ),
      record('empty', 'hello\n'),
      join(folder, 'nowhere'),
    ]);
    assert.deepEqual(
      gaps.map(({ line }) => line),
      [1, 2, 3, undefined, undefined, undefined],
    );
  });
});
