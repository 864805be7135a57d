import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runtimeAllows, runtimeAppArmor } from './apparmor-default.ts';

describe("the default profile of containerd's AppArmor", () => {
  it('is read without a word of complaint, in three versions', () => {
    assert.deepEqual(
      runtimeAppArmor().map(({ name, rules }) => [name, rules.filter(({ deny }) => deny).length]),
      [
        ['cri-containerd.apparmor.d', 16],
        ['cri-containerd.apparmor.d', 17],
        ['cri-containerd.apparmor.d', 15],
      ],
    );
  });

  for (const [access, answer] of [
    ['/etc/shadow:r', 'allowed'],
    ['capability:sys_admin', 'allowed'],
    ['/proc/sysrq-trigger:w', 'denied'],
    ['/proc/kcore:r', 'denied'],
    ['/proc/sys/kernel/core_pattern:w', 'denied'],
    ['/proc/sys/net/ipv4/ip_forward:w', 'denied'],
    ['/proc/sys/net/ipv4/ip_forward:r', 'allowed'],
    ['/proc/1/oom_score_adj:w', 'allowed'],
    ['/sys/kernel/security/apparmor/.load:w', 'denied'],
    ['/sys/fs/cgroup/memory/release_agent:w', 'allowed'],
    ['/sys/firmware/efi/efivars/x:r', 'denied'],
    // Versions differ.
    ['/proc/sys/kernel/shmmax:w', 'unknown'],
    ['/sys/devices/virtual/powercap/intel-rapl/x:r', 'unknown'],
  ] as const)
    it(`${access} is ${answer}`, () => assert.equal(runtimeAllows(access), answer));
});
