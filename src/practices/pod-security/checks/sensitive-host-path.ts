/** Folders of the node that give it away. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { CLOUD_CREDENTIALS, hostMounts, isRuntimeSocket, sensitivityOf } from '../host-paths.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'sensitive-host-path',
  title: 'Sensitive folder of the node mounted',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.2.11'), mitre('T1611'), mitre('T1552.001'), owasp('K01')],
  why: 'Keys, sockets and programs of the node lie there: reading them, or writing one file, is enough to leave the container.',
  remediation:
    'Mount only the one file or folder that is needed, read-only, or ask the API for what it tells.',

  subject: 'pod',
  evaluate(pod) {
    const found = hostMounts(pod).flatMap(mount => {
      // The socket of the runtime and the credentials of the cloud have checks of their own.
      if (isRuntimeSocket(mount.path) || CLOUD_CREDENTIALS.includes(mount.path)) return [];
      const holds = sensitivityOf(mount);
      return holds === undefined ? [] : [{ ...mount, holds }];
    });
    return found.length === 0 ? pass : fail(found, ...found.map(({ at }) => at));
  },
  message: found =>
    found
      .map(
        ({ volume, path, holds, writable }) =>
          `volume "${volume}" is ${path} of the node${writable ? ', writable' : ''}: ${holds}`,
      )
      .join('; '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: agent }
      spec:
        containers: [{ name: agent, image: "agent:1.4.2", volumeMounts: [{ name: root, mountPath: /host, readOnly: true }] }]
        volumes: [{ name: root, hostPath: { path: / } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: agent }
      spec:
        containers: [{ name: agent, image: "agent:1.4.2", volumeMounts: [{ name: time, mountPath: /etc/localtime, readOnly: true }] }]
        volumes: [{ name: time, hostPath: { path: /etc/localtime } }]
      `,
    ],
  },
});
