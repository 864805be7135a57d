/** Rights for others. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [
  ...requests(['create', 'update', 'patch'], 'rolebindings', 'rbac.authorization.k8s.io'),
  ...requests(['create', 'update', 'patch'], 'clusterrolebindings', 'rbac.authorization.k8s.io'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'role-binding-write',
  title: 'Binding lets roles be handed out',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.1.8'), owasp('K03'), mitre('T1098.006')],
  why: "Whoever writes bindings hands on what they have, and whatever role they may bind: a way to stay after one's own account is gone.",
  remediation: 'Leave it to whoever runs the cluster, or guard it with an admission policy.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, {
      leftTo: ['bind'],
    });
  },
  severityOf: ({ everywhere }) => (everywhere ? 'medium' : 'low'),
  message: ({ who, role, where }) => `${who} may hand out roles ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: ["rbac.authorization.k8s.io"], resources: [rolebindings], verbs: [create] }]'),
      boundIn(
        'shop',
        '[{ apiGroups: ["rbac.authorization.k8s.io"], resources: [rolebindings], verbs: [create] }]',
      ),
    ],
    good: [HARMLESS],
  },
});
