/** The scheduler's own right. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [...requests(['create'], 'pods/binding'), ...requests(['create'], 'bindings')];

export default defineCheck({
  practice: 'authorization',
  name: 'pod-binding',
  title: 'Binding lets pods be put on chosen nodes',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1610')],
  why: 'Whoever binds pods to nodes passes by the scheduler: by taints, by affinity, by the reserve of the control plane.',
  remediation: 'Leave it to schedulers.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { leftTo: ['pod-creation'] });
  },
  severityOf: ({ everywhere }) => (everywhere ? 'medium' : 'low'),
  message: ({ who, role, where }) => `${who} may put pods on nodes of its choice ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: [""], resources: [pods/binding], verbs: [create] }]'),
      boundIn('shop', '[{ apiGroups: [""], resources: [pods/binding], verbs: [create] }]'),
    ],
    good: [HARMLESS],
  },
});
