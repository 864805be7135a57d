/** Pods as any service account. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, request } from '../grants.ts';

const REQUESTS = [
  request('create', 'pods'),
  request('create', 'deployments', 'apps'),
  request('create', 'daemonsets', 'apps'),
  request('create', 'jobs', 'batch'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'pod-creation',
  title: 'Binding lets pods be created in the whole cluster',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.4'), owasp('K03'), mitre('T1610')],
  why: 'Whoever creates a pod chooses its service account and its volumes: with pods in every namespace come all tokens and secrets, and without Pod Security the nodes.',
  remediation: 'Grant it in the namespaces where it is needed, and enforce a Pod Security level there.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role }) => `${who} may create pods of any namespace by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [pods], verbs: [create] }]')],
    good: [HARMLESS],
  },
});
