/** Certificates for anybody. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { BINDINGS, ROLES } from '#paths/grants.ts';
import { bound, HARMLESS } from '../examples.ts';
import { grants, onSigners, request } from '../grants.ts';

const REQUESTS = ['update', 'patch'].map(verb =>
  request(verb, 'certificatesigningrequests/approval', 'certificates.k8s.io'),
);

export default defineCheck({
  practice: 'authorization',
  name: 'certificate-approval',
  title: 'Binding lets certificates of the cluster be approved',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.1.11'), owasp('K03'), mitre('T1098')],
  why: 'An approved request becomes a client certificate: of any user, of any node.',
  remediation: 'Leave it to the controllers of the cluster.',

  subject: 'object',
  kinds: BINDINGS,
  looksAt: [...ROLES, ...BINDINGS],
  evaluate({ object }, context) {
    return grants(object, context, REQUESTS, { onlyEverywhere: true, together: onSigners('approve') });
  },
  message: ({ who, role }) => `${who} may approve certificates that the cluster trusts, by role "${role}"`,

  examples: {
    bad: [
      bound(
        '[{ apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update] }, { apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: [kubernetes.io/kube-apiserver-client], verbs: [approve] }]',
      ),
    ],
    good: [
      // An approver of its own signer: nothing in the cluster trusts that.
      bound(
        '[{ apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update] }, { apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: [example.com/internal], verbs: [approve] }]',
      ),
      HARMLESS,
    ],
  },
});
