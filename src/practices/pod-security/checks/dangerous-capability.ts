/** Capabilities by name, graded by what an attacker does with them. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { severities } from '#check/severity.ts';
import { fail, pass } from '#check/verdict.ts';
import type { Path } from '#kube/objects.ts';
import { capabilityName, DANGERS } from '../capabilities.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'dangerous-capability',
  title: 'Dangerous capability',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.2.8'), cis('5.2.9'), mitre('T1611'), owasp('K01')],
  why: 'Each of these capabilities is a part of root on the node that the runtime withholds for a reason.',
  remediation:
    'Remove the capability, or run the part that needs it in a pod of its own that nothing else can reach.',

  subject: 'container',
  evaluate({ container: { securityContext } }) {
    // A privileged container has them all, and a check of its own.
    if (securityContext?.privileged === true) return pass;
    const found = (securityContext?.capabilities?.add ?? []).flatMap((written, i) => {
      const name = capabilityName(written);
      const danger = DANGERS[name];
      const at: Path = ['securityContext', 'capabilities', 'add', i];
      return danger === undefined || name === 'SYS_CHROOT' ? [] : [{ name, danger, at }];
    });
    return found.length === 0 ? pass : fail(found, ...found.map(({ at }) => at));
  },
  severityOf: found =>
    severities[Math.min(...found.map(({ danger }) => severities.indexOf(danger.severity)))]!,
  message: found => found.map(({ name, danger }) => `${name} gives ${danger.gives}`).join('; '),

  fix: {
    title: 'Take the capability away',
    kind: 'review',
    changes: found => found.map(({ at }) => ({ op: 'remove', path: at, prune: true })),
  },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers:
          - { name: web, image: "shop:1.4.2", securityContext: { capabilities: { add: [SYS_ADMIN, NET_BIND_SERVICE] } } }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers:
          - { name: web, image: "shop:1.4.2", securityContext: { capabilities: { drop: [ALL], add: [NET_BIND_SERVICE] } } }
      `,
    ],
  },
});
