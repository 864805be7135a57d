/** Past the network policies. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [...requests(['create', 'get'], 'pods/portforward')];

export default defineCheck({
  practice: 'authorization',
  name: 'port-forward',
  title: 'Binding lets ports of pods be forwarded',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), owasp('K07')],
  why: 'A forwarded port comes from the node itself, and reaches what listens on localhost only: no network policy holds it back. Up to 1.34 get is enough.',
  remediation: 'Give it to people who debug, for a time.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { leftTo: ['pod-exec', 'node-proxy'] });
  },
  message: ({ who, role, where }) => `${who} may forward ports of pods ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: [""], resources: [pods/portforward], verbs: [create] }]'),
      boundIn('shop', '[{ apiGroups: [""], resources: [pods/portforward], verbs: [create] }]'),
    ],
    good: [HARMLESS],
  },
});
