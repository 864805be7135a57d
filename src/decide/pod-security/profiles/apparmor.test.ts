import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchesGlob, readAppArmor } from './apparmor.ts';
import { lintAppArmor } from './lint-apparmor.ts';

function kinds(text: string): string[] {
  const { profiles, errors } = readAppArmor(text);
  assert.deepEqual(errors, []);
  return profiles.flatMap(profile => lintAppArmor(profile).map(({ kind, line }) => `${line} ${kind}`));
}

describe('a profile of AppArmor', () => {
  it('is read with includes, variables, flags, children and hats', () => {
    const { profiles, errors } = readAppArmor(`#include <tunables/global>
@{DIR} = /srv /opt
profile web flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>
  include if exists <local/web>
  network inet tcp,
  @{DIR}/{a,b}/** r, # a comment, with a comma
  owner "/tmp/with space/*" rw,
  profile child {
    /bin/x ix,
  }
  ^hat { /bin/y r, }
}
`);
    assert.deepEqual(errors, []);
    assert.deepEqual(
      profiles.map(({ name }) => name),
      ['web', 'web//child', 'web//hat'],
    );
    const [web] = profiles;
    assert.deepEqual(web!.includes, ['abstractions/base', 'local/web']);
    assert.deepEqual(web!.flags, ['attach_disconnected', 'mediate_deleted']);
    assert.deepEqual(
      web!.rules.map(({ kind, paths }) => [kind, paths]),
      [
        ['network', undefined],
        ['file', ['/srv/{a,b}/**', '/opt/{a,b}/**']],
        ['file', ['/tmp/with space/*']],
      ],
    );
  });

  it('is judged by what it gives away', () => {
    assert.deepEqual(
      kinds(`profile x flags=(complain) {
  /usr/bin/* ux,
  /bin/sh PUx,
  mount,
  capability sys_admin net_bind_service,
  change_profile -> unconfined,
  /proc/** rw,
  ptrace,
}`),
      [
        '1 complain-mode',
        '2 unconfined-exec',
        '3 unconfined-exec',
        '4 mount',
        '5 capability',
        '6 unconfined-transition',
        '7 host-file',
        '7 host-file',
        '7 host-file',
        '7 host-file',
        '8 ptrace',
      ],
    );
  });

  it('lets what is denied win', () => {
    assert.deepEqual(
      kinds(`profile docker-default flags=(attach_disconnected) {
  network,
  capability,
  file,
  umount,
  deny capability sys_admin sys_module sys_ptrace sys_rawio dac_read_search sys_boot bpf mac_admin mac_override,
  deny @{PROC}/** w,
  deny @{PROC}/kcore rwklx,
  deny /sys/** wklx,
  deny /dev/** rw,
  deny /{var/,}run/** w,
}`),
      ['4 all-files'],
    );
  });

  it('says where it is broken, and judges the rest', () => {
    const { profiles, errors } = readAppArmor('profile a {\n  mount,\n  nonsense here,\n  /x r\n');
    assert.deepEqual(errors.map(({ line }) => line).sort(), [1, 3, 4]);
    assert.equal(lintAppArmor(profiles[0]!)[0]!.kind, 'mount');
  });

  it('matches globs in bounded time', () => {
    assert.equal(matchesGlob('/a/*/c', '/a/b/c'), true);
    assert.equal(matchesGlob('/a/*', '/a/b/c'), false);
    assert.equal(matchesGlob('/a/**', '/a/b/c'), true);
    assert.equal(matchesGlob('/{run,var/run}/[a-c]?', '/var/run/bx'), true);
    assert.equal(matchesGlob(`/${'**a'.repeat(50)}`, `/${'a'.repeat(40)}`), false);
  });
});
