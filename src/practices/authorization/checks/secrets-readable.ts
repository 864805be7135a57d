/** Secrets of the whole cluster, for somebody. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, request } from '../grants.ts';

const REQUESTS = [request('get', 'secrets'), request('list', 'secrets'), request('watch', 'secrets')];

export default defineCheck({
  practice: 'authorization',
  name: 'secrets-readable',
  title: 'Binding lets all secrets be read',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.2'), owasp('K03'), mitre('T1552.007')],
  why: 'Secrets hold the tokens and passwords of everything else: reading them all is nearly the cluster. list and watch return the contents too.',
  remediation: 'Name the secrets in resourceNames and grant get only, in the namespace where they are.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role }) => `${who} may read the secrets of all namespaces by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [secrets], verbs: [list] }]')],
    good: [HARMLESS],
  },
});
