/** Volumes of the node by another door. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, request } from '../grants.ts';

const REQUESTS = [request('create', 'persistentvolumes')];

export default defineCheck({
  practice: 'authorization',
  name: 'persistent-volume-creation',
  title: 'Binding lets persistent volumes be created',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.9'), owasp('K03'), mitre('T1611')],
  why: 'A persistent volume may be a folder of the node: a claim then brings it past Pod Security.',
  remediation: 'Let a storage class provision volumes.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true, leftTo: ['node-proxy'] });
  },
  message: ({ who, role, where }) => `${who} may create persistent volumes ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [persistentvolumes], verbs: [create] }]')],
    good: [HARMLESS],
  },
});
