/** Pods whose root is the node's root. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'no-user-namespace',
  title: 'No user namespace',
  severity: 'info',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [mitre('T1611')],
  why: 'With hostUsers: false root in the container is nobody on the node, which takes the sting out of most escapes.',
  remediation:
    'Set hostUsers to false where the volumes and the runtime allow it (Kubernetes 1.33 and newer by default).',

  subject: 'pod',
  evaluate({ spec, partial }) {
    if (partial) return notApplicable('a controller makes the rest of the pod');
    if (spec.os?.name === 'windows') return notApplicable('the field has no meaning on Windows');
    if (spec.hostNetwork === true || spec.hostPID === true || spec.hostIPC === true)
      return notApplicable('a pod in the namespaces of its node can have none of its own');
    return spec.hostUsers === false ? pass : fail({}, ['spec', 'hostUsers']);
  },
  message: () => 'hostUsers is not false: root in the pod is root on the node',
  fix: {
    title: 'Give the pod its own users',
    kind: 'review',
    changes: () => [{ op: 'set', path: ['spec', 'hostUsers'], value: false }],
  },
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
        hostUsers: false
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
