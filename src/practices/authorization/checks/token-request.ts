/** Tokens of other service accounts. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, request } from '../grants.ts';

const REQUESTS = [request('create', 'serviceaccounts/token')];

export default defineCheck({
  practice: 'authorization',
  name: 'token-request',
  title: 'Binding lets tokens of service accounts be made',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.13'), owasp('K03'), mitre('T1528')],
  why: 'A token of a service account is all that the account may do: whoever makes it for any account has the rights of the strongest.',
  remediation: 'Name the accounts in resourceNames.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS);
  },
  severityOf: ({ everywhere }) => (everywhere ? 'high' : 'medium'),
  message: ({ who, role, where }) => `${who} may make tokens of service accounts ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [serviceaccounts/token], verbs: [create] }]')],
    good: [HARMLESS],
  },
});
