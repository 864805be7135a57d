/** Processes that may gain more than they were given. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, nsa, owasp, pss } from '#check/frameworks.ts';
import type { SecurityContext } from '#kube/pods.ts';
import { contextAt, detailOf, setAll, standard } from '../standard.ts';

/**
 * The API server refuses a container that asks for both: it is mended once that other power is gone. Source:
 * pkg/apis/core/validation/validation.go, ValidateSecurityContext (the capability only in this spelling).
 */
function isRefused(context: SecurityContext | undefined): boolean {
  return context?.privileged === true || context?.capabilities?.add?.includes('CAP_SYS_ADMIN') === true;
}

export default defineCheck({
  practice: 'pod-security',
  name: 'privilege-escalation',
  title: 'Container may gain more privileges than its parent',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict', 'pss-restricted'],
  frameworks: [
    pss('restricted'),
    cis('5.2.6'),
    nsa('pod security enforcement'),
    mitre('T1548'),
    owasp('K01'),
  ],
  why: 'A setuid binary in the image (sudo, su, ping, mount) can then turn a process of an ordinary user into root.',
  remediation: 'Set securityContext.allowPrivilegeEscalation to false on the container.',

  subject: 'pod',
  evaluate: pod =>
    standard(pod, 'restricted', 'allowPrivilegeEscalation', one => isRefused(contextAt(pod, one))),
  message: detailOf,

  fix: { title: 'Forbid privilege escalation', kind: 'review', changes: setAll(false) },

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
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { allowPrivilegeEscalation: false } }]
      `,
    ],
  },
});
