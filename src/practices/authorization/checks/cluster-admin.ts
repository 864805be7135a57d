/** Everything, for somebody. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundTo, HARMLESS } from '../examples.ts';
import { ADMIN, grants, isSweeping } from '../grants.ts';

export default defineCheck({
  practice: 'authorization',
  name: 'cluster-admin',
  title: 'Binding grants everything',
  severity: 'critical',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.1'), cis('5.1.3'), owasp('K03'), mitre('T1078'), nsa('role-based access control')],
  why: 'Whoever is bound, and whoever gets into a workload that runs as them, is the cluster: every secret, every node, every policy.',
  remediation: 'Grant what is used: list the verbs and resources, in the namespaces where they are needed.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    const everywhere = object.kind === 'ClusterRoleBinding';
    return grants(object, context, ADMIN, everywhere ? { orRule: isSweeping } : {});
  },
  severityOf: ({ everywhere }) => (everywhere ? 'critical' : 'medium'),
  message: ({ who, role, where, hits }) =>
    `${who} may ${hits.length > 0 ? 'do everything' : 'change every resource'} ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: ["*"], resources: ["*"], verbs: [get, patch, delete] }]'),
      boundTo('cluster-admin'),
      bound('[{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }]'),
    ],
    good: [bound('[{ apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch] }]'), HARMLESS],
  },
});
