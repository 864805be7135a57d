/** Rights beyond one's own. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, request } from '../grants.ts';

const REQUESTS = [
  request('escalate', 'clusterroles', 'rbac.authorization.k8s.io'),
  request('escalate', 'roles', 'rbac.authorization.k8s.io'),
  request('bind', 'clusterroles', 'rbac.authorization.k8s.io'),
  request('bind', 'roles', 'rbac.authorization.k8s.io'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'escalate-or-bind',
  title: 'Binding lets rights be raised',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.8'), owasp('K03'), mitre('T1098.006')],
  why: 'escalate writes roles with rights that one does not have, bind hands them out: either is every right that the namespace, or the cluster, has.',
  remediation: 'Remove escalate and bind. The API server lets anyone hand out what they have themselves.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS);
  },
  message: ({ who, role, where }) => `${who} may raise rights (escalate or bind) ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind] }]')],
    good: [HARMLESS],
  },
});
