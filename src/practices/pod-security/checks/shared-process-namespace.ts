/** Containers that see each other's processes. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'shared-process-namespace',
  title: 'Containers share their processes',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [mitre('T1055')],
  why: 'Each container then sees the processes of the others, their environment and, with ptrace, their memory.',
  remediation: 'Remove shareProcessNamespace unless the containers have to signal each other.',

  subject: 'pod',
  evaluate({ spec: { shareProcessNamespace }, containers }) {
    return shareProcessNamespace === true && containers.length > 1
      ? fail({}, ['spec', 'shareProcessNamespace'])
      : pass;
  },
  message: () => 'shareProcessNamespace is true',
  fix: {
    title: 'Keep processes apart',
    kind: 'review',
    changes: () => [{ op: 'set', path: ['spec', 'shareProcessNamespace'], value: false }],
  },
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        shareProcessNamespace: true
        containers: [{ name: web, image: "shop:1.4.2" }, { name: log, image: "log:1.0.0" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
