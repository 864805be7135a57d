/** Certificates under the name of the cluster. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, boundIn, HARMLESS } from '../examples.ts';
import { CHANGE, grants, onSigners, requests } from '../grants.ts';

/** Source: kubernetes plugin/pkg/admission/certificates/signing. */
const REQUESTS = onSigners('sign');
const STATUS = requests(CHANGE, 'certificatesigningrequests/status', 'certificates.k8s.io');

export default defineCheck({
  practice: 'authorization',
  name: 'certificate-signing',
  title: 'Binding lets certificates of the cluster be signed',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.11'), owasp('K03'), mitre('T1098')],
  why: 'Whoever may sign for a signer of Kubernetes writes the certificates that others trust: of clients, of nodes, of servers.',
  remediation: 'Name the signer in resourceNames (`example.com/internal`), and grant no other.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: [...ROLES, ...BINDINGS],
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true, together: STATUS });
  },
  message: ({ who, role }) => `${who} may write certificates in the name of the cluster, by role "${role}"`,

  examples: {
    bad: [
      bound(
        '[{ apiGroups: [certificates.k8s.io], resources: [signers], verbs: [sign] }, { apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/status], verbs: [update] }]',
      ),
    ],
    good: [
      HARMLESS,
      boundIn('shop', '[{ apiGroups: ["certificates.k8s.io"], resources: [signers], verbs: [sign] }]'),
    ],
  },
});
