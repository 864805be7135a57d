/** Containers in other people's pods. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { CHANGE, grants, requests } from '../grants.ts';

const REQUESTS = [...requests(CHANGE, 'pods/ephemeralcontainers')];

export default defineCheck({
  practice: 'authorization',
  name: 'ephemeral-containers',
  title: 'Binding lets containers be put into running pods',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1610')],
  why: "An ephemeral container brings an image of its author's choice into a running pod: with its service account, its volumes and its network.",
  remediation: 'Give it to people who debug, for a time.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { leftTo: ['pod-exec', 'node-proxy'] });
  },
  severityOf: ({ everywhere }) => (everywhere ? 'medium' : 'low'),
  message: ({ who, role, where }) =>
    `${who} may put containers into running pods ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: [""], resources: [pods/ephemeralcontainers], verbs: [update] }]'),
      boundIn('shop', '[{ apiGroups: [""], resources: [pods/ephemeralcontainers], verbs: [update] }]'),
    ],
    good: [HARMLESS],
  },
});
