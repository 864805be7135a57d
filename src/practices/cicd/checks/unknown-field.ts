/** Fields that the cluster drops without a word. */
import { defineCheck } from '#check/check.ts';
import { owasp } from '#check/frameworks.ts';
import { fail, notApplicable, pass } from '#check/verdict.ts';
import { formatPath } from '#kube/objects.ts';
import { isBuiltInWorkload } from '#kube/workloads.ts';
import { unknownFields } from '../unknown-fields.ts';

export default defineCheck({
  practice: 'cicd',
  name: 'unknown-field',
  title: 'Security field that the cluster does not know',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [owasp('K01')],
  why: 'YAML accepts the field and the API server drops it: what it was meant to forbid stays allowed, and the file says the opposite.',
  remediation: 'Correct the name, or move the field to where it belongs.',

  subject: 'object',
  looksAt: [],
  evaluate({ object }, { world }) {
    if (!isBuiltInWorkload(object)) return notApplicable('its schema is not known');
    const found = world
      .templatesOf(object)
      .flatMap(({ pod, pathOf }) =>
        unknownFields(pod).map(field => ({ ...field, path: pathOf(field.path) })),
      );
    return found.length === 0 ? pass : fail(found, ...found.map(({ path }) => path));
  },
  message: found => found.map(({ path, hint }) => `${formatPath(path)} is no field: ${hint}`).join('; '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securtyContext: { runAsNonRoot: true } }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", privileged: true }]
      `,
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { readOnlyRootFilesystem: true }
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
