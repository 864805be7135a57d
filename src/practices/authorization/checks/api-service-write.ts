/** Answering for the API server. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [...requests(['create', 'update', 'patch'], 'apiservices', 'apiregistration.k8s.io')];

export default defineCheck({
  practice: 'authorization',
  name: 'api-service-write',
  title: 'Binding lets API groups be taken over',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K03'), mitre('T1557')],
  why: "An APIService sends the requests for a group of the API, and the identities of those who make them, to a server of its author's choice.",
  remediation:
    'Leave it to whoever runs the cluster; name the APIService in resourceNames for a controller that keeps its own.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) => `${who} may take over API groups ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: ["apiregistration.k8s.io"], resources: [apiservices], verbs: [create] }]')],
    good: [
      HARMLESS,
      boundIn(
        'shop',
        '[{ apiGroups: ["apiregistration.k8s.io"], resources: [apiservices], verbs: [create] }]',
      ),
    ],
  },
});
