/** Linux profiles that do not load. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { lintSeccomp } from '#decide/pod-security/profiles/lint.ts';
import { readAppArmorObject } from '#decide/pod-security/profiles/read-apparmor-object.ts';
import { readSeccomp } from '#decide/pod-security/profiles/read-seccomp.ts';
import { readSelinux } from '#decide/pod-security/profiles/read-selinux.ts';
import { runtimeDefault } from '#decide/pod-security/profiles/runtime-default.ts';
import { type KubeObject, nameOf } from '#kube/objects.ts';
import { PROFILE_KINDS } from '../linux-profiles.ts';

/** What ends in a profile that does not load, or that lacks what is meant. */
const REFUSED = new Set(
  'malformed circle wrong-architecture unknown-permission unknown-syscall unknown-flag notify'.split(' '),
);

function problemsOf(object: KubeObject, others: readonly KubeObject[]): string[] {
  const none = (): undefined => undefined;
  if (object.kind === 'AppArmorProfile')
    return readAppArmorObject(object, none).errors.map(({ line, message }) =>
      typeof (object['spec'] as { policy?: unknown } | undefined)?.policy === 'string'
        ? `line ${line} of it: ${message}`
        : message,
    );
  if (object.kind !== 'SeccompProfile')
    return readSelinux(object, none, others)
      .problems.filter(({ kind }) => REFUSED.has(kind))
      .map(({ message }) => message);
  const { profile, problems } = readSeccomp(object, nameOf(object), none, others);
  // Flags of the filter and listeners are seen when the whole profile is there.
  const linted = lintSeccomp(profile, runtimeDefault('RuntimeDefault')!, {
    architecture: 'x86_64',
    capabilities: new Set(),
  }).filter(({ kind, message }) => REFUSED.has(kind) && /refuses/.test(message));
  return [...problems.filter(({ kind }) => REFUSED.has(kind)), ...linted].map(({ message }) => message);
}

export default defineCheck({
  practice: 'pod-security',
  name: 'profile-refused',
  title: 'Linux profile that does not load as it is meant',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'Pods that name it do not start, or run without what a misspelt word was to allow or deny; the repair in haste is Unconfined.',
  remediation: 'Correct the words; sallyport pod-security profile lint FILE shows each with its line.',

  subject: 'object',
  kinds: PROFILE_KINDS,
  looksAt: PROFILE_KINDS,
  evaluate({ object }, { world }) {
    const others = PROFILE_KINDS.flatMap(kind => world.ofKind(kind).map(declared => declared.object));
    const found = [...new Set(problemsOf(object, others))];
    return found.length === 0 ? pass : fail(found, ['spec']);
  },
  message: found =>
    found.length > 3 ? `${found.slice(0, 3).join('; ')}; and ${found.length - 3} more` : found.join('; '),

  examples: {
    bad: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SeccompProfile
      metadata: { name: web }
      spec: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read, wirte, execve], action: SCMP_ACT_ALLOW }] }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SelinuxProfile
      metadata: { name: web }
      spec: { allow: { var_log_t: { file: [raed] } } }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1alpha1
      kind: AppArmorProfile
      metadata: { name: web, namespace: shop }
      spec:
        policy: |
          profile web {
            capability net_bind_servce,
          }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SeccompProfile
      metadata: { name: web }
      spec: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [connect], action: SCMP_ACT_NOTIFY }, { names: [execve], action: SCMP_ACT_ALLOW }] }
      `,
    ],
    good: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SeccompProfile
      metadata: { name: web }
      spec: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read, write, execve], action: SCMP_ACT_ALLOW }] }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SelinuxProfile
      metadata: { name: web }
      spec: { allow: { var_log_t: { file: [read] } } }
      `,
    ],
  },
});
