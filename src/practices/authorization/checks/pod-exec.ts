/** Commands in other people's containers. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, request } from '../grants.ts';

const REQUESTS = [
  request('create', 'pods/exec'),
  request('get', 'pods/exec'),
  request('create', 'pods/attach'),
  request('get', 'pods/attach'),
];

export default defineCheck({
  practice: 'authorization',
  name: 'pod-exec',
  title: 'Binding lets commands be run in containers',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K03'), mitre('T1609')],
  why: 'A command in a container runs as the container: with its service account, its secrets and its network. Up to 1.34 get on pods/exec is enough.',
  remediation: 'Give it to people who debug, for a time; a workload hardly ever needs it.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { leftTo: ['node-proxy'] });
  },
  // From 1.35 on the API server asks for create too. Source: kubernetes pkg/registry/core/pod/rest/subresources.go.
  severityOf: ({ everywhere, hits, minor }) =>
    minor >= 35 && hits.every(({ verb }) => verb === 'get') ? 'low' : everywhere ? 'high' : 'medium',
  message: ({ who, role, where, hits }) =>
    `${who} may run commands in containers ${where}${hits.every(({ verb }) => verb === 'get') ? ' (with get, up to Kubernetes 1.34)' : ''}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [pods/exec], verbs: [create] }]')],
    good: [HARMLESS],
  },
});
