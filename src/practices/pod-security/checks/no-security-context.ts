/** Pods that say nothing about their security. */
import { defineCheck } from '#check/check.ts';
import { cis, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'no-security-context',
  title: 'No security context at all',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.6.3'), nsa('pod security enforcement'), owasp('K01')],
  why: 'Every default is then the loosest one: root, all default capabilities, a writable file system, no seccomp profile.',
  remediation:
    'Begin with a pod-level securityContext: runAsNonRoot: true and seccompProfile RuntimeDefault.',

  subject: 'pod',
  evaluate({ spec, containers, partial }) {
    if (partial) return notApplicable('a controller makes the rest of the pod');
    if (Object.keys(spec.securityContext ?? {}).length > 0) return pass;
    if (containers.some(({ container }) => Object.keys(container.securityContext ?? {}).length > 0))
      return pass;
    return fail({}, ['spec', 'securityContext']);
  },
  message: () => 'neither the pod nor any container has a securityContext',

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
