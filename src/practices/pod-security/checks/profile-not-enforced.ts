/** Profiles that are written, and enforce nothing. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { readAppArmor } from '#decide/pod-security/profiles/apparmor.ts';
import { complainPathOf } from '#decide/pod-security/profiles/read-apparmor-object.ts';
import { readSelinux } from '#decide/pod-security/profiles/read-selinux.ts';
import { valueAt } from '#kube/objects.ts';

const OPEN = new Set(['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG']);
const FLAGS = new Set(['complain', 'unconfined', 'default_allow']);
const ACTION = ['spec', 'defaultAction'];
const MODE = ['spec', 'mode'];
const POLICY = ['spec', 'policy'];

export default defineCheck({
  practice: 'pod-security',
  name: 'profile-not-enforced',
  title: 'Linux profile enforces nothing',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.6.2'), mitre('T1562.001')],
  why: 'The pods that use it look confined, and every call or file that it does not name is open to them.',
  remediation:
    'Record in a cluster for tests; in others let the default action be SCMP_ACT_ERRNO, and take complain and permissive mode away.',

  subject: 'object',
  kinds: [
    'security-profiles-operator.x-k8s.io/SeccompProfile',
    'security-profiles-operator.x-k8s.io/AppArmorProfile',
    'security-profiles-operator.x-k8s.io/SelinuxProfile',
    'security-profiles-operator.x-k8s.io/RawSelinuxProfile',
  ],
  evaluate({ object }) {
    if (object.kind === 'SeccompProfile') {
      const action = valueAt(object, ACTION);
      return typeof action === 'string' && OPEN.has(action)
        ? fail(`defaultAction is ${action}`, ACTION)
        : pass;
    }
    if (object.kind === 'SelinuxProfile') {
      if (valueAt(object, ['spec', 'permissive']) === true)
        return fail('permissive is true', ['spec', 'permissive']);
      return valueAt(object, MODE) === 'Permissive' ? fail('mode is Permissive', MODE) : pass;
    }
    if (object.kind === 'RawSelinuxProfile')
      return readSelinux(object, () => undefined).policy.permissive
        ? fail('the policy makes the process permissive', POLICY)
        : pass;
    const complain = complainPathOf(object);
    if (complain !== undefined)
      return fail(`${complain.at(-1)} is ${String(valueAt(object, complain))}`, complain);
    const policy = valueAt(object, POLICY);
    if (typeof policy !== 'string') return pass;
    for (const { name, flags } of readAppArmor(policy).profiles) {
      const flag = flags.find(word => FLAGS.has(word));
      if (flag !== undefined) return fail(`profile "${name}" has the flag ${flag}`, POLICY);
    }
    return pass;
  },
  message: what => what,

  examples: {
    bad: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1beta1
      kind: SeccompProfile
      metadata: { name: web, namespace: shop }
      spec: { defaultAction: SCMP_ACT_LOG }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1alpha1
      kind: AppArmorProfile
      metadata: { name: web, namespace: shop }
      spec:
        policy: |
          profile web flags=(complain) {
            /etc/web/** r,
          }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: AppArmorProfile
      metadata: { name: web }
      spec:
        mode: Complain
        abstract: { filesystem: { readOnlyPaths: [/etc/web/**] } }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SelinuxProfile
      metadata: { name: web }
      spec:
        mode: Permissive
        allow: { var_log_t: { file: [read, open] } }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: RawSelinuxProfile
      metadata: { name: web }
      spec:
        policy: |
          (blockinherit container)
          (typepermissive process)
      `,
    ],
    good: [
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1beta1
      kind: SeccompProfile
      metadata: { name: web, namespace: shop }
      spec: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read, write], action: SCMP_ACT_ALLOW }] }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1alpha1
      kind: AppArmorProfile
      metadata: { name: web, namespace: shop }
      spec:
        policy: |
          profile web flags=(attach_disconnected) {
            /etc/web/** r,
          }
      `,
      `
      apiVersion: security-profiles-operator.x-k8s.io/v1
      kind: SelinuxProfile
      metadata: { name: web }
      spec:
        mode: Enforcing
        allow: { var_log_t: { file: [read, open] } }
      `,
    ],
  },
});
