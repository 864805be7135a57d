import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dedent } from '#check/page.ts';
import { readDocuments } from '#yaml/read.ts';
import { readCil } from './cil.ts';
import { lintSelinux } from './lint-selinux.ts';
import { type ReadSelinux, readSelinux } from './read-selinux.ts';
import { decideAccess, policyDifference } from './selinux-policy.ts';

function objects(yaml: string): unknown[] {
  return readDocuments(dedent(yaml)).flatMap(one => (one.is === 'value' ? [one.value] : []));
}

/** The first of some objects, with the others to inherit from. */
function read(yaml: string): ReadSelinux {
  const [first, ...others] = objects(yaml);
  return readSelinux(first, () => undefined, others);
}

function kinds({ policy, problems }: ReadSelinux): string[] {
  return [...problems, ...lintSelinux(policy)].map(({ severity, kind }) => `${severity} ${kind}`).sort();
}

const profile = (spec: string, name = 'web') => `
apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SelinuxProfile
metadata: { name: ${name} }
spec: ${spec}
`;
const raw = (policy: string) =>
  profile(JSON.stringify({ policy })).replace('SelinuxProfile', 'RawSelinuxProfile');

describe('a SelinuxProfile', () => {
  it('is read with what it inherits', () => {
    const { policy, problems } = read(`${profile(`
  inherit: [{ kind: SelinuxProfile, name: base }]
  allow: { var_log_t: { file: [read, open, read] } }`)}
---${profile('{ mode: Permissive, allow: { "@self": { tcp_socket: [listen] } } }', 'base')}`);
    assert.deepEqual(problems, []);
    assert.deepEqual(policy, {
      name: 'web',
      usage: 'web.process',
      permissive: true,
      templates: ['container'],
      missing: [],
      rules: [
        { type: 'var_log_t', class: 'file', permissions: ['read', 'open'] },
        { type: '@self', class: 'tcp_socket', permissions: ['listen'] },
      ],
      attributes: [],
      unread: [],
    });
  });

  it('says what it cannot know, and does not run in circles', () => {
    const gone = read(profile('{ inherit: [{ kind: SelinuxProfile, name: nowhere }] }'));
    assert.deepEqual(kinds(gone), ['medium missing-base']);
    const circle = read(`${profile('{ inherit: [{ kind: SelinuxProfile, name: base }] }')}
---${profile('{ inherit: [{ kind: SelinuxProfile, name: web }] }', 'base')}`);
    assert.deepEqual(kinds(circle), ['high circle']);
  });

  it('is told where words are wrong', () => {
    const wrong = read(
      profile(
        '{ mode: permissive, allow: { var_log_t: { file: [raed, open], filee: [x] }, "a b": {}, x_t: 3 } }',
      ),
    );
    assert.deepEqual(
      wrong.problems.map(({ message }) => message),
      [
        'mode is Enforcing or Permissive',
        'file has no permission "raed": the policy does not load; did you mean read?',
        '"filee" is no object class of the kernel; did you mean file?',
        '"a b" is no type: the operator refuses it',
        'x_t has no mapping of object classes',
      ],
    );
    for (const spec of ['3', '[]', '{ allow: [] }', '{ inherit: [3, { name: 3 }, { kind: X, name: y }] }'])
      assert.notDeepEqual(read(profile(spec)).problems, [], spec);
  });

  it('is judged by what it gives away', () => {
    assert.deepEqual(
      kinds(
        read(
          profile(`
  allow:
    shadow_t: { file: [read, open] }
    etc_t: { file: [read, open], dir: [add_name] }
    var_log_t: { file: [write] }
    spc_t: { process: [transition, ptrace] }
    container_var_run_t: { sock_file: [write] }
    "@self": { capability: [sys_admin, chown], cap_userns: [sys_admin], process: [ptrace, transition] }
    container_file_t: { file: [relabelto], dir: [mounton] }
    fs_t: { filesystem: [mount, getattr] }
    kernel_t: { system: [module_load] }`),
        ),
      ),
      [
        'high capability',
        'high host-type',
        'high host-type',
        'high host-type',
        'high kernel',
        'high mount',
        'high ptrace',
        'high relabel',
        'high unconfined-transition',
        'medium capability',
        'medium refused',
        'medium refused',
        'medium refused',
        'medium refused',
        'medium refused',
      ],
    );
  });
});

describe('a RawSelinuxProfile', () => {
  it('is read as CIL', () => {
    const found = read(
      raw(`(blockinherit container) ; the usual
(optional more (typeattributeset sandbox_net_domain (process)))
(allow process var_log_t ( file ( read open )))
(allow process self (process (not (ptrace))))
(allow other_t shadow_t (file (all)))
(allow process shadow_t (file (and (all) (or (read) (open)))))
(allowx process x_t (ioctl chr_file (0x1)))
(typepermissive process)
`),
    );
    assert.deepEqual(found.policy.templates, ['container']);
    assert.deepEqual(found.policy.attributes, [{ name: 'sandbox_net_domain' }]);
    assert.equal(found.policy.permissive, true);
    const [log, own, shadow, none] = found.policy.rules;
    assert.deepEqual(log, { type: 'var_log_t', class: 'file', permissions: ['read', 'open'] });
    assert.equal(own!.type, '@self');
    assert.equal(own!.permissions.includes('ptrace'), false);
    assert.equal(own!.permissions.includes('fork'), true);
    assert.deepEqual(shadow!.permissions, ['read', 'open']);
    assert.equal(none, undefined);
    assert.deepEqual(kinds(found), [
      'high host-type',
      'high permissive',
      'low not-judged',
      'low refused',
      'low refused',
      'low refused',
    ]);
  });

  it('is told where it is broken, and the rest is judged', () => {
    const { policy, problems } = read(raw('(allow process etc_t (file (write))\n)) x "y\n((('));
    assert.equal(policy.rules.length, 1);
    assert.ok(problems.length >= 4);
    assert.notDeepEqual(read(raw('')).problems, []);
  });
});

describe('CIL', () => {
  it('is read in bounded depth and size', () => {
    assert.match(readCil('('.repeat(100_000)).errors[0]!.message, /too deep/);
    assert.match(readCil('(a)'.repeat(200_000)).errors[0]!.message, /longer/);
    assert.deepEqual(readCil('(a (b "c d") ; e\n (f))').statements, [
      { line: 1, items: ['a', { line: 1, items: ['b', '"c d"'] }, { line: 2, items: ['f'] }] },
    ]);
  });
});

describe('what a profile allows', () => {
  const { policy } = read(
    profile('{ allow: { var_log_t: { file: [read] }, web.process: { process: [signal] } } }'),
  );

  it('is decided by its rules, and unknown beyond them', () => {
    const answer = (type: string, name: string, permission: string) =>
      decideAccess(policy, { type, class: name, permission }).answer;
    assert.equal(answer('var_log_t', 'file', 'read'), 'allowed');
    assert.equal(answer('var_log_t', 'file', 'write'), 'unknown');
    assert.equal(answer('@self', 'process', 'signal'), 'allowed');
    assert.equal(answer('web.process', 'process', 'signal'), 'allowed');
    assert.equal(
      decideAccess({ ...policy, templates: [] }, { type: 'x_t', class: 'file', permission: 'read' }).answer,
      'denied',
    );
    assert.equal(
      decideAccess({ ...policy, permissive: true }, { type: 'x_t', class: 'file', permission: 'read' })
        .answer,
      'allowed',
    );
  });

  it('is compared permission by permission', () => {
    const { policy: other } = read(
      profile(
        '{ mode: Permissive, allow: { var_log_t: { file: [write], dir: [read] }, "@self": { process: [signal] } } }',
      ),
    );
    assert.deepEqual(policyDifference(policy, other), {
      accesses: [
        { type: 'var_log_t', class: 'dir', opened: ['read'], closed: [] },
        { type: 'var_log_t', class: 'file', opened: ['write'], closed: ['read'] },
      ],
      opened: ['permissive'],
      closed: [],
    });
    assert.deepEqual(policyDifference(policy, policy), { accesses: [], opened: [], closed: [] });
  });
});
