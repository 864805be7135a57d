/** Pods without any Linux security module asked for. */
import { defineCheck } from '#check/check.ts';
import { cis, nsa } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { APPARMOR_ANNOTATION } from '#kube/pods.ts';
import { isAsked } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'no-linux-profile',
  title: 'No seccomp, AppArmor or SELinux profile stated',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.6.2'), nsa('hardening container environments')],
  why: 'What confines the container then depends on each node: a runtime default where it is configured, nothing where it is not; the manifest cannot tell.',
  remediation:
    'State seccompProfile RuntimeDefault at least; appArmorProfile or seLinuxOptions where the nodes have them.',

  subject: 'container',
  looksAt: [],
  evaluate({ container: { securityContext: own }, pod: { spec, metadata, partial } }, context) {
    if (isAsked(context, 'seccomp-missing'))
      return notApplicable('seccomp-missing asks for the one that every node has');
    if (partial) return notApplicable('a controller makes the rest of the pod');
    if (spec.os?.name === 'windows') return notApplicable('there are none on Windows');
    const of = spec.securityContext;
    const stated = [
      own?.seccompProfile,
      own?.appArmorProfile,
      own?.seLinuxOptions,
      of?.seccompProfile,
      of?.appArmorProfile,
      of?.seLinuxOptions,
    ];
    if (stated.some(profile => profile !== undefined)) return pass;
    if (Object.keys(metadata.annotations ?? {}).some(key => key.startsWith(APPARMOR_ANNOTATION))) return pass;
    return fail({}, ['securityContext']);
  },
  message: () => 'no seccomp, AppArmor or SELinux profile is stated; the default of the node is not known',

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seccompProfile: { type: RuntimeDefault } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
