/** Linux profiles that a pod names, and that stand nowhere beside those that do. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { nearest } from '#kube/nearest.ts';
import { nameOf } from '#kube/objects.ts';
import type { World } from '#world/world.ts';
import { heldProfiles, PROFILE_KINDS, type ProfileKind, profileUses } from '../linux-profiles.ts';

const RECORDING = 'security-profiles-operator.x-k8s.io/ProfileRecording';

/** A recording makes profiles in the cluster: `RECORDING-CONTAINER`. */
function isRecorded(world: World, name: string): boolean {
  const bare = name.slice(name.lastIndexOf('/') + 1);
  return world.ofKind(RECORDING).some(({ object }) => bare.startsWith(`${nameOf(object)}-`));
}

const WORDS: Readonly<Record<ProfileKind, string>> = {
  seccomp: 'seccomp profile',
  apparmor: 'AppArmor profile',
  selinux: 'SELinux type',
};

export default defineCheck({
  practice: 'pod-security',
  name: 'profile-missing',
  title: 'Linux profile that nobody declares',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'A container whose profile is not on the node does not start; the repair in haste is Unconfined.',
  remediation:
    'Name a profile that the repository holds: operator/NAME.json for a SeccompProfile, NAME for an AppArmorProfile, NAME.process for a SelinuxProfile.',

  subject: 'pod',
  looksAt: [...PROFILE_KINDS, RECORDING],
  evaluate(pod, { world }) {
    const uses = profileUses(pod, world.kubernetesMinor);
    if (uses.length === 0) return pass;
    const held = world.fact(heldProfiles);
    const found = new Map<string, { readonly text: string; readonly path: (typeof uses)[0]['path'] }>();
    for (const { kind, name, path } of uses) {
      const names = held[kind];
      // Where the repository holds no profile of the kind, they come from elsewhere.
      if (names === undefined || names.has(name)) continue;
      // Only the operator writes into its folder; other paths are the node's own.
      if (kind === 'seccomp' && !name.startsWith('operator/')) continue;
      if (isRecorded(world, name)) continue;
      const meant = nearest(name, names);
      found.set(path.join('\0'), {
        text: `no object declares the ${WORDS[kind]} "${name}"${meant === undefined ? '' : `: did you mean "${meant}"?`}`,
        path,
      });
    }
    const all = [...found.values()];
    return all.length === 0 ? pass : fail(all, ...all.map(({ path }) => path));
  },
  message: found => [...new Set(found.map(({ text }) => text))].join('; '),

  examples: {
    bad: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SeccompProfile
      metadata: { name: web }
      spec: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read], action: SCMP_ACT_ALLOW }] }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: web }
      spec:
        securityContext: { seccompProfile: { type: Localhost, localhostProfile: operator/wbe.json } }
        containers: [{ name: web, image: "web:1.4.2" }]
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: AppArmorProfile
      metadata: { name: web }
      spec: { abstract: { filesystem: { readOnlyPaths: [/etc/web/**] } } }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: web }
      spec:
        containers:
        - { name: web, image: "web:1.4.2", securityContext: { appArmorProfile: { type: Localhost, localhostProfile: shop } } }
      `,
    ],
    good: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SeccompProfile
      metadata: { name: web }
      spec: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read], action: SCMP_ACT_ALLOW }] }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: web }
      spec:
        securityContext: { seccompProfile: { type: Localhost, localhostProfile: operator/web.json } }
        containers: [{ name: web, image: "web:1.4.2" }]
      `,
      `
      # The recording makes it.
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: ProfileRecording
      metadata: { name: shop, namespace: shop }
      spec: { kind: SeccompProfile, recorder: Logs, podSelector: { matchLabels: { app: web } } }
      ---
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SeccompProfile
      metadata: { name: other }
      spec: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read], action: SCMP_ACT_ALLOW }] }
      ---
      apiVersion: v1
      kind: Pod
      metadata: { name: web }
      spec:
        securityContext: { seccompProfile: { type: Localhost, localhostProfile: operator/shop-web.json } }
        containers: [{ name: web, image: "web:1.4.2" }]
      `,
      `
      # No profile of the kind is here, so they come from elsewhere.
      apiVersion: v1
      kind: Pod
      metadata: { name: web }
      spec:
        securityContext: { appArmorProfile: { type: Localhost, localhostProfile: web } }
        containers: [{ name: web, image: "web:1.4.2" }]
      `,
    ],
  },
});
