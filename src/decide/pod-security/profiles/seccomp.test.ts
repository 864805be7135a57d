import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lintSeccomp } from './lint.ts';
import { isSeccompJson, readSeccomp } from './read-seccomp.ts';
import { runtimeDefault } from './runtime-default.ts';
import { decide, type Machine, reach } from './seccomp.ts';

const machine: Machine = { architecture: 'x86_64', capabilities: new Set() };
const admin: Machine = { architecture: 'x86_64', capabilities: new Set(['CAP_SYS_ADMIN']) };

function profileOf(value: object, others: readonly unknown[] = []) {
  return readSeccomp(value, 'test', () => undefined, others);
}

function say(profile: ReturnType<typeof profileOf>['profile'], name: string, ...args: bigint[]): string {
  const { action, errno } = decide(profile, { name, args: new Map(args.entries()) }, machine);
  return `${action.slice(9)}${errno ?? ''}`;
}

const allow = (names: string[], args: object[] = []) => ({ names, action: 'SCMP_ACT_ALLOW', args });

const object = (name: string, spec: object) => ({
  apiVersion: 'security-profiles-operator.x-k8s.io/v1beta1',
  kind: 'SeccompProfile',
  metadata: { name },
  spec: { defaultAction: 'SCMP_ACT_ERRNO', ...spec },
});

describe('a seccomp profile', () => {
  it('asks for all conditions of a rule, and for one where an argument is named twice', () => {
    const eq = (index: number, value: number) => ({ index, value, op: 'SCMP_CMP_EQ' });
    const { profile } = profileOf({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [allow(['socket'], [eq(0, 1), eq(1, 2)]), allow(['personality'], [eq(0, 0), eq(0, 8)])],
    });
    assert.equal(say(profile, 'socket', 1n, 2n), 'ALLOW');
    assert.equal(say(profile, 'socket', 1n, 3n), 'ERRNO1');
    assert.equal(say(profile, 'personality', 8n), 'ALLOW');
    assert.equal(say(profile, 'personality', 9n), 'ERRNO1');
    assert.equal(decide(profile, { name: 'socket', args: new Map([[0, 1n]]) }, machine).certainty, 'depends');
    assert.equal(decide(profile, { name: 'socket', args: new Map([[0, 7n]]) }, machine).certainty, 'sure');
  });

  it('lets a rule without conditions win wherever it stands', () => {
    const { profile } = profileOf({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['read'], action: 'SCMP_ACT_KILL', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
        allow(['read']),
        { names: ['read'], action: 'SCMP_ACT_TRAP' },
      ],
    });
    assert.equal(say(profile, 'read', 1n), 'ALLOW');
  });

  it('compares 64 bits without signs, and masks both sides', () => {
    const { profile } = profileOf({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        allow(['read'], [{ index: 0, value: 2n ** 63n, op: 'SCMP_CMP_GT' }]),
        allow(['clone'], [{ index: 0, value: 0xf0, valueTwo: 0x1f, op: 'SCMP_CMP_MASKED_EQ' }]),
      ],
    });
    assert.equal(say(profile, 'read', 2n ** 64n - 1n), 'ALLOW');
    assert.equal(say(profile, 'read', 1n), 'ERRNO1');
    assert.equal(say(profile, 'clone', 0x17n), 'ALLOW');
    assert.equal(say(profile, 'clone', 0x27n), 'ERRNO1');
  });

  it('says ENOSYS to calls newer than all it names', () => {
    const { profile } = profileOf({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [allow(['read', 'openat'])] });
    assert.equal(say(profile, 'clone3'), 'ERRNO38');
    assert.equal(say(profile, 'mount'), 'ERRNO1');
  });

  it('says what to add where a base profile of the operator is missing', () => {
    const said = (baseProfileName: string) =>
      profileOf(object('child', { baseProfileName, syscalls: [allow(['write'])] })).problems.find(
        ({ kind }) => kind === 'missing-base',
      )!.message;
    assert.match(
      said('runc-v1.4.0'),
      /; add SeccompProfile runc-v1\.4\.0, which examples\/baseprofile-runc\.yaml/,
    );
    assert.match(
      said('oci://ghcr.io/security-profiles/crun:v1.21'),
      /nothing is fetched here: add SeccompProfile crun-v1\.21, .* and name it as the base$/,
    );
    assert.match(
      said('oci://example.com/x@sha256:00'),
      /add what `spoc pull example\.com\/x@sha256:00` fetches/,
    );
    assert.match(said('base'), /what it allows is unknown$/);
  });

  it('takes rules of a base profile, and does not guess where it is missing', () => {
    const child = object('child', { baseProfileName: 'base', syscalls: [allow(['write'])] });
    const whole = profileOf(child, [object('base', { syscalls: [allow(['read'])] })]).profile;
    assert.equal(reach(whole, 'read', machine), 'always');
    assert.equal(reach(whole, 'mount', machine), 'never');
    const half = profileOf(child).profile;
    assert.equal(reach(half, 'write', machine), 'always');
    assert.equal(reach(half, 'read', machine), 'unknown');
    const circle = profileOf(child, [object('base', { baseProfileName: 'base' })]);
    assert.equal(reach(circle.profile, 'read', machine), 'unknown');
  });

  it('says what is wrong and drops no condition silently', () => {
    const { profile, problems } = profileOf({
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_FOO'],
      syscalls: [allow(['wirte']), allow(['mount'], [{ index: 9, value: 0, op: 'SCMP_CMP_EQ' }]), 7],
    });
    assert.deepEqual(problems.map(({ kind }) => kind).sort(), [
      'malformed',
      'malformed',
      'unknown-syscall',
      'wrong-architecture',
    ]);
    assert.equal(reach(profile, 'mount', machine), 'never');
    assert.equal(isSeccompJson({ kind: 'Pod', defaultAction: '' }), false);
  });

  it('is linted', () => {
    const { profile } = profileOf({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        allow(['bpf', 'mount', 'read', 'execve']),
        { names: ['open'], action: 'SCMP_ACT_ERRNO' },
        { names: ['read'], action: 'SCMP_ACT_KILL' },
      ],
    });
    const kinds = (on: Machine) =>
      lintSeccomp(profile, runtimeDefault('RuntimeDefault')!, on).map(({ kind }) => kind);
    assert.deepEqual(kinds(machine), ['dead-rule', 'dead-rule', 'dangerous-syscall']);
    // With the capability, RuntimeDefault allows both itself.
    assert.deepEqual(kinds(admin), ['dead-rule', 'dead-rule']);
  });
});

describe('a seccomp profile is linted for', () => {
  const standard = runtimeDefault('RuntimeDefault')!;
  const kinds = (value: object, on = machine): string[] => {
    const { profile } = profileOf({ defaultAction: 'SCMP_ACT_ERRNO', ...value });
    return lintSeccomp(profile, standard, on).map(({ kind, severity }) => `${severity} ${kind}`);
  };
  const usual = allow(['execve', 'exit_group']);

  it('arguments that RuntimeDefault keeps out', () => {
    assert.deepEqual(kinds({ syscalls: [usual, allow(['clone', 'socket'])] }), [
      'medium dangerous-argument',
      'low dangerous-argument',
      'low dangerous-argument',
    ]);
    const masked = { index: 0, value: 0x7e02_0000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' };
    const inet = { index: 0, value: 2, op: 'SCMP_CMP_EQ' };
    assert.deepEqual(kinds({ syscalls: [usual, allow(['clone'], [masked]), allow(['socket'], [inet])] }), []);
    // With the capability a container may make namespaces by itself.
    assert.deepEqual(kinds({ syscalls: [usual, allow(['clone'])] }, admin), []);
    const s390x = { ...machine, architecture: 's390x' };
    assert.deepEqual(kinds({ syscalls: [usual, allow(['clone'])] }, s390x), ['medium dangerous-argument']);
    assert.deepEqual(kinds({ syscalls: [usual, allow(['clone'], [{ ...masked, index: 1 }])] }, s390x), []);
  });

  it('what the runtime refuses, and what lets nothing start', () => {
    assert.deepEqual(
      kinds({ flags: ['SECCOMP_FILTER_FLAG_LOGG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'], syscalls: [usual] }),
      ['medium unknown-flag', 'low speculation'],
    );
    const notify = { names: ['connect', 'write'], action: 'SCMP_ACT_NOTIFY' };
    assert.deepEqual(kinds({ syscalls: [usual, notify] }), ['medium notify', 'medium notify']);
    assert.deepEqual(
      kinds({ listenerPath: '/run/x.sock', syscalls: [usual, { ...notify, names: ['connect'] }] }),
      [],
    );
    assert.deepEqual(kinds({ defaultAction: 'SCMP_ACT_NOTIFY' }), ['medium notify', 'low cannot-start']);
    assert.deepEqual(kinds({}), ['low cannot-start']);
  });

  it('a default action that allows, with what it leaves out', () => {
    const { profile } = profileOf({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['bpf'], action: 'SCMP_ACT_ERRNO' }],
    });
    const [found] = lintSeccomp(profile, standard, machine);
    assert.match(found!.message, /it leaves out .*add_key/);
    assert.doesNotMatch(found!.message, /bpf/);
  });
});

describe('RuntimeDefault', () => {
  it('differs by runtime, version and capabilities', () => {
    const old = runtimeDefault('RuntimeDefault@docker-20.10')!;
    const now = runtimeDefault('RuntimeDefault@docker')!;
    const containerd = runtimeDefault('RuntimeDefault@containerd-2.1')!;
    assert.equal(reach(old, 'io_uring_setup', machine), 'always');
    assert.equal(reach(now, 'io_uring_setup', machine), 'never');
    for (const profile of [old, now, containerd]) {
      assert.equal(reach(profile, 'mount', machine), 'never');
      assert.equal(reach(profile, 'mount', admin), 'always');
      assert.equal(say(profile, 'clone', 0x1000_0000n), 'ERRNO1');
      assert.equal(say(profile, 'clone', 17n), 'ALLOW');
      assert.equal(say(profile, 'clone3'), 'ERRNO38');
      assert.equal(say(profile, 'personality', 0xffff_ffffn), 'ALLOW');
    }
    // AF_ALG went with containerd 2.3.
    assert.equal(say(containerd, 'socket', 38n), 'ALLOW');
    assert.equal(say(containerd, 'socket', 40n), 'ERRNO1');
    assert.equal(say(runtimeDefault('RuntimeDefault@containerd-2.3.4')!, 'socket', 38n), 'ERRNO1');
    assert.throws(() => runtimeDefault('RuntimeDefault@docker-1.9'), RangeError);
    assert.equal(runtimeDefault('profile.json'), undefined);
  });
});
