/** Before everybody else. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['create', 'update', 'patch', 'delete'], 'priorityclasses', 'scheduling.k8s.io'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'priority-class-write',
  title: 'Binding lets priority classes be changed',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1499')],
  why: "A high priority that is everybody's default, or one's own, evicts the pods of others.",
  remediation: 'Leave it to whoever runs the cluster.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) => `${who} may change priority classes ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: ["scheduling.k8s.io"], resources: [priorityclasses], verbs: [create] }]')],
    good: [
      HARMLESS,
      boundIn(
        'shop',
        '[{ apiGroups: ["scheduling.k8s.io"], resources: [priorityclasses], verbs: [create] }]',
      ),
    ],
  },
});
