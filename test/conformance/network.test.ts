/** Connections in random worlds of policies, against what real implementations decided. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createNetwork, type Network, type Query } from '#decide/network/door.ts';
import type { KubeObject } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';

interface Verdict {
  readonly ingress: boolean;
  readonly egress: boolean;
  readonly allowed: boolean;
}

interface Case extends Query, Verdict {
  /** Where the answer differs if an ipBlock never matches a pod. */
  readonly ipBlockNever?: Verdict;
}

interface World {
  readonly id: string;
  readonly objects: readonly KubeObject[];
  readonly cases: readonly Case[];
}

const verdict = ({ ingress, egress, allowed }: { [part in keyof Verdict]: boolean | 'unknown' }) => ({
  ingress,
  egress,
  allowed,
});

function wrong(world: World, network: Network, expected: (one: Case) => unknown): unknown[] {
  return world.cases.flatMap(one => {
    const is = verdict(network.connection(one));
    const should = expected(one);
    return JSON.stringify(is) === JSON.stringify(should) ? [] : [{ world: world.id, one, is }];
  });
}

withShared('conformance/network', path => {
  for (const [file, least] of [
    ['netpol.json.gz', 12_000],
    ['netpol-admin.json.gz', 4_800],
  ] as const) {
    const { worlds } = JSON.parse(gunzipSync(readFileSync(join(path, file))).toString()) as {
      worlds: World[];
    };
    it(`decides ${file} where an ipBlock matches pods`, () => {
      assert.ok(worlds.reduce((sum, { cases }) => sum + cases.length, 0) >= least);
      for (const world of worlds) {
        const network = createNetwork(world.objects, { ipBlocksMatchPods: true });
        assert.deepEqual(wrong(world, network, verdict), []);
      }
    });
    it(`decides ${file} where an ipBlock never matches pods`, () => {
      for (const world of worlds) {
        const network = createNetwork(world.objects, { ipBlocksMatchPods: false });
        assert.deepEqual(
          wrong(world, network, one => verdict(one.ipBlockNever ?? one)),
          [],
        );
      }
    });
    it(`has the same answers to ${file} in the whole relation`, () => {
      for (const world of worlds)
        for (const ipBlocksMatchPods of [true, false]) {
          const network = createNetwork(world.objects, { ipBlocksMatchPods });
          const relation = network.connections();
          for (const one of world.cases) {
            const [from, to] = [one.from, one.to].map(side =>
              relation.classOf('pod' in side ? side.pod : 'ip' in side ? side.ip : ''),
            );
            if (JSON.stringify(one.from) === JSON.stringify(one.to)) continue;
            const { allowed, unknown } = relation.between(from!, to!);
            assert.deepEqual([unknown.TCP, unknown.UDP, unknown.SCTP], [[], [], []]);
            const expected = ipBlocksMatchPods ? one : (one.ipBlockNever ?? one);
            assert.equal(
              allowed[one.protocol!].some(
                ([first, last]) => first <= Number(one.port) && Number(one.port) <= last,
              ),
              expected.allowed,
              `${world.id} ${JSON.stringify(one)}`,
            );
          }
        }
    });
    it(`does not know what of ${file} depends on that, and nothing else`, () => {
      for (const world of worlds) {
        const network = createNetwork(world.objects);
        for (const one of world.cases) {
          const { ingress, egress, allowed } = network.connection(one);
          const other = one.ipBlockNever ?? one;
          const answers = [
            [ingress, one.ingress, other.ingress],
            [egress, one.egress, other.egress],
            [allowed, one.allowed, other.allowed],
          ];
          for (const [is, always, never] of answers)
            assert.equal(is, always === never ? always : 'unknown', `${world.id} ${JSON.stringify(one)}`);
        }
      }
    });
  }
});
