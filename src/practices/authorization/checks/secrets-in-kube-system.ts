/** Secrets of the control plane. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { boundIn, HARMLESS } from '../examples.ts';
import { grants, requests } from '../grants.ts';

const REQUESTS = [...requests(['get', 'list', 'watch'], 'secrets')];

export default defineCheck({
  practice: 'authorization',
  name: 'secrets-in-kube-system',
  title: 'Binding lets secrets of kube-system be read',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.2'), owasp('K03'), mitre('T1552.007')],
  why: 'The secrets of kube-system hold bootstrap tokens and the tokens of controllers: with them one is the cluster.',
  remediation: 'Name the secrets in resourceNames and grant get only.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyIn: 'kube-system' });
  },
  message: ({ who, role, where }) => `${who} may read the secrets ${where}, by role "${role}"`,

  examples: {
    bad: [boundIn('kube-system', '[{ apiGroups: [""], resources: [secrets], verbs: [get] }]')],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [secrets], verbs: [get] }]')],
  },
});
