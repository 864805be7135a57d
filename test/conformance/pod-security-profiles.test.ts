/**
 * Profiles of a team's own against the real deciders: one without fields is its level, and one that says what a
 * PodSecurityPolicy says lets through what that policy admits and leaves as it is.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  type CustomProfile,
  evaluateProfile,
  ProfileError,
  readProfiles,
} from '#decide/pod-security/custom/custom.ts';
import { withDefaults } from '#decide/pod-security/defaults.ts';
import { applyPolicy, evaluate, InvalidPodError } from '#decide/pod-security/door.ts';
import { receive } from '#decide/pod-security/policy/received.ts';
import { decodePod } from '#kube/decode.ts';
import { isRecord } from '#kube/objects.ts';
import { withShared } from '#test/shared.ts';

type Pod = { readonly metadata?: object; readonly spec: object };

const profileOf = (more: object): CustomProfile =>
  readProfiles([{ name: 'p', reason: 'a test', ...more }], () => true)[0]!;

withShared('conformance/pod-security-random/pss-random.json.gz', path => {
  const { cases } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as {
    cases: { readonly level: 'baseline' | 'restricted'; readonly version: string; readonly pod: Pod }[];
  };

  it('a profile without fields is its level', () => {
    let judged = 0;
    for (const { level, version, pod } of cases) {
      let decoded: ReturnType<typeof decodePod>;
      try {
        decoded = withDefaults(decodePod(pod));
      } catch (error) {
        if (error instanceof InvalidPodError) continue;
        throw error;
      }
      judged++;
      const { checks } = evaluate(pod, { level, version });
      const { breaches } = evaluateProfile(profileOf({ extends: level, version }), decoded);
      const expected = checks.flatMap(({ detail, reason, violations }) =>
        violations.map(({ path }) => `${path.join('.')}: ${detail || reason}`),
      );
      assert.deepEqual(
        new Set(breaches.map(({ path, detail }) => `${path.join('.')}: ${detail}`)),
        new Set(expected),
      );
    }
    assert.ok(judged > 2500, `${judged}`);
  });
});

withShared('conformance/pod-security-policy/psp.json.gz', path => {
  interface Case {
    readonly kind: string;
    readonly policy: {
      readonly metadata?: { readonly annotations?: object };
      readonly spec?: Record<string, unknown>;
    };
    readonly pod: Pod;
  }
  const { cases } = JSON.parse(gunzipSync(readFileSync(path)).toString()) as { cases: Case[] };

  /** What the policy says, with what it means where it says nothing; profiles of nodes are left out. */
  const asProfile = ({ spec = {} }: Case['policy']): CustomProfile => {
    const { annotations: _, ...given } = spec;
    const lists = [
      'defaultAddCapabilities',
      'requiredDropCapabilities',
      'allowedCapabilities',
      'volumes',
      'hostPorts',
      'allowedUnsafeSysctls',
      'forbiddenSysctls',
    ];
    const flags = ['privileged', 'hostNetwork', 'hostPID', 'hostIPC', 'readOnlyRootFilesystem'];
    const full: Record<string, unknown> = {
      ...Object.fromEntries(lists.map(name => [name, []])),
      ...Object.fromEntries(flags.map(name => [name, false])),
      allowPrivilegeEscalation: true,
      ...Object.fromEntries(
        Object.entries(given).filter(
          ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
        ),
      ),
    };
    full['allowedProcMountTypes'] ??= ['Default'];
    // To a policy the demands of groups without a range are no demands at all; the form asks for ranges.
    return profileOf({ extends: 'privileged', version: 'v1.24', spec: full });
  };

  it('a profile that says what a policy says lets through what the policy admits unchanged', () => {
    let [judged, kept] = [0, 0];
    for (const { kind, policy, pod } of cases) {
      if (kind !== 'provider') continue;
      let profile: CustomProfile;
      try {
        profile = asProfile(policy);
      } catch (error) {
        if (error instanceof ProfileError) continue;
        throw error;
      }
      const { os } = pod.spec as { readonly os?: { readonly name?: string } };
      if (os?.name === 'windows') continue;
      const any = { 'seccomp.security.alpha.kubernetes.io/allowedProfileNames': '*' };
      const open = { ...policy, metadata: { ...policy.metadata, annotations: any } };
      const result = applyPolicy(open, pod);
      if (result.providerError !== undefined) continue;
      const received = receive(pod);
      const before = applyPolicy({ metadata: { annotations: any }, spec: OPEN }, pod);
      const { annotations: _, ...after } = result.mutated!;
      const { annotations: __, ...same } = before.mutated!;
      const expected = result.admitted && JSON.stringify(after) === JSON.stringify(same);
      const { breaches } = evaluateProfile(profile, received);
      // The names of 1.24 for what is safe are those of the standards of 1.24, and `*` among capabilities shuts nothing.
      if (isRecord(policy.spec) && hasStar(policy.spec)) continue;
      judged++;
      if (expected) kept++;
      assert.equal(
        breaches.length === 0,
        expected,
        JSON.stringify({ policy: policy.spec, pod, breaches, errors: result.errors }, undefined, 1),
      );
    }
    assert.ok(judged > 300 && kept > 30, `${judged} judged, ${kept} kept`);
  });

  /** The decider skips drops as well where `*` may be added; a profile asks each field for itself. */
  function hasStar(spec: Record<string, unknown>): boolean {
    const { allowedCapabilities, requiredDropCapabilities } = spec;
    return (
      Array.isArray(allowedCapabilities) &&
      allowedCapabilities.includes('*') &&
      Array.isArray(requiredDropCapabilities) &&
      requiredDropCapabilities.length > 0
    );
  }
});

/** Lets everything pass, and writes nothing. */
const ANY = { rule: 'RunAsAny' };
const OPEN = {
  privileged: true,
  allowPrivilegeEscalation: true,
  allowedCapabilities: ['*'],
  volumes: ['*'],
  hostNetwork: true,
  hostPID: true,
  hostIPC: true,
  hostPorts: [{ min: 0, max: 65535 }],
  seLinux: ANY,
  runAsUser: ANY,
  supplementalGroups: ANY,
  fsGroup: ANY,
  allowedProcMountTypes: ['Default', 'Unmasked'],
  allowedUnsafeSysctls: ['*'],
};
