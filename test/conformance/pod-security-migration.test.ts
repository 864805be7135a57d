/**
 * The way off PodSecurityPolicy, proven on the policies of the conformance suite: around every boundary of each, pods
 * are decided by the policy and by what replaces it. `SALLYPORT_EVERY_POLICY=1` tries them all, which takes minutes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { migrate } from '#advise/pod-security-policy.ts';
import type { KubeObject } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';

/** A type of volume in the wrong case, and a list of profiles that holds an empty name only: each was once got wrong. */
const ODD = [575, 1701];

withShared('conformance/pod-security-policy/psp.json.gz', path => {
  interface Case {
    readonly kind: string;
    readonly policy: { readonly metadata?: object; readonly spec?: object };
    readonly providerError?: string;
  }
  const { cases } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as { cases: Case[] };
  const usable = cases.filter(
    ({ kind, providerError }) => kind === 'provider' && providerError === undefined,
  );
  const every = process.env['SALLYPORT_EVERY_POLICY'] === '1' ? 1 : 50;
  const policies = usable
    .filter((_, i) => i % every === 0 || ODD.includes(i))
    .map(
      ({ policy }): KubeObject => ({
        ...policy,
        apiVersion: 'policy/v1beta1',
        kind: 'PodSecurityPolicy',
        metadata: { name: 'p', ...policy.metadata },
      }),
    );
  // A workload that keeps no level: the labels say nothing, and the expressions must say it all.
  const pods = [{ spec: { hostPID: true, containers: [{ name: 'a', image: 'x' }] } }];

  it(`says of pods around the boundaries of ${policies.length} policies what they say`, () => {
    let [tried, admitted] = [0, 0];
    for (const policy of policies) {
      const migration = migrate({ namespace: 'shop', policies: [policy], pods, pairs: 60 });
      assert.equal(migration.level, 'privileged');
      assert.deepEqual(migration.differences, [], JSON.stringify(policy));
      tried += migration.tried;
      admitted += migration.admitted;
    }
    assert.ok(
      tried > 150 * policies.length && admitted > policies.length,
      `${tried} tried, ${admitted} admitted`,
    );
  });

  for (const together of [1, 2])
    it(`writes into pods what ${together === 1 ? 'each policy writes' : 'the one of two writes that is chosen'}`, () => {
      let [tried, admitted, written] = [0, 0, 0];
      for (let i = 0; i + together <= policies.length; i += 2 * together) {
        const some = policies
          .slice(i, i + together)
          .map((policy, j): KubeObject => ({ ...policy, metadata: { ...policy.metadata, name: `p${j}` } }));
        const migration = migrate({ namespace: 'shop', policies: some, pods, pairs: 40, mutating: 'v1' });
        assert.deepEqual(migration.differences, [], JSON.stringify(some));
        tried += migration.tried;
        admitted += migration.admitted;
        written += migration.mutation.length;
      }
      assert.ok(
        tried > 1000 && admitted > 100 && written > 5,
        `${tried} tried, ${admitted} admitted, ${written}`,
      );
    });

  it('shows a pod for each difference that a label makes', () => {
    let shown = 0;
    for (const policy of policies.slice(0, 12)) {
      // Without workloads every level fits, so the strictest is proposed.
      const { level, differences } = migrate({ namespace: 'shop', policies: [policy], pods: [], pairs: 1 });
      assert.equal(level, 'restricted');
      assert.deepEqual(
        differences.filter(({ kind }) => kind !== 'stricter'),
        [],
      );
      for (const { why, example, pods } of differences) {
        assert.match(why, /^the label refuses what the policies let pass: /);
        assert.ok(pods > 0 && (example as { spec?: object }).spec !== undefined);
        shown++;
      }
    }
    assert.ok(shown > 3);
  });
});
