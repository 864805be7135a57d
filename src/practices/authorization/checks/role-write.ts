/** Roles of others. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['create', 'update', 'patch'], 'roles', 'rbac.authorization.k8s.io'),
  ...requests(['create', 'update', 'patch'], 'clusterroles', 'rbac.authorization.k8s.io'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'role-write',
  title: 'Binding lets roles be changed',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.8'), owasp('K03'), mitre('T1098.006')],
  why: 'Whoever writes roles gives what they have to everyone who is bound to them, and by the labels of aggregation to everyone who has view, edit or admin.',
  remediation: 'Leave it to whoever runs the cluster.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, {
      onlyEverywhere: true,
      leftTo: ['escalate'],
    });
  },
  message: ({ who, role, where }) => `${who} may change roles ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: ["rbac.authorization.k8s.io"], resources: [roles], verbs: [create] }]')],
    good: [
      HARMLESS,
      boundIn('shop', '[{ apiGroups: ["rbac.authorization.k8s.io"], resources: [roles], verbs: [create] }]'),
    ],
  },
});
