/** The kubelets behind the API server. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, request } from '../grants.ts';

const REQUESTS = [request('get', 'nodes/proxy'), request('create', 'nodes/proxy')];

export default defineCheck({
  practice: 'authorization',
  name: 'node-proxy',
  title: 'Binding lets kubelets be reached',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.10'), owasp('K03'), mitre('T1609')],
  why: 'Through nodes/proxy every container of the node takes commands, past admission and past the audit log. get is enough.',
  remediation: 'Grant nodes/metrics, nodes/stats or nodes/log where that is what is read.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true });
  },
  message: ({ who, role, where }) => `${who} may reach the kubelets ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [nodes/proxy], verbs: [get] }]')],
    good: [HARMLESS],
  },
});
