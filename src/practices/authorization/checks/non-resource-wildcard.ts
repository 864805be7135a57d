/** Every address of the API server. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants } from '../grants.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'non-resource-wildcard',
  title: 'Binding opens every address of the API server',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1613')],
  why: 'Addresses beside the resources, such as /debug, /logs and /metrics, tell what the API server does, and slow it down when asked for profiles.',
  remediation: 'List the addresses that are read, such as /metrics.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, [], {
      onlyEverywhere: true,
      orRule: ({ nonResourceURLs = [] }) => nonResourceURLs.includes('*') || nonResourceURLs.includes('/*'),
    });
  },
  message: ({ who, role, where }) =>
    `${who} may ask every address of the API server ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ nonResourceURLs: ["*"], verbs: [get] }]')],
    good: [HARMLESS],
  },
});
