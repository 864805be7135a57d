/** The shape of other people's objects. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(
    ['update', 'patch', 'delete', 'deletecollection'],
    'customresourcedefinitions',
    'apiextensions.k8s.io',
  ),
];

export default defineCheck({
  practice: 'authorization',
  name: 'custom-resource-definition-write',
  title: 'Binding lets custom resources be redefined',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1565')],
  why: 'A definition that is changed can send every object through a conversion webhook; one that is deleted takes all its objects along.',
  remediation: 'Install definitions apart from the program that uses them; name them in resourceNames.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) =>
    `${who} may change or delete definitions of custom resources ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound(
        '[{ apiGroups: ["apiextensions.k8s.io"], resources: [customresourcedefinitions], verbs: [update] }]',
      ),
    ],
    good: [
      HARMLESS,
      boundIn(
        'shop',
        '[{ apiGroups: ["apiextensions.k8s.io"], resources: [customresourcedefinitions], verbs: [update] }]',
      ),
    ],
  },
});
