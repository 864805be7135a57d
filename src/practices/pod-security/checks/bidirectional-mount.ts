/** Mounts that reach back into the node. */
import { defineCheck } from '#check/check.ts';
import { mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'bidirectional-mount',
  title: 'Bidirectional mount propagation',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [mitre('T1611')],
  why: 'What the container mounts appears on the node and in other pods: a mount over a program of the node makes it run what the pod wants.',
  remediation: 'Use HostToContainer, or None.',

  subject: 'container',
  evaluate({ container: { volumeMounts } }) {
    const found = (volumeMounts ?? []).flatMap(({ name, mountPropagation }, i) =>
      mountPropagation === 'Bidirectional'
        ? [{ name: name ?? '', at: ['volumeMounts', i, 'mountPropagation'] }]
        : [],
    );
    return found.length === 0
      ? pass
      : fail(
          found.map(({ name }) => name),
          ...found.map(({ at }) => at),
        );
  },
  message: names => `volume ${names.map(name => `"${name}"`).join(', ')} is mounted Bidirectional`,
  fix: {
    title: 'Keep mounts inside the container',
    kind: 'review',
    changes: (_names, at) => at.map(path => ({ op: 'set', path, value: 'HostToContainer' })),
  },
  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", securityContext: { privileged: true }, volumeMounts: [{ name: data, mountPath: /data, mountPropagation: Bidirectional }] }]
        volumes: [{ name: data, hostPath: { path: /srv/data } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: shop }
      spec:
        containers: [{ name: web, image: "shop:1.4.2", volumeMounts: [{ name: data, mountPath: /data, mountPropagation: HostToContainer }] }]
        volumes: [{ name: data, hostPath: { path: /srv/data } }]
      `,
    ],
  },
});
