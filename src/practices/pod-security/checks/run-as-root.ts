/** Containers that may run as root. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp, pss } from '#check/frameworks.ts';
import type { SecurityContext } from '#kube/pods.ts';
import type { PodSubject } from '#world/subjects.ts';
import { contextAt, detailOf, setAll, standard } from '../standard.ts';

/**
 * The kubelet does not start a container that must not be root and is told to be user 0. Source:
 * pkg/kubelet/kuberuntime/security_context_others.go, verifyRunAsNonRoot.
 */
function isUserZero(pod: PodSubject, context: SecurityContext | undefined): boolean {
  return (context?.runAsUser ?? pod.spec.securityContext?.runAsUser) === 0;
}

export default defineCheck({
  practice: 'pod-security',
  name: 'run-as-root',
  title: 'Container may run as root',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-restricted'],
  frameworks: [pss('restricted'), cis('5.2.7'), nsa('non-root containers'), mitre('T1611'), owasp('K01')],
  why: 'Root in a container is root on the node as soon as anything else goes wrong: a kernel bug, a mounted folder, a capability.',
  remediation: 'Set runAsNonRoot to true on the pod, and build the image with a USER that is not 0.',

  subject: 'pod',
  evaluate: pod =>
    standard(pod, 'restricted', 'runAsNonRoot', one =>
      one.container === undefined
        ? pod.containers.some(({ container }) => isUserZero(pod, container.securityContext))
        : isUserZero(pod, contextAt(pod, one)),
    ),
  message: detailOf,

  fix: { title: 'Refuse to run as root', kind: 'review', changes: setAll(true) },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { runAsNonRoot: true }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
