/** The socket of the container runtime: whoever may write to it may start any container on the node. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre, owasp } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { hostMounts, isRuntimeSocket } from '../host-paths.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'runtime-socket',
  title: 'Socket of the container runtime mounted',
  severity: 'critical',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.2.11'), mitre('T1611'), mitre('T1610'), owasp('K01')],
  why: 'Through the socket anyone in the container starts a privileged container of their own, and has the node. A read-only mount does not help: the socket is still answered.',
  remediation:
    'Remove the volume. To build images use a builder that needs no socket (BuildKit rootless, Buildah); to watch containers ask the kubelet.',

  subject: 'pod',
  evaluate(pod) {
    const found = hostMounts(pod).filter(({ path }) => isRuntimeSocket(path));
    return found.length === 0 ? pass : fail(found, ...found.map(({ at }) => at));
  },
  message: found => found.map(({ volume, path }) => `volume "${volume}" is ${path}`).join(', '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: builder }
      spec:
        containers: [{ name: build, image: "builder:1.4.2", volumeMounts: [{ name: docker, mountPath: /var/run/docker.sock, readOnly: true }] }]
        volumes: [{ name: docker, hostPath: { path: /var/run/docker.sock } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: builder }
      spec:
        containers: [{ name: build, image: "builder:1.4.2" }]
        volumes: [{ name: work, emptyDir: {} }]
      `,
    ],
  },
});
