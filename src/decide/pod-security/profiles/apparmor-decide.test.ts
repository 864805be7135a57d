import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAppArmor } from './apparmor.ts';
import { appArmorDifference, decideCapability, decideFile } from './apparmor-decide.ts';

function profile(body: string, flags = '') {
  const { profiles, errors } = readAppArmor(`profile web ${flags}{\n${body}\n}`);
  assert.deepEqual(errors, []);
  return profiles[0]!;
}

describe('a profile of AppArmor decides', () => {
  const file = (one: ReturnType<typeof profile>, path: string, letter: string): string =>
    decideFile(one, { path, letter }).answer;

  it('files by joined rules, of which those that deny win', () => {
    const one = profile('/srv/** r,\n/srv/x w,\ndeny /srv/secret rw,\n/bin/sh ix,');
    assert.equal(file(one, '/srv/x', 'r'), 'allowed');
    assert.equal(file(one, '/srv/x', 'w'), 'allowed');
    assert.equal(file(one, '/srv/x', 'a'), 'allowed');
    assert.equal(file(one, '/srv/y', 'w'), 'denied');
    assert.equal(file(one, '/srv/secret', 'r'), 'denied');
    assert.equal(file(one, '/bin/sh', 'x'), 'allowed');
    assert.equal(file(profile('file,\ndeny /x w,'), '/x', 'w'), 'denied');
    assert.equal(file(profile('file,\ndeny /x w,'), '/x', 'r'), 'allowed');
    assert.equal(file(profile('all,'), '/x', 'w'), 'allowed');
  });

  it('nothing that an include which is not at hand may allow', () => {
    assert.equal(file(profile('include <abstractions/base>'), '/x', 'r'), 'unknown');
    assert.equal(file(profile('include <abstractions/base>\ndeny /x r,'), '/x', 'r'), 'denied');
  });

  it('by its flags where no rule does', () => {
    assert.equal(file(profile('deny /x r,', 'flags=(complain) '), '/y', 'r'), 'allowed');
    assert.equal(file(profile('deny /x r,', 'flags=(complain) '), '/x', 'r'), 'denied');
    assert.equal(file(profile('deny /x r,', 'flags=(unconfined) '), '/x', 'r'), 'allowed');
    assert.equal(file(profile('', 'flags=(default_allow) '), '/x', 'r'), 'allowed');
  });

  it('capabilities', () => {
    const one = profile('capability chown kill,\ndeny capability kill,');
    assert.equal(decideCapability(one, 'chown').answer, 'allowed');
    assert.equal(decideCapability(one, 'kill').answer, 'denied');
    assert.equal(decideCapability(one, 'sys_admin').answer, 'denied');
    assert.equal(decideCapability(profile('capability,'), 'sys_admin').answer, 'allowed');
  });

  it('is compared rule by rule', () => {
    const { added, removed } = appArmorDifference(
      profile('/a  r,\nnetwork inet,'),
      profile('/a r,\ndeny network raw,'),
    );
    assert.deepEqual([added, removed], [['deny network raw'], ['network inet']]);
  });
});
