/** Groups of the root user. */
import { defineCheck } from '#check/check.ts';
import { nsa } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import type { Path } from '#kube/objects.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'root-group',
  title: 'Container runs in the root group',
  severity: 'low',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [nsa('non-root containers')],
  why: 'Files that belong to group 0, in images and on volumes, are often writable for it.',
  remediation: 'Name another group in runAsGroup, fsGroup and supplementalGroups.',

  subject: 'pod',
  evaluate({ spec: { securityContext }, containers }) {
    const found: { field: string; at: Path }[] = [];
    if (securityContext?.runAsGroup === 0)
      found.push({ field: 'runAsGroup', at: ['spec', 'securityContext', 'runAsGroup'] });
    if (securityContext?.fsGroup === 0)
      found.push({ field: 'fsGroup', at: ['spec', 'securityContext', 'fsGroup'] });
    (securityContext?.supplementalGroups ?? []).forEach((group, i) => {
      if (group === 0)
        found.push({ field: 'supplementalGroups', at: ['spec', 'securityContext', 'supplementalGroups', i] });
    });
    for (const { container, path, name } of containers)
      if (container.securityContext?.runAsGroup === 0)
        found.push({ field: `runAsGroup of "${name}"`, at: [...path, 'securityContext', 'runAsGroup'] });
    return found.length === 0
      ? pass
      : fail(
          found.map(({ field }) => field),
          ...found.map(({ at }) => at),
        );
  },
  message: fields => `group 0 in ${fields.join(', ')}`,

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { runAsGroup: 0, fsGroup: 0 }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        securityContext: { runAsGroup: 10001, fsGroup: 10001 }
        containers: [{ name: web, image: "shop:1.4.2" }]
      `,
    ],
  },
});
