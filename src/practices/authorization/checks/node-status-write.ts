/** What nodes say of themselves. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { CHANGE, grants, requests } from '../grants.ts';

const REQUESTS = [...requests(CHANGE, 'nodes/status')];

export default defineCheck({
  practice: 'authorization',
  name: 'node-status-write',
  title: 'Binding lets the status of nodes be changed',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1565')],
  why: 'The status of a node decides whether pods are moved away from it, and where the API server looks for its kubelet.',
  remediation: 'Leave it to the kubelets, and to the one program that reports problems of nodes.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, {
      onlyEverywhere: true,
      leftTo: ['node-write', 'node-proxy'],
    });
  },
  message: ({ who, role, where }) => `${who} may change the status of nodes ${where}, by role "${role}"`,

  examples: {
    bad: [bound('[{ apiGroups: [""], resources: [nodes/status], verbs: [update] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [nodes/status], verbs: [update] }]')],
  },
});
