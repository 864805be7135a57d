/**
 * The good and bad resources of Kyverno's policies on meshes: each bad one has a finding, and no good one has. The
 * resources of a policy are beside it (`.chainsaw-test`, or `.kyverno-test`); of a policy whose resources the suite does
 * not have, the test says so and skips.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { Check } from '#check/check.ts';
import { asSelected, scan } from '#judge/scan.ts';
import { checks } from '#practices/index.ts';
import { withShared } from '#test/shared.ts';
import { worldOf } from '#test/worlds.ts';
import { readDocuments } from '#yaml/read.ts';

interface StandIn {
  readonly check: string;
  readonly bad: readonly string[];
  readonly good: readonly string[];
  /** Read with them: what they refer to. */
  readonly beside?: readonly string[];
}

const POLICIES: Readonly<Record<string, StandIn>> = {
  'istio/enforce-strict-mtls': {
    check: 'mtls-not-strict',
    bad: ['pa-bad.yaml'],
    good: ['pa-good.yaml'],
  },
  'istio/enforce-tls-hosts-host-subnets': {
    check: 'client-tls-off',
    bad: ['dr-bad.yaml'],
    good: ['dr-good.yaml'],
  },
  'istio/enforce-sidecar-injection-namespace': {
    check: 'namespace-outside-the-mesh',
    bad: ['ns-bad-disabled.yaml', 'ns-bad-nolabel.yaml', 'ns-bad-somelabel.yaml'],
    good: ['ns-good.yaml'],
  },
  'istio/enforce-ambient-mode-namespace': {
    check: 'namespace-outside-the-mesh',
    bad: ['ns-bad-disabled.yaml', 'ns-bad-nolabel.yaml', 'ns-bad-somelabel.yaml'],
    good: ['ns-good.yaml'],
  },
  'istio/prevent-disabling-injection-pods': {
    check: 'outside-the-mesh',
    bad: ['pod-bad.yaml', 'podcontroller-bad.yaml'],
    good: ['pod-good.yaml', 'podcontroller-good.yaml'],
  },
  'istio/restrict-virtual-service-wildcard': {
    check: 'route-for-every-host',
    bad: ['bad-vs.yaml'],
    good: ['good-vs.yaml'],
  },
  'linkerd/prevent-linkerd-port-skipping': {
    check: 'skipped-ports',
    bad: ['bad-pod.yaml', 'bad-podcontrollers.yaml'],
    good: ['good-pod.yaml', 'good-podcontrollers.yaml'],
  },
  'linkerd/prevent-linkerd-pod-injection-override': {
    check: 'outside-the-mesh',
    bad: ['bad-pod.yaml', 'bad-podcontrollers.yaml'],
    good: ['good-pod.yaml', 'good-podcontrollers.yaml'],
  },
  'linkerd/require-linkerd-mesh-injection': {
    check: 'namespace-outside-the-mesh',
    bad: ['bad-ns.yaml'],
    good: ['good-ns.yaml'],
  },
  'linkerd/check-linkerd-authorizationpolicy': {
    check: 'authorization-without-server',
    bad: ['bad-authz.yaml'],
    good: ['good-authz.yaml'],
    beside: ['server.yaml', 'http-route.yaml'],
  },
};

/** Policies on what is exposed, by rule; Kyverno's own tests name the objects. */
const RULES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'other/ingress-host-match-tls': { 'host-match-tls': 'ingress-without-tls' },
  'other/require-ingress-https': { 'has-tls': 'ingress-without-tls' },
  'other/restrict-loadbalancer': { 'no-LoadBalancer': 'load-balancer-for-everybody' },
};

interface KyvernoTest {
  readonly resources: readonly string[];
  readonly results: readonly {
    readonly rule: string;
    readonly kind: string;
    readonly resources: readonly string[];
    readonly result: 'pass' | 'fail' | 'skip';
  }[];
}

/** Policies of the two folders that no check of the mesh stands for. */
const NOT_COVERED: Readonly<Record<string, string>> = {
  'istio/add-ambient-mode-namespace': 'it changes objects',
  'istio/add-sidecar-injection-namespace': 'it changes objects',
  'istio/create-authorizationpolicy': 'it makes objects',
  'istio/require-authorizationpolicy': 'open-to-the-mesh asks of each workload, not of each namespace',
  'istio/service-mesh-disallow-capabilities': 'the checks of Pod Security say so of every pod',
  'istio/service-mesh-require-run-as-nonroot': 'the checks of Pod Security say so of every pod',
  'linkerd/add-linkerd-mesh-injection': 'it changes objects',
  'linkerd/add-linkerd-policy-annotation':
    'it changes objects; linkerd-open-by-default says where it is missing',
  'linkerd/require-linkerd-server':
    'a port is open without a Server only where the default policy lets in: linkerd-open-by-default asks that, of meshed pods',
};

withShared('conformance/kyverno', path => {
  for (const [policy, { check: name, bad, good, beside = [] }] of Object.entries(POLICIES)) {
    const folder = join(path, policy, '.chainsaw-test');
    const missing = [...bad, ...good, ...beside].filter(file => !existsSync(join(folder, file)));
    const reason = `the suite has no ${policy}/.chainsaw-test/${missing.join(', ')}`;
    it(`${policy} as mesh/${name}`, missing.length > 0 ? { skip: reason } : {}, () => {
      const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
      const check = checks.find(one => one.practice === 'mesh' && one.name === name) as Check;
      const namesIn = (files: readonly string[]): string[] =>
        worldOf(files.map(read).join('\n---\n')).declared.map(
          ({ object }) => `${object.kind} ${object.metadata?.name}`,
        );
      const world = worldOf([...bad, ...good, ...beside].map(read).join('\n---\n'));
      const { findings, unknowns } = scan(world, [asSelected(check)]);
      assert.deepEqual(unknowns, []);
      const said = new Set(findings.map(({ object }) => `${object.kind} ${object.name}`));
      const wanted = namesIn(bad);
      assert.ok(wanted.length > 0 && namesIn(good).length > 0);
      assert.deepEqual([...said].sort(), [...new Set(wanted)].sort());
    });
  }

  for (const [policy, rules] of Object.entries(RULES)) {
    const folder = join(path, policy, '.kyverno-test');
    const isThere = existsSync(join(folder, 'kyverno-test.yaml'));
    for (const [rule, name] of Object.entries(rules))
      it(`${policy} as mesh/${name}`, isThere ? {} : { skip: `the suite has no ${policy}` }, () => {
        const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
        const [document] = readDocuments(read('kyverno-test.yaml'));
        assert.ok(document?.is === 'value');
        const { resources, results } = document.value as KyvernoTest;
        const check = checks.find(one => one.practice === 'mesh' && one.name === name) as Check;
        const { findings } = scan(worldOf(resources.map(read).join('\n---\n')), [asSelected(check)]);
        const said = new Set(findings.map(({ object }) => `${object.kind} ${object.name}`));
        const asked = results.filter(one => one.rule === rule);
        assert.ok(asked.some(({ result }) => result === 'fail'));
        for (const { kind, resources: objects, result } of asked)
          for (const object of objects) {
            const id = `${kind} ${object.slice(object.indexOf('/') + 1)}`;
            assert.equal(said.has(id), result === 'fail', id);
          }
      });
  }

  it('says of every other policy why no check stands for it', t => {
    const all = ['istio', 'linkerd'].flatMap(theme =>
      existsSync(join(path, theme)) ? readdirSync(join(path, theme)).map(name => `${theme}/${name}`) : [],
    );
    for (const policy of all.filter(one => POLICIES[one] === undefined)) {
      t.diagnostic(`not covered: ${policy}: ${NOT_COVERED[policy]}`);
      assert.ok(NOT_COVERED[policy] !== undefined, policy);
    }
  });
});
