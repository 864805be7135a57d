/** Secrets of somebody else. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [...requests(['create', 'update', 'patch'], 'secrets')];

export default defineCheck({
  practice: 'authorization',
  name: 'secret-write',
  title: 'Binding lets all secrets be written',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.2'), owasp('K03'), mitre('T1528')],
  why: 'A Secret of type service-account-token that is created is filled with a token of any account of the namespace, and a changed one makes programs use what an attacker knows.',
  remediation: 'Grant it in the namespaces where it is needed, with resourceNames for update and patch.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, {
      onlyEverywhere: true,
      leftTo: ['secrets-readable'],
    });
  },
  message: ({ who, role }) => `${who} may write the secrets of all namespaces by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [secrets], verbs: [create] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [secrets], verbs: [create] }]')],
  },
});
