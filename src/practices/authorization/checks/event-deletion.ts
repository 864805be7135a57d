/** Traces. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['delete', 'deletecollection'], 'events'),
  ...requests(['delete', 'deletecollection'], 'events', 'events.k8s.io'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'event-deletion',
  title: 'Binding lets events be deleted',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K05'), mitre('T1070')],
  why: 'Events show what happened in a namespace: whoever deletes them hides what they did.',
  remediation: 'Let events expire by themselves.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) => `${who} may delete events ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [events], verbs: [delete] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [events], verbs: [delete] }]')],
  },
});
