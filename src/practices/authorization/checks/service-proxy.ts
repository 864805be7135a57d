/** Past the network policies by HTTP. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['get', 'create'], 'pods/proxy'),
  ...requests(['get', 'create'], 'services/proxy'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'service-proxy',
  title: 'Binding lets pods and services be reached through the API server',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), owasp('K07')],
  why: 'The proxy of the API server asks pods and services in its own name: from the control plane, past network policies.',
  remediation: 'Reach the service itself, or name it in resourceNames.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true, leftTo: ['node-proxy'] });
  },
  message: ({ who, role, where }) =>
    `${who} may reach all pods or services through the API server ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [pods/proxy], verbs: [get] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [pods/proxy], verbs: [get] }]')],
  },
});
