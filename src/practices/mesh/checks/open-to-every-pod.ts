/** Workloads that every pod reaches. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass, unknown } from '#check/verdict.ts';
import { ONLY_ITSELF, WEB_WITH_NAMED_PORT } from '../examples.ts';
import { networkOf, peerOf, portsOf } from '../facts.ts';

export default defineCheck({
  practice: 'mesh',
  name: 'open-to-every-pod',
  title: 'Every pod of the cluster reaches it',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.3.2'), owasp('K07'), nsa('network policies'), mitre('T1046')],
  why: 'One pod that was taken over, in any namespace, can talk to it: nothing but its own authentication stands between.',
  remediation:
    'Select it with a NetworkPolicy that names who may connect; sallyport mesh connections shows who does.',

  subject: 'pod',
  looksAt: ['network'],
  evaluate({ object, partial }, { world }) {
    const network = networkOf(world);
    const to = partial ? undefined : peerOf(object, world, network);
    if (to === undefined) return notApplicable('it is no workload of its own');
    const ports = portsOf(object, network);
    if (ports.length === 0) return notApplicable('it declares no port');
    const stranger = { labels: {}, namespaceLabels: { 'kubernetes.io/metadata.name': 'some-namespace' } };
    const open: number[] = [];
    for (const { port, protocol } of ports) {
      const { ingress } = network.connection({ from: stranger, to, port, protocol });
      if (ingress === 'unknown')
        return unknown('whether its policies hold depends on what the input does not say');
      if (ingress) open.push(port);
    }
    return open.length === 0 ? pass : fail([...new Set(open)], ['metadata']);
  },
  message: ports => `a pod of any namespace reaches port ${ports.join(', ')}`,
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
      ${ONLY_ITSELF}
      `,
    ],
  },
});
