/** Containers that may change their own programs. */
import { defineCheck } from '#check/check.ts';
import { mitre, nsa, owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'writable-root-filesystem',
  title: 'Root file system is writable',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [nsa('immutable file systems'), mitre('T1036'), owasp('K01')],
  why: 'An intruder can put tools into the container and change its program, and nobody sees it in the image.',
  remediation: 'Set readOnlyRootFilesystem to true, and mount an emptyDir where the program writes.',

  subject: 'container',
  evaluate({ container: { securityContext }, pod }) {
    if (pod.spec.os?.name === 'windows') return notApplicable('the field has no meaning on Windows');
    const value = securityContext?.readOnlyRootFilesystem;
    return value === true
      ? pass
      : fail({ stated: value === false }, ['securityContext', 'readOnlyRootFilesystem']);
  },
  message: ({ stated }) =>
    stated ? 'readOnlyRootFilesystem is false' : 'readOnlyRootFilesystem is not set, which means false',
  fix: {
    title: 'Make the root file system read-only',
    kind: 'review',
    changes: () => [{ op: 'set', path: ['securityContext', 'readOnlyRootFilesystem'], value: true }],
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
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { readOnlyRootFilesystem: true } }]
      `,
    ],
  },
});
