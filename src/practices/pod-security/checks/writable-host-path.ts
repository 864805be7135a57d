/** Folders of the node that a pod may write to. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { CLOUD_CREDENTIALS, hostMounts, isRuntimeSocket, sensitivityOf } from '../host-paths.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'writable-host-path',
  title: 'Folder of the node mounted writable',
  severity: 'medium',
  since: '0.1.0',
  profiles: ['strict'],
  frameworks: [cis('5.2.11'), mitre('T1611')],
  why: 'What is written there stays on the node after the pod, can fill its disk, and is read by whatever else uses the folder.',
  remediation: 'Set readOnly: true on the volume mount, or use a volume that belongs to the pod.',

  subject: 'pod',
  evaluate(pod) {
    const found = hostMounts(pod).filter(
      mount =>
        mount.writable &&
        sensitivityOf(mount) === undefined &&
        !isRuntimeSocket(mount.path) &&
        !CLOUD_CREDENTIALS.includes(mount.path),
    );
    return found.length === 0 ? pass : fail(found, ...found.map(({ at }) => at));
  },
  message: found =>
    found.map(({ volume, path }) => `volume "${volume}" is ${path} of the node, writable`).join(', '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: cache }
      spec:
        containers: [{ name: cache, image: "cache:1.4.2", volumeMounts: [{ name: data, mountPath: /data }] }]
        volumes: [{ name: data, hostPath: { path: /srv/cache } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: cache }
      spec:
        containers: [{ name: cache, image: "cache:1.4.2", volumeMounts: [{ name: data, mountPath: /data, readOnly: true }] }]
        volumes: [{ name: data, hostPath: { path: /srv/cache } }]
      `,
    ],
  },
});
