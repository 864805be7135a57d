/** Traffic of somebody else. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['create', 'update', 'patch'], 'endpoints'),
  ...requests(['create', 'update', 'patch'], 'endpointslices', 'discovery.k8s.io'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'endpoint-write',
  title: 'Binding lets traffic of services be redirected',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07'), mitre('T1557')],
  why: "Endpoints send the traffic of a service to any address, past the network policies of the caller's namespace (CVE-2021-25740).",
  remediation: 'Leave it to the controllers of the cluster.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) =>
    `${who} may redirect the traffic of services ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [endpoints], verbs: [create] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [endpoints], verbs: [create] }]')],
  },
});
