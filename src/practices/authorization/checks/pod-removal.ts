/** Other people's pods, gone. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['delete', 'deletecollection'], 'pods'),
  ...requests(['create'], 'pods/eviction'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'pod-removal',
  title: 'Binding lets pods be removed everywhere',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1499')],
  why: 'Pods that are deleted or evicted come back elsewhere, or not at all: an outage, or a way to move them to a node that an attacker has.',
  remediation: 'Grant it in the namespaces where it is needed.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) => `${who} may delete or evict pods ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [pods], verbs: [delete] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [pods], verbs: [delete] }]')],
  },
});
