/** Attributes of somebody else. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import type { PolicyRule } from '#decide/authorization/rules.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [...requests(['impersonate'], 'uids', 'authentication.k8s.io')];

/** `userextras/scopes`, with no names: any value of the field. */
function takesAnyExtra({
  verbs = [],
  apiGroups = [],
  resources = [],
  resourceNames = [],
}: PolicyRule): boolean {
  return (
    verbs.some(verb => verb === 'impersonate' || verb === '*') &&
    apiGroups.some(group => group === 'authentication.k8s.io' || group === '*') &&
    resources.some(resource => resource.startsWith('userextras/') || resource === '*') &&
    resourceNames.length === 0
  );
}

export default defineCheck({
  practice: 'authorization',
  name: 'impersonated-attributes',
  title: 'Binding lets attributes of users be impersonated',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.8'), owasp('K03'), mitre('T1078')],
  why: 'Webhooks and policies decide by the uid and the extra fields of a user, as with scopes: whoever sets them is whom they like to be there.',
  remediation: 'Name the values in resourceNames, or remove it.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, {
      // They are in no namespace: a RoleBinding says nothing of them.
      onlyEverywhere: true,
      orRule: takesAnyExtra,
      leftTo: ['impersonation'],
    });
  },
  message: ({ who, role, where }) =>
    `${who} may impersonate uids or extra fields ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: ["authentication.k8s.io"], resources: [uids], verbs: [impersonate] }]'),
      bound('[{ apiGroups: [authentication.k8s.io], resources: [userextras/scopes], verbs: [impersonate] }]'),
    ],
    good: [
      HARMLESS,
      boundIn('shop', '[{ apiGroups: ["authentication.k8s.io"], resources: [uids], verbs: [impersonate] }]'),
    ],
  },
});
