/** Namespaces that hold their pods to nothing. */
import { defineCheck } from '#check/check.ts';
import { cis, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { nameOf } from '#kube/objects.ts';
import { metadataOf } from '#world/world.ts';

const SYSTEM = new Set(['kube-system', 'kube-public', 'kube-node-lease']);

export default defineCheck({
  practice: 'pod-security',
  name: 'namespace-unlabelled',
  title: 'Namespace without a Pod Security level',
  severity: 'low',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.2.1'), nsa('pod security enforcement'), owasp('K04')],
  why: 'Unless the cluster is configured otherwise, any pod may then be created in the namespace, a privileged one too.',
  remediation:
    'Label it: pod-security.kubernetes.io/enforce: baseline at least. sallyport pod-security levels tells what its workloads meet today.',

  subject: 'object',
  kinds: ['/Namespace'],
  evaluate({ object }) {
    if (SYSTEM.has(nameOf(object))) return notApplicable('a namespace of the system');
    const { labels } = metadataOf(object.metadata);
    const stated = Object.keys(labels ?? {}).some(label =>
      label.startsWith('pod-security.kubernetes.io/enforce'),
    );
    return stated ? pass : fail({}, ['metadata', 'labels']);
  },
  message: () => 'no pod-security.kubernetes.io/enforce label: it admits every pod',

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata:
        name: shop
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Namespace
      metadata:
        name: shop
        labels:
          pod-security.kubernetes.io/enforce: baseline
      `,
    ],
  },
});
