/** SELinux types from which nothing, or less than usual, is kept. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { confinementOf } from '#decide/pod-security/profiles/selinux.ts';
import { hasSelinuxOptions, typesOf } from '../selinux.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'selinux-unconfined',
  title: 'SELinux type that confines nothing',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1562.001'), mitre('T1611'), nsa('hardening container environments')],
  why: 'The type decides what a process may touch whatever its user is: with one of these, whoever leaves the container meets no SELinux.',
  remediation:
    'Remove the type: the runtime gives container_t. Where a program needs more, give it a SelinuxProfile of its own and name it.',

  subject: 'pod',
  evaluate(pod) {
    if (!hasSelinuxOptions(pod)) return pass;
    const found = typesOf(pod).flatMap(({ value, path }) => {
      const confinement = confinementOf(value);
      if (confinement.is === 'unconfined')
        return [{ type: value, what: confinement.because, path, wide: false }];
      if (confinement.is === 'wider')
        return [{ type: value, what: `it gives ${confinement.gives}`, path, wide: true }];
      return [];
    });
    return found.length === 0 ? pass : fail(found, ...found.map(({ path }) => path));
  },
  severityOf: found => (found.every(({ wide }) => wide) ? 'medium' : 'high'),
  message: found => [...new Set(found.map(({ type, what }) => `SELinux type "${type}": ${what}`))].join('; '),

  fix: {
    title: 'Keep the SELinux type of the runtime',
    kind: 'review',
    changes: found => found.map(({ path }) => ({ op: 'remove', path })),
  },

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seLinuxOptions: { type: spc_t } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: logs }
      spec:
        containers:
        - { name: logs, image: "logs:1.4.2", securityContext: { seLinuxOptions: { type: container_logwriter_t } } }
      `,
      `
      # On containerd the container's options replace the pod's, on CRI-O they are joined: then this is spc_t.
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seLinuxOptions: { type: spc_t } }
        containers:
        - { name: web, image: "shop:1.4.2", securityContext: { seLinuxOptions: { level: "s0:c1,c2" } } }
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seLinuxOptions: { type: web.process, level: "s0:c123,c456" } }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
      `
      # Every container has a type of its own, so the pod's reaches none.
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { seLinuxOptions: { type: spc_t } }
        containers:
        - { name: web, image: "shop:1.4.2", securityContext: { seLinuxOptions: { type: container_t } } }
      `,
    ],
  },
});
