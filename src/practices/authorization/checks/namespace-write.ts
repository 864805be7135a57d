/** Labels that others trust. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { CHANGE, grants, requests } from '../grants.ts';

const REQUESTS = [...requests(CHANGE, 'namespaces')];

export default defineCheck({
  practice: 'authorization',
  name: 'namespace-write',
  title: 'Binding lets namespaces be changed',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), owasp('K04'), mitre('T1562.001')],
  why: 'Labels of a namespace hold its Pod Security level, and are what network policies, webhooks and meshes select by: whoever writes them switches these off.',
  remediation: 'Leave it to whoever runs the cluster, or guard the labels with an admission policy.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS);
  },
  severityOf: ({ everywhere }) => (everywhere ? 'medium' : 'low'),
  message: ({ who, role, where }) =>
    `${who} may change namespaces, their Pod Security labels among them ${where}, by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: [""], resources: [namespaces], verbs: [update] }]'),
      boundIn('shop', '[{ apiGroups: [""], resources: [namespaces], verbs: [update] }]'),
    ],
    good: [HARMLESS],
  },
});
