import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { podsOf } from '#decide/pod-security/pods.ts';
import { worldOf } from '#test/worlds.ts';
import {
  confinementOf,
  contextOf,
  dominates,
  holdsEverything,
  isTakenByContainerd,
  parseRange,
  type Range,
  type Runtime,
} from './selinux.ts';
import { changePolicyProblem, fileConflict, labellingOf } from './selinux-volumes.ts';

function contexts(spec: Record<string, unknown>, runtime?: Runtime): Record<string, unknown>[] {
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec };
  const world = worldOf(JSON.stringify(object));
  return podsOf(world, world.declared[0]!.object).pods.flatMap(({ containers }) =>
    containers.map(container => {
      const { lost, unlabelled, ...parts } = contextOf(container, runtime);
      return {
        ...Object.fromEntries(
          Object.entries(parts).map(([key, part]) => [key, `${part.value} ${part.from}`]),
        ),
        ...(lost.length > 0 ? { lost } : {}),
        ...(unlabelled === undefined ? {} : { unlabelled }),
      };
    }),
  );
}

function range(text: string): Range {
  const parsed = parseRange(text);
  assert.equal(typeof parsed, 'object', `${text}: ${String(parsed)}`);
  return parsed as Range;
}

describe('the SELinux context of a container', () => {
  const level = { securityContext: { seLinuxOptions: { level: 's0:c1,c2' } } };
  const typed = { name: 'a', securityContext: { seLinuxOptions: { type: 'spc_t' } } };

  it('is the one of the pod unless it has options of its own', () => {
    assert.deepEqual(contexts({ ...level, containers: [{ name: 'a' }] }), [{ level: 's0:c1,c2 pod' }]);
    assert.deepEqual(
      contexts({ ...level, containers: [{ name: 'a', securityContext: { seLinuxOptions: { type: '' } } }] }),
      [{ level: 's0:c1,c2 pod' }],
    );
  });

  it('loses the level of the pod on containerd, and keeps it on CRI-O', () => {
    assert.deepEqual(contexts({ ...level, containers: [typed] }), [
      { type: 'spc_t container', lost: ['level'] },
    ]);
    assert.deepEqual(contexts({ ...level, containers: [typed] }, 'cri-o'), [
      { type: 'spc_t container', level: 's0:c1,c2 pod' },
    ]);
  });

  it('is none where the container is privileged, and on CRI-O with processes of the node', () => {
    const privileged = { name: 'a', securityContext: { privileged: true } };
    assert.deepEqual(contexts({ containers: [privileged] }), [{ unlabelled: 'privileged' }]);
    assert.deepEqual(contexts({ hostPID: true, containers: [{ name: 'a' }] }), [{}]);
    assert.deepEqual(contexts({ hostPID: true, containers: [{ name: 'a' }] }, 'cri-o'), [
      { unlabelled: 'hostPID' },
    ]);
    assert.deepEqual(contexts({ hostIPC: true, containers: [{ name: 'a' }] }, 'cri-o'), [
      { unlabelled: 'hostIPC' },
    ]);
  });
});

describe('SELinux levels', () => {
  it('are read with lists, runs and ranges', () => {
    assert.deepEqual(range('s0'), {
      low: { sensitivity: 0, categories: 0n },
      high: { sensitivity: 0, categories: 0n },
    });
    assert.equal(range('s0:c0,c2').high.categories, 0b101n);
    assert.equal(range('s0:c1.c3').high.categories, 0b1110n);
    assert.equal(range('s0-s15:c0.c1023').high.sensitivity, 15);
    assert.equal(holdsEverything(range('s0-s0:c0.c1023')), true);
    assert.equal(holdsEverything(range('s0:c0.c1022')), false);
  });

  it('are refused with a reason', () => {
    for (const [text, reason] of [
      ['', /sensitivity/],
      ['SystemLow', /sensitivity/],
      ['s16', /sensitivity/],
      ['s0:', /category/],
      ['s0:c1024', /category/],
      ['s0:c1.c2.c3', /category/],
      ['s0:c5.c1', /backwards/],
      ['s0:c1-s0:c2', /does not hold/],
      ['s0-s0-s0', /two levels/],
      ['s0:c1 ', /category/],
      [`s0:${'c1,'.repeat(5000)}c1`, /too long/],
    ] as const)
      assert.match(String(parseRange(text)), reason, text);
  });

  it('hold others by sensitivity and by every category', () => {
    const holds = (one: string, other: string): boolean => dominates(range(one).high, range(other).high);
    assert.equal(holds('s0:c1,c2', 's0:c1,c2'), true);
    assert.equal(holds('s0:c1,c2', 's0'), true);
    assert.equal(holds('s0', 's0:c1'), false);
    assert.equal(holds('s0:c1,c3', 's0:c1,c2'), false);
    assert.equal(holds('s0:c0.c1023', 's1:c1'), false);
  });

  it('are taken by containerd in fewer forms than by the kernel', () => {
    for (const level of ['s0', 's0:c1,c2', 's0-s0:c0.c1023', 's0-s0'])
      assert.equal(isTakenByContainerd(level), true, level);
    for (const level of ['s10', 's0:c1-s0:c1,c2', 's0:c1 ', 'SystemLow'])
      assert.equal(isTakenByContainerd(level), false, level);
  });
});

describe('SELinux types', () => {
  it('are told apart by what their domains may do', () => {
    for (const [type, is] of [
      ['container_t', 'container'],
      ['spc_t', 'unconfined'],
      ['docker_t', 'unconfined'],
      ['unconfined_service_t', 'unconfined'],
      ['super_t', 'unconfined'],
      ['container_logwriter_t', 'wider'],
      ['web.process', 'profile'],
      ['my_app_t', 'unknown'],
      ['constructor', 'unknown'],
    ] as const)
      assert.equal(confinementOf(type).is, is, type);
  });
});

describe('volumes', () => {
  it('get their label by mount or file by file, as the version, the driver and the pod say', () => {
    const base = { hasLabel: true, driver: true, accessModes: ['ReadWriteMany'] };
    for (const [what, is] of [
      [{ ...base, minor: 37 }, 'mount'],
      [{ ...base, minor: 37, changePolicy: 'Recursive' }, 'recursive'],
      [{ ...base, minor: 37, driver: false }, 'recursive'],
      [{ ...base, minor: 37, hasLabel: false }, 'recursive'],
      [{ minor: 37, hasLabel: true }, 'unknown'],
      [{ ...base, minor: 36 }, 'recursive'],
      [{ ...base, minor: 36, accessModes: ['ReadWriteOncePod'] }, 'mount'],
      [{ ...base, minor: 36, accessModes: ['ReadWriteOncePod'], changePolicy: 'Recursive' }, 'recursive'],
      [{ ...base, minor: 32, accessModes: ['ReadWriteOncePod'], changePolicy: 'Recursive' }, 'mount'],
      [{ ...base, minor: 27, accessModes: ['ReadWriteOncePod'] }, 'recursive'],
      [{ minor: 36, hasLabel: true, driver: true }, 'unknown'],
    ] as const)
      assert.equal(labellingOf(what), is, JSON.stringify(what));
  });

  it('have a policy that versions take or not', () => {
    assert.match(String(changePolicyProblem('mount', 37)), /refuses "mount"/);
    assert.match(String(changePolicyProblem('Recursive', 32)), /no effect/);
    assert.match(String(changePolicyProblem('MountOption', 36)), /refused before/);
    assert.equal(changePolicyProblem('Recursive', 33), undefined);
    assert.equal(changePolicyProblem('MountOption', 37), undefined);
  });

  it('cannot be shared with other levels or users', () => {
    const of = (options: Record<string, string>) => ({
      lost: [],
      ...Object.fromEntries(
        Object.entries(options).map(([key, value]) => [key, { value, from: 'pod' as const, path: [] }]),
      ),
    });
    const one = of({ level: 's0:c1,c2' });
    assert.equal(fileConflict(one, of({ level: 's0:c3' })), 'stated');
    assert.equal(fileConflict(one, of({ level: 's0:c2,c1', type: 'spc_t' })), undefined);
    assert.equal(fileConflict(one, of({})), 'random');
    assert.equal(fileConflict(of({}), of({})), undefined);
    assert.equal(fileConflict(of({ user: 'a' }), of({ user: 'b' })), 'stated');
    assert.equal(fileConflict(one, { lost: [], unlabelled: 'privileged' }), undefined);
  });
});
