/** Deciding what is admitted, without a webhook. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests, WRITE } from '../grants.ts';

const REQUESTS = [
  ...requests(WRITE, 'validatingadmissionpolicies', 'admissionregistration.k8s.io'),
  ...requests(WRITE, 'validatingadmissionpolicybindings', 'admissionregistration.k8s.io'),
  ...requests(WRITE, 'mutatingadmissionpolicies', 'admissionregistration.k8s.io'),
  ...requests(WRITE, 'mutatingadmissionpolicybindings', 'admissionregistration.k8s.io'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'admission-policy-write',
  title: 'Binding lets admission policies be changed',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K03'), mitre('T1562.001')],
  why: 'An admission policy, or its binding, that is changed or deleted guards nothing; a mutating one rewrites every object that passes.',
  remediation:
    'Leave it to whoever runs the cluster; name the policy in resourceNames for a controller that keeps its own.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) => `${who} may change admission policies ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound(
        '[{ apiGroups: ["admissionregistration.k8s.io"], resources: [validatingadmissionpolicies], verbs: [update] }]',
      ),
    ],
    good: [
      HARMLESS,
      boundIn(
        'shop',
        '[{ apiGroups: ["admissionregistration.k8s.io"], resources: [validatingadmissionpolicies], verbs: [update] }]',
      ),
    ],
  },
});
