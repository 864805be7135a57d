/** What holds for every check, written once. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { describe, it } from 'node:test';
import { withChanges } from '#check/change.ts';
import { idOf, profiles } from '#check/check.ts';
import { practices } from '#check/practices.ts';
import { scan } from '#judge/scan.ts';
import type { KubeObject } from '#kube/objects.ts';
import { checks } from '#practices/index.ts';
import { exampleOf, said, worldOf } from '#test/worlds.ts';
import { type Declared, World } from '#world/world.ts';

describe('the registry', () => {
  it('agrees with the tree', () => {
    const files = globSync('*/checks/*.ts', { cwd: import.meta.dirname })
      .filter(file => !file.endsWith('.test.ts'))
      .map(file => file.replace('/checks/', '/').replace(/\.ts$/, ''));
    assert.ok(files.length > 0);
    assert.deepEqual(checks.map(idOf), files.sort());
  });

  it('has ids that are unique and say their practice', () => {
    assert.equal(new Set(checks.map(idOf)).size, checks.length);
    for (const check of checks) assert.ok(practices.includes(check.practice), idOf(check));
  });
});

/** Takes down the kinds that are asked for. */
class WatchedWorld extends World {
  readonly asked = new Set<string>();

  constructor({ declared, gaps, kubernetesMinor }: World) {
    super({ declared, gaps, kubernetesMinor });
  }

  override ofKind(key: string): readonly Declared[] {
    this.asked.add(key);
    return super.ofKind(key);
  }

  override find(key: string, namespace: string | undefined, name: string): KubeObject | undefined {
    this.asked.add(key);
    return super.find(key, namespace, name);
  }
}

for (const check of checks)
  describe(idOf(check), () => {
    it('is described in the house style', () => {
      assert.match(check.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      assert.doesNotMatch(check.title, /\.$/);
      for (const text of [check.why, check.remediation]) assert.match(text, /^[^\s].*[.)`]$/s);
      assert.ok(check.profiles.every(profile => profiles.includes(profile)));
      assert.ok(check.examples.bad.length > 0 && check.examples.good.length > 0, 'examples of both kinds');
    });

    it('says what of the world it looks at, and looks at nothing else', () => {
      if (check.evaluate.length < 2) return;
      assert.ok(check.looksAt !== undefined, 'a comparison would have to read everything');
      if (check.looksAt.some(facet => !facet.includes('/'))) return;
      for (const yaml of [...check.examples.bad, ...check.examples.good]) {
        const world = new WatchedWorld(worldOf(yaml, check.examples.kubernetes));
        const known: Set<string> = new Set([...check.looksAt, ...(check.kinds ?? [])]);
        // What is a pod follows from definitions, and is everybody's business.
        known.add('apiextensions.k8s.io/CustomResourceDefinition');
        scan(world, [exampleOf(check)]);
        assert.deepEqual(
          [...world.asked].filter(kind => !known.has(kind)).map(kind => `${idOf(check)} ${kind}`),
          [],
        );
      }
    });

    for (const [i, yaml] of check.examples.bad.entries())
      it(`bad example ${i} fails once, in a place that exists, and its fix mends it`, () => {
        const world = worldOf(yaml, check.examples.kubernetes);
        const { findings, unknowns } = scan(world, [exampleOf(check)]);
        assert.deepEqual(unknowns, []);
        assert.equal(findings.length, 1, said(check, yaml).join('\n'));
        const [finding] = findings;
        assert.ok(finding!.line >= 1 && finding!.column >= 1);
        assert.match(finding!.message, /^\S.*[^.\s]$/s);
        if (finding!.fix === undefined) return;
        const declared = world.declared.map(one => {
          const { kind, metadata } = one.object;
          const hit = kind === finding!.object.kind && (metadata?.name ?? '') === finding!.object.name;
          return hit ? { ...one, object: withChanges(one.object, finding!.fix!.changes) } : one;
        });
        const mended = new World({ declared, kubernetesMinor: world.kubernetesMinor });
        assert.deepEqual(
          scan(mended, [exampleOf(check)]).findings.map(({ message }) => message),
          [],
        );
      });

    for (const [i, yaml] of check.examples.good.entries())
      it(`good example ${i} passes`, () => {
        assert.deepEqual(said(check, yaml), []);
      });
  });
