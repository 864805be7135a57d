/** Who leads. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { CHANGE, grants, requests } from '../grants.ts';

const REQUESTS = [...requests(CHANGE, 'leases', 'coordination.k8s.io')];

export default defineCheck({
  practice: 'authorization',
  name: 'lease-write-in-kube-system',
  title: 'Binding lets leases of kube-system be taken',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1499')],
  why: 'Whoever holds the lease of kube-scheduler or kube-controller-manager stops both: they wait for it.',
  remediation: 'Name the lease in resourceNames, or hold it in a namespace of its own.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true, orIn: 'kube-system' });
  },
  message: ({ who, role }) => `${who} may take the leases of kube-system by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: ["coordination.k8s.io"], resources: [leases], verbs: [update] }]'),
      boundIn(
        'kube-system',
        '[{ apiGroups: ["coordination.k8s.io"], resources: [leases], verbs: [update] }]',
      ),
    ],
    good: [
      HARMLESS,
      boundIn('shop', '[{ apiGroups: ["coordination.k8s.io"], resources: [leases], verbs: [update] }]'),
    ],
  },
});
