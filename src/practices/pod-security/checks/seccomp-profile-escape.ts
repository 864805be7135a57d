/** Seccomp profiles that open what the default of the runtime keeps closed, and escapes are made of. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre } from '#check/frameworks.ts';
import { fail, pass, unknown } from '#check/verdict.ts';
import { lintSeccomp } from '#decide/pod-security/profiles/lint.ts';
import { readSeccomp } from '#decide/pod-security/profiles/read-seccomp.ts';
import { runtimeDefault } from '#decide/pod-security/profiles/runtime-default.ts';
import { nameOf } from '#kube/objects.ts';
import { DEFAULT_CAPABILITIES } from '../capabilities.ts';
import { namesOf, seccompUsers } from '../linux-profiles.ts';

const KIND = 'security-profiles-operator.x-k8s.io/SeccompProfile';
const DANGEROUS = new Set(['dangerous-syscall', 'dangerous-argument']);

export default defineCheck({
  practice: 'pod-security',
  name: 'seccomp-profile-escape',
  title: 'Seccomp profile opens more than RuntimeDefault',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.6.2'), mitre('T1611')],
  why: 'A profile of its own is there to close more than the default does; these calls are what escapes from containers begin with.',
  remediation:
    'Take the calls out of the profile, or make one from records with sallyport pod-security profile derive.',

  subject: 'object',
  kinds: [KIND],
  looksAt: ['everything'],
  evaluate({ object }, { world }) {
    const others = world.ofKind(KIND).map(declared => declared.object);
    const { profile } = readSeccomp(object, nameOf(object), () => undefined, others);
    // A default action that allows is said by profile-not-enforced.
    if (profile.defaultAction === 'SCMP_ACT_ALLOW' || profile.defaultAction === 'SCMP_ACT_LOG') return pass;
    const users = world.fact(seccompUsers);
    const used = namesOf(object).flatMap(name => [...(users.get(name) ?? [])]);
    const capabilities = new Set(used.length > 0 ? used : DEFAULT_CAPABILITIES.map(name => `CAP_${name}`));
    const standard = runtimeDefault('RuntimeDefault@containerd')!;
    const found = lintSeccomp(profile, standard, { architecture: 'x86_64', capabilities }).filter(
      ({ kind, severity }) => DANGEROUS.has(kind) && severity !== 'low',
    );
    if (found.length > 0) return fail(found, ['spec', 'syscalls']);
    return profile.missingBase === undefined
      ? pass
      : unknown(`what the base profile "${profile.missingBase}" allows is not known: it is not in the input`);
  },
  severityOf: found => (found.some(({ severity }) => severity === 'high') ? 'high' : 'medium'),
  message: found => {
    const texts = found.map(({ message }) => message);
    return texts.length > 3
      ? `${texts.slice(0, 3).join('; ')}; and ${texts.length - 3} more`
      : texts.join('; ');
  },

  examples: {
    bad: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SeccompProfile
      metadata: { name: web }
      spec:
        defaultAction: SCMP_ACT_ERRNO
        syscalls: [{ names: [read, write, execve, exit_group, bpf], action: SCMP_ACT_ALLOW }]
      `,
      `
      # A capability of the pod decides what is of use: RuntimeDefault opens mount with it, and userfaultfd never.
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SeccompProfile
      metadata: { name: disk }
      spec:
        defaultAction: SCMP_ACT_ERRNO
        syscalls: [{ names: [read, write, execve, mount, userfaultfd], action: SCMP_ACT_ALLOW }]
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: disk }
      spec:
        securityContext: { seccompProfile: { type: Localhost, localhostProfile: operator/disk.json } }
        containers: [{ name: disk, image: "disk:1.4.2", securityContext: { capabilities: { add: [SYS_ADMIN] } } }]
      `,
    ],
    good: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SeccompProfile
      metadata: { name: web }
      spec:
        defaultAction: SCMP_ACT_ERRNO
        syscalls: [{ names: [read, write, execve, exit_group, openat, mount], action: SCMP_ACT_ALLOW }]
      `,
    ],
  },
});
