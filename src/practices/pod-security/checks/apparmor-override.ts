/** AppArmor switched off. */
import { defineCheck } from '#check/check.ts';
import { mitre, pss } from '#check/frameworks.ts';
import { detailOf, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'apparmor-override',
  title: 'AppArmor profile overridden',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), mitre('T1562.001')],
  why: 'Without its AppArmor profile a container may write to places of /proc and /sys, and mount, which the profile of the runtime forbids.',
  remediation: 'Remove the setting (the runtime then applies its profile), or name a Localhost profile.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'appArmorProfile'),
  message: detailOf,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { appArmorProfile: { type: Unconfined } } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { appArmorProfile: { type: RuntimeDefault } } }]
      `,
    ],
  },
});
