/** Nodes at will. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [...requests(['create', 'update', 'patch', 'delete', 'deletecollection'], 'nodes')];

export default defineCheck({
  practice: 'authorization',
  name: 'node-write',
  title: 'Binding lets nodes be changed',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1565')],
  why: 'Labels and taints of a node decide which pods come to it, those with secrets among them; a node that is deleted takes its pods along.',
  remediation: 'Leave it to the controllers of the cluster.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true, leftTo: ['node-proxy'] });
  },
  message: ({ who, role, where }) => `${who} may change nodes ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [nodes], verbs: [create] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [nodes], verbs: [create] }]')],
  },
});
