import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAppArmor } from './apparmor.ts';
import { globOf, matchesGlob } from './apparmor-glob.ts';
import { lintAppArmor } from './lint-apparmor.ts';
import { readAppArmorObject } from './read-apparmor-object.ts';

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

  it('follows includes where they are at hand, in circles only once', () => {
    const texts: Record<string, string> = {
      'local/a': '/srv/** rw,\n@{X} += /opt',
      'local/b': 'include <local/c>',
      'local/c': 'include <local/b>',
      'local/open': 'profile inner { mount, }',
    };
    const { profiles, errors } = readAppArmor(
      `profile x {
  include <local/a>
  include <local/b>
  include <abstractions/base>
  include <abstractions/ssl_keys>
  include if exists <local/none>
  include <local/open>
}`,
      name => texts[name],
    );
    assert.deepEqual(errors, [{ line: 3, message: '"local/b" includes itself' }]);
    const [x, inner] = profiles;
    assert.equal(inner!.name, 'x//inner');
    assert.deepEqual(x!.missing, [{ name: 'abstractions/ssl_keys', line: 5 }]);
    assert.deepEqual(
      x!.rules.map(({ paths, line }) => [paths, line]),
      [[['/srv/**'], 2]],
    );
    assert.equal(
      lintAppArmor(x!).some(({ kind }) => kind === 'missing-include'),
      true,
    );
  });

  it('is told what its parser refuses', () => {
    const { errors } = readAppArmor(`profile x flags=(complian) {
  capability sys_admn,
  @{NOWHERE}/x r,
  /a{b}c r,
  /a[b r,
}`);
    assert.deepEqual(
      errors.map(({ line, message }) => `${line} ${message}`),
      [
        '1 "complian" is no flag: the profile does not load; did you mean complain?',
        '2 "sys_admn" is no capability: the profile does not load; did you mean sys_admin?',
        '3 the variable @{NOWHERE} is not defined: the profile does not load',
        '4 "/a{b}c": a group has one alternative only',
        '5 "/a[b": a class of characters is not closed',
      ],
    );
  });

  it('is judged by the ways its rules are written', () => {
    assert.deepEqual(
      kinds(`profile x {
  mount fstype=proc -> /proc/,
  mount options=(rw, bind) /** -> /**,
  remount,
  remount /data,
  signal (receive) peer=unconfined,
  signal (send) peer=unconfined,
  signal,
  io_uring,
  /bin/a pux,
  /bin/b cUx,
  /bin/c px,
  ^hat flags=(complain) { ptrace (trace) peer=unconfined, }
}`),
      [
        '3 mount',
        '4 mount',
        '7 signal',
        '8 signal',
        '9 io-uring',
        '10 unconfined-exec',
        '11 unconfined-exec',
        '13 complain-mode',
        '13 ptrace',
      ],
    );
  });

  it('is read and judged in bounded time, whatever it holds', () => {
    const hostile = [
      `profile x {\n${'/{a,'.repeat(60_000)}`,
      `profile x {\n${'  /{,a,b}{,a,b}{,a,b}{,a,b}{,a,b}**r* rw,\n'.repeat(5000)}}`,
      `profile x {\n${'  /**a**a**a**a**a**a**a** rw,\n'.repeat(8000)}}`,
      `@{A}=a b c d e f g h\n@{B}=@{A}@{A}@{A}@{A}\nprofile x {\n${'  /@{B}@{B}/x rw,\n'.repeat(9000)}}`,
      `profile x {\n${'@{A} += b\n'.repeat(25_000)}}`,
      `@{A}=@{A}@{A}\nprofile x {\n${'  /@{A} rw,\n'.repeat(9000)}}`,
      '\n'.repeat(250_000),
      `@{A}${'\n'.repeat(250_000)}`,
      `"${' '.repeat(250_000)}`,
      '{ '.repeat(120_000),
      `profile x {\n${'# a comment\n'.repeat(20_000)}}`,
      `profile x {\n${'nonsense,\n'.repeat(20_000)}}`,
    ];
    for (const text of hostile) {
      const start = process.cpuUsage();
      readAppArmor(text).profiles.map(lintAppArmor);
      const { user } = process.cpuUsage(start);
      assert.ok(user < 1_500_000, `${user} µs: ${text.slice(0, 60)}`);
    }
  });
});

describe('an AppArmorProfile object', () => {
  const of = (spec: object) =>
    readAppArmorObject(
      {
        apiVersion: 'security-profiles-operator.x-k8s.io/v1',
        kind: 'AppArmorProfile',
        metadata: { name: 'web' },
        spec,
      },
      path => path.length,
    );
  const found = (spec: object): string[] =>
    of(spec).profiles.flatMap(profile => lintAppArmor(profile).map(({ kind, line }) => `${line} ${kind}`));

  it('becomes the profile that the operator writes', () => {
    const { profiles, errors } = of({
      abstract: {
        executable: { allowedExecutables: ['/bin/web'], allowedLibraries: ['/lib/**.so'] },
        filesystem: {
          readOnlyPaths: ['/etc/web/**'],
          writeOnlyPaths: ['/var/log/x'],
          readWritePaths: ['/tmp/**'],
        },
        network: { allowRaw: false, allowedProtocols: { allowTcp: true } },
        capability: { allowedCapabilities: ['NET_BIND_SERVICE'] },
      },
    });
    assert.deepEqual(errors, []);
    assert.deepEqual(profiles[0]!.flags, ['enforce', 'attach_disconnected', 'mediate_deleted']);
    assert.deepEqual(
      profiles[0]!.rules
        .slice(0, 10)
        .map(
          ({ kind, deny, rest, paths, access }) =>
            `${deny ? 'deny ' : ''}${paths?.join() ?? kind} ${access ?? rest}`,
        ),
      [
        '/bin/web ixr',
        '/lib/**.so mr',
        '/etc/web/** r',
        'deny /etc/web/** wlk',
        '/var/log/x wlk',
        'deny /var/log/x r',
        '/tmp/** rwlk',
        'deny network raw',
        'network tcp',
        'capability net_bind_service',
      ],
    );
  });

  it('denies what the operator always denies, unless it only logs', () => {
    const filesystem = { readWritePaths: ['/**'] };
    assert.deepEqual(found({ abstract: { filesystem } }), ['5 host-file', '5 host-file', '5 host-file']);
    const complain = found({ mode: 'Complain', abstract: { filesystem } });
    assert.equal(complain.filter(one => one.endsWith('host-file')).length, 7);
    assert.ok(complain.includes('1 complain-mode'));
  });

  it('says what the operator refuses, with its place', () => {
    const { errors } = of({
      abstract: {
        filesystem: { readOnlyPaths: ['etc', '/a,\n  capability,', 3, '/a b'], readWritePaths: 'x' },
        capability: { allowedCapabilities: ['sys_admn', 'a b'] },
      },
    });
    assert.deepEqual(
      errors.map(({ line }) => line),
      [5, 5, 5, 4, 5, 5, 5, 5],
    );
  });

  it('is read as text where it holds one', () => {
    const { profiles } = of({ policy: 'profile web {\n  mount,\n}\n' });
    assert.deepEqual(
      profiles.flatMap(lintAppArmor).map(({ line }) => line),
      [4],
    );
  });
});

describe('rules of ptrace and signals', () => {
  for (const [rule, said] of [
    ['ptrace (readby, tracedby) peer=unconfined', []],
    ['ptrace (trace) peer=unconfined', ['2 ptrace']],
    ['ptrace peer=(label=unconfined)', ['2 ptrace']],
    ['ptrace (trace) peer=**', ['2 ptrace']],
    ['ptrace (trace) peer=web', []],
    ['signal (receive) peer=*', []],
    ['signal (send) set=(term) peer="unconfined"', ['2 signal']],
    ['signal (send) peer=*', ['2 signal']],
    ['signal set=(kill)', ['2 signal']],
  ] as const)
    it(rule, () => assert.deepEqual(kinds(`profile web {\n  ${rule},\n}\n`), said));
});

describe('docker-default', () => {
  it('has nothing that is worth a finding', () => {
    const { profiles, errors } = readAppArmor(`#include <tunables/global>
profile docker-default flags=(attach_disconnected,mediate_deleted) {
  #include <abstractions/base>
  network,
  capability,
  file,
  umount,
  signal (receive) peer=unconfined,
  signal (send,receive) peer=docker-default,
  deny @{PROC}/* w,
  deny @{PROC}/{[^1-9/],[^1-9/][^0-9/],[^1-9s/][^0-9y/][^0-9s/],[^1-9/][^0-9/][^0-9/][^0-9/]*}/** w,
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,
  deny mount,
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/kernel/security/** rwklx,
  ptrace (trace,tracedby,read,readby) peer=docker-default,
}`);
    assert.deepEqual(errors, []);
    assert.deepEqual(
      profiles.flatMap(lintAppArmor).map(({ severity }) => severity),
      ['low', 'low', 'low'],
    );
  });
});

describe('a glob of AppArmor', () => {
  const matches = (text: string, path: string): boolean => {
    const glob = globOf(text);
    assert.equal(typeof glob, 'object', String(glob));
    return typeof glob !== 'string' && matchesGlob(glob, path);
  };

  it('matches as its parser says', () => {
    for (const [glob, path, is] of [
      ['/a/*/c', '/a/b/c', true],
      ['/a/*/c', '/a//c', false],
      ['/a/*', '/a/b/c', false],
      ['/a/*', '/a/', false],
      ['/a/*b', '/a/b', true],
      ['/a/**', '/a/b/c', true],
      ['/a/**', '/a/', false],
      ['/a**', '/a', true],
      ['/a///b', '/a/b', true],
      ['/{run,var/run}/[a-c]?', '/var/run/bx', true],
      ['/{run,var/{,lib/}run}/x', '/var/lib/run/x', true],
      ['/{,var/}run/x', '/run/x', true],
      ['/a[^b]c', '/a/c', true],
      ['/a\\*', '/a*', true],
      ['/a\\*', '/ab', false],
      ['/proc/sys/[^k]**', '/proc/sys/kernel', false],
      [`/${'**a'.repeat(50)}`, `/${'a'.repeat(40)}`, false],
    ] as const)
      assert.equal(matches(glob, path), is, `${glob} ${path}`);
  });

  it('is refused as its parser does', () => {
    for (const glob of ['/a{b}', '/a{b,c', '/a}', '/a[b', '/a\\', `/${'{a,'.repeat(60)}`, '/a'.repeat(3000)])
      assert.equal(typeof globOf(glob), 'string', glob.slice(0, 20));
  });
});
