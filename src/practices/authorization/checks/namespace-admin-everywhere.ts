/** Administrators of every namespace. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { valueAt } from '#kube/objects.ts';
import { grantedRules, isShipped, ROLES } from '#paths/grants.ts';
import { bound, boundTo } from '../examples.ts';
import { administers, isAll, isAsked, whoIs } from '../grants.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'namespace-admin-everywhere',
  title: 'Binding makes administrators of every namespace',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.1'), owasp('K03'), mitre('T1078')],
  why: 'Such a role (admin and edit are two) reads and writes secrets and runs pods as any service account: in the whole cluster that is kube-system too, and so everything.',
  remediation: 'Bind the role in the namespaces where it is needed, with RoleBindings.',

  subject: 'object',
  kinds: ['rbac.authorization.k8s.io/ClusterRoleBinding'],
  looksAt: ROLES,
  evaluate({ object }, context) {
    if (isShipped(object)) return notApplicable('it ships with Kubernetes');
    const role = valueAt(object, ['roleRef', 'name']);
    const who = whoIs(object);
    if (who === '') return notApplicable('it binds nobody');
    const rules = grantedRules(object, context.world);
    if (typeof role !== 'string' || rules === undefined) return notApplicable('its role is not in the input');
    if (isAsked(context, 'cluster-admin') && isAll(rules, true))
      return notApplicable('it grants everything, which has a check of its own');
    return administers(rules) ? fail({ who, role }, ['roleRef', 'name']) : pass;
  },
  message: ({ who, role }) => `role "${role}" holds in every namespace, kube-system among them, for ${who}`,

  examples: {
    bad: [bound('[{ apiGroups: ["", apps], resources: ["*"], verbs: ["*"] }]'), boundTo('edit')],
    good: [
      bound('[{ apiGroups: ["", apps], resources: [pods, deployments], verbs: ["*"] }]'),
      boundTo('view'),
      boundTo('edit', 'shop'),
    ],
  },
});
