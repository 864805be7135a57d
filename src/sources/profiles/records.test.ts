import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readAppArmor } from '#decide/pod-security/profiles/apparmor.ts';
import {
  deriveAppArmor,
  deriveSeccomp,
  deriveSelinux,
  margin,
  replay,
  replayAppArmor,
  replaySelinux,
  toOci,
} from '#decide/pod-security/profiles/derive.ts';
import { readSeccomp } from '#decide/pod-security/profiles/read-seccomp.ts';
import { readSelinux } from '#decide/pod-security/profiles/read-selinux.ts';
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

  it('are understood as tools and people leave them', () => {
    const ugly = `strace: Process 12 attached
[pid    12] 10:00:00.123456 openat(AT_FDCWD, "/etc/(passwd", O_RDONLY) = 3
1700000000.123456 close(3) = 0
     0.000123 lseek(3, 0, SEEK_SET) = 0
[00007f8c5a1c2a3b] dup(3) = 4
[   0] dup2(3, 4) = 4
12 10:00:00 <... read resumed>"x", 1) = 1
 > /usr/lib/libc.so.6(__read+0x12) [0x10]
[ Process PID=12 runs in 32 bit mode. ]
pread64(3 <unfinished ...>
syscall_0x1b4(0x1, 0x2) = -1 ENOSYS (Function not implemented)
2026-07-01T10:00:00Z stderr F I0701 10:00:00.1 1 enricher.go:445] "audit" logger="log-enricher" type="seccomp" syscallName="setuid" syscallID=105
{"version":"spo/v1_alpha","syscalls":["getuid","getgid"],"pid":1}
Jul  1 10:00:00 node kernel: audit: type=1326 audit(1.1:2): auid=1 pid=9 comm="x" sig=0 arch=c000003e syscall=41 compat=0
type=SYSCALL msg=audit(1.1:3): arch=x86_64 syscall=connect success=yes
type=SECCOMP msg=audit(1.1:4): arch=c000003e syscall=1073741824 compat=1
`;
    const { record: seen, gaps } = readRecords([record('ugly', ugly)]);
    assert.deepEqual(gaps, []);
    assert.deepEqual([...seen.syscalls.keys()].sort(), [
      'close',
      'close_range',
      'connect',
      'dup',
      'dup2',
      'getgid',
      'getuid',
      'lseek',
      'openat',
      'pread64',
      'read',
      'setuid',
      'socket',
    ]);
  });

  it('are understood call by call, whatever stands in their arguments', () => {
    const trace = `[pid 7] write(1, "close(3) = 0\\n <unfinished ...> )", 30 <unfinished ...>
[pid 8] futex(0x7f, FUTEX_WAIT, 0, NULL <unfinished ...>
[pid 7] <... write resumed>) = 30
[pid 9] <... epoll_wait resumed>[], 8, -1) = 0
--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8, si_uid=0, si_status=0} ---
[pid 7] rt_sigreturn({mask=[]}) = 0
[pid 7] restart_syscall(<... resuming interrupted nanosleep ...>) = 0
[pid 8] +++ killed by SIGKILL (core dumped) +++
[pid 7] exit_group(0) = ?
+++ exited with 0 +++
`;
    const { record: seen, gaps } = readRecords([record('trace', trace)]);
    assert.deepEqual(gaps, []);
    assert.deepEqual([...seen.syscalls.keys()].sort(), [
      'epoll_wait',
      'exit_group',
      'futex',
      'restart_syscall',
      'rt_sigreturn',
      'write',
    ]);
  });

  it('are tables too, with errors and without', () => {
    const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000600          20        30         4 openat
 40.00    0.000400          40        10           read
  0.00    0.000000           0         1           execve
------ ----------- ----------- --------- --------- ----------------
100.00    0.001000          24        41         4 total
`;
    const { record: seen, gaps } = readRecords([record('table', table)]);
    assert.deepEqual(gaps, []);
    assert.deepEqual(Object.fromEntries(seen.syscalls), { openat: 30, read: 10, execve: 1 });
  });

  it('are lines of the kernel behind whatever wrote them down, for every machine', () => {
    const lines = `2026-11-25T10:00:00+01:00 node kernel: audit: type=1326 audit(1.1:2): auid=1 pid=9 sig=0 arch=c00000b7 syscall=56 compat=0 ip=0x1 code=0x7ffc0000
[   12.345678] audit: type=1326 audit(1.1:2): pid=9 arch=c000003e syscall=257 compat=0
{"_TRANSPORT":"kernel","MESSAGE":"audit: type=1326 audit(1.1:3): pid=9 arch=c00000b7 syscall=64 compat=0"}
<5>1 2026-11-25T10:00:00Z node kernel - - - audit: type=1326 audit(1.1:4): arch=c000003e syscall=0 compat=0
node=worker-1 type=SECCOMP msg=audit(1.1:5): arch=aarch64 syscall=close
type=1326 audit(1.1:6): arch=c00000b7 syscall=9999
type=1326 audit(1.1:7): arch=deadbeef syscall=1
`;
    const { record: seen, gaps } = readRecords([record('journal', lines)]);
    assert.deepEqual([...seen.syscalls.keys()].sort(), ['close', 'openat', 'read', 'write']);
    assert.equal(seen.syscalls.get('openat'), 2);
    assert.deepEqual(
      gaps.map(({ line, reason }) => `${line} ${reason}`),
      ['6 aarch64 has no system call 9999', '7 architecture deadbeef is not known'],
    );
  });

  it('keep namespaces out of clone unless they show them', () => {
    const flags = (more: string) => `clone(child_stack=NULL, flags=${more}SIGCHLD) = 9\nexecve("/x") = 0\n`;
    const without = readRecords([record('c1', flags(''))]).record;
    const masked = deriveSeccomp(without, 'x', machine);
    assert.equal(masked.isMasked, true);
    assert.deepEqual(replay(masked.profile, without, machine), []);
    const call = { name: 'clone', args: new Map([[0, 0x1000_0000n]]) };
    assert.equal(decide(masked.profile, call, machine).action, 'SCMP_ACT_ERRNO');
    // Written out and read back it decides the same.
    const back = readSeccomp(JSON.parse(JSON.stringify(toOci(masked.profile))), 'x', () => undefined);
    assert.equal(decide(back.profile, call, machine).action, 'SCMP_ACT_ERRNO');
    assert.deepEqual(replay(back.profile, without, machine), []);
    const third = readRecords([record('c3', 'clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 9\n')]).record;
    const replaced = deriveSeccomp(third, 'x', machine);
    assert.equal(replaced.isReplaced, true);
    assert.deepEqual(replay(replaced.profile, third, machine), []);
    assert.equal(decide(replaced.profile, { name: 'clone3', args: new Map() }, machine).errno, 38);
    assert.equal(decide(replaced.profile, call, machine).action, 'SCMP_ACT_ERRNO');
    const withThem = readRecords([record('c2', flags('CLONE_NEWUSER|'))]).record;
    const open = deriveSeccomp(withThem, 'x', machine);
    assert.equal(open.isMasked, false);
    assert.deepEqual(replay(open.profile, withThem, machine), []);
    assert.deepEqual(replay(masked.profile, withThem, machine), ['clone']);
  });

  it('keep kinds of sockets out unless they show them', () => {
    const usual = readRecords([record('k1', 'socket(AF_INET, SOCK_STREAM, 0) = 3\n')]).record;
    const { profile, isUsual } = deriveSeccomp(usual, 'x', machine);
    assert.equal(isUsual, true);
    assert.deepEqual(replay(profile, usual, machine), []);
    const alg = { name: 'socket', args: new Map([[0, 38n]]) };
    assert.equal(decide(profile, alg, machine).action, 'SCMP_ACT_ERRNO');
    const odd = readRecords([record('k2', 'socket(AF_ALG, SOCK_SEQPACKET, 0) = 3\n')]).record;
    assert.deepEqual(replay(profile, odd, machine), ['socket']);
    assert.deepEqual(replay(deriveSeccomp(odd, 'x', machine).profile, odd, machine), []);
  });

  it('make a SelinuxProfile of what was denied, and leave out what no rule helps', () => {
    const log = `type=AVC msg=audit(1.1:1): avc:  denied  { read open } for  pid=1 comm="web" name="log" dev="sda1" ino=1 scontext=system_u:system_r:container_t:s0:c1,c2 tcontext=system_u:object_r:var_log_t:s0 tclass=file permissive=1
Jul  1 node kernel: audit: type=1400 audit(1.1:2): avc:  denied  { name_bind } for  pid=1 src=80 scontext=system_u:system_r:web.process:s0:c1,c2 tcontext=system_u:object_r:http_port_t:s0 tclass=tcp_socket permissive=0
type=AVC msg=audit(1.1:3): avc:  denied  { ptrace } for pid=1 scontext=system_u:system_r:container_t:s0:c1,c2 tcontext=system_u:system_r:container_t:s0:c1,c2 tclass=process
{"type":"selinux","perm":"append","scontext":"system_u:system_r:container_t:s0:c1,c2","tclass":"file","tcontext":"system_u:object_r:var_log_t:s0"}
type=AVC msg=audit(1.1:4): avc:  denied  { read } for pid=1 scontext=system_u:system_r:sshd_t:s0 tcontext=system_u:object_r:shadow_t:s0 tclass=file
type=AVC msg=audit(1.1:5): avc:  denied  { read } for pid=1 scontext=system_u:system_r:container_t:s0:c1,c2 tcontext=system_u:object_r:container_file_t:s0:c3,c4 tclass=file
type=AVC msg=audit(1.1:6): avc:  denied  { read } for pid=1 scontext=system_u
type=PROCTITLE msg=audit(1.1:1): proctitle=6B
`;
    const { record: seen, gaps, left } = readRecords([record('avc', log)]);
    assert.deepEqual(
      gaps.map(({ line }) => line),
      [7],
    );
    assert.equal(left.length, 2);
    const { policy, problems } = readSelinux(deriveSelinux(seen, 'web'), () => undefined);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      policy.rules.map(({ type, class: name, permissions }) => `${type} ${name} ${permissions.join(' ')}`),
      ['@self process ptrace', 'http_port_t tcp_socket name_bind', 'var_log_t file append open read'],
    );
    assert.deepEqual(replaySelinux(policy, seen), []);
    assert.deepEqual(replaySelinux({ ...policy, rules: policy.rules.slice(1) }, seen), [
      '@self process ptrace',
    ]);
  });

  it('hold more of AppArmor than files', () => {
    const log = `type=AVC msg=audit(1.1:1): apparmor="DENIED" operation="ptrace" class="ptrace" profile="web" pid=1 comm="x" requested_mask="trace" denied_mask="trace" peer="docker-default"
audit: type=1400 audit(1.1:2): apparmor="DENIED" operation="signal" profile="web" pid=1 requested_mask="send" denied_mask="send" signal=term peer="web"
audit: apparmor="ALLOWED" operation="mount" info="failed flags match" error=-13 profile="web" name="/mnt/" pid=1 comm="mount" fstype="tmpfs" srcname="tmpfs"
audit: apparmor="ALLOWED" operation="umount" profile="web" name="/mnt/" pid=1
audit: apparmor="ALLOWED" operation="pivotroot" profile="web" name="/" pid=1
audit: apparmor="AUDIT" operation="userns_create" class="namespace" profile="web" requested="userns_create"
audit: apparmor="ALLOWED" operation="open" info="Failed name lookup - disconnected path" error=-13 profile="web" name="run/x" requested_mask="wr" denied_mask="wr"
audit: apparmor="ALLOWED" operation="exec" profile="web" name="/bin/sh" requested_mask="x" denied_mask="x" target="web//null-/bin/sh"
audit: apparmor="ALLOWED" operation="ptrace" profile="web" requested_mask="trace" peer="a b"
`;
    const { record: seen, gaps } = readRecords([record('aa2', log)]);
    assert.deepEqual(
      gaps.map(({ line }) => line),
      [9],
    );
    const text = deriveAppArmor(seen, 'x');
    assert.deepEqual(replayAppArmor(text, seen), []);
    for (const line of [
      'mount fstype=tmpfs tmpfs -> /mnt/,',
      'pivot_root,',
      'ptrace (trace) peer=docker-default,',
      'signal (send) set=(term) peer=web,',
      'umount /mnt/,',
      'userns create,',
      '"/bin/sh" ix,',
      '"/run/x" rw,',
    ])
      assert.ok(text.includes(`  ${line}\n`), line);
    // Each line is needed.
    for (const line of text.split('\n').filter(one => /^ {2}(?!include)/.test(one)))
      assert.notDeepEqual(replayAppArmor(text.replace(`${line}\n`, ''), seen), [], line);
  });

  it('hold numbers of processes, which are others the next time', () => {
    const line = (name: string, mask: string) =>
      `apparmor="ALLOWED" operation="open" profile="web" name="${name}" requested_mask="${mask}"\n`;
    const { record: seen } = readRecords([
      record(
        'pids',
        line('/proc/12/stat', 'r') +
          line('/proc/99/stat', 'w') +
          line('/proc/12/task/13/comm', 'r') +
          line('/dev/pts/4', 'rw'),
      ),
    ]);
    const text = deriveAppArmor(seen, 'x');
    assert.match(
      text,
      /"\/dev\/pts\/\[0-9\]\*" rw,\n {2}"\/proc\/@\{pid\}\/stat" rw,\n {2}"\/proc\/@\{pid\}\/task\/@\{tid\}\/comm" r,/,
    );
    assert.deepEqual(replayAppArmor(text, seen), []);
  });

  it('are recorded objects too, which are merged', () => {
    const objects = `apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SeccompProfile
metadata: { name: web-1 }
spec: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read, write], action: SCMP_ACT_ALLOW }, { names: [bpf], action: SCMP_ACT_KILL }] }
---
apiVersion: security-profiles-operator.x-k8s.io/v1
kind: AppArmorProfile
metadata: { name: web-1 }
spec: { abstract: { filesystem: { readOnlyPaths: [/etc/web/**], readWritePaths: [/tmp/x] }, network: { allowedProtocols: { allowTcp: true } } } }
---
apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SelinuxProfile
metadata: { name: web-1 }
spec: { allow: { var_log_t: { file: [read] } } }
`;
    const { record: seen, gaps } = readRecords([
      record('objects', objects),
      record(
        'json',
        '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["openat"],"action":"SCMP_ACT_LOG"}]}',
      ),
      record('s2', strace),
    ]);
    assert.deepEqual(gaps, []);
    assert.deepEqual([...seen.syscalls.keys()].sort(), ['execve', 'openat', 'read', 'write']);
    assert.deepEqual([...seen.accesses], [['var_log_t file', new Set(['read'])]]);
    const text = deriveAppArmor(seen, 'x');
    assert.match(text, / {2}network tcp,\n {2}"\/etc\/web\/\*\*" r,\n {2}"\/tmp\/x" rwlk,\n/);
    assert.deepEqual(replayAppArmor(text, seen), []);
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
