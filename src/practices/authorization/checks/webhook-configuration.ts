/** Deciding what is admitted. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, request } from '../grants.ts';

/** Whatever adds, bends or takes away what stands before every write. */
const REQUESTS = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'].flatMap(resource =>
  ['create', 'update', 'patch', 'delete', 'deletecollection'].map(verb =>
    request(verb, resource, 'admissionregistration.k8s.io'),
  ),
);

export default defineCheck({
  practice: 'authorization',
  name: 'webhook-configuration',
  title: 'Binding lets admission be changed',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.12'), owasp('K03'), mitre('T1562.001')],
  why: 'A webhook sees every object, secrets among them, may change each, and may be switched off.',
  remediation:
    'Leave it to whoever runs the cluster; name the configuration in resourceNames for a controller that keeps its own.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) => `${who} may change what is admitted ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound(
        '[{ apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], verbs: [create] }]',
      ),
    ],
    good: [HARMLESS],
  },
});
