/** Files of the node with the credentials of its cloud account. */
import { defineCheck } from '#check/check.ts';
import { cis, mitre } from '#check/frameworks.ts';
import { fail, pass } from '#check/verdict.ts';
import { CLOUD_CREDENTIALS, hostMounts, isWithin } from '../host-paths.ts';

export default defineCheck({
  practice: 'pod-security',
  name: 'host-cloud-credentials',
  title: 'Cloud credentials of the node mounted',
  severity: 'high',
  since: '0.1.0',
  profiles: ['default', 'strict'],
  frameworks: [cis('5.2.11'), mitre('T1552.001'), mitre('T1611')],
  why: 'With them the pod acts in the cloud account as the node does: disks, networks, other machines.',
  remediation: 'Give the pod an identity of its own (workload identity, IRSA) with what it needs.',

  subject: 'pod',
  evaluate(pod) {
    const found = hostMounts(pod).filter(({ path }) => CLOUD_CREDENTIALS.some(file => isWithin(path, file)));
    return found.length === 0 ? pass : fail(found, ...found.map(({ at }) => at));
  },
  message: found => found.map(({ volume, path }) => `volume "${volume}" is ${path} of the node`).join(', '),

  examples: {
    bad: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: dns }
      spec:
        containers: [{ name: dns, image: "dns:1.4.2" }]
        volumes: [{ name: azure, hostPath: { path: /etc/kubernetes/azure.json } }]
      `,
    ],
    good: [
      `
      apiVersion: v1
      kind: Pod
      metadata: { name: dns }
      spec:
        serviceAccountName: dns
        containers: [{ name: dns, image: "dns:1.4.2" }]
      `,
    ],
  },
});
