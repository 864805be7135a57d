/** Acting as somebody else. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, request } from '../grants.ts';

const REQUESTS = [
  request('impersonate', 'users'),
  request('impersonate', 'groups'),
  request('impersonate', 'serviceaccounts'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'impersonation',
  title: 'Binding lets others be impersonated',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.8'), owasp('K03'), mitre('T1078')],
  why: 'Whoever may impersonate users or groups is any of them, system:masters among them.',
  remediation: 'Name the users or groups in resourceNames, or remove it.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS);
  },
  severityOf: ({ everywhere }) => (everywhere ? 'high' : 'medium'),
  message: ({ who, role, where }) => `${who} may impersonate others ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [users, groups], verbs: [impersonate] }]')],
    good: [HARMLESS],
  },
});
