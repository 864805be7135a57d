/** Profiles of AppArmor that give the node away. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { lintAppArmor } from '#decide/pod-security/profiles/lint-apparmor.ts';
import { readAppArmorObject } from '#decide/pod-security/profiles/read-apparmor-object.ts';
import { valueAt } from '#kube/objects.ts';

const POLICY = ['spec', 'policy'];
/** Said by profile-not-enforced. */
const OTHERS = new Set(['complain-mode', 'unconfined']);

export default defineCheck({
  practice: 'pod-security',
  name: 'apparmor-profile-escape',
  title: 'AppArmor profile has a way out',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1611')],
  why: 'A program that runs without a profile, a mount of anything, or a file by which the kernel is told what to run ends the confinement.',
  remediation:
    'Let programs run by ix or by a profile of their own (px), and name what may be mounted and written.',

  subject: 'object',
  kinds: ['security-profiles-operator.x-k8s.io/AppArmorProfile'],
  evaluate({ object }) {
    const isText = typeof valueAt(object, POLICY) === 'string';
    const found = readAppArmorObject(object, () => undefined)
      .profiles.flatMap(lintAppArmor)
      .filter(({ severity, kind }) => severity === 'high' && !OTHERS.has(kind))
      .map(({ message, line }) => (isText ? `line ${line} of it ${message}` : `it ${message}`));
    return found.length === 0 ? pass : fail(found, isText ? POLICY : ['spec', 'abstract']);
  },
  message: found =>
    found.length > 3 ? `${found.slice(0, 3).join('; ')}; and ${found.length - 3} more` : found.join('; '),

  examples: {
    bad: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1alpha1
      kind: AppArmorProfile
      metadata: { name: web, namespace: shop }
      spec:
        policy: |
          profile web {
            /etc/web/** r,
            mount,
          }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: AppArmorProfile
      metadata: { name: web }
      spec:
        abstract:
          filesystem: { readWritePaths: [/var/lib/web/**, /run/containerd/containerd.sock] }
      `,
    ],
    good: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1alpha1
      kind: AppArmorProfile
      metadata: { name: web, namespace: shop }
      spec:
        policy: |
          profile web {
            /etc/web/** r,
            /usr/bin/web ix,
          }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: AppArmorProfile
      metadata: { name: web }
      spec:
        abstract:
          executable: { allowedExecutables: [/usr/bin/web] }
          filesystem: { readOnlyPaths: [/etc/web/**], readWritePaths: ['/proc/**'] }
          capability: { allowedCapabilities: [net_bind_service] }
      `,
    ],
  },
});
