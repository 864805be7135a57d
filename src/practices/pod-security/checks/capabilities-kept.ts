/** Capabilities that nobody gave up. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, pss } from '#check/frameworks.ts';
import { detailOf, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'capabilities-kept',
  title: 'Capabilities not dropped',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict', 'pss-restricted'],
  frameworks: [pss('restricted'), cis('5.2.8'), cis('5.2.9'), mitre('T1040')],
  why: 'The default set still lets root in the container forge packets (NET_RAW), change owners of files and more; nearly no program needs any of it.',
  remediation:
    'Set securityContext.capabilities.drop to ["ALL"], and add back NET_BIND_SERVICE where it is needed.',

  subject: 'pod',
  evaluate: pod => standard(pod, 'restricted', 'capabilities_restricted'),
  message: detailOf,

  fix: {
    title: 'Drop all capabilities',
    kind: 'review',
    changes: ({ violations }) =>
      violations.map(({ path }) =>
        path.includes('add')
          ? { op: 'remove' as const, path, prune: true as const }
          : { op: 'set' as const, path, value: ['ALL'] },
      ),
  },

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
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { capabilities: { drop: [ALL], add: [NET_BIND_SERVICE] } } }]
      `,
    ],
  },
});
