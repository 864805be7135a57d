/** What holds of the standards for every pod there could be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { evaluate } from './evaluate.ts';
import type { Level } from './standards/registry.ts';

const profile = fc.record(
  { type: fc.constantFrom('RuntimeDefault', 'Localhost', 'Unconfined', 'x') },
  { requiredKeys: [] },
);
const selinux = fc.record(
  {
    type: fc.constantFrom('container_t', 'spc_t', 'container_engine_t'),
    user: fc.constantFrom('', 'u'),
    level: fc.constant('s0'),
  },
  { requiredKeys: [] },
);
const securityContext = fc.record(
  {
    privileged: fc.boolean(),
    allowPrivilegeEscalation: fc.boolean(),
    runAsNonRoot: fc.boolean(),
    runAsUser: fc.constantFrom(0, 1, 1000),
    procMount: fc.constantFrom('Default', 'Unmasked'),
    capabilities: fc.record(
      {
        add: fc.array(fc.constantFrom('ALL', 'NET_ADMIN', 'CHOWN', 'NET_BIND_SERVICE')),
        drop: fc.array(fc.constantFrom('ALL', 'all', 'NET_RAW')),
      },
      { requiredKeys: [] },
    ),
    seccompProfile: profile,
    appArmorProfile: profile,
    seLinuxOptions: selinux,
  },
  { requiredKeys: [] },
);
const container = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c"d'),
    image: fc.constant('i'),
    securityContext,
    ports: fc.array(
      fc.record(
        { containerPort: fc.constant(80), hostPort: fc.constantFrom(0, 80) },
        { requiredKeys: ['containerPort'] },
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: ['name'] },
);
const volume = fc.oneof(
  fc.constant({ name: 'v' }),
  fc.constant({ name: 'v', emptyDir: {} }),
  fc.constant({ name: 'v', hostPath: { path: '/' } }),
  fc.constant({ name: 'v', hostPath: { path: '/' }, emptyDir: {} }),
  fc.constant({ name: 'v', nfs: { server: 's', path: '/' } }),
);
const pod = fc.record({
  metadata: fc.record({
    annotations: fc.dictionary(
      fc.constantFrom(
        'container.apparmor.security.beta.kubernetes.io/a',
        'seccomp.security.alpha.kubernetes.io/pod',
      ),
      fc.constantFrom('unconfined', 'runtime/default'),
    ),
  }),
  spec: fc.record(
    {
      containers: fc.array(container, { maxLength: 3 }),
      initContainers: fc.array(container, { maxLength: 2 }),
      ephemeralContainers: fc.array(container, { maxLength: 1 }),
      volumes: fc.array(volume, { maxLength: 2 }),
      hostNetwork: fc.boolean(),
      hostPID: fc.boolean(),
      hostUsers: fc.boolean(),
      os: fc.record({ name: fc.constantFrom('linux', 'windows') }),
      securityContext: fc.record(
        {
          runAsNonRoot: fc.boolean(),
          runAsUser: fc.constantFrom(0, 1),
          seccompProfile: profile,
          appArmorProfile: profile,
          seLinuxOptions: selinux,
          sysctls: fc.array(
            fc.record({
              name: fc.constantFrom('kernel.msgmax', 'net.ipv4.tcp_rmem'),
              value: fc.constant('1'),
            }),
          ),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
});
const version = fc.oneof(
  fc.constant('latest'),
  fc.integer({ min: 0, max: 40 }).map(minor => `v1.${minor}`),
);
const level = fc.constantFrom<Level>('privileged', 'baseline', 'restricted');
const settings = { seed: 20261124, numRuns: 1500 };

describe('for every pod', () => {
  it('unknown fields do not matter', () => {
    fc.assert(
      fc.property(pod, level, version, fc.jsonValue(), (one, at, of, junk) => {
        const dirty = {
          ...one,
          Spec: junk,
          spec: {
            ...one.spec,
            HostPID: true,
            xyz: junk,
            ...(one.spec.containers === undefined
              ? {}
              : { containers: one.spec.containers.map(each => ({ ...each, Privileged: junk })) }),
          },
        };
        assert.deepEqual(
          evaluate(dirty, { level: at, version: of }),
          evaluate(one, { level: at, version: of }),
        );
      }),
      settings,
    );
  });

  it('a container less never makes it worse', () => {
    fc.assert(
      fc.property(pod, level, version, (one, at, of) => {
        if (!evaluate(one, { level: at, version: of }).allowed) return;
        for (const field of ['containers', 'initContainers', 'ephemeralContainers'] as const) {
          const list = one.spec[field] ?? [];
          list.forEach((_, i) => {
            const less = { ...one, spec: { ...one.spec, [field]: list.toSpliced(i, 1) } };
            assert.ok(evaluate(less, { level: at, version: of }).allowed);
          });
        }
      }),
      settings,
    );
  });

  it('privileged allows it', () => {
    fc.assert(
      fc.property(pod, version, (one, of) => {
        assert.deepEqual(evaluate(one, { level: 'privileged', version: of }), {
          allowed: true,
          reason: '',
          detail: '',
          checks: [],
        });
      }),
      settings,
    );
  });

  it('what restricted allows, baseline allows, but where the real controls override each other', () => {
    fc.assert(
      fc.property(pod, version, (one, of) => {
        const windows = one.spec.os?.name === 'windows';
        const twoSources = (one.spec.volumes ?? []).some(each => 'hostPath' in each && 'emptyDir' in each);
        if (windows || twoSources || !evaluate(one, { level: 'restricted', version: of }).allowed) return;
        assert.ok(evaluate(one, { level: 'baseline', version: of }).allowed);
      }),
      settings,
    );
  });

  it('a denial points at a place, and an approval at none', () => {
    fc.assert(
      fc.property(pod, level, version, (one, at, of) => {
        for (const { allowed, violations } of evaluate(one, { level: at, version: of }).checks)
          assert.equal(violations.length === 0, allowed);
      }),
      settings,
    );
  });

  it('the exceptions are real', () => {
    const windows = {
      spec: {
        os: { name: 'windows' },
        securityContext: { runAsNonRoot: true },
        containers: [{ name: 'a', securityContext: { capabilities: { add: ['ALL'] } } }],
      },
    };
    const volumes = {
      spec: {
        securityContext: { runAsNonRoot: true },
        containers: [],
        volumes: [{ name: 'v', hostPath: { path: '/' }, emptyDir: {} }],
      },
    };
    for (const one of [windows, volumes]) {
      assert.ok(evaluate(one, { level: 'restricted', version: 'latest' }).allowed);
      assert.ok(!evaluate(one, { level: 'baseline', version: 'latest' }).allowed);
    }
  });
});
