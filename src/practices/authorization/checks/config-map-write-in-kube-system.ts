/** The settings of the cluster itself. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { CHANGE, grants, requests } from '../grants.ts';

const REQUESTS = [...requests(CHANGE, 'configmaps')];

export default defineCheck({
  practice: 'authorization',
  name: 'config-map-write-in-kube-system',
  title: 'Binding lets the settings of kube-system be changed',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [owasp('K03'), mitre('T1557')],
  why: 'The ConfigMaps of kube-system decide how names resolve (coredns), how services are reached (kube-proxy) and, with EKS, who is an administrator (aws-auth).',
  remediation: 'Name the ConfigMaps in resourceNames; use Leases for leader election.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: ROLES,
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true, orIn: 'kube-system' });
  },
  message: ({ who, role }) => `${who} may change the ConfigMaps of kube-system by role "${role}"`,

  examples: {
    bad: [
      bound('[{ apiGroups: [""], resources: [configmaps], verbs: [update] }]'),
      boundIn('kube-system', '[{ apiGroups: [""], resources: [configmaps], verbs: [update] }]'),
    ],
    good: [HARMLESS, boundIn('shop', '[{ apiGroups: [""], resources: [configmaps], verbs: [update] }]')],
  },
});
