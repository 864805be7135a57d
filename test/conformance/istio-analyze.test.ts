/** The verdicts of istioctl analyze on its own test data, for the codes that checks of ours stand for. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { Check } from '#check/check.ts';
import { asSelected, scan } from '#judge/scan.ts';
import { checks } from '#practices/index.ts';
import { withShared } from '#test/shared.ts';
import { worldOf } from '#test/worlds.ts';

/** The analyzers with a check that says the same, and the codes that it stands for. */
const STANDS_FOR: Readonly<Record<string, { readonly check: string; readonly codes: readonly string[] }>> = {
  'destinationrule.CaCertificateAnalyzer': { check: 'unverified-server', codes: ['IST0128', 'IST0129'] },
  'destinationrule.PodNotSelectedAnalyzer': { check: 'subset-selects-nothing', codes: ['IST0173'] },
  'deployment.ApplicationUIDAnalyzer': { check: 'proxy-user', codes: ['IST0144'] },
  'authz.AuthorizationPoliciesAnalyzer': { check: 'authorization-selects-nothing', codes: ['IST0127'] },
};

/** istioctl takes its input for the whole cluster. Where the pods are not in it we do not know, and say nothing. */
const PODS_NOT_IN_INPUT: ReadonlySet<string> = new Set([
  'AuthorizationPolicy httpbin-empty/httpbin-empty-namespace-wide',
  'DestinationRule default/subsets-not-select-pods',
]);

interface Case {
  readonly case: string;
  readonly analyzer: string;
  readonly inputs: readonly string[];
  readonly expected: readonly { readonly code: string; readonly object: string }[];
}

withShared('conformance/istio-analyze', path => {
  const cases = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8')) as readonly Case[];
  for (const { case: name, analyzer, inputs, expected } of cases) {
    const known = STANDS_FOR[analyzer];
    if (known === undefined) continue;
    it(`${analyzer}: ${name}`, () => {
      const check = checks.find(one => one.name === known.check) as Check;
      const text = inputs.map(file => readFileSync(join(path, file), 'utf8')).join('\n---\n');
      const { findings } = scan(worldOf(text), [asSelected(check)]);
      const said = findings.map(
        ({ object }) =>
          `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`,
      );
      const wanted = expected
        .filter(({ code }) => known.codes.includes(code))
        .map(({ object }) => object)
        .filter(object => !PODS_NOT_IN_INPUT.has(object));
      assert.deepEqual([...new Set(said)].sort(), [...new Set(wanted)].sort());
    });
  }
});
