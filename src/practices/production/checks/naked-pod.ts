/** Pods that nobody brings back. */
import { defineCheck } from '#check/check.ts';
import { fail, notApplicable } from '#check/verdict.ts';
import { pod } from '../examples.ts';

export default defineCheck({
  practice: 'production',
  name: 'naked-pod',
  title: 'Pod without a controller',
  severity: 'low',
  since: '0.1.0',
  profiles: ['reliability'],
  frameworks: [],
  why: 'When its node fails or is drained, the pod is gone for good.',
  remediation: 'Use a Deployment, a StatefulSet or a Job.',

  subject: 'object',
  kinds: ['/Pod'],
  evaluate({ object }) {
    if ((object.metadata?.ownerReferences?.length ?? 0) > 0) return notApplicable('a controller owns it');
    const annotations = object.metadata?.annotations;
    if (
      annotations?.['kubernetes.io/config.source'] !== undefined ||
      annotations?.['helm.sh/hook'] !== undefined
    )
      return notApplicable('the kubelet or a hook runs it');
    return fail({}, ['kind']);
  },
  message: () => 'a bare pod: nothing creates it again when it is lost',

  examples: {
    bad: [pod()],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop, ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: shop, uid: "1" }] }
      spec: { containers: [{ name: web, image: "shop:1.4.2" }] }
      `,
    ],
  },
});
