/** Addresses of load balancers. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { CHANGE, grants, requests } from '../grants.ts';

const REQUESTS = [...requests(CHANGE, 'services/status')];

export default defineCheck({
  practice: 'authorization',
  name: 'service-status-write',
  title: 'Binding lets addresses of load balancers be claimed',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07'), mitre('T1557')],
  why: "The address that a status claims is answered inside the cluster: traffic to it, the cloud's metadata service among others, goes to the service (CVE-2020-8554).",
  remediation: 'Leave it to the controller of the load balancers.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) =>
    `${who} may claim addresses of load balancers ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [services/status], verbs: [update] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [services/status], verbs: [update] }]')],
  },
});
