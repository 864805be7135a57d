/** Keys that are stated twice: only the last one counts, and nobody says so. */
import { defineCheck } from '#check/check.ts';
import { fail, pass } from '#check/verdict.ts';
import { formatPath } from '#kube/objects.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'duplicate-key',
  title: 'Key stated twice',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [],
  why: 'The last one wins without a word: a securityContext that is written above another never reaches the cluster.',
  remediation: 'Keep one of them.',

  subject: 'object',
  looksAt: [],
  evaluate({ object }, { world }) {
    const paths = world.declarationOf(object)?.duplicateKeys ?? [];
    return paths.length === 0 ? pass : fail(paths.map(formatPath), ...paths);
  },
  message: paths => `${paths.join(', ')} stated more than once; only the last one counts`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers:
          - name: web
            image: shop:1.4.2
            securityContext: { runAsNonRoot: true }
            securityContext: { readOnlyRootFilesystem: true }
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
