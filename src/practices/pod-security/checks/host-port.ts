/** Ports of the node. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, pss } from '#check/frameworks.ts';
import { fail } from '#check/verdict.ts';
import { detailOf, removeAll, standard } from '../standard.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'host-port',
  title: 'Container takes a port of its node',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-baseline', 'pss-restricted'],
  frameworks: [pss('baseline'), cis('5.2.12'), mitre('T1046')],
  why: 'The port is reachable on every address of the node, past Services and often past network policies, and only one pod on each node can have it.',
  remediation: 'Remove hostPort, and hostNetwork where it is set, and expose the port by a Service.',

  subject: 'pod',
  evaluate(pod) {
    const verdict = standard(pod, 'baseline', 'hostPorts');
    if (verdict.is !== 'fail' || pod.spec.hostNetwork !== true) return verdict;
    // The API server gives the containers of such a pod a hostPort for each of their ports: nobody wrote it, and taking
    // away one that somebody wrote mends nothing.
    const { detail } = verdict.evidence;
    const evidence = {
      detail: `${detail}, for hostNetwork makes its ports those of the node`,
      violations: [],
    };
    return fail(evidence, ['spec', 'hostNetwork']);
  },
  message: detailOf,

  fix: { title: 'Leave the port of the node alone', kind: 'review', changes: removeAll },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080, hostPort: 8080 }] }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        hostNetwork: true
        containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", ports: [{ containerPort: 8080 }] }]
      `,
    ],
  },
});
