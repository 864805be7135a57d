/** Accounts of somebody else. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [...requests(['create', 'update', 'patch'], 'serviceaccounts')];

export default defineCheck({
  practice: 'authorization',
  name: 'service-account-write',
  title: 'Binding lets service accounts be changed everywhere',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1098')],
  why: 'An account that is created under the name of one that was deleted inherits its bindings; annotations of an account choose its cloud role.',
  remediation: 'Grant it in the namespaces where it is needed.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, {
      onlyEverywhere: true,
      leftTo: ['token-request'],
    });
  },
  message: ({ who, role, where }) =>
    `${who} may create or change service accounts ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [serviceaccounts], verbs: [create] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [serviceaccounts], verbs: [create] }]')],
  },
});
