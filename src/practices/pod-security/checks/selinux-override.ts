/** SELinux labels of a team's own. */
import { defineCheck } from '#check/check.ts';
import { mitre, pss } from '#check/frameworks.ts';
import { detailOf, removeAll, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'selinux-override',
  title: 'SELinux type, user or role overridden',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), mitre('T1562.001')],
  why: 'A type of its own (spc_t above all) takes the container out of the confinement that keeps it from the files of the node.',
  remediation: 'Remove type, user and role; a level may stay.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'baseline', 'seLinuxOptions'),
  message: detailOf,

  fix: { title: 'Keep the SELinux label of the runtime', kind: 'review', changes: removeAll },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seLinuxOptions: { type: spc_t } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seLinuxOptions: { level: "s0:c123,c456" } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
