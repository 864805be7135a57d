/** Namespaces that say that anything goes. */
import { defineCheck } from '#check/check.ts';
import { cis, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { nameOf } from '#kube/objects.ts';
import { metadataOf } from '#world/world.ts';

const LABEL = 'pod-security.kubernetes.io/enforce';

export default defineCheck({
  practice: 'pod-security',
  name: 'namespace-privileged',
  title: 'Namespace admits privileged pods',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.2.1'), cis('5.2.2'), owasp('K04')],
  why: 'Any pod may be created in it, a privileged one too: whoever may create pods there owns the nodes.',
  remediation:
    'Enforce baseline, and keep what truly needs more in a namespace of its own that few may write to.',

  subject: 'object',
  kinds: ['/Namespace'],
  evaluate({ object }) {
    if (nameOf(object) === 'kube-system') return notApplicable('a namespace of the system');
    const { labels } = metadataOf(object.metadata);
    return labels?.[LABEL] === 'privileged' ? fail({}, ['metadata', 'labels', LABEL]) : pass;
  },
  message: () => 'it enforces privileged, which admits every pod',

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Namespace
      metadata:
        name: shop
        labels:
          pod-security.kubernetes.io/enforce: privileged
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
