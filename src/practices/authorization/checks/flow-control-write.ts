/** The queue before the API server. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['create', 'update', 'patch', 'delete'], 'flowschemas', 'flowcontrol.apiserver.k8s.io'),
  ...requests(
    ['create', 'update', 'patch', 'delete'],
    'prioritylevelconfigurations',
    'flowcontrol.apiserver.k8s.io',
  ),
];

export default defineCheck({
  practice: 'authorization',
  name: 'flow-control-write',
  title: 'Binding lets the flow control of the API server be changed',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1499')],
  why: 'Flow schemas decide whose requests are answered first: with a change the control plane starves.',
  remediation: 'Leave it to whoever runs the cluster.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) =>
    `${who} may change the flow control of the API server ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: ["flowcontrol.apiserver.k8s.io"], resources: [flowschemas], verbs: [create] }]'),
    ],
    good: [
      HARMLESS,
      boundIn(
        'shop',
        '[{ apiGroups: ["flowcontrol.apiserver.k8s.io"], resources: [flowschemas], verbs: [create] }]',
      ),
    ],
  },
});
