/** Who may speak with whom. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(
    ['create', 'update', 'patch', 'delete', 'deletecollection'],
    'networkpolicies',
    'networking.k8s.io',
  ),
];

export default defineCheck({
  practice: 'authorization',
  name: 'network-write',
  title: 'Binding lets network policies be changed everywhere',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K07'), mitre('T1562.001')],
  why: 'A network policy that is deleted guards nothing, and one that is added opens what another closed: policies only add up.',
  remediation: 'Grant it in the namespaces where it is needed.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) => `${who} may change network policies ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: ["networking.k8s.io"], resources: [networkpolicies], verbs: [create] }]')],
    good: [
      HARMLESS,
      boundIn(
        'shop',
        '[{ apiGroups: ["networking.k8s.io"], resources: [networkpolicies], verbs: [create] }]',
      ),
    ],
  },
});
