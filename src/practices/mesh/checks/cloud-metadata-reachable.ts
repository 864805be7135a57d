/** Pods that may ask the cloud who they are. */
import { defineCheck } from '#check/check.ts';
import { mitre, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { WEB_WITH_NAMED_PORT } from '../examples.ts';
import { networkOf, peerOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'cloud-metadata-reachable',
  title: 'Cloud metadata service is reachable',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [mitre('T1552.005'), owasp('K07')],
  why: 'The metadata service hands out the credentials of the node to whoever asks from a pod, where the cloud does not stop it.',
  remediation:
    'Restrict egress, and leave 169.254.169.254 out: ipBlock 0.0.0.0/0 with except 169.254.0.0/16.',

  subject: 'pod',
  looksAt: ['network'],
  evaluate({ object, partial }, { world }) {
    const network = networkOf(world);
    const from = partial ? undefined : peerOf(object, world, network);
    if (from === undefined) return notApplicable('it is no workload of its own');
    const { egress } = network.connection({ from, to: { ip: '169.254.169.254' }, port: 80 });
    if (egress === 'unknown')
      return unknown('whether its policies hold depends on what the input does not say');
    return egress ? fail({}, ['metadata']) : pass;
  },
  message: () => 'no policy keeps it from 169.254.169.254',
  examples: {
    bad: [
      `
      ${WEB_WITH_NAMED_PORT}
      `,
    ],
    good: [
      `
      ${WEB_WITH_NAMED_PORT}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: { name: web, namespace: shop }
      spec:
        podSelector: { matchLabels: { app: web } }
        policyTypes: [Egress]
        egress: [{ to: [{ ipBlock: { cidr: 0.0.0.0/0, except: [169.254.0.0/16] } }] }]
      `,
    ],
  },
});
